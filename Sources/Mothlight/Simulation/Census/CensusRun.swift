import Glibc

/// The state of a simulated botnet while it runs.
struct CensusRun {
  private let scenario: CensusScenario
  private let population: CensusPopulation
  private let contacts: CensusContacts
  private let outages: [[Bool]]
  /// Visibility of each machine at each sensor, as a step of the table.
  private let levels: [UInt8]
  private var sites: [CensusPopulation.Site]
  /// Hours on of the present day, and the one before and after.
  private var masks: [UInt32]
  /// Where a machine was on (bits 0 to 2) and from where it reached a sensor (bits 4 to 6), by place.
  private var been: [UInt8]
  /// Hour of the last start, for identities made then.
  private var started: [Int32]
  private var occupied: BitTable
  private(set) var ledger: CensusLedger
  private var random: RandomSource

  init(_ scenario: CensusScenario, _ population: CensusPopulation) {
    self.scenario = scenario
    self.population = population
    contacts = CensusContacts(checkInSeconds: scenario.checkInSeconds, loss: scenario.loss)
    var random = RandomSource(seed: scenario.seed, stream: 13)
    outages = scenario.sensors.map { Self.outages(of: $0, hours: scenario.hours, &random) }
    levels = Self.levels(scenario, population.machines, &random)
    self.random = random
    sites = population.sites
    masks = [UInt32](repeating: 0, count: population.machines.count)
    been = [UInt8](repeating: 0, count: population.machines.count)
    started = scenario.identity.kind == .perStart ? [Int32](repeating: 0, count: population.machines.count) : []
    occupied = BitTable(capacity: population.slots)
    ledger = CensusLedger(scenario, population)
    for i in sites.indices { settle(i) }
  }

  private static func outages(
    of sensor: CensusScenario.Sensor, hours: Int, _ random: inout RandomSource
  ) -> [Bool] {
    var silent = [Bool](repeating: false, count: hours)
    // Spread over the window, so that each window has its share.
    let count = Int((sensor.outages * Double(hours) / 720).rounded())
    for k in 0..<count {
      let from = (k * hours + random.int(below: max(1, hours))) / count
      let length = max(1, Int(random.exponential(mean: sensor.outageHours).rounded()))
      for hour in from..<min(hours, from + length) { silent[hour] = true }
    }
    return silent
  }

  private static func levels(
    _ scenario: CensusScenario, _ machines: [CensusPopulation.Machine], _ random: inout RandomSource
  ) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(machines.count * scenario.sensors.count)
    for _ in machines {
      for sensor in scenario.sensors {
        let own =
          sensor.spread > 0 ? random.logNormal(median: sensor.visibility, sigma: sensor.spread) : sensor.visibility
        out.append(UInt8(CensusContacts.level(of: own)))
      }
    }
    return out
  }

  /// The hours on of the machines on a day of the window.
  mutating func begin(day: Int) {
    let utcDay = Int(scenario.firstHour) / 24 + day
    let first = Int32(day * 24 - 1)
    for n in population.networks.indices {
      let zone = population.networks[n].timeZone
      for i in population.members[n] {
        let m = population.machines[i]
        guard m.infected < first + 26, m.cleaned > first else {
          masks[i] = 0
          continue
        }
        var mask = CensusSchedule.mask(m.behaviour, m.draw, utcDay: utcDay, timeZone: zone)
        if m.infected > first { mask &= ~0 << UInt32(m.infected - first) }
        if m.cleaned < first + 26 { mask &= ~(~0 << UInt32(m.cleaned - first)) }
        masks[i] = mask
      }
    }
    ledger.begin(day: day, masks: masks, machines: population.machines)
  }

  /// All machines in one hour of the window.
  mutating func run(_ hour: Int, _ row: (CensusSighting, Int) throws -> Void) throws {
    let shift = UInt32(hour % 24)
    for i in masks.indices {
      let mask = masks[i] >> shift
      if mask & 2 != 0 { try visit(i, mask, hour, row) }
    }
  }

  /// One machine in an hour in which it is on.
  /// - Parameter mask: bit 0 the hour before, bit 1 this one, bit 2 the next.
  private mutating func visit(
    _ i: Int, _ mask: UInt32, _ hour: Int, _ row: (CensusSighting, Int) throws -> Void
  ) throws {
    let machine = population.machines[i]
    let isStart = mask & 1 == 0
    let (place, s) = self.place(i, machine, hour)
    if Int32(truncatingIfNeeded: hour) >= sites[s].next || (isStart && sites[s].isDialled) { renumber(s, hour) }
    let n = Int(sites[s].network)
    been[i] |= 1 << UInt8(place)
    ledger.noteLive(hour, network: n)
    if isStart, !started.isEmpty { started[i] = Int32(truncatingIfNeeded: hour) }
    let sensors = scenario.sensors.count
    let isSplit = scenario.isWithinHour && !isStart && Int(sites[s].changed) == hour && hour > 0
    for sensor in 0..<sensors where !outages[sensor][hour] {
      let level = Int(levels[i &* sensors &+ sensor])
      var count = contacts.count(level, UInt32(truncatingIfNeeded: random.next() >> 32))
      if scenario.isWithinHour { count = within(count, isStart, mask & 4 == 0) }
      guard count > 0 else { continue }
      been[i] |= 16 << UInt8(place)
      var earlier = 0
      if isSplit { earlier = random.int(below: count + 1) }
      if earlier < count {
        count -= earlier
        try emit(i, machine, s, Int(sites[s].slot), sensor, hour, count, row)
      } else {
        count = 0
      }
      if earlier > 0 { try emit(i, machine, s, Int(sites[s].previous), sensor, hour, earlier, row) }
    }
  }

  @inline(__always)
  private func place(_ i: Int, _ machine: CensusPopulation.Machine, _ hour: Int) -> (place: Int, site: Int) {
    guard machine.behaviour == CensusSchedule.laptop else { return (0, Int(machine.site)) }
    let home = Int(machine.site)
    let local = Int(scenario.firstHour) + hour + population.networks[Int(sites[home].network)].timeZone
    let place = CensusSchedule.place(machine.draw, local / 24, local % 24)
    switch place {
    case .home: return (0, home)
    case .work: return (1, Int(population.away[i].work))
    case .mobile: return (2, Int(population.away[i].mobile))
    }
  }

  /// Check-ins of an hour at whose beginning or end the machine was off.
  private mutating func within(_ count: Int, _ isStart: Bool, _ isEnd: Bool) -> Int {
    guard isStart || isEnd else { return count }
    let share = (isStart ? random.unit() : 1) * (isEnd ? random.unit() : 1)
    return Int(Double(count) * share + random.unit())
  }

  @inline(__always)
  private mutating func emit(
    _ i: Int, _ machine: CensusPopulation.Machine, _ site: Int, _ slot: Int, _ sensor: Int, _ hour: Int, _ count: Int,
    _ row: (CensusSighting, Int) throws -> Void
  ) throws {
    let n = Int(sites[site].network)
    let address = population.networks[n].address(slot, machine: machine.draw, day: hour / 24)
    let isNew = slot != Int(sites[site].slot) || !sites[site].isCounted
    if isNew || !address.isV4 {
      ledger.noteAddress(address, slot: slot, network: n)
      if slot == Int(sites[site].slot) { sites[site].isCounted = true }
    }
    try emit(
      network: n, slot: slot, address: address, sensor: sensor, hour: hour,
      fingerprint: population.fingerprints.isEmpty ? 0 : population.fingerprints[Int(machine.fingerprint)],
      identity: identity(i, machine, hour), contacts: count, isValid: true, machine: i, row)
  }

  /// A row with the names that the sensor's clock and the database of networks give.
  @inline(__always)
  mutating func emit(
    network n: Int, slot: Int, address: IPAddress, sensor: Int, hour: Int, fingerprint: UInt64, identity: UInt64,
    contacts: Int, isValid: Bool, machine: Int, _ row: (CensusSighting, Int) throws -> Void
  ) throws {
    let skewed = hour + scenario.sensors[sensor].skewHours
    // Rows that a wrong clock puts outside the window are not in its files.
    guard skewed >= 0, skewed < scenario.hours else { return }
    let network = population.networks[n]
    var asn = network.asn
    if network.laterASN != 0, let from = scenario.renamedFrom, hour >= from,
      slot - network.firstSlot >= network.pool / 2
    {
      asn = network.laterASN
    }
    ledger.noteRow()
    try row(
      CensusSighting(
        hour: scenario.firstHour + UInt32(truncatingIfNeeded: skewed), sensor: UInt8(truncatingIfNeeded: sensor),
        address: address, system: asn, country: network.country, timeZone: Int8(truncatingIfNeeded: network.timeZone),
        fingerprint: fingerprint, identity: identity, contacts: UInt32(truncatingIfNeeded: contacts), isValid: isValid),
      machine)
  }

  /// Counts an address of somebody who is no machine of the botnet.
  mutating func noteStranger(_ address: IPAddress, slot: Int, isValid: Bool) {
    ledger.noteStranger(address, slot: slot, isValid: isValid)
  }

  /// A sensor that is up, for a visitor of the hour.
  func isSilent(_ sensor: Int, _ hour: Int) -> Bool { outages[sensor][hour] }

  @inline(__always)
  private func identity(_ i: Int, _ machine: CensusPopulation.Machine, _ hour: Int) -> UInt64 {
    switch scenario.identity.kind {
    case .none: return 0
    case .perStart: return RandomSource.mix(machine.draw ^ UInt64(started[i]) &* 0x9e37_79b9_7f4a_7c15) | 1
    case .stable:
      if hour >= Int(machine.replaced) { return RandomSource.mix(machine.draw ^ 0x5afe) | 1 }
      if Double(machine.draw >> 40) < scenario.identity.cloned * 0x1p24 {
        // Some six copies of each disk.
        let disks = 1 + UInt64(Double(scenario.machines) * scenario.identity.cloned / 6)
        return RandomSource.mix(scenario.seed ^ machine.draw % disks) | 1
      }
      return RandomSource.mix(machine.draw) | 1
    }
  }

  func truth() -> CensusTruth { ledger.truth(been: been) }
}

extension CensusRun {
  /// The first slot of a site, and when it ends.
  private mutating func settle(_ s: Int) {
    sites[s].slot = UInt32(truncatingIfNeeded: freeSlot(Int(sites[s].network)))
    sites[s].previous = sites[s].slot
    sites[s].next = nextChange(s, after: -1)
  }

  /// Gives a site another slot, as its network does.
  private mutating func renumber(_ s: Int, _ hour: Int) {
    let n = Int(sites[s].network)
    if population.networks[n].policy != .cgn { occupied.remove(Int(sites[s].slot)) }
    sites[s].previous = sites[s].slot
    sites[s].slot = UInt32(truncatingIfNeeded: freeSlot(n))
    sites[s].isCounted = false
    // A line that nobody used while it changed shows only the new address.
    sites[s].changed = Int32(truncatingIfNeeded: sites[s].next == hour ? hour : -1)
    sites[s].next = nextChange(s, after: hour)
  }

  private mutating func freeSlot(_ n: Int) -> Int {
    let network = population.networks[n]
    if network.policy == .cgn { return network.firstSlot + random.int(below: network.pool) }
    // Pools are larger than their sites by 5 % at least, so this ends.
    while true {
      let slot = network.firstSlot + random.int(below: network.pool)
      if occupied.insert(slot) { return slot }
    }
  }

  /// Hour of the window in which the slot of a site ends, after `hour`.
  private mutating func nextChange(_ s: Int, after hour: Int) -> Int32 {
    let network = population.networks[Int(sites[s].network)]
    let draw = RandomSource.mix(scenario.seed ^ UInt64(s) &* 0xd134_2543_de82_ef95)
    func periodic(_ period: Int, _ phase: Int) -> Int32 {
      // The clock of the window is UTC from a midnight.
      let next = hour + 1
      let wait = ((phase - next) % period + period) % period
      return Int32(clamping: next + wait)
    }
    let night = 2 + Int(draw >> 8 & 3) - network.timeZone
    switch network.policy {
    case .fixed: return .max
    case .long, .cgn: return Int32(clamping: hour + 1 + Int(min(1e8, random.exponential(mean: network.leaseHours))))
    case .weekly: return periodic(168, night + Int(draw >> 16 % 7) * 24)
    case .daily: return periodic(24, network.isNightly ? night : Int(draw >> 16 % 24))
    case .reconnect:
      let mean = 16 * exp2(Double(draw >> 32 & 0xffff) / 65_536 * 3.6)
      return Int32(clamping: hour + 1 + Int(min(1e8, random.exponential(mean: mean))))
    }
  }
}
