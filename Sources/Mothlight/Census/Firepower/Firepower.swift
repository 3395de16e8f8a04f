/// What a botnet's live machines could send together, as a range.
///
/// It bounds a capacity. It says nothing about what an attack would do to anybody: that depends on the defenders' transit and
/// filters, for which there is no number here.
public struct Firepower: Sendable, Hashable {
  /// The 5, 50 and 95 % points, Gbit/s.
  public struct Rate: Sendable, Hashable {
    public var low: Double
    public var middle: Double
    public var high: Double

    public init(low: Double, middle: Double, high: Double) {
      self.low = low
      self.middle = middle
      self.high = high
    }
  }

  /// One hour's live machines and what they could send.
  public struct Moment: Sendable, Hashable {
    public var hour: UInt32
    public var live: CensusRange
    public var rate: Rate
  }

  /// A country's part in both counts, which differ: a few machines on fast lines outweigh many on slow ones.
  public struct Part: Sendable, Hashable {
    /// `nil`: live machines that no country's figure holds.
    public var country: CountryCode?
    /// Mean live machines over the window.
    public var live: Double
    /// 0…1 of all live machines.
    public var liveShare: Double
    /// 0…1 of the mean uplink of all live machines.
    public var uplinkShare: Double
    public var uplink: UplinkTable.Row
    /// The country has no row near the census's year: the world's row stands in.
    public var isWorldRow: Bool
  }

  /// A count that implies more than the largest published attack of its time.
  public struct Flag: Sendable, Hashable {
    public enum Subject: String, Sendable, Hashable {
      /// The census's own live machines at their peak.
      case peak
      /// The addresses of the window, taken for machines.
      case addresses
    }
    public var subject: Subject
    /// Machines in the window by that count.
    public var count: Double
    public var rate: Rate
    public var record: PublishedAttack
  }

  /// The year whose uplinks and record apply: that of the window's last hour.
  public var year: Int
  /// The median hour.
  public var typical: Moment
  /// The hour with most live machines.
  public var peak: Moment
  /// What the address count would imply if addresses were machines, at the same share of live ones; for the flag alone.
  public var addressesTaken: Rate?
  /// Most uplink first.
  public var parts: [Part]
  public var flags: [Flag]
  public var assumptions: FirepowerAssumptions
  /// Published attacks, oldest first.
  public var context: [PublishedAttack]
  public var draws: Int
}

/// The factors that nobody has measured, as ranges that are drawn from evenly.
public struct FirepowerAssumptions: Sendable, Hashable {
  /// Real mean uplink of bots for each unit of speed-test mean: people test good lines (census.md section 5).
  public var speedTest = 0.3...1.0
  /// Share of live machines that fire.
  public var participation = 0.25...0.8
  /// What the host and its router let through, of the line. An assumption: the published rows state no range for it.
  public var cap = 0.5...1.0
  /// Standard deviation of the logarithm of an uplink: of a measured row, of an assumed one, of a world row standing in.
  public var measuredSpread = 0.25
  public var assumedSpread = 0.5
  public var worldSpread = 0.7
  public var draws = 20_000

  public init() {}
}
