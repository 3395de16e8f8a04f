import Glibc

/// Logarithms of the live machines, hour by hour; `nil` where masked or not known.
struct HourlyLevels: Sendable {
  private(set) var firstHour: UInt32
  private(set) var logs: [Double?]
  /// Hours of each day that need an estimate for the day to count.
  static let hoursLeast = 12
  /// Three years of hours; a trend over more is another botnet's.
  static let hoursMost = 26_352

  init(_ figures: [CensusFigure], masked: Set<UInt32>) {
    let known = figures.compactMap { figure in figure.machines.map { (figure.hours.lowerBound, $0.value) } }
    self.init(known, masked: masked)
  }

  init(_ known: [(hour: UInt32, live: Double)], masked: Set<UInt32>) {
    guard let first = known.map(\.hour).min(), let last = known.map(\.hour).max() else {
      firstHour = 0
      logs = []
      return
    }
    // Whole UTC days.
    let start = first / 24 * 24
    let count = min(Self.hoursMost, (Int(last - start) / 24 + 1) * 24)
    firstHour = start
    logs = [Double?](repeating: nil, count: count)
    for (hour, live) in known where live.isFinite && live > 0 && !masked.contains(hour) {
      let i = Int(hour - start)
      if i < count { logs[i] = log(live) }
    }
  }

  mutating func drop(before hour: UInt32) {
    guard hour > firstHour else { return }
    let days = min(logs.count / 24, (Int(hour - firstHour) + 23) / 24)
    logs.removeFirst(days * 24)
    firstHour &+= UInt32(days * 24)
  }

  /// Some of its days, as offsets from the first.
  func slice(_ days: Range<Int>) -> HourlyLevels {
    var copy = self
    let from = max(0, min(days.lowerBound * 24, logs.count))
    copy.logs = Array(logs[from..<max(from, min(days.upperBound * 24, logs.count))])
    copy.firstHour &+= UInt32(from)
    return copy
  }

  var knownDays: Int {
    stride(from: 0, to: logs.count, by: 24).count { start in
      logs[start..<min(start + 24, logs.count)].count { $0 != nil } >= Self.hoursLeast
    }
  }

  /// Daily levels with the season taken out: means of logarithms over the hours that are known.
  func days(without season: WeeklySeason) -> [DailyLevel] {
    stride(from: 0, to: logs.count, by: 24).map { start in
      var sum = 0.0
      var known = 0
      for i in start..<min(start + 24, logs.count) {
        guard let value = logs[i] else { continue }
        sum += value - season.logs[season.slot(firstHour, i)]
        known += 1
      }
      return DailyLevel(
        day: Int(firstHour) / 24 + start / 24, log: known >= Self.hoursLeast ? sum / Double(known) : nil,
        maskedHours: 24 - known, fitted: nil)
    }
  }
}

/// One UTC day's level.
struct DailyLevel: Sendable {
  var day: Int
  var log: Double?
  var maskedHours: Int
  var fitted: CensusRange?

  var level: Double? { log.map { exp($0) } }
}

/// The 168-hour season in logarithms, as medians of what the hours differ from a running week around them.
///
/// Since a running week with holes leans toward the season of the hours it has, season and week are estimated by turns.
struct WeeklySeason: Sendable {
  private(set) var logs = [Double](repeating: 0, count: 168)
  private static let turns = 4

  init(_ series: HourlyLevels) {
    for _ in 0..<Self.turns {
      let week = runningWeek(series)
      var gaps = [[Double]](repeating: [], count: 168)
      for (i, value) in series.logs.enumerated() {
        if let value, let mean = week[i] { gaps[slot(series.firstHour, i)].append(value - mean) }
      }
      logs = gaps.map(Self.median)
      // Live over weekly mean: the factors' mean is one.
      let level = log(logs.reduce(0) { $0 + exp($1) } / 168)
      if level.isFinite { logs = logs.map { $0 - level } }
    }
  }

  var factors: [Double] { logs.map { exp($0) } }

  /// Hour of the week from Monday 00:00 UTC; 1970-01-01 was a Thursday.
  func slot(_ firstHour: UInt32, _ offset: Int) -> Int { (Int(firstHour) + offset + 72) % 168 }

  /// Mean of the week around each hour, present season taken out; `nil` near the ends and with less than
  /// half of it known.
  private func runningWeek(_ series: HourlyLevels) -> [Double?] {
    var sum = [0.0]
    var count = [0]
    for (i, value) in series.logs.enumerated() {
      sum.append((sum.last ?? 0) + (value.map { $0 - logs[slot(series.firstHour, i)] } ?? 0))
      count.append((count.last ?? 0) + (value == nil ? 0 : 1))
    }
    let n = series.logs.count
    return (0..<n).map { i in
      // A week that is not centred on its hour would take the trend for season.
      guard i >= 84, i + 84 <= n else { return nil }
      let known = count[i + 84] - count[i - 84]
      return known >= 84 ? (sum[i + 84] - sum[i - 84]) / Double(known) : nil
    }
  }

  private static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
