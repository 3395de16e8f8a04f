import Glibc

/// Runs a botnet hour by hour and gives what each sinkhole sees, with the truth beside it. No socket, no clock: seeds only.
///
/// - Complexity: O(machines) an hour; 60 octets a machine.
struct BotnetSimulation {
  /// One machine or visitor at one sensor in one hour.
  struct Contact {
    var sensor: Int
    /// Since 1970.
    var hour: Int
    var source: IPAddress
    /// Index into the networks; `nil` for visitors, who come from nowhere in particular.
    var network: Int?
    /// 0: the check-in carries none.
    var identity: UInt64
    /// Of the program: few values, shared by many machines.
    var fingerprint: UInt16
    var contacts: UInt32
    /// Seconds within the hour.
    var first: Int
    var last: Int
    var level: EvidenceLevel
    var visitor: VisitorClass?
    /// Its number among the visitors, for the truth.
    var visitorNumber = 0
  }

  /// What was really so.
  struct Truth {
    /// Machines infected and on, by hour of the window.
    var live: [Int]
    /// Machines infected and on, by day.
    var active: [Int]
    /// Machines infected, on or not, at the end of each day.
    var stock: [Int]
    /// Machines infected and on at least once in the window, by network.
    var footprint: [Int]
    /// Those of them that reached any sensor.
    var reached: [Int]
    /// Addresses they did it from, by network.
    var addresses: [Int]
  }

  let scenario: BotnetScenario
  let population: BotPopulation
  private let firstHour: Int
  private let visitors: [SimulatedVisitor]

  init(_ scenario: BotnetScenario) throws(SimulationError) {
    self.scenario = scenario
    population = try BotPopulation(scenario)
    firstHour = try scenario.firstHour()
    visitors = SimulatedVisitor.all(of: scenario, firstAddress: population.plans.last?.nextFree ?? 240 << 24 | 1)
  }

  /// Calls `body` for each contact, hour by hour and in a fixed order within the hour; `ended` after each hour.
  func run(
    contact body: (Contact) throws(SimulationError) -> Void, ended: (_ hoursDone: Int) throws(SimulationError) -> Void
  ) throws(SimulationError) -> Truth {
    let machines = population.machines
    var ledger = TruthLedger(scenario, population)
    var random = RandomSource(seed: scenario.seed, stream: 2)
    let rate = 3600 / scenario.checkInSeconds
    let isSeldom = rate < 30
    for hour in 0..<scenario.days * 24 {
      for i in machines.indices where population.online(machines[i], hour) > 0 {
        let machine = machines[i]
        ledger.noteLive(i, machine, hour)
        let address = address(of: machine, hour)
        for sensor in scenario.sensors.indices {
          let mean = rate * (1 - scenario.loss) * visibility(of: machine, at: sensor)
          let count = isSeldom ? Self.poisson(mean, &random) : Self.nearly(mean, &random)
          guard count > 0 else { continue }
          ledger.noteContact(i, machine, address)
          let first = random.int(below: max(1, 3600 / (count + 1)))
          let last = count == 1 ? first : 3599 - random.int(below: max(1, 3600 / (count + 1)))
          try body(
            Contact(
              sensor: sensor, hour: firstHour + hour, source: address, network: Int(machine.network),
              identity: identity(of: i, machine, hour), fingerprint: UInt16(machine.draw >> 40 % 211),
              contacts: UInt32(count), first: first, last: max(first, last), level: count > 1 ? .repeated : .recognised)
          )
        }
      }
      for visitor in visitors {
        for contact in visitor.contacts(in: hour, firstHour: firstHour, sensors: scenario.sensors.count) {
          try body(contact)
        }
      }
      ledger.close(hour, machines)
      try ended(hour + 1)
    }
    return ledger.truth
  }

  private func address(of machine: BotPopulation.Machine, _ hour: Int) -> IPAddress {
    let n = Int(machine.network)
    return population.plans[n].address(
      of: Int(machine.site), hour: firstHour + hour,
      connections: scenario.networks[n].policy == .reconnect
        ? population.connections(of: machine.site, in: machine.network, hour) : 0)
  }

  /// Share of a machine's check-ins that reach a sensor: sensors differ, and each machine has its habits.
  private func visibility(of machine: BotPopulation.Machine, at sensor: Int) -> Double {
    let visibility = scenario.sensors[sensor].visibility
    guard visibility < 1 else { return 1 }
    let draw = RandomSource.mix(machine.draw ^ UInt64(sensor + 1) &* 0x2545_f491_4f6c_dd1d)
    // Log-normal around the sensor's own, by the sum of four dice.
    let dice = Double(draw & 0xffff) + Double(draw >> 16 & 0xffff) + Double(draw >> 32 & 0xffff) + Double(draw >> 48)
    return min(1, visibility * exp(0.8 * (dice / 65_536 - 2) * 1.73))
  }

  private func identity(of index: Int, _ machine: BotPopulation.Machine, _ hour: Int) -> UInt64 {
    switch scenario.identity {
    case .none: return 0
    case .stable: return RandomSource.mix(machine.draw) | 1
    case .cloned:
      return (machine.draw % 10 == 0 ? RandomSource.mix(machine.draw % 7) : RandomSource.mix(machine.draw)) | 1
    case .perStart:
      var start = hour
      while start > hour - 400, population.online(machine, start - 1) > 0 { start -= 1 }
      return RandomSource.mix(machine.draw ^ UInt64(truncatingIfNeeded: start &+ 1_000_000)) | 1
    }
  }

  private static func poisson(_ mean: Double, _ random: inout RandomSource) -> Int {
    let limit = exp(-mean)
    var product = random.unit()
    var count = 0
    while product > limit, count < 1000 {
      count += 1
      product *= random.unit()
    }
    return count
  }

  /// For large means, where only the mean and a little spread matter.
  private static func nearly(_ mean: Double, _ random: inout RandomSource) -> Int {
    max(0, Int((mean + (random.unit() - 0.5) * mean.squareRoot()).rounded()))
  }
}

/// Counts what is really so while a botnet runs.
struct TruthLedger {
  private(set) var truth: BotnetSimulation.Truth
  private var wasOnToday: [Bool]
  private var reached: [Bool]
  private var wasOn: [Bool]
  private var used: [Set<IPAddress>]

  init(_ scenario: BotnetScenario, _ population: BotPopulation) {
    truth = BotnetSimulation.Truth(
      live: [Int](repeating: 0, count: scenario.days * 24), active: [Int](repeating: 0, count: scenario.days),
      stock: [Int](repeating: 0, count: scenario.days), footprint: [Int](repeating: 0, count: scenario.networks.count),
      reached: [Int](repeating: 0, count: scenario.networks.count),
      addresses: [Int](repeating: 0, count: scenario.networks.count))
    wasOnToday = [Bool](repeating: false, count: population.machines.count)
    reached = wasOnToday
    wasOn = wasOnToday
    used = [Set<IPAddress>](repeating: [], count: scenario.networks.count)
  }

  mutating func noteLive(_ index: Int, _ machine: BotPopulation.Machine, _ hour: Int) {
    truth.live[hour] += 1
    if !wasOnToday[index] {
      wasOnToday[index] = true
      truth.active[hour / 24] += 1
    }
    guard !wasOn[index] else { return }
    wasOn[index] = true
    truth.footprint[Int(machine.network)] += 1
  }

  mutating func noteContact(_ index: Int, _ machine: BotPopulation.Machine, _ address: IPAddress) {
    if !reached[index] {
      reached[index] = true
      truth.reached[Int(machine.network)] += 1
    }
    if used[Int(machine.network)].insert(address).inserted { truth.addresses[Int(machine.network)] += 1 }
  }

  mutating func close(_ hour: Int, _ machines: [BotPopulation.Machine]) {
    guard hour % 24 == 23 else { return }
    truth.stock[hour / 24] = machines.count { Int($0.infected) <= hour && Int($0.cleaned) > hour }
    wasOnToday = [Bool](repeating: false, count: wasOnToday.count)
  }
}
