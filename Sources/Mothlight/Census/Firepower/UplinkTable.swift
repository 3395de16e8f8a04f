/// Mean uplinks by country and year, each with its source or marked as an assumption.
public struct UplinkTable: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    /// `nil`: the world.
    public var country: CountryCode?
    public var year: Int
    public var megabitsPerSecond: Double
    public var source: String
    public var isAssumption: Bool

    public init(
      _ country: String?, _ year: Int, _ megabitsPerSecond: Double, _ source: String, isAssumption: Bool = false
    ) {
      self.country = country.map { CountryCode($0) }
      self.year = year
      self.megabitsPerSecond = megabitsPerSecond
      self.source = source
      self.isAssumption = isAssumption
    }

    /// `KR 2010`, `world 2013`.
    public var name: String { "\(country?.description ?? "world") \(year)" }
  }

  public var rows: [Row]
  /// A country's row serves a census at most so many years away; uplinks grew about tenfold in a decade.
  public static let yearsApartMost = 3
  /// Rows of a table from a file; one a country and year since 1990 would be 9,000.
  public static let rowsMost = 10_000

  public init(rows: [Row]) { self.rows = rows }

  /// The country's row of the nearest year, when near enough.
  public func own(_ country: CountryCode?, year: Int) -> Row? {
    guard let country else { return nil }
    return nearest(year) { $0.country == country }.flatMap { abs($0.year - year) <= Self.yearsApartMost ? $0 : nil }
  }

  /// The world's row of the nearest year, however far.
  public func world(year: Int) -> Row? { nearest(year) { $0.country == nil } }

  private func nearest(_ year: Int, where fits: (Row) -> Bool) -> Row? {
    rows.filter(fits).min { (abs($0.year - year), $0.year) < (abs($1.year - year), $1.year) }
  }
}

extension UplinkTable {
  /// What census.md section 5 has a source for, and for 2010 an assumption for each country that carried much of Mariposa.
  public static let builtin = UplinkTable(rows: measured + assumed2010)

  private static let measured: [Row] = [
    .init(nil, 2010, 2.10, "Ookla, May 2010 (Computerworld, 25 May 2010)"),
    .init("KR", 2010, 18.04, "Ookla, May 2010 (Computerworld, 25 May 2010)"),
    .init("US", 2010, 2.21, "Ookla, May 2010 (Computerworld, 25 May 2010)"),
    .init(nil, 2013, 7.08, "Ookla, Nov 2013"),
    .init("IN", 2013, 2.91, "Ookla, Nov 2013"),
    .init("US", 2013, 6.30, "Ookla, Nov 2013"),
    .init("KR", 2013, 40.06, "Ookla, Nov 2013"),
    .init(nil, 2020, 44.1, "Ookla, fixed lines, Aug 2020"),
  ]

  /// No 2010 figure was found for these. India: its 2013 mean divided by the world's growth since; the others: judgement.
  private static let assumed2010: [Row] = [
    ("IN", 0.86), ("MX", 0.6), ("BR", 0.5), ("CO", 0.5), ("RU", 2), ("EG", 0.3), ("MY", 0.5), ("UA", 2), ("PK", 0.3),
    ("PE", 0.4), ("IR", 0.4), ("SA", 0.5), ("CL", 0.6), ("KZ", 0.8), ("AE", 0.8), ("MA", 0.4), ("AR", 0.5),
  ].map { country, rate in
    let source = country == "IN" ? "2013 mean scaled by the world's growth" : "judgement: no figure of 2010 found"
    return Row(country, 2010, rate, source, isAssumption: true)
  }
}
