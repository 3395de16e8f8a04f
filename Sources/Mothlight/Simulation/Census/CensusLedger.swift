/// Counts what is really so while a simulated botnet runs.
struct CensusLedger {
  private let scenario: CensusScenario
  private let population: CensusPopulation
  private var live: [Int]
  private var liveIn: [Int]
  private var active: [Int] = []
  private var stock: [Int] = []
  private var rows: UInt64 = 0
  /// Slots of all who came, and of those who passed the check.
  private var seen: BitTable
  private var valid: BitTable
  private var addressesIn: [Int]
  /// IPv6 in full and by /64; few scenarios have any.
  private var long: Set<IPAddress> = []
  private var units: Set<UInt64> = []

  init(_ scenario: CensusScenario, _ population: CensusPopulation) {
    self.scenario = scenario
    self.population = population
    live = [Int](repeating: 0, count: scenario.hours)
    liveIn = [Int](repeating: 0, count: population.networks.count)
    addressesIn = liveIn
    seen = BitTable(capacity: population.slots)
    valid = seen
  }

  mutating func begin(day: Int, masks: [UInt32], machines: [CensusPopulation.Machine]) {
    guard (day + 1) * 24 <= scenario.hours else { return }
    active.append(masks.count { $0 & 0x1ff_fffe != 0 })
    let end = Int32(day * 24 + 23)
    stock.append(machines.count { $0.infected <= end && $0.cleaned > end })
  }

  @inline(__always)
  mutating func noteLive(_ hour: Int, network: Int) {
    live[hour] += 1
    liveIn[network] += 1
  }

  @inline(__always)
  mutating func noteRow() { rows += 1 }

  /// An address of a machine at a sensor.
  mutating func noteAddress(_ address: IPAddress, slot: Int, network: Int) {
    if address.isV4 {
      seen.insert(slot)
      if valid.insert(slot) { addressesIn[network] += 1 }
    } else {
      long.insert(address)
      if units.insert(address.high).inserted { addressesIn[network] += 1 }
    }
  }

  mutating func noteStranger(_ address: IPAddress, slot: Int, isValid: Bool) {
    if address.isV4 {
      seen.insert(slot)
      if isValid { valid.insert(slot) }
    } else {
      long.insert(address)
      if isValid { units.insert(address.high) }
    }
  }

  /// - Parameter been: where each machine was on (bits 0 to 2) and from where it reached a sensor (bits 4 to 6).
  func truth(been: [UInt8]) -> CensusTruth {
    let first = scenario.firstHour
    var truth = CensusTruth(
      hours: first...(first + UInt32(scenario.hours) - 1), live: live, active: active, stock: stock)
    truth.footprint = been.count { $0 & 7 != 0 }
    truth.reached = been.count { $0 & 0x70 != 0 }
    truth.addresses = seen.count + long.count
    truth.validUnits = valid.count + units.count
    truth.rows = rows
    let networks = population.networks
    truth.systems = networks.indices.map { n in
      var part = CensusTruth.Part(asn: networks[n].asn, country: networks[n].country)
      part.live = Double(liveIn[n]) / Double(max(1, scenario.hours))
      part.addresses = addressesIn[n]
      return part
    }
    let codes = Set(networks.filter { !$0.isHosting }.map(\.country)).sorted()
    truth.countries = codes.map { CensusTruth.Part(country: $0) }
    var numberOf: [CountryCode: Int] = [:]
    for (i, code) in codes.enumerated() { numberOf[code] = i }
    let countryOf = networks.map { numberOf[$0.country] ?? 0 }
    for n in networks.indices where !networks[n].isHosting {
      truth.countries[countryOf[n]].live += truth.systems[n].live
    }
    for i in been.indices { place(i, been[i], countryOf, &truth) }
    return truth
  }

  /// Adds a machine to the networks and countries that it was in, once each.
  private func place(_ i: Int, _ been: UInt8, _ countryOf: [Int], _ truth: inout CensusTruth) {
    guard been != 0 else { return }
    for (bits, key) in [(been & 7, \CensusTruth.Part.footprint), (been >> 4 & 7, \CensusTruth.Part.reached)] {
      var networks: Set<Int> = []
      var countries: Set<Int> = []
      for place in 0..<3 where bits >> UInt8(place) & 1 == 1 {
        let home = population.machines[i].site
        let site = place == 0 ? home : place == 1 ? population.away[i].work : population.away[i].mobile
        let n = Int(population.sites[Int(site)].network)
        if networks.insert(n).inserted { truth.systems[n][keyPath: key] += 1 }
        if countries.insert(countryOf[n]).inserted { truth.countries[countryOf[n]][keyPath: key] += 1 }
      }
    }
  }
}
