/// HTTP of one shape to one server: POSTs of one size, no agent, to an address; blending in, GETs with a browser's.
struct HTTPCallHomeInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var identifier = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
    identifier = self.random.int(0x1000_0000, 0x7fff_ffff)
  }

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let (server, ready) = machine.find(infection, at: time, into: &out)
    let host = infection.name ?? server.description
    let request =
      infection.blends
      ? SyntheticHTTP(
        host: host, target: "/view/\(random.int(100, 999))?id=\(identifier)",
        userAgent: "Mozilla/5.0 (X11; Linux x86_64) Simulated/1.0", responseOctets: random.int(200, 9000))
      : SyntheticHTTP(
        method: "POST", host: host, target: "/c/\(identifier)", requestOctets: infection.size ?? 180,
        responseOctets: 16, contentType: "text/plain")
    out.append(
      machine.http(to: server, port: infection.effectivePort, at: ready, requests: [request], label: infection.label))
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}

/// Programs fetched over HTTP soon after the infection: one for each processor type from an address; blending in, one
/// from a named site. The bytes are filler.
struct ProgramDownloadInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let platforms = ["mips", "mpsl", "arm7", "x86", "sh4", "ppc"].prefix(max(1, infection.count ?? 4))
    let (server, ready) = machine.find(infection, at: time, into: &out)
    var moment = ready
    for platform in infection.blends ? ["exe"] : Array(platforms) {
      let request = SyntheticHTTP(
        host: infection.name ?? server.description,
        target: infection.blends ? "/files/tool.exe" : "/b/moth.\(platform)",
        userAgent: infection.blends ? "Mozilla/5.0 (X11; Linux x86_64) Simulated/1.0" : "Wget/1.21",
        responseOctets: infection.size ?? random.int(40_000, 90_000), contentType: "application/x-executable")
      out.append(
        machine.http(to: server, port: infection.effectivePort, at: moment, requests: [request], label: infection.label)
      )
      moment += infection.effectivePeriod
    }
    return nil
  }
}

/// The same request to one named server after another: a bot works through its list.
struct SameRequestInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var turn = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let servers = max(1, infection.count ?? 30)
    turn += 1
    let name = SimulatedName.domain("node-\(Outside.hash(infection.family ?? "moth") % 997)-\(turn % servers)")
    let (server, ready) = machine.resolve(name, at: time, label: infection.label, into: &out)
    let request = SyntheticHTTP(
      host: name, target: "/wing/check", userAgent: "Mozilla/4.0 (simulated)", responseOctets: 120)
    out.append(
      machine.http(to: server, port: infection.effectivePort, at: ready, requests: [request], label: infection.label))
    guard turn < 4 * servers else { return nil }
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}

/// Requests for advertisements at many sites with no page around them.
struct ClickFraudInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var sent = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard sent < infection.count ?? 400 else { return nil }
    sent += 1
    let name = "ads.network-\(random.int(1, 25)).example"
    let (server, ready) = machine.resolve(name, at: time, label: infection.label, into: &out)
    let request = SyntheticHTTP(
      host: name, target: "/click?c=\(random.int(1000, 9999))",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) Simulated/1.0", status: 302, responseOctets: random.int(0, 600))
    out.append(
      machine.http(to: server, port: infection.effectivePort, at: ready, requests: [request], label: infection.label))
    return time + infection.effectivePeriod * (1 + max(0.5, infection.jitter) * random.uniform(-1, 1))
  }
}
