/// Data in look-ups of ever new names below one domain, answers in TXT records; blending in, rare look-ups of addresses.
struct TunnelInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource
  private var asked = 0

  init(infection: Scenario.Infection, hours: InfectionHours, random: RandomSource) {
    self.infection = infection
    self.hours = hours
    self.random = random
  }

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    guard asked < infection.count ?? .max else { return nil }
    asked += 1
    // Base 32 holds 5 octets in 8 letters; a name has room for about 110 octets.
    let octets = min(110, max(4, infection.size ?? 60))
    var lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: Self.name(octets, below: infection.zone, &random),
      type: infection.blends ? .a : .txt, responseCode: 0, ttlSeconds: 5)
    if infection.blends {
      lookup.addresses = [IPAddress(v4: 0xc612_0000 | UInt32(random.int(below: 0x1_ffff)))]
    } else {
      lookup.texts = [Self.letters(random.int(40, 160), &random)]
    }
    machine.ask(lookup, at: time, label: infection.label, into: &out)
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }

  static func name(_ octets: Int, below zone: String, _ random: inout RandomSource) -> String {
    var left = octets * 8 / 5
    var labels: [String] = []
    while left > 0 {
      labels.append(letters(min(57, left), &random))
      left -= 57
    }
    return (labels + [zone]).joined(separator: ".")
  }

  static func letters(_ count: Int, _ random: inout RandomSource) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    return String(decoding: (0..<count).map { _ in alphabet[random.int(below: 32)] }, as: UTF8.self)
  }
}

extension Scenario.Infection {
  /// The domain below which a tunnel's names lie.
  var zone: String { name ?? SimulatedName.domain("relay") }
}

/// A name whose every answer holds other machines' addresses; one of them is called.
///
/// The front machines are strangers (see `Outside`): home lines lie all over the Internet, not in one prefix.
struct FluxInfection: Behaviour {
  let infection: Scenario.Infection
  let hours: InfectionHours
  var random: RandomSource

  var phase: Double { infection.effectivePeriod }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard let awake = hours.next(time) else { return nil }
    if awake > time { return awake }
    let name = infection.name ?? SimulatedName.domain("flux", under: "net")
    let fronts = (0..<(infection.count ?? 5)).map { _ in Outside.stranger(&random) }
    let lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: name, type: .a, responseCode: 0, addresses: fronts,
      ttlSeconds: infection.blends ? 290 : 120)
    let ready = machine.ask(lookup, at: time, label: infection.label, into: &out)
    if let front = fronts.first {
      machine.checkIn(
        infection, with: front, at: ready, up: infection.size ?? 320, down: 640 + random.int(below: 64), into: &out)
    }
    return time + infection.effectivePeriod * (1 + infection.jitter * random.uniform(-1, 1))
  }
}
