/// A published attack, as context for a range: year, rate, and who said so.
public struct PublishedAttack: Sendable, Hashable {
  public enum Standing: String, Sendable, Hashable, CaseIterable {
    case measured
    /// One observer's view; more may have passed elsewhere.
    case floor
    /// Reported, not confirmed.
    case reported
  }
  public var name: String
  public var year: Int
  public var gigabitsPerSecond: Double
  public var standing: Standing
  public var source: String
  /// The largest confirmed one published until then.
  public var isRecord: Bool

  public init(
    _ name: String, year: Int, gigabitsPerSecond: Double, standing: Standing = .measured, source: String,
    isRecord: Bool = false
  ) {
    self.name = name
    self.year = year
    self.gigabitsPerSecond = gigabitsPerSecond
    self.standing = standing
    self.source = source
    self.isRecord = isRecord
  }

  /// Oldest first.
  public static let known: [PublishedAttack] = [
    .init(
      "Estonia, one flow", year: 2007, gigabitsPerSecond: 0.09, standing: .floor,
      source: "Arbor ATLAS, May 2007: ten attacks of 90 Mbit/s or more, as one monitor saw them"),
    .init(
      "Largest of 2010", year: 2010, gigabitsPerSecond: 100,
      source: "Arbor Worldwide Infrastructure Security Report VI: above 100 Gbit/s for the first time", isRecord: true),
    .init(
      "Krebs (Mirai)", year: 2016, gigabitsPerSecond: 623, source: "Akamai, State of the Internet / Security, Q3 2016"),
    .init("OVH (Mirai)", year: 2016, gigabitsPerSecond: 1000, source: "O. Klaba, OVH, Sep 2016", isRecord: true),
    .init(
      "Dyn (Mirai)", year: 2016, gigabitsPerSecond: 1200, standing: .reported,
      source: "press, Oct 2016; never confirmed. First \"tens of millions\" of addresses, later 100,000 endpoints"),
    .init("Aisuru", year: 2025, gigabitsPerSecond: 29_700, source: "Cloudflare, Q3 2025", isRecord: true),
  ]

  /// The record to hold a count of `year` against: that of the year or the next one after, which is larger; the last for later
  /// years.
  public static func record(for year: Int) -> PublishedAttack? {
    let records = known.filter(\.isRecord)
    return records.first { $0.year >= year } ?? records.last
  }
}
