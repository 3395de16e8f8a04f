/// A peer that a file-sharing program comes back to on a timer: what a beacon detector confuses with a call-home.
struct ReturningPeer: Behaviour {
  enum Kind: Sendable, CaseIterable {
    /// Gone, and tried again and again.
    case dead
    /// There, with something else to exchange each time.
    case seed
    /// A node of the distributed table that is asked whether it is still there (BEP 5: after 15 minutes).
    case node
    /// Told by name that the program is still there (BEP 15).
    case tracker
  }
  let kind: Kind
  let period: Double
  private let address: IPAddress
  private let port: UInt16
  var random: RandomSource
  private static let ownPort: UInt16 = 51_413

  init(_ kind: Kind, random: RandomSource) {
    var random = random
    self.kind = kind
    address = Outside.stranger(&random)
    port = kind == .tracker ? 1337 : UInt16(10_000 + random.int(below: 50_000))
    period =
      switch kind {
      case .dead: random.uniform(300, 3600)
      case .seed: random.uniform(600, 5400)
      case .node: 900
      case .tracker: 1800
      }
    self.random = random
  }

  /// Those of one program: more are gone than there.
  static func swarm(_ choice: inout RandomSource, _ random: () -> RandomSource) -> [any Behaviour] {
    let counts: [(Kind, Int)] = [
      (.dead, choice.int(4, 20)), (.seed, choice.int(1, 8)), (.node, choice.int(4, 24)), (.tracker, 1),
    ]
    return counts.flatMap { kind, count in (0..<count).map { _ in ReturningPeer(kind, random: random()) } }
  }

  var bootDelay: Double { 90 }
  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    switch kind {
    case .dead:
      var attempt = machine.open(to: address, port: port, .tcp, at: time, label: .normal)
      attempt.opening = .ignored(attempts: 3)
      out.append(attempt)
    case .seed:
      var transfer = machine.open(to: address, port: port, .tcp, at: time, label: .normal)
      transfer.steps = [
        .client(.opaque(random.int(96, 600))), .server(.opaque(random.int(96, 600))), .client(.opaque(68)),
        Conversation.Step(
          fromClient: random.chance(0.3), delay: 0.5,
          payload: .opaque(Int(random.pareto(minimum: 200, alpha: 0.9, cap: 2_000_000))), rate: 400_000),
      ]
      transfer.closing = .reset(byClient: random.chance(0.5), after: random.uniform(1, 90))
      out.append(transfer)
    case .node, .tracker:
      var server = address
      var ready = time
      if kind == .tracker {
        (server, ready) = machine.resolve("tracker.sharing.example", at: time, label: .normal, into: &out)
      }
      var ping = machine.open(to: server, port: port, .udp, at: ready, label: .normal)
      ping.clientPort = Self.ownPort
      ping.steps = [.client(.bytes(SyntheticDatagrams.dht(isAnswer: false, &random)), after: 0)]
      if random.chance(0.85) {
        ping.steps.append(.server(.bytes(SyntheticDatagrams.dht(isAnswer: true, &random)), after: 0.01))
      }
      out.append(ping)
    }
    return time + period * (1 + 0.05 * random.uniform(-1, 1))
  }
}
