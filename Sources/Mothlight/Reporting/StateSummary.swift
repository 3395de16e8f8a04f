/// What is kept between runs, as a report tells it.
public struct StateSummary: Sendable, Equatable {
  /// UTC days with records, of the days that are kept.
  public var days = 0
  public var first: Timestamp?
  public var last: Timestamp?
  public var runs: UInt64 = 0
  public var pairs = 0
  public var hosts = 0
  public var destinations = 0
  public var names = 0
  /// Size of the file.
  public var octets: UInt64 = 0
  /// Inputs of this run that an earlier one had read, in whole or in part.
  public var repeatedInputs = 0
  /// Pushed out by a bound or forgotten for their age, since the state began.
  public var evicted: [String: UInt64] = [:]
  /// Whether this run adds to it.
  public var isUpdated = false
  public init() {}

  /// e.g. `41 days, 120,000 pairs of 212 hosts, 24 MB`.
  var sentence: String {
    var parts = [
      ReportWords.count(days, "day", "days"),
      ReportWords.count(pairs, "pair", "pairs") + " of " + ReportWords.count(hosts, "host", "hosts"),
      ReportWords.octets(octets),
    ]
    for (what, number) in evicted.sorted(by: { $0.key < $1.key }) where number > 0 && what != "expired_pairs" {
      parts.append("\(ReportWords.grouped(number)) \(what) pushed out")
    }
    if let forgotten = evicted["expired_pairs"], forgotten > 0 {
      parts.append("\(ReportWords.count(forgotten, "pair", "pairs")) forgotten for age")
    }
    return parts.joined(separator: ", ") + (isUpdated ? "" : "; not added to by this run")
  }
}
