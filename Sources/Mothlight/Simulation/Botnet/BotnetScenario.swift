/// What `mothlight simulate` is asked to make when the file describes a botnet as its sinkhole sees it.
///
/// Machines stand in homes and offices behind shared addresses, networks renumber them by their own policy, people switch
/// them on and off by their own clock, infections come and go, and all kinds of visitors come too (census.md section 3).
public struct BotnetScenario: Decodable, Sendable, Equatable {
  /// Botnet name in every record.
  public var botnet: String
  public var seed: UInt64
  /// RFC 3339 date; hour 0 of the window.
  public var start: String
  public var days: Int
  /// Machines infected when the window opens.
  public var machines: Int
  /// Seconds between two check-ins of a machine that is on.
  public var checkInSeconds: Double
  /// Share of check-ins that never arrive.
  public var loss: Double
  public var identity: Identity
  /// New infections a day as a share of `machines`.
  public var birthsPerDay: Double
  /// Days after which half of the infected machines are clean.
  public var halfLifeDays: Double
  public var behaviour: [Behaviour: Double]
  public var networks: [Network]
  public var visitors: [VisitorClass: Int]
  public var sensors: [Sensor]

  /// What the check-in carries to tell machines apart.
  public enum Identity: String, Decodable, Sendable, CaseIterable {
    case none, stable
    /// Made anew at each start of the machine.
    case perStart = "per_start"
    /// One machine in ten has the identity of another: copied disks.
    case cloned
  }

  /// When a machine is on.
  public enum Behaviour: String, Decodable, Sendable, CaseIterable, CodingKeyRepresentable {
    case alwaysOn = "always_on"
    case home, office, sporadic
  }

  /// Machines of one provider.
  public struct Network: Decodable, Sendable, Equatable {
    /// Private-use numbers (RFC 6996) are for this.
    public var asn: UInt32
    public var country: String
    /// Hours east of UTC.
    public var timeZone: Int
    public var policy: Policy
    /// Share of the machines.
    public var share: Double
    /// Machines behind one address, mean.
    public var household: Double
    /// Addresses for each site.
    public var room: Double

    public init(
      asn: UInt32, country: String, timeZone: Int = 0, policy: Policy, share: Double, household: Double = 1.4,
      room: Double = 30
    ) {
      self.asn = asn
      self.country = country
      self.timeZone = timeZone
      self.policy = policy
      self.share = share
      self.household = household
      self.room = room
    }
  }

  /// How a provider gives out addresses.
  public enum Policy: String, Decodable, Sendable, CaseIterable, CodingKeyRepresentable {
    case fixed = "static"
    /// 12 to 90 days, drawn once for the network.
    case long
    case weekly
    /// Forced each night.
    case daily
    /// Each time the line comes up again.
    case reconnect
    /// Many subscribers behind one address (RFC 6598).
    case cgn
  }

  /// A sinkhole of several that see the same botnet.
  public struct Sensor: Decodable, Sendable, Equatable {
    public var name: String
    /// Share of the check-ins that come to it.
    public var visibility: Double
    public init(name: String, visibility: Double = 1) {
      self.name = name
      self.visibility = visibility
    }
  }

  public init(
    botnet: String = "Mariposa", seed: UInt64 = 1, start: String = "2026-03-02", days: Int = 7, machines: Int = 2000,
    checkInSeconds: Double = 240, loss: Double = 0.01, identity: Identity = .none, birthsPerDay: Double = 0.02,
    halfLifeDays: Double = 60,
    behaviour: [Behaviour: Double] = [.alwaysOn: 0.15, .home: 0.5, .office: 0.25, .sporadic: 0.1],
    networks: [Network] = Self.mixedNetworks, visitors: [VisitorClass: Int] = Self.usualVisitors,
    sensors: [Sensor] = [Sensor(name: "sinkhole")]
  ) {
    self.botnet = botnet
    self.seed = seed
    self.start = start
    self.days = days
    self.machines = machines
    self.checkInSeconds = checkInSeconds
    self.loss = loss
    self.identity = identity
    self.birthsPerDay = birthsPerDay
    self.halfLifeDays = halfLifeDays
    self.behaviour = behaviour
    self.networks = networks
    self.visitors = visitors
    self.sensors = sensors
  }

  /// One provider of each policy; the shares are an assumption.
  public static let mixedNetworks = [
    Network(asn: 64_512, country: "ES", timeZone: 1, policy: .daily, share: 0.25),
    Network(asn: 64_513, country: "MX", timeZone: -6, policy: .reconnect, share: 0.2),
    Network(asn: 64_514, country: "IN", timeZone: 5, policy: .cgn, share: 0.2, household: 1.2, room: 0.02),
    Network(asn: 64_515, country: "DE", timeZone: 1, policy: .long, share: 0.15),
    Network(asn: 64_516, country: "BR", timeZone: -3, policy: .weekly, share: 0.1),
    Network(asn: 64_517, country: "US", timeZone: -5, policy: .fixed, share: 0.1, household: 3),
  ]
  public static let usualVisitors: [VisitorClass: Int] = [
    .scanner: 120, .crawler: 20, .sandbox: 30, .researcher: 5, .referer: 60, .hosting: 10,
  ]
}

extension BotnetScenario {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case botnet, seed, start, days, machines, loss, identity, behaviour, networks, visitors, sensors
    case checkInSeconds = "check_in_s"
    case birthsPerDay = "births_per_day"
    case halfLifeDays = "half_life_days"
  }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "botnet scenario")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = BotnetScenario()
    func value<T: Decodable>(_ key: CodingKeys, _ otherwise: T) throws -> T {
      try values.decodeIfPresent(T.self, forKey: key) ?? otherwise
    }
    self.init(
      botnet: try values.decode(String.self, forKey: .botnet), seed: try value(.seed, defaults.seed),
      start: try value(.start, defaults.start), days: try value(.days, defaults.days),
      machines: try value(.machines, defaults.machines),
      checkInSeconds: try value(.checkInSeconds, defaults.checkInSeconds),
      loss: try value(.loss, defaults.loss), identity: try value(.identity, defaults.identity),
      birthsPerDay: try value(.birthsPerDay, defaults.birthsPerDay),
      halfLifeDays: try value(.halfLifeDays, defaults.halfLifeDays),
      behaviour: try value(.behaviour, defaults.behaviour), networks: try value(.networks, defaults.networks),
      visitors: try values.decodeIfPresent([String: Int].self, forKey: .visitors).map(Self.visitors)
        ?? defaults.visitors, sensors: try value(.sensors, defaults.sensors))
  }
}

extension BotnetScenario {
  private static func visitors(_ named: [String: Int]) throws -> [VisitorClass: Int] {
    var out: [VisitorClass: Int] = [:]
    for (name, count) in named {
      guard let kind = VisitorClass.allCases.first(where: { $0.name == name }) else {
        let known = VisitorClass.allCases.map(\.name).joined(separator: ", ")
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: [CodingKeys.visitors], debugDescription: "no visitor is called '\(name)'; there are \(known)"))
      }
      out[kind] = count
    }
    return out
  }
}

extension BotnetScenario.Network {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case asn, country, policy, share, household, room
    case timeZone = "tz"
  }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "networks")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      asn: try values.decode(UInt32.self, forKey: .asn), country: try values.decode(String.self, forKey: .country),
      timeZone: try values.decodeIfPresent(Int.self, forKey: .timeZone) ?? 0,
      policy: try values.decode(BotnetScenario.Policy.self, forKey: .policy),
      share: try values.decode(Double.self, forKey: .share),
      household: try values.decodeIfPresent(Double.self, forKey: .household) ?? 1.4,
      room: try values.decodeIfPresent(Double.self, forKey: .room) ?? 30)
  }
}

extension BotnetScenario.Sensor {
  enum CodingKeys: String, CodingKey, CaseIterable { case name, visibility }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "sensors")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      visibility: try values.decodeIfPresent(Double.self, forKey: .visibility) ?? 1)
  }
}

extension BotnetScenario {
  static let daysMost = 400
  static let machinesMost = 20_000_000

  /// The first hour since 1970.
  func firstHour() throws(SimulationError) -> Int {
    let parts = start.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3, (1970...2200).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2])
    else { throw SimulationError(.invalidScenario, "start: a date such as 2026-03-02") }
    return CivilDate.daysSinceEpoch(year: parts[0], month: parts[1], day: parts[2]) * 24
  }

  /// Throws `invalidScenario` naming the first knob that is out of range.
  public func validate() throws(SimulationError) {
    func require(_ condition: Bool, _ message: String) throws(SimulationError) {
      guard condition else { throw SimulationError(.invalidScenario, message) }
    }
    _ = try firstHour()
    try require(!botnet.isEmpty && botnet.utf8.count <= 64, "botnet: a name of 1 to 64 octets")
    try require((1...Self.daysMost).contains(days), "days: 1 to \(Self.daysMost)")
    try require((1...Self.machinesMost).contains(machines), "machines: 1 to \(Self.machinesMost)")
    try require((1...86_400).contains(checkInSeconds), "check_in_s: 1 to 86400")
    try require((0...0.99).contains(loss), "loss: 0 to 0.99")
    try require((0...1).contains(birthsPerDay), "births_per_day: 0 to 1")
    try require(
      Double(machines) * (1 + birthsPerDay * Double(days)) <= Double(Self.machinesMost),
      "births_per_day: with these births more than \(Self.machinesMost) machines in all")
    try require((0.1...100_000).contains(halfLifeDays), "half_life_days: 0.1 to 100000")
    try require(
      behaviour.values.allSatisfy { $0 >= 0 && $0.isFinite } && behaviour.values.contains { $0 > 0 },
      "behaviour: shares that are not all 0")
    try require(!networks.isEmpty && networks.count <= 10_000, "networks: 1 to 10000")
    try require(Set(networks.map(\.asn)).count == networks.count, "networks: an asn is given twice")
    for network in networks {
      try require(network.share > 0 && network.share.isFinite, "networks: share of \(network.asn) must be above 0")
      try require((-12...14).contains(network.timeZone), "networks: tz of \(network.asn): -12 to 14")
      try require((1...1000).contains(network.household), "networks: household of \(network.asn): 1 to 1000")
      try require((0.0001...1000).contains(network.room), "networks: room of \(network.asn): 0.0001 to 1000")
      try require(network.country.utf8.count == 2, "networks: country of \(network.asn): two letters (ISO 3166-1)")
    }
    try require(visitors.values.allSatisfy { (0...1_000_000).contains($0) }, "visitors: 0 to 1000000 each")
    try require((1...16).contains(sensors.count), "sensors: 1 to 16")
    try require(
      sensors.allSatisfy { $0.visibility > 0 && $0.visibility <= 1 && !$0.name.isEmpty && $0.name.utf8.count <= 32 },
      "sensors: a name, and a visibility above 0 and at most 1")
    try require(Set(sensors.map(\.name)).count == sensors.count, "sensors: two have the same name")
    // The plan of addresses must fit into 240.0.0.0/4, which belongs to nobody.
    let expected = Double(machines) * (1 + birthsPerDay * Double(days))
    let addresses = networks.reduce(0) {
      $0 + expected * $1.share / networks.reduce(0) { $0 + $1.share } * max($1.room, 1.05)
    }
    try require(addresses < 2e8, "networks: more addresses than 240.0.0.0/4 has; fewer machines or less room")
  }
}
