/// The machines of a simulated botnet, what they are and when they are infected and on: 32 octets each.
struct BotPopulation: Sendable {
  struct Machine: Sendable, BitwiseCopyable {
    /// Index into the networks.
    var network: UInt16
    var behaviour: UInt8
    /// Index of the sensor preference; machines differ in which sinkhole they reach.
    var habit: UInt8
    var site: UInt32
    /// Hours since the window opened; below 0 for those infected before it.
    var infected: Int32
    var cleaned: Int32
    var draw: UInt64
  }

  private(set) var machines: [Machine] = []
  private(set) var plans: [AddressPlan] = []
  private let scenario: BotnetScenario
  private let firstHour: Int

  init(_ scenario: BotnetScenario) throws(SimulationError) {
    try scenario.validate()
    self.scenario = scenario
    firstHour = try scenario.firstHour()
    var random = RandomSource(seed: scenario.seed, stream: 1)
    let born = Int((Double(scenario.machines) * scenario.birthsPerDay * Double(scenario.days)).rounded())
    machines.reserveCapacity(scenario.machines + born)
    var sites = [UInt32](repeating: 0, count: scenario.networks.count)
    let shares = Self.running(scenario.networks.map(\.share))
    let behaviours = BotnetScenario.Behaviour.allCases
    let habits = Self.running(behaviours.map { scenario.behaviour[$0] ?? 0 })
    let hours = scenario.days * 24
    while machines.count < scenario.machines + born {
      let network = Self.place(random.unit(), shares)
      let behaviour = behaviours[Self.place(random.unit(), habits)]
      let site = sites[network]
      sites[network] += 1
      // Offices have more machines behind one address than homes.
      let mean = scenario.networks[network].household * (behaviour == .office ? 4 : 1)
      let members = 1 + Int(random.exponential(mean: max(0.0001, mean - 1)).rounded())
      for _ in 0..<min(members, scenario.machines + born - machines.count) {
        let isOld = machines.count < scenario.machines
        let infected = isOld ? -1 : random.int(below: hours)
        let life = random.exponential(mean: scenario.halfLifeDays * 24 / 0.693_147_180_559_945_3)
        machines.append(
          Machine(
            network: UInt16(network), behaviour: UInt8(behaviours.firstIndex(of: behaviour) ?? 0),
            habit: UInt8(random.int(below: 256)), site: site, infected: Int32(infected),
            cleaned: Int32(max(1, min(1e9, Double(max(0, infected)) + life))), draw: random.next()))
      }
    }
    var next: UInt32 = 240 << 24 | 1
    for (i, network) in scenario.networks.enumerated() {
      plans.append(AddressPlan(network, sites: max(1, Int(sites[i])), firstAddress: next, seed: scenario.seed))
      next = plans[i].nextFree
    }
  }

  /// Share of the hour, counted from the window's first, for which a machine is infected and on.
  func online(_ m: Machine, _ hour: Int) -> Double {
    guard hour >= Int(m.infected), hour < Int(m.cleaned) else { return 0 }
    return isUp(m, hour) ? 1 : 0
  }

  /// By its own clock, whether infected or not.
  private func isUp(_ m: Machine, _ hour: Int) -> Bool {
    let local = firstHour + hour + scenario.networks[Int(m.network)].timeZone
    let day = Timestamp.floorDivide(Int64(local), 24)
    let clock = local - day * 24
    // 1970-01-01 was a Thursday.
    let weekday = ((day + 3) % 7 + 7) % 7
    let today = RandomSource.mix(m.draw ^ UInt64(truncatingIfNeeded: day))
    switch BotnetScenario.Behaviour.allCases[Int(m.behaviour)] {
    case .alwaysOn: return today % 64 != 0
    case .office:
      let from = 7 + Int(today % 3)
      return weekday < 5 && today >> 8 % 16 != 0 && clock >= from && clock < from + 9
    case .home:
      guard today % 8 < 6 else { return false }
      let from = weekday < 5 ? 16 + Int(today >> 8 & 3) : 9 + Int(today >> 8 & 7)
      return clock >= from && clock < min(24, from + 2 + Int(today >> 16 & 7))
    case .sporadic:
      guard today % 4 == 0 else { return false }
      let from = Int(today >> 8 % 23)
      return clock >= from && clock < from + 1 + Int(today >> 16 & 1)
    }
  }

  /// Which start of the machine this is: changes when it was off in the hour before.
  func isStart(_ m: Machine, _ hour: Int) -> Bool { isUp(m, hour) && !isUp(m, hour - 1) }

  /// How often the line of a site had come up: once a day and more or less often by site.
  func connections(of site: UInt32, in network: UInt16, _ hour: Int) -> Int {
    let draw = RandomSource.mix(UInt64(site) << 16 ^ UInt64(network) ^ scenario.seed)
    let everyHours = 6 + Int(draw % 42)
    return (firstHour + hour + Int(draw >> 32 % 48)) / everyHours
  }

  static func running(_ weights: [Double]) -> [Double] {
    let total = weights.reduce(0, +)
    var sum = 0.0
    return weights.map {
      sum += $0 / max(total, .leastNonzeroMagnitude)
      return sum
    }
  }

  static func place(_ draw: Double, _ running: [Double]) -> Int {
    running.firstIndex { draw < $0 } ?? running.count - 1
  }
}
