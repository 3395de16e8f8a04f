/// A botnet as its sinkholes see it, for judging a census: machines in homes and offices of many networks, made fast enough
/// for hundreds of botnets (census.md section 3).
///
/// Nothing is fitted to an estimator. Numbers without a source are assumptions; `varied` shakes them.
public struct CensusScenario: Sendable, Equatable {
  public var name: String
  public var seed: UInt64
  /// UTC hours since 1970; the window opens at a midnight.
  public var firstHour: UInt32
  /// Length of the window.
  public var hours: Int
  /// Infected when the window opens.
  public var machines: Int
  /// Networks (AS numbers) that have infected machines.
  public var networks: Int
  /// Share of the machines by how their network gives out addresses.
  public var policies: [BotnetScenario.Policy: Double]
  /// Share of the machines by when they are on.
  public var behaviours: [BotnetScenario.Behaviour: Double]
  /// Share of offices in networks with stable addresses: their share elsewhere is multiplied by this.
  public var officesWhereStable = 1.3
  /// Infected machines in an infected home, mean, at least 1.
  public var household = 1.08
  /// Infected machines in an infected office, mean, at least 1.
  public var office = 1.9
  /// New infections a day as a share of `machines`.
  public var birthsPerDay = 0.02
  /// Mean days from infection to clean-up; memoryless.
  public var infectedDays = 50.0
  /// Seconds between the check-ins of a machine that is on. From half an hour on the check-ins are a Poisson process, below
  /// that nearly regular.
  public var checkInSeconds = 240.0
  /// Share of check-ins that arrive nowhere.
  public var loss = 0.01
  public var sensors = [Sensor(name: "sinkhole")]
  public var identity = Identity()
  /// Different stable traits, with Zipf-like shares; 0: the check-in shows none.
  public var fingerprints = 300
  /// Runs of the program in a sandbox, each with an identity of its own, a day, as a share of `machines`.
  public var sandboxesPerDay = 0.001
  /// Others who come once or twice, a day, as a share of `machines`.
  public var straysPerDay = 0.01
  /// Share of the strays that pass the check of the protocol.
  public var validStrays = 0.1
  /// False machines that come again and again from hosting networks, as a share of `machines`.
  public var poisoners = 0.0
  /// Share of the networks whose machines come by IPv6.
  public var ipv6 = 0.0
  /// Share of the machines outside offices that are laptops and move between three networks.
  public var laptops = 0.0
  /// Machines start and stop, and networks renumber, within an hour instead of at its turn.
  public var isWithinHour = false
  /// Hour of the window from which on the database of networks gives others for the same addresses.
  public var renamedFrom: Int?
  /// All machines are behind so many shared addresses for each thousand.
  public var sharedAddresses: Double?

  /// What the check-in carries to tell machines apart.
  public struct Identity: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
      case none, stable
      /// Made anew at each start of the machine.
      case perStart = "per_start"
    }
    public var kind = Kind.stable
    /// Share of the machines that have the identity of another: copied disks.
    public var cloned = 0.004
    /// Share of the machines that are installed anew, with another identity, in 30 days.
    public var replaced = 0.01
    public init() {}
  }

  /// One sinkhole of those that see the same botnet.
  public struct Sensor: Sendable, Equatable {
    public var name: String
    /// Median share of a machine's check-ins that come here.
    public var visibility = 1.0
    /// Log-normal deviation of that share between machines.
    public var spread = 0.0
    /// Times in 30 days that it is silent, and for how long, mean.
    public var outages = 0.0
    public var outageHours = 8.0
    /// Hours that its clock is ahead.
    public var skewHours = 0

    public init(
      name: String, visibility: Double = 1, spread: Double = 0, outages: Double = 0, outageHours: Double = 8,
      skewHours: Int = 0
    ) {
      self.name = name
      self.visibility = visibility
      self.spread = spread
      self.outages = outages
      self.outageHours = outageHours
      self.skewHours = skewHours
    }
  }

  /// 2026-03-02, a Monday.
  public static let usualStart: UInt32 = 20_514 * 24

  public init(
    name: String, seed: UInt64, machines: Int = 15_000, days: Int = 30, networks: Int = 120,
    policies: [BotnetScenario.Policy: Double] = Self.mixedPolicies,
    behaviours: [BotnetScenario.Behaviour: Double] = Self.mixedBehaviours
  ) {
    self.name = name
    self.seed = seed
    self.machines = machines
    self.networks = networks
    self.policies = policies
    self.behaviours = behaviours
    firstHour = Self.usualStart
    hours = days * 24
  }

  /// How networks give out addresses when nothing else is asked; an assumption.
  public static let mixedPolicies: [BotnetScenario.Policy: Double] = [
    .fixed: 0.25, .long: 0.27, .weekly: 0.12, .daily: 0.14, .reconnect: 0.12, .cgn: 0.1,
  ]
  /// When machines are on when nothing else is asked; an assumption.
  public static let mixedBehaviours: [BotnetScenario.Behaviour: Double] = [
    .alwaysOn: 0.13, .home: 0.5, .office: 0.27, .sporadic: 0.1,
  ]
}

extension CensusScenario {
  static let hoursMost = 400 * 24
  static let machinesMost = 5_000_000
  static let networksMost = 900

  /// Throws `invalidScenario` naming the first knob that is out of range.
  public func validate() throws(SimulationError) {
    func require(_ condition: Bool, _ message: String) throws(SimulationError) {
      guard condition else { throw SimulationError(.invalidScenario, message) }
    }
    func share(_ value: Double, _ name: String, _ most: Double = 1) throws(SimulationError) {
      try require(value >= 0 && value <= most, "\(name): 0 to \(most)")
    }
    try require(firstHour % 24 == 0 && firstHour < 2_000_000, "start: a day from 1970 to 2198")
    try require((1...Self.hoursMost).contains(hours), "hours: 1 to \(Self.hoursMost)")
    try require((1...Self.machinesMost).contains(machines), "machines: 1 to \(Self.machinesMost)")
    try require((1...Self.networksMost).contains(networks), "networks: 1 to \(Self.networksMost)")
    try share(birthsPerDay, "births_per_day")
    try require(
      Double(machines) * (1 + birthsPerDay * Double(hours) / 24) <= Double(Self.machinesMost),
      "births_per_day: with these births more than \(Self.machinesMost) machines in all")
    try require((0.1...100_000).contains(infectedDays), "infected_days: 0.1 to 100000")
    try require((60...86_400).contains(checkInSeconds), "check_in_s: 60 to 86400")
    try require((1...20).contains(household), "household: 1 to 20")
    try require((1...200).contains(office), "office: 1 to 200")
    try require((0...20).contains(officesWhereStable), "offices_where_stable: 0 to 20")
    try require((0...65_000).contains(fingerprints), "fingerprints: 0 to 65000")
    try require(
      [Array(policies.values), Array(behaviours.values)].allSatisfy { shares in
        shares.allSatisfy { $0 >= 0 && $0.isFinite } && shares.contains { $0 > 0 }
      }, "policies, behaviours: shares that are not all 0")
    for (value, name) in [
      (loss, "loss"), (validStrays, "valid_strays"), (ipv6, "ipv6"), (laptops, "laptops"),
      (identity.cloned, "cloned"), (identity.replaced, "replaced"),
    ] { try share(value, name) }
    for (value, name) in [
      (sandboxesPerDay, "sandboxes_per_day"), (straysPerDay, "strays_per_day"), (poisoners, "poisoners"),
    ] { try share(value, name, 20) }
    try require(sharedAddresses.map { $0 > 0 && $0 <= 1000 } ?? true, "shared_addresses: above 0 and at most 1000")
    try require((1...16).contains(sensors.count), "sensors: 1 to 16")
    try require(
      sensors.allSatisfy {
        $0.visibility > 0 && $0.visibility <= 1 && (0...3).contains($0.spread) && (0...200).contains($0.outages)
          && (0.5...720).contains($0.outageHours) && (-24...24).contains($0.skewHours) && !$0.name.isEmpty
          && $0.name.utf8.count <= 32
      }, "sensors: a name, visibility above 0 and at most 1, spread 0 to 3, outages 0 to 200, skew -24 to 24 h")
    try require(Set(sensors.map(\.name)).count == sensors.count, "sensors: two have the same name")
  }
}
