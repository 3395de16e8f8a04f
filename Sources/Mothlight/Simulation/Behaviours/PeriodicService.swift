/// Benign software that calls a named server on a timer: updates, telemetry, cloud look-ups, feeds, mail polls.
///
/// The traffic that a timing test alone cannot tell from a bot; many machines call the same names, some only one does.
struct PeriodicService: Behaviour {
  /// Called one after another at each turn.
  var names: [String]
  var period: Double
  /// Each gap is the period times 1 ± this, uniformly.
  var spread: Double
  var client = SyntheticTLS.Client.system
  var port: UInt16 = 443
  var up: ClosedRange<Int>
  var down: ClosedRange<Int>
  /// Share of turns with a much larger answer: an update, a new mail.
  var bigChance = 0.0
  var big = 0
  /// Plain HTTP instead of TLS.
  var userAgent: String?
  var target = "/"
  /// Only one of the names at each turn.
  var picksOne = false
  var random: RandomSource

  var bootDelay: Double { min(120, period / 4) }
  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var moment = time
    let turn = picksOne ? random.pick(names).map { [$0] } ?? [] : names
    for name in turn {
      let isBig = random.chance(bigChance)
      let sizes = TrafficExchange(
        up: random.int(up.lowerBound, up.upperBound),
        down: isBig ? random.int(big / 2, big) : random.int(down.lowerBound, down.upperBound),
        serverDelay: random.logNormal(median: 0.03, sigma: 0.7))
      if let userAgent {
        let (server, ready) = machine.resolve(name, at: moment, label: .normal, into: &out)
        let request = SyntheticHTTP(
          host: name, target: target, userAgent: userAgent, status: isBig || bigChance == 0 ? 200 : 304,
          responseOctets: isBig || bigChance == 0 ? sizes.down : 0, contentType: "text/plain")
        out.append(
          machine.http(to: server, port: port == 443 ? 80 : port, at: ready, requests: [request], label: .normal))
      } else {
        machine.callHome(name, port: port, as: client, at: moment, exchanges: [sizes], into: &out)
      }
      moment += random.uniform(0.2, 1.5)
    }
    return time + period * (1 + spread * random.uniform(-1, 1))
  }
}

/// A cloud look-up of file prints through the DNS: bursts of one-time names below one domain, as antivirus software does.
struct AntivirusLookups: Behaviour {
  var random: RandomSource
  var phase: Double { 900 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var moment = time
    for _ in 0..<random.int(1, 4) {
      let print = String(random.next(), radix: 16)
      let lookup = SyntheticDNS(
        identifier: UInt16(random.int(below: 65_536)), name: "\(print).p.\(SimulatedName.domain("avcloud"))", type: .a,
        responseCode: 0,
        addresses: [IPAddress(v4: 0x7f00_0001 &+ UInt32(random.int(below: 3)))], ttlSeconds: 60)
      moment = machine.ask(lookup, at: moment, label: .normal, into: &out) + random.exponential(mean: 0.2)
    }
    if random.chance(0.3) {
      machine.callHome(
        "verdict.avcloud.example", as: .system, at: moment, exchanges: [TrafficExchange(up: 1400, down: 600)],
        into: &out)
    }
    return time + 20 + random.exponential(mean: 900)
  }
}
