import Glibc

/// Fits growth and clean-up to the live machines of a census.
///
/// 1. Hours of a silent sensor, and their neighbours, are masked. 2. The season of 168 hours is taken out. 3. Daily levels get a
/// log-linear fit with a step for each known change of the sensors. 4. The rate's interval is a block bootstrap over weeks.
/// Growth and decay as Asghari, Ciere, van Eeten 2015 (USENIX Security): logistic or exponential, then exponential.
public struct TrendModel: Sendable {
  public var options: TrendOptions
  /// Days of data before anything is said.
  public static let daysLeast = 28
  static let resamples = 1000
  /// Known changes of the sensors that a fit can tell from a change of the botnet.
  static let changesMost = 4

  public init(_ options: TrendOptions = TrendOptions()) { self.options = options }

  /// - Complexity: O(hours × origins) for the forecasts, O(days × resamples) for the intervals.
  public func trend(of report: CensusReport) -> Trend {
    var trend = Trend()
    trend.takeover = options.takeover
    let masked = Self.masked(report)
    trend.maskedHours = masked.count
    var series = HourlyLevels(report.live, masked: masked)
    if let takeover = options.takeover { series.drop(before: takeover) }
    if let reason = refusal(series) {
      trend.refusal = reason
      return trend
    }
    let season = WeeklySeason(series)
    trend.season = season.factors
    var days = series.days(without: season)
    guard let line = fit(days) else {
      trend.refusal = "no trend yet: the known changes of the sensors leave too few days between them"
      return trend
    }
    var growth = line.slope > 0 ? LogisticGrowth(days, line: line) : nil
    let boot = BlockBootstrap(line, residuals: growth?.residuals ?? line.residuals, days, seed: options.seed)
    if boot.slope.low <= 0 { growth = nil }
    trend.fit = Self.words(line, boot, growth, days)
    for i in days.indices { days[i].fitted = boot.band[i] }
    if let growth { for i in days.indices { days[i].fitted = growth.band(days[i].fitted, at: i) } }
    trend.days = days.map { Trend.Day(day: $0.day, level: $0.level, maskedHours: $0.maskedHours, fitted: $0.fitted) }
    trend.forecasts = RollingOrigin(series, line: line, isChange: trend.fit?.model != .noChange).forecasts
    trend.countries = CountryRates(options, masked: masked).rates
    return trend
  }

  /// Hours in which a sensor was silent, and those beside them: an hour's estimate looks at its neighbours.
  static func masked(_ report: CensusReport) -> Set<UInt32> {
    var out: Set<UInt32> = []
    for hours in report.basis.silentHours.values {
      for hour in hours where report.hours.contains(hour) {
        for near in [hour == 0 ? 0 : hour - 1, hour, hour &+ 1] where report.hours.contains(near) { out.insert(near) }
      }
    }
    return out
  }

  private func refusal(_ series: HourlyLevels) -> String? {
    let since = options.takeover == nil ? "" : " since the takeover"
    let days = series.logs.count / 24
    if days < Self.daysLeast {
      return "no trend yet: \(days) days\(since); four weeks are needed"
    }
    let known = series.knownDays
    if known < Self.daysLeast * 3 / 4 {
      return "no trend yet: only \(known) of \(days) days\(since) have enough hours with an estimate"
    }
    if options.changes.count > Self.changesMost {
      return
        "no trend yet: the sensors changed \(options.changes.count) times; at most \(Self.changesMost) can be told apart"
    }
    return nil
  }

  /// Level against weeks since the first day, with a step at each known change.
  private func fit(_ days: [DailyLevel]) -> LogLine? {
    guard let first = days.first?.day else { return nil }
    let steps = options.changes.map { Int($0 / 24) - first }.filter { $0 > 0 && $0 < days.count }
    return LogLine(days, steps: steps.sorted())
  }

  private static func words(
    _ line: LogLine, _ boot: BlockBootstrap, _ growth: LogisticGrowth?, _ days: [DailyLevel]
  ) -> Trend.Fit {
    let gamma = CensusRange(low: -boot.slope.high, value: -line.slope, high: -boot.slope.low)
    let model: Trend.Model =
      gamma.low > 0
      ? .exponentialDecay : gamma.high < 0 ? (growth == nil ? .exponentialGrowth : .logisticGrowth) : .noChange
    var half: CensusRange?
    if model != .noChange {
      let ends = [log(2) / abs(gamma.low), log(2) / abs(gamma.high)].sorted()
      half = CensusRange(low: ends[0], value: log(2) / abs(gamma.value), high: ends[1])
    }
    let first = days.first?.day ?? 0
    return Trend.Fit(
      model: model, days: first...max(first, days.last?.day ?? first), gamma: gamma, halfLifeWeeks: half,
      start: boot.band.first ?? CensusRange(low: 0, value: 0, high: 0), ceiling: growth?.ceiling)
  }
}
