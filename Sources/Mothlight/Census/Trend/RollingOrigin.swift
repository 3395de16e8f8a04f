import Glibc

/// Would a look ahead have been worth it? From each past day on, with what was known then (Tashman 2000).
///
/// A forecast is shown only when it would have beaten "no change", and would still have with any one week of origins left out, so
/// that one lucky week proves nothing.
struct RollingOrigin: Sendable {
  private(set) var forecasts: [Trend.Forecast] = []
  /// Days that a forecast looks back on: growth and clean-up change within months.
  private static let trainingMost = 56
  /// Days that its season is taken from.
  private static let seasonMost = 84
  /// Latest days that serve as origins.
  private static let originsMost = 182
  /// Different weeks with origins below which nothing is judged.
  private static let weeksLeast = 3

  private let series: HourlyLevels
  private let line: LogLine

  init(_ series: HourlyLevels, line: LogLine, isChange: Bool) {
    self.series = series
    self.line = line
    var errors: [Int: [(week: Int, model: Double, same: Double)]] = [:]
    let total = series.logs.count / 24
    for origin in max(TrendModel.daysLeast, total - Self.originsMost)..<max(TrendModel.daysLeast, total) {
      let season = WeeklySeason(series.slice(max(0, origin - Self.seasonMost)..<origin))
      let days = levels(season)
      guard let model = Self.ahead(days, origin) else { continue }
      for horizon in Self.horizons {
        // The day `horizon` days after the last known one.
        let target = origin + horizon - 1
        guard target < total, let truth = days[target] else { continue }
        errors[horizon, default: []].append(
          (origin / 7, truth - model.line(target), truth - model.same))
      }
    }
    let now = Self.ahead(levels(WeeklySeason(series.slice(max(0, total - Self.seasonMost)..<total))), total)
    forecasts = Self.horizons.map { horizon in
      Self.forecast(horizon, errors[horizon] ?? [], isChange, now, total - 1 + horizon, line.step(max(0, total - 1)))
    }
  }

  static let horizons = [7, 28]

  private func levels(_ season: WeeklySeason) -> [Double?] {
    series.days(without: season).enumerated().map { i, day in day.log.map { $0 - line.step(i) } }
  }

  /// What the days before `origin` say about the days after: a line, or the last week for ever.
  private struct Look {
    var intercept: Double
    var slope: Double
    var same: Double
    func line(_ day: Int) -> Double { intercept + slope * Double(day) }
  }

  private static func ahead(_ days: [Double?], _ origin: Int) -> Look? {
    let from = max(0, origin - trainingMost)
    let known = (from..<min(origin, days.count)).compactMap { i in days[i].map { (x: Double(i), y: $0) } }
    let week = known.filter { $0.x >= Double(origin - 7) }
    guard known.count >= 14, !week.isEmpty else { return nil }
    let n = Double(known.count)
    let mx = known.reduce(0) { $0 + $1.x } / n
    let my = known.reduce(0) { $0 + $1.y } / n
    let sxx = known.reduce(0) { $0 + ($1.x - mx) * ($1.x - mx) }
    guard sxx > 0 else { return nil }
    let slope = known.reduce(0) { $0 + ($1.x - mx) * ($1.y - my) } / sxx
    return Look(
      intercept: my - slope * mx, slope: slope, same: week.reduce(0) { $0 + $1.y } / Double(week.count))
  }

  private static func forecast(
    _ horizon: Int, _ errors: [(week: Int, model: Double, same: Double)], _ isChange: Bool, _ now: Look?,
    _ target: Int, _ step: Double
  ) -> Trend.Forecast {
    var result = Trend.Forecast(horizonDays: horizon, skill: nil, origins: errors.count, machines: nil, reason: "")
    let weeks = Set(errors.map(\.week))
    guard weeks.count >= weeksLeast, let now else {
      let weeks = (TrendModel.daysLeast + horizon) / 7 + weeksLeast
      result.reason = "needs about \(weeks) weeks of data to be checked against the past"
      return result
    }
    let skill = self.skill(errors)
    result.skill = skill
    guard skill > 0 else {
      result.reason = "would have done no better than \"no change\""
      return result
    }
    guard weeks.allSatisfy({ week in self.skill(errors.filter { $0.week != week }) > 0 }) else {
      result.reason = "would have beaten \"no change\" in single weeks only"
      return result
    }
    guard isChange else {
      result.reason = "no change that stands out from the weeks' own spread"
      return result
    }
    let rms = (errors.reduce(0) { $0 + $1.model * $1.model } / Double(errors.count)).squareRoot()
    // Origins overlap: the horizon's length in the record tells how many independent ones there are.
    let freedom = max(2, errors.count / horizon)
    let value = now.line(target) + step
    let width = rms * Student.quantile975(freedom: freedom)
    result.machines = CensusRange(low: exp(value - width), value: exp(value), high: exp(value + width))
    return result
  }

  private static func skill(_ errors: [(week: Int, model: Double, same: Double)]) -> Double {
    let model = errors.reduce(0) { $0 + $1.model * $1.model }
    let same = errors.reduce(0) { $0 + $1.same * $1.same }
    return same > 0 ? 1 - model / same : 0
  }
}
