/// Every series in one long table: `series,at,place,low,value,high,addresses,grade,tlp`.
///
/// `at` is a day, the hour's beginning, or a window as an ISO 8601 interval. A refused number has no value; its `high` is then
/// what holds at most. No field comes from outside.
public struct CensusCSVExporter: CensusExporter {
  public static let card = ExporterCard(name: "csv", title: "every series as one long table")
  static let columns = ["series", "at", "place", "low", "value", "high", "addresses", "grade", "tlp"]

  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    let report = edition.report
    var table = Table(marking: try settings.marking(of: edition.tlp))
    table.row(Self.columns)
    table.figure("footprint", report.footprint)
    for figure in report.live {
      table.figure("live", figure, at: Self.hour(figure.hours.lowerBound))
      if table.text.utf8.count > 1 << 16 { try write(table.drain()) }
    }
    for figure in report.active { table.figure("active", figure, at: Self.day(figure)) }
    for figure in report.stock { table.figure("stock", figure, at: Self.day(figure)) }
    for (series, parts) in [("country", report.countries), ("network", report.systems)] {
      for part in parts {
        table.figure("live_\(series)", part.live, place: Self.place(part.place))
        table.figure("footprint_\(series)", part.footprint, place: Self.place(part.place))
      }
      if table.text.utf8.count > 1 << 16 { try write(table.drain()) }
    }
    for figure in report.others { table.figure("other_\(figure.kind.rawValue)", figure) }
    if let trend = edition.trend { self.trend(trend, report, &table) }
    if let firepower = edition.firepower { self.firepower(firepower, report, &table) }
    try write(table.drain())
  }

  private func trend(_ trend: Trend, _ report: CensusReport, _ table: inout Table) {
    for day in trend.days {
      let at = Timestamp.describe(day: day.day)
      if let level = day.level { table.row("trend_level", at, "", nil, level, nil) }
      if let fitted = day.fitted { table.row("trend_fitted", at, "", fitted.low, fitted.value, fitted.high) }
    }
    let window = Self.window(report.hours)
    if let fit = trend.fit {
      table.row("trend_gamma_per_week", window, "", fit.gamma.low, fit.gamma.value, fit.gamma.high)
      if let half = fit.halfLifeWeeks {
        table.row("trend_half_life_weeks", window, "", half.low, half.value, half.high)
      }
    }
    for item in trend.countries {
      table.row(
        "trend_gamma_per_week", window, item.country.description, item.pooled.low, item.pooled.value, item.pooled.high)
    }
    for forecast in trend.forecasts {
      guard let machines = forecast.machines else { continue }
      let day = Int(report.hours.upperBound / 24) + forecast.horizonDays
      table.row(
        "forecast_\(forecast.horizonDays)_days", Timestamp.describe(day: day), "", machines.low, machines.value,
        machines.high)
    }
  }

  private func firepower(_ f: Firepower, _ report: CensusReport, _ table: inout Table) {
    for (series, moment) in [("typical", f.typical), ("peak", f.peak)] {
      table.row(
        "firepower_\(series)_gbit_s", Self.hour(moment.hour), "", moment.rate.low, moment.rate.middle, moment.rate.high)
    }
    for part in f.parts {
      table.row(
        "uplink_share", Self.window(report.hours), part.country?.description ?? "rest", nil, part.uplinkShare, nil)
    }
    for attack in f.context {
      table.row("attack_gbit_s", String(attack.year), attack.name, nil, attack.gigabitsPerSecond, nil)
    }
  }

  static func hour(_ hour: UInt32) -> String {
    "\(Timestamp.describe(day: Int(hour / 24)))T\(pad(Int(hour % 24), 2)):00Z"
  }

  static func day(_ figure: CensusFigure) -> String { Timestamp.describe(day: Int(figure.hours.lowerBound / 24)) }

  static func window(_ hours: ClosedRange<UInt32>) -> String {
    "\(hour(hours.lowerBound))/\(hour(hours.upperBound &+ 1))"
  }

  static func place(_ place: CensusPart.Place) -> String {
    switch place {
    case .country(let code): code.description
    case .system(let number): number == 0 ? "unknown" : "AS\(number)"
    }
  }

  private struct Table {
    private(set) var text = ""
    let marking: TLP

    init(marking: TLP) { self.marking = marking }

    mutating func drain() -> String {
      defer { text = "" }
      return text
    }

    mutating func row(_ fields: [String]) {
      text += fields.map(LogRow.csvField).joined(separator: ",")
      text += "\n"
    }

    mutating func row(
      _ series: String, _ at: String, _ place: String, _ low: Double?, _ value: Double?, _ high: Double?,
      addresses: Double? = nil, grade: String = ""
    ) {
      row([series, at, place, number(low), number(value), number(high), number(addresses), grade, marking.rawValue])
    }

    mutating func figure(_ series: String, _ figure: CensusFigure, at: String? = nil, place: String = "") {
      row(
        series, at ?? CensusCSVExporter.window(figure.hours), place, figure.machines?.low, figure.machines?.value,
        figure.machines?.high ?? figure.atMost, addresses: figure.addresses, grade: figure.grade.rawValue)
    }

    private func number(_ value: Double?) -> String {
      guard let value, value.isFinite else { return "" }
      var json = JSONWriter()
      json.value(value)
      return json.drain()
    }
  }
}
