import Glibc

/// Those who come to a sinkhole without being machines of the botnet: sandboxes, strays and poisoners.
struct CensusStrays {
  private struct Visit {
    var network: Int
    var slot: Int
    var fingerprint: UInt64
    var identity: UInt64
    var draw: UInt64
    var contacts: Int
    var isValid: Bool
  }

  private let scenario: CensusScenario
  private let population: CensusPopulation
  private let providers: [Double]
  private let hosting: [Int]
  private var poisoners: [Visit] = []
  private var later: [Int: [Visit]] = [:]
  private var random: RandomSource

  init(_ scenario: CensusScenario, _ population: CensusPopulation) {
    self.scenario = scenario
    self.population = population
    random = RandomSource(seed: scenario.seed, stream: 14)
    providers = BotPopulation.running(population.networks.map { $0.isHosting ? 0 : $0.share })
    hosting = population.networks.indices.filter { population.networks[$0].isHosting }
    for _ in 0..<Int(Double(scenario.machines) * scenario.poisoners) {
      poisoners.append(hosted(identity: identity(), contacts: 0, isValid: true))
    }
  }

  /// All visits of one hour of the window.
  mutating func run(_ hour: Int, _ state: inout CensusRun, _ row: (CensusSighting, Int) throws -> Void) throws {
    let machines = Double(scenario.machines)
    for _ in 0..<poisson(scenario.straysPerDay / 24 * machines) {
      let visit = stray()
      try come(visit, hour, &state, row)
      // One in seven comes a second time within two days; they count as no machine either.
      if random.chance(0.15) { later[hour + 1 + random.int(below: 48), default: []].append(visit) }
    }
    for _ in 0..<poisson(scenario.sandboxesPerDay / 24 * machines) {
      try come(sandbox(), hour, &state, row)
    }
    for visit in later.removeValue(forKey: hour) ?? [] { try come(visit, hour, &state, row) }
    for i in poisoners.indices {
      // On for some hours of most days, as if somebody sat there.
      let visit = poisoners[i]
      let today = RandomSource.mix(visit.draw ^ UInt64(hour / 24))
      let from = Int(visit.draw >> 8 & 15)
      guard today & 7 != 0, hour % 24 >= from, hour % 24 < from + 3 + Int(today >> 8 & 7) else { continue }
      var now = visit
      now.contacts = max(1, Int(3600 / scenario.checkInSeconds + random.unit()))
      try come(now, hour, &state, row)
    }
  }

  private mutating func come(
    _ visit: Visit, _ hour: Int, _ state: inout CensusRun, _ row: (CensusSighting, Int) throws -> Void
  ) throws {
    let sensor = random.int(below: scenario.sensors.count)
    guard !state.isSilent(sensor, hour) else { return }
    let address = population.networks[visit.network].address(visit.slot, machine: visit.draw, day: hour / 24)
    state.noteStranger(address, slot: visit.slot, isValid: visit.isValid)
    try state.emit(
      network: visit.network, slot: visit.slot, address: address, sensor: sensor, hour: hour,
      fingerprint: visit.fingerprint, identity: visit.identity, contacts: visit.contacts, isValid: visit.isValid,
      machine: -1, row)
  }

  /// Somebody from the customers of a provider; some speak the protocol: copies, people who try it, replays.
  private mutating func stray() -> Visit {
    let isValid = random.chance(scenario.validStrays)
    return bystander(
      fingerprint: isValid ? fingerprint() : 0, identity: isValid ? identity() : 0, contacts: random.int(1, 3),
      isValid: isValid)
  }

  /// The program in a machine that is thrown away after some minutes: half of them at hosters, half behind home lines.
  private mutating func sandbox() -> Visit {
    random.chance(0.5)
      ? hosted(identity: identity(), contacts: random.int(1, 4), isValid: true)
      : bystander(fingerprint: fingerprint(), identity: identity(), contacts: random.int(1, 4), isValid: true)
  }

  private mutating func bystander(fingerprint: UInt64, identity: UInt64, contacts: Int, isValid: Bool) -> Visit {
    let n = BotPopulation.place(random.unit(), providers)
    let network = population.networks[n]
    return Visit(
      network: n, slot: network.firstBystander + random.int(below: network.bystanders), fingerprint: fingerprint,
      identity: identity, draw: random.next(), contacts: contacts, isValid: isValid)
  }

  private mutating func hosted(identity: UInt64, contacts: Int, isValid: Bool) -> Visit {
    let n = hosting.isEmpty ? 0 : hosting[random.int(below: hosting.count)]
    let network = population.networks[n]
    return Visit(
      network: n, slot: network.firstSlot + random.int(below: network.pool), fingerprint: fingerprint(),
      identity: identity, draw: random.next(), contacts: contacts, isValid: isValid)
  }

  private mutating func fingerprint() -> UInt64 {
    population.fingerprints.isEmpty ? 0 : population.fingerprints[random.int(below: population.fingerprints.count)]
  }

  private mutating func identity() -> UInt64 { scenario.identity.kind == .none ? 0 : random.next() | 1 }

  private mutating func poisson(_ mean: Double) -> Int {
    guard mean < 400 else { return max(0, Int((mean + mean.squareRoot() * random.normal()).rounded())) }
    let limit = exp(-mean)
    var product = random.unit()
    var count = 0
    while product > limit {
      count += 1
      product *= random.unit()
    }
    return count
  }
}
