/// A number of machines with its 95 % interval.
public struct CensusRange: Sendable, Hashable {
  public var low: Double
  public var value: Double
  public var high: Double

  public init(low: Double, value: Double, high: Double) {
    self.low = low
    self.value = value
    self.high = high
  }
}

/// What a number rests on.
public enum CensusGrade: String, Sendable, Hashable, CaseIterable {
  /// Identities that the protocol carries.
  case identities = "A"
  /// Addresses and when they were seen.
  case addresses = "B"
  /// Several sensors that saw the same hour.
  case sensors = "C"
}

/// What is counted. "Size" is none of these.
public enum CensusKind: String, Sendable, Hashable, CaseIterable {
  /// Machines on and calling within an hour.
  case live
  /// Distinct machines within a day.
  case active
  /// Distinct machines within the whole window.
  case footprint
  /// Infected machines, on or off.
  case stock
}

/// One quantity over one window; never without its grade, and never without the addresses beside it.
public struct CensusFigure: Sendable, Hashable {
  public var kind: CensusKind
  /// First and last hour of the window, UTC hours since 1970, both within.
  public var hours: ClosedRange<UInt32>
  /// `nil`: abstained; `caveats` of the report say why.
  public var machines: CensusRange?
  /// What holds even when there is no estimate: at most this many machines. `nil`: nothing can be said (many machines
  /// may hide behind an address).
  public var atMost: Double?
  /// Distinct valid addresses (IPv6: /64 networks) in the same window.
  public var addresses: Double
  public var grade: CensusGrade

  public init(
    kind: CensusKind, hours: ClosedRange<UInt32>, machines: CensusRange?, atMost: Double? = nil, addresses: Double,
    grade: CensusGrade
  ) {
    self.kind = kind
    self.hours = hours
    self.machines = machines
    self.atMost = atMost
    self.addresses = addresses
    self.grade = grade
  }

  /// Addresses for each machine.
  public var inflation: Double? { machines.flatMap { $0.value > 0 ? addresses / $0.value : nil } }
}

/// A country's or a network's part of a botnet.
public struct CensusPart: Sendable, Hashable {
  public enum Place: Sendable, Hashable {
    case country(CountryCode)
    /// Number of the autonomous system.
    case system(UInt32)
  }
  public var place: Place
  /// Mean over the hours of the window.
  public var live: CensusFigure
  public var footprint: CensusFigure
  /// A network with stable addresses, which tells how many days a machine is on.
  public var isAnchor: Bool
  /// Many machines behind one address.
  public var isShared: Bool

  public init(
    place: Place, live: CensusFigure, footprint: CensusFigure, isAnchor: Bool = false, isShared: Bool = false
  ) {
    self.place = place
    self.live = live
    self.footprint = footprint
    self.isAnchor = isAnchor
    self.isShared = isShared
  }
}

/// Something without which a number must not be read: stated beside it.
public struct CensusCaveat: Sendable, Hashable {
  /// Stable word, such as `few_anchors`, `short_window`, `clock_skew`, `identity_per_start`; listed in
  /// `docs/census.md`.
  public var code: String
  /// One sentence with the measured figure.
  public var text: String
  /// The number that it made the census refuse; `nil`: a remark only.
  public var refuses: CensusKind?

  public init(_ code: String, _ text: String, refuses: CensusKind? = nil) {
    self.code = code
    self.text = text
    self.refuses = refuses
  }
}

/// What the estimates rest on (census.md section 8): printed next to every number.
public struct CensusBasis: Sendable, Hashable {
  public enum Sharing: String, Sendable, Hashable {
    case fingerprints
    case contactRate = "contact_rate"
    case none
  }
  /// Networks with stable addresses and their share of all tags, 0…1.
  public var anchors = 0
  public var anchorShare = 0.0
  /// How machines behind one address were told apart.
  public var sharing = Sharing.none
  /// Machines for each address-hour.
  public var machinesPerAddress = 1.0
  /// Share of the live machines that an hour shows.
  public var visibility = 1.0
  /// Seconds between check-ins, as measured or as given.
  public var checkInSeconds: Double?
  /// Share of tags in networks where many machines share an address, 0…1.
  public var sharedShare = 0.0
  /// Median hours between the first and the last sight of an identity.
  public var identityLifeHours: Double?
  /// Share of addresses that the tuple sketch keeps: 1, 1/2, 1/4...
  public var theta = 1.0
  /// Rows dropped, by reason: invalid, hosting, one_shot...
  public var dropped: [String: UInt64] = [:]
  public var rows: UInt64 = 0
  /// Hours in which a sensor that was there before and after said nothing, by sensor.
  public var silentHours: [String: [UInt32]] = [:]
  public init() {}
}

/// How many machines, honestly: one botnet over one window.
public struct CensusReport: Sendable, Hashable {
  public var botnet: String
  public var hours: ClosedRange<UInt32>
  public var sensors: [String]
  public var footprint: CensusFigure
  /// One for each hour of the window, in order.
  public var live: [CensusFigure] = []
  /// One for each whole UTC day.
  public var active: [CensusFigure] = []
  /// One for each whole UTC day.
  public var stock: [CensusFigure] = []
  /// Most machines first.
  public var countries: [CensusPart] = []
  public var systems: [CensusPart] = []
  /// Other estimators' answers for the same quantities, for comparison: what A, B and C each say.
  public var others: [CensusFigure] = []
  public var caveats: [CensusCaveat] = []
  public var basis = CensusBasis()

  public init(botnet: String, hours: ClosedRange<UInt32>, sensors: [String], footprint: CensusFigure) {
    self.botnet = botnet
    self.hours = hours
    self.sensors = sensors
    self.footprint = footprint
  }
}
