/// A bot that obeys orders at irregular moments: all bots of one server have the same ones and answer within seconds.
struct CrowdInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var orders: RandomSource
  private var order = 0.0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
    orders = RandomSource(seed: Outside.hash(infection.name ?? infection.family ?? "crowd"))
  }

  var bootDelay: Double { 5 }
  var phase: Double { 5 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    if order > 0, let awake = hours.next(time), awake == time, time >= order, time < order + 60 {
      machine.checkIn(
        infection, at: time, up: infection.size ?? 320, down: 480 + random.int(below: 16), random: &random, into: &out)
    }
    repeat { order += 60 + orders.exponential(mean: infection.effectivePeriod) } while order <= time
    return order + random.uniform(0.1, 3 + 10 * infection.jitter)
  }
}

/// Small datagrams to strangers on their own high ports, old and new ones; most never answer.
struct PeerInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var peers: [IPAddress] = []
  private let ownPort: UInt16

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
    ownPort = UInt16(self.random.int(10_000, 48_000))
  }

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let isNew = peers.count < infection.count ?? 400 && (peers.isEmpty || random.chance(0.6))
    let peer = isNew ? Outside.stranger(&random) : random.pick(peers) ?? Outside.stranger(&random)
    if isNew { peers.append(peer) }
    let traits = peer.mixed
    var line = machine.open(
      to: peer, port: UInt16(1025 + traits % 60_000), .udp, at: time, label: infection.label)
    line.clientPort = ownPort
    line.steps = [.client(.opaque((infection.size ?? 44) + random.int(below: 8)), after: 0)]
    // Blending in: peers that answer, as in a network that is well kept.
    if (traits >> 20) % 100 < (infection.blends ? 70 : 35) {
      line.steps.append(.server(.opaque(60 + random.int(below: 40))))
    }
    out.append(line)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}

/// A device bot's slow search for the next device: a telnet, a debug bridge port, one stranger at a time.
struct DeviceAttackInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard sent < infection.count ?? .max else { return nil }
    sent += 1
    let choice = random.unit()
    let port = infection.port ?? (choice < 0.7 ? 23 : choice < 0.85 ? 2323 : 5555)
    var probe = machine.open(to: Outside.stranger(&random), port: port, .tcp, at: time, label: infection.label)
    let fate = random.unit()
    if fate < (infection.blends ? 0.3 : 0.03) {
      probe.steps = [
        .server(.bytes(Array("login: ".utf8)), after: 0.1), .client(.bytes(Array("user\r\n".utf8)), after: 0.2),
        .server(.bytes(Array("Password: ".utf8)), after: 0.1),
      ]
      probe.closing = .reset(byClient: true, after: 0.2)
    } else {
      probe.opening = fate < 0.1 ? .refused : .ignored(attempts: 1)
    }
    out.append(probe)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}
