/// How fast networks give their customers other addresses, learned where a botnet carries identities and used where
/// another carries none (Griffioen and Doerr 2020, doi 10.1145/3407023.3407051, did so with Mirai).
///
/// For each network and quarter: λ = changes / address hours, and κ = machines for each address in an hour. Sums are
/// kept, so that tables of several botnets add up.
public struct ChurnTable: Sendable, Hashable {
  /// A quarter of a year, counted from 1970.
  public struct Quarter: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var number: Int

    public init(number: Int) { self.number = number }

    /// The quarter of an hour since 1970.
    public init(hour: UInt32) {
      let date = CivilDate.from(daysSinceEpoch: Int(hour / 24))
      number = (date.year - 1970) * 4 + (date.month - 1) / 3
    }

    /// Such as `2026Q1`; `nil` for others.
    public init?(_ text: some StringProtocol) {
      let parts = text.split(separator: "Q", omittingEmptySubsequences: false)
      guard parts.count == 2, let year = Int(parts[0]), let quarter = Int(parts[1]), (1970...2100).contains(year),
        (1...4).contains(quarter)
      else { return nil }
      number = (year - 1970) * 4 + quarter - 1
    }

    public var description: String { "\(1970 + number / 4)Q\(number % 4 + 1)" }

    public static func < (a: Quarter, b: Quarter) -> Bool { a.number < b.number }
  }

  /// What was learned of one network in one quarter.
  public struct Row: Sendable, Hashable {
    /// Times that a machine showed itself under another address of the network.
    public var changes: Double
    /// Hours from first to last sight of a machine at an address, summed; 0: addresses are shared, nothing is known.
    public var hours: Double
    /// Machine-hours and address-hours seen.
    public var machineHours: Double
    public var addressHours: Double

    public init(changes: Double, hours: Double, machineHours: Double, addressHours: Double) {
      self.changes = changes
      self.hours = hours
      self.machineHours = machineHours
      self.addressHours = addressHours
    }

    /// Changes an hour at one address; `nil` where too little was seen.
    public var lambda: Double? { hours >= ChurnTable.hoursLeast ? changes / hours : nil }

    /// Machines for each address in an hour.
    public var kappa: Double? {
      addressHours >= ChurnTable.hoursLeast / 10 ? max(1, machineHours / addressHours) : nil
    }

    /// One standard error of λ: changes are counted.
    public var lambdaError: Double { hours > 0 ? (changes + 1).squareRoot() / hours : .infinity }

    static func += (a: inout Row, b: Row) {
      a.changes += b.changes
      a.hours += b.hours
      a.machineHours += b.machineHours
      a.addressHours += b.addressHours
    }
  }

  public struct Key: Sendable, Hashable, Comparable {
    /// Number of the autonomous system.
    public var system: UInt32
    public var quarter: Quarter

    public init(system: UInt32, quarter: Quarter) {
      self.system = system
      self.quarter = quarter
    }

    public static func < (a: Key, b: Key) -> Bool { (a.system, a.quarter) < (b.system, b.quarter) }
  }

  /// A census that the table was learned from: the same one is not added twice.
  public struct Source: Sendable, Hashable {
    public var botnet: String
    public var hours: ClosedRange<UInt32>

    public init(botnet: String, hours: ClosedRange<UInt32>) {
      self.botnet = botnet
      self.hours = hours
    }
  }

  /// Address hours below which λ is not told: some twenty machines for a week.
  static let hoursLeast = 3360.0
  /// Quarters by which a row may be older or younger than a census: networks change their ways.
  public static let quartersMost = 4
  /// Rows of a file: five years of all networks there are.
  public static let rowsMost = 2_000_000

  public internal(set) var rows: [Key: Row] = [:]
  public internal(set) var sources: [Source] = []

  public init() {}

  /// The row of a network that is nearest in time, the older of two.
  /// - Complexity: O(1).
  public func row(_ system: UInt32, at quarter: Quarter) -> Row? {
    guard system != 0 else { return nil }
    for distance in 0...Self.quartersMost {
      for number in Set([quarter.number - distance, quarter.number + distance]).sorted() {
        if let row = rows[Key(system: system, quarter: Quarter(number: number))] { return row }
      }
    }
    return nil
  }

  /// Adds what another census taught.
  /// - Throws: `ConfigurationError` when one of its sources is in the table already.
  public mutating func add(_ other: ChurnTable) throws(ConfigurationError) {
    for source in other.sources where sources.contains(where: { source.overlaps($0) }) {
      throw ConfigurationError(
        "the churn table has learned from '\(source.botnet)' in this window already; a census counts once")
    }
    sources += other.sources
    for (key, row) in other.rows {
      if rows[key] == nil { rows[key] = row } else { rows[key]? += row }
    }
  }
}

extension ChurnTable.Source {
  fileprivate func overlaps(_ other: ChurnTable.Source) -> Bool {
    botnet == other.botnet && hours.overlaps(other.hours)
  }
}
