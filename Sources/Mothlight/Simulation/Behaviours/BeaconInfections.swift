/// Check-ins by a `BeaconClock` with nearly constant sizes.
struct BeaconInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var clock: BeaconClock?
  private var sent = 0
  private var isExtra = false

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var bootDelay: Double { 20 }
  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    // Called while its machine is on but the bot is not.
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return restart(at: awake) }
    guard var clock else { return restart(at: time) }
    if sent >= infection.count ?? .max { return nil }
    sent += 1
    let base = infection.size ?? 320
    let up = isExtra ? random.int(base, 3 * base) : base + random.int(below: 8)
    let down = isExtra ? random.int(400, 40_000) : 480 + random.int(below: 16)
    machine.checkIn(infection, at: time, up: up, down: down, random: &random, into: &out)
    let next = clock.next(&random)
    isExtra = next.isExtra
    self.clock = clock
    guard let moment = hours.next(next.time) else { return nil }
    return moment == next.time ? moment : restart(at: moment)
  }

  private mutating func restart(at time: Double) -> Double {
    var fresh = BeaconClock(
      period: infection.effectivePeriod, jitter: infection.jitter, miss: infection.miss, extra: infection.extra,
      start: time,
      random: &random)
    let first = fresh.next(&random)
    isExtra = first.isExtra
    clock = fresh
    return first.time
  }
}

/// BFBot's channel: a 7-octet join, its answer, then keep-alives of 3 octets about every 240 s on the same ports.
struct BFBotInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var port: UInt16 = 0
  private var joined = IPAddress.unspecified
  private var sequence: UInt16 = 0
  private var sent = 0
  private var expected = -1.0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var bootDelay: Double { 20 }
  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    if sent >= infection.count ?? .max { return nil }
    // Later than planned: the machine was off, so the channel is joined anew.
    let isJoin = expected < 0 || time > expected + 1
    if isJoin {
      port = machine.ephemeralPort()
      sequence = UInt16(random.int(below: 60_000))
    }
    sequence &+= 1
    let octets = (UInt8(sequence & 255), UInt8(sequence >> 8))
    var ready = time
    if isJoin {
      joined = infection.server
      if let name = infection.name {
        (joined, ready) = machine.resolve(name, at: time, label: infection.label, into: &out)
      }
    }
    if isJoin || !random.chance(infection.miss) {
      var datagrams = machine.open(to: joined, port: infection.effectivePort, .udp, at: ready, label: infection.label)
      datagrams.clientPort = port
      let message = isJoin ? SyntheticBFBot.join(sequence: octets) : SyntheticBFBot.keepAlive(sequence: octets)
      let answer =
        isJoin
        ? SyntheticBFBot.joinAnswer(sequence: octets, bot: machine.address)
        : SyntheticBFBot.acknowledgement(sequence: octets)
      datagrams.steps = [.client(.bytes(message), after: 0), .server(.bytes(answer))]
      out.append(datagrams)
      sent += 1
    }
    expected = time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
    return expected
  }
}

/// Bursts of look-ups for generated names that do not exist, the last of which does and is called.
///
/// The names are random letters under real top-level domains, since a name model judges exactly that; they stay in the file.
struct NXDomainInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource

  var bootDelay: Double { 60 }
  var phase: Double { infection.effectivePeriod / 2 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    var moment = time
    for _ in 0..<(infection.count ?? 60) {
      let lookup = SyntheticDNS(
        identifier: UInt16(random.int(below: 65_536)), name: Self.generatedName(&random), type: .a, responseCode: 3,
        ttlSeconds: 0)
      moment = machine.ask(lookup, at: moment, label: infection.label, into: &out) + random.exponential(mean: 0.5)
    }
    machine.checkIn(
      infection, at: moment, up: infection.size ?? 320, down: 640 + random.int(below: 64), random: &random, into: &out)
    return max(moment, time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1)))
  }

  static func generatedName(_ random: inout RandomSource) -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    let label = (0..<random.int(11, 17)).map { _ in letters[random.int(below: letters.count)] }
    let suffix = ["com", "net", "org", "info", "biz", "ru"][random.int(below: 6)]
    return String(decoding: label, as: UTF8.self) + "." + suffix
  }
}
