/// A worm's horizontal scan: one SYN each to random addresses on one port; a few answer, fewer let it in.
struct ScanInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var phase: Double { 5 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard sent < infection.count ?? 3000 else { return nil }
    sent += 1
    let target = Outside.stranger(&random)
    let isUDP = infection.effectiveCarrier == .udp
    var probe = machine.open(
      to: target, port: infection.effectivePort, isUDP ? .udp : .tcp, at: time, label: infection.label)
    let fate = random.unit()
    if isUDP {
      probe.steps = [.client(.opaque(infection.size ?? 40), after: 0)]
      if fate < 0.02 { probe.steps.append(.server(.opaque(80))) }
    } else if fate < 0.02 {
      probe.steps = [
        .server(.bytes(Array("login: ".utf8)), after: 0.1), .client(.bytes(Array("user\r\n".utf8)), after: 0.2),
        .server(.bytes(Array("Password: ".utf8)), after: 0.1),
      ]
      probe.closing = .reset(byClient: true, after: 0.2)
    } else {
      probe.opening = fate < 0.08 ? .refused : .ignored(attempts: 1)
    }
    out.append(probe)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}

/// A spam run: mail to the exchangers of many domains straight from a machine that is no mail server.
struct SpamInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var bootDelay: Double { 120 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard sent < infection.count ?? 600 else { return nil }
    sent += 1
    let domain = "mail-\(1 + random.int(below: 5000)).example"
    let (server, ready) = MailTransfer.exchanger(of: domain, at: time, on: &machine, label: infection.label, into: &out)
    var mail = machine.open(to: server, port: infection.effectivePort, .tcp, at: ready, label: infection.label)
    let fate = random.unit()
    if fate < 0.1 {
      mail.opening = .ignored(attempts: 3)
    } else if fate < 0.2 {
      mail.opening = .refused
    } else {
      let size = (infection.size ?? 1800) + random.int(below: 200)
      MailTransfer.dialog(
        &mail, greeting: domain, sender: "pc-\(machine.index).example", size: size, isRejected: fate < 0.55)
    }
    out.append(mail)
    return time + infection.effectivePeriod * (1 + max(0.3, infection.jitter) * random.uniform(-1, 1))
  }
}

/// A part in a flood: SYNs from ever new ports, or equal datagrams, to one target that does not answer.
struct FloodInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var phase: Double { 5 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let total = infection.count ?? 10_000
    let target = infection.server
    if infection.effectiveCarrier == .udp {
      var flood = machine.open(to: target, port: infection.effectivePort, .udp, at: time, label: infection.label)
      flood.steps = [.client(.opaque(infection.size ?? 512), after: infection.effectivePeriod)]
      flood.cycles = max(1, total)
      out.append(flood)
      return nil
    }
    // A second's worth at a time.
    let batch = max(1, min(total - sent, Int(min(1 / infection.effectivePeriod, 100_000))))
    for index in 0..<batch {
      var probe = machine.open(
        to: target, port: infection.effectivePort, .tcp, at: time + Double(index) * infection.effectivePeriod,
        label: infection.label)
      probe.opening = .ignored(attempts: 1)
      out.append(probe)
    }
    sent += batch
    return sent < total ? time + Double(batch) * infection.effectivePeriod : nil
  }
}

/// Password guessing: many short connections of nearly equal size to a few servers, SSH on port 22 and Telnet-like elsewhere.
struct BruteForceInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var bootDelay: Double { 120 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard sent < infection.count ?? 300 else { return nil }
    let port = infection.effectivePort
    // Fifty guesses for each victim.
    let target = Outside.addresses(of: "victim-\(infection.family ?? "")-\(sent / 50).invalid")[0]
    sent += 1
    var attempt = machine.open(to: target, port: port, .tcp, at: time, label: infection.label)
    if port == 22 || port == 2222 {
      attempt.steps = [
        .client(.bytes(SyntheticSSH.clientBanner)), .server(.bytes(SyntheticSSH.serverBanner), after: 0.01),
        .client(.bytes(SyntheticSSH.keyExchangeInit(&random))), .server(.bytes(SyntheticSSH.keyExchangeInit(&random))),
        .client(.bytes(SyntheticSSH.exchangeStart(&random))), .server(.bytes(SyntheticSSH.exchangeReply(&random))),
        .client(.bytes(SyntheticSSH.newKeys(&random))), .client(.opaque(64)), .server(.opaque(64)),
        .client(.opaque(96 + 16 * random.int(below: 2))), .server(.opaque(80), after: random.uniform(1.2, 2.2)),
      ]
      attempt.service = "ssh"
    } else {
      func text(_ string: String) -> Conversation.Payload { .bytes(Array(string.utf8)) }
      attempt.steps = [
        .server(text("login: "), after: 0.1), .client(text("user\r\n"), after: 0.1), .server(text("Password: ")),
        .client(text("guess-\(random.int(100, 999))\r\n"), after: 0.1), .server(text("Login incorrect\r\n"), after: 1),
      ]
    }
    attempt.closing = .finished(byClient: true, after: 0.05)
    out.append(attempt)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}
