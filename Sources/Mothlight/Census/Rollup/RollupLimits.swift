/// What a rollup may take, and how long it keeps what. Everything refused is counted.
public struct RollupLimits: Sendable, Hashable {
  /// Octets of the sample of tags.
  public var tagOctetsMost = TupleSketch.octetsMost
  /// Octets of the sample of identities.
  public var identityOctetsMost = TupleSketch.octetsMost
  /// Octets of cells that are being filled; above it the periods that were idle longest are closed.
  public var openOctetsMost = 32 << 20
  /// Octets of closed cells in memory. A rollup that writes to a folder hands these over and stays far below.
  public var closedOctetsMost = 1 << 30
  /// Cells of one period: about as many systems as there are.
  public var cellsMost = 1 << 17
  /// Rows of other hours are a clock or a file gone wrong: 2000 to 2100.
  public var hours: ClosedRange<UInt32> = 262_968...1_139_568
  /// Whole hours after which minutes are forgotten.
  public var minutesKeptHours: UInt32 = 48
  /// Days after which hours are forgotten; days are kept for ever.
  public var hoursKeptDays: UInt32 = 90

  public init() {}

  /// For a sinkhole that runs for months beside everything else: `octets` for all of one botnet, closed cells go to a folder each hour.
  public static func resident(octets: Int) -> RollupLimits {
    var limits = RollupLimits()
    limits.tagOctetsMost = octets / 2
    limits.identityOctetsMost = octets / 8
    limits.openOctetsMost = octets / 8
    limits.closedOctetsMost = octets / 4
    return limits
  }
}

/// Why a row is not in the census. The words stand in its output.
public enum RollupDrop: String, Sendable, Hashable, CaseIterable {
  /// Did not speak the bot's protocol.
  case invalid
  /// Came from a data centre, a relay or a VPN exit.
  case hosting
  case scanner, crawler, sandbox, researcher, referer
  /// Of a sensor that the rollup does not have.
  case sensor
  /// An hour that cannot be.
  case hour
  /// Its period has all the cells that it may have; the row is in the total and the samples.
  case cells
  /// The cells of its hour had no room in memory; the row is in the days, the total and the samples.
  case memory

  var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
