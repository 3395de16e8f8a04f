import Glibc

extension CensusScenario {
  /// The scenarios of census.md section 3, in the order of its table.
  public static let tableNames = [
    "baseline", "heavy_dhcp", "cgn", "short_36h", "only_ips", "missing", "pollution", "iot_alwayson", "anchor_bias",
    "mariposa_90d",
  ]
  /// What census.md did not simulate.
  public static let furtherNames = [
    "ipv6", "roaming", "poisoners", "id_per_start", "one_cgn", "clock_skew", "missing_hours", "asn_change",
    "within_hour",
  ]
  /// `heavy_dhcp` with 1,000,000 machines; some 200 M rows.
  public static let millionName = "million"

  /// - Parameters:
  ///   - machines: instead of the scenario's own.
  ///   - isVaried: another mix of everything, drawn from the seed; for reporting, so that the mixes are not those tuned on.
  /// - Returns: `nil` when no scenario is called so.
  public static func named(
    _ name: String, seed: UInt64, machines: Int? = nil, isVaried: Bool = false
  ) -> CensusScenario? {
    var scenario = CensusScenario(name: name, seed: seed)
    guard scenario.becomeTabled() || scenario.becomeFurther() else { return nil }
    if let machines { scenario.machines = machines }
    if isVaried { scenario.vary() }
    return scenario
  }

  private static let changing: [BotnetScenario.Policy: Double] = [
    .fixed: 0.1, .long: 0.08, .weekly: 0.04, .daily: 0.3, .reconnect: 0.45, .cgn: 0.03,
  ]

  private mutating func becomeTabled() -> Bool {
    switch name {
    case "baseline": break
    case "heavy_dhcp": policies = Self.changing
    case Self.millionName:
      policies = Self.changing
      machines = 1_000_000
      networks = 400
    case "cgn": policies = [.fixed: 0.16, .long: 0.16, .weekly: 0.06, .daily: 0.07, .reconnect: 0.05, .cgn: 0.5]
    case "short_36h": hours = 36
    case "only_ips":
      identity.kind = .none
      fingerprints = 0
    case "missing":
      loss = 0.35
      checkInSeconds = 4 * 3600
      sensors = ["north", "south", "west"].map {
        Sensor(name: $0, visibility: 0.18, spread: 0.7, outages: 3, outageHours: 10)
      }
    case "pollution":
      sandboxesPerDay = 0.11
      straysPerDay = 1.3
    case "iot_alwayson":
      behaviours = [.alwaysOn: 0.93, .home: 0.04, .office: 0, .sporadic: 0.03]
      policies = [.fixed: 0.3, .long: 0.38, .weekly: 0.1, .daily: 0.1, .reconnect: 0.1, .cgn: 0.02]
      infectedDays = 9
      birthsPerDay = 1.0 / 9
      household = 1.05
    case "anchor_bias": officesWhereStable = 8
    case "mariposa_90d":
      hours = 90 * 24
      machines = 20_000
      policies = [.fixed: 0.07, .long: 0.1, .weekly: 0.08, .daily: 0.36, .reconnect: 0.32, .cgn: 0.07]
      identity.replaced = 0.02
    default: return false
    }
    return true
  }

  private mutating func becomeFurther() -> Bool {
    switch name {
    case "ipv6": ipv6 = 0.5
    case "roaming": laptops = 0.4
    case "poisoners": poisoners = 0.25
    case "id_per_start": identity.kind = .perStart
    case "one_cgn":
      networks = 1
      policies = [.cgn: 1]
      sharedAddresses = 20
    case "clock_skew":
      sensors = [
        Sensor(name: "east", visibility: 0.7, spread: 0.3),
        Sensor(name: "late", visibility: 0.7, spread: 0.3, skewHours: 1),
        Sensor(name: "west", visibility: 0.7, spread: 0.3),
      ]
    case "missing_hours": sensors = [Sensor(name: "sinkhole", outages: 5, outageHours: 6)]
    case "asn_change": renamedFrom = hours / 2
    case "within_hour": isWithinHour = true
    default: return false
    }
    return true
  }

  /// Other shares of policies and behaviours, sizes, turnover and losses, by the seed.
  mutating func vary() {
    var random = RandomSource(seed: seed, stream: 77)
    for policy in BotnetScenario.Policy.allCases {
      let factor = random.logNormal(median: 1, sigma: 0.3)
      if let share = policies[policy] { policies[policy] = share * factor }
    }
    for behaviour in BotnetScenario.Behaviour.allCases {
      let factor = random.logNormal(median: 1, sigma: 0.25)
      if let share = behaviours[behaviour] { behaviours[behaviour] = share * factor }
    }
    officesWhereStable *= random.logNormal(median: 1, sigma: 0.15)
    household = 1 + (household - 1) * random.uniform(0.6, 1.8)
    office = 1 + (office - 1) * random.uniform(0.6, 1.6)
    birthsPerDay *= random.uniform(0.6, 1.5)
    infectedDays *= random.uniform(0.7, 1.4)
    loss = min(0.5, loss * random.uniform(0.5, 1.3))
    if checkInSeconds < 1800 { checkInSeconds = random.pick([180, 240, 300, 420, 600]) ?? checkInSeconds }
    if fingerprints > 0 { fingerprints = random.int(120, 600) }
    if networks > 1 { networks = random.int(networks * 2 / 3, min(Self.networksMost, networks * 3 / 2)) }
    sandboxesPerDay *= random.uniform(0.6, 1.5)
    straysPerDay *= random.uniform(0.6, 1.3)
    identity.cloned *= random.uniform(0.3, 1.5)
    identity.replaced *= random.uniform(0.5, 1.5)
    firstHour += UInt32(random.int(below: 300)) * 24
  }
}
