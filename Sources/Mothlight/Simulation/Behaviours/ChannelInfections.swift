/// A bot that waits in an IRC channel: registration, join with a key, and answers to pings; nothing is ever said.
struct IRCInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let (server, ready) = machine.find(infection, at: time, into: &out)
    let nick = infection.blends ? SyntheticIRC.ordinaryNick(&random) : SyntheticIRC.kitNick(&random)
    let chat = SyntheticIRC(
      nick: nick, user: infection.blends ? "moth" : "x\(random.int(1000, 9999))", channel: "#wing",
      key: infection.blends ? nil : "k")
    let seconds = min(machine.online.remaining(time), random.uniform(2, 8) * 3600)
    out.append(
      machine.chat(
        chat, to: server, port: infection.effectivePort, at: ready, seconds: seconds,
        pingSeconds: infection.effectivePeriod, talk: 0, label: infection.label))
    return time + seconds + random.uniform(30, 120)
  }
}

/// One connection that stays open for as long as the machine is on and carries a few octets each period.
struct QuietChannelInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let (server, ready) = machine.find(infection, at: time, into: &out)
    let seconds = machine.online.remaining(time)
    var line = machine.open(to: server, port: infection.effectivePort, .tcp, at: ready, label: infection.label)
    let size = infection.size ?? 12
    line.steps = [.client(.opaque(64), after: 0.1), .server(.opaque(32), after: 0.05)]
    line.cycleStart = 2
    line.cycles = max(1, Int(seconds / infection.effectivePeriod))
    line.steps += [
      .server(.opaque(max(1, size)), after: infection.effectivePeriod), .client(.opaque(max(1, size))),
    ]
    line.closing = .left
    out.append(line)
    return time + seconds + 60
  }
}

/// Attempts at a server that was taken down: three SYNs each, no answer.
struct DeadRendezvousInfection: Behaviour {
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
    let (server, ready) = machine.find(infection, at: time, into: &out)
    var attempt = machine.open(to: server, port: infection.effectivePort, .tcp, at: ready, label: infection.label)
    attempt.opening = .ignored(attempts: 3)
    out.append(attempt)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}

/// Check-ins through the network's web proxy: CONNECT with the server's name, then TLS inside.
struct ProxiedInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var clock: BeaconClock?

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time {
      clock = nil
      return awake
    }
    var beats =
      clock
      ?? BeaconClock(
        period: infection.effectivePeriod, jitter: infection.jitter, miss: infection.miss, extra: infection.extra,
        start: time + infection.effectivePeriod, random: &random)
    out.append(
      machine.proxied(
        infection.name ?? "wing.quietmoth.example", proxyPort: infection.effectivePort, at: time,
        exchanges: [TrafficExchange(up: (infection.size ?? 320) + random.int(below: 8), down: 490)], random: &random,
        label: infection.label))
    let next = beats.next(&random).time
    clock = beats
    return next
  }
}

extension SimulatedMachine {
  /// A TLS conversation with `name` through the web proxy on the gateway.
  mutating func proxied(
    _ name: String, proxyPort: UInt16 = 3128, at time: Double, exchanges: [TrafficExchange],
    random: inout RandomSource, label: TrafficLabel
  ) -> Conversation {
    let inner = tls(to: gateway, port: proxyPort, name: name, as: .system, at: time, exchanges: exchanges, label: label)
    let request = SyntheticHTTP(
      method: "CONNECT", host: "\(name):443", target: "\(name):443", userAgent: "Simulated/1.0", responseOctets: 0)
    var line = inner
    line.steps =
      [
        .client(.bytes(request.requestHead)),
        .server(.bytes(request.responseHead), after: 0.01 + Outside.roundTrip(to: Outside.addresses(of: name)[0])),
      ] + inner.steps
    line.application = .http([request])
    line.service = "http"
    return line
  }
}
