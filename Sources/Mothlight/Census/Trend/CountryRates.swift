import Glibc

/// Clean-up rates per country, drawn toward each other: each country's own estimate is noisy, the crowd's is not.
///
/// Two levels, both normal: own rate ~ N(true rate, its error²), true rate ~ N(μ, τ²), τ² by DerSimonian and Laird 1986. The
/// prior of μ is a mixture of Conficker's (0.009/week, Asghari et al. 2015) and a wide one, since a worm that dies with a reboot
/// cleans up in hours: data far from Conficker's choose the wide part by themselves.
struct CountryRates: Sendable {
  private(set) var rates: [Trend.Country] = []
  /// Countries with a rate of their own.
  private static let countriesMost = 256
  static let conficker = 0.009
  /// Deviations of the two, which weigh the same.
  private static let priorDeviations = [0.02, 2.0]

  init(_ options: TrendOptions, masked: Set<UInt32>) {
    var found: [(country: CountryCode, own: CensusRange, error: Double)] = []
    for item in options.countries.prefix(Self.countriesMost) {
      guard let slope = Self.slope(item, options, masked) else { continue }
      let own = CensusRange(low: -slope.high, value: -slope.value, high: -slope.low)
      let error = max(1e-6, (slope.high - slope.low) / (2 * 1.96))
      found.append((item.country, own, error))
    }
    guard !found.isEmpty else { return }
    let pool = Self.pool(found.map { ($0.own.value, $0.error) })
    rates = found.enumerated().map { i, item in
      Trend.Country(country: item.country, own: item.own, pooled: pool[i])
    }.sorted { ($1.pooled.value, $0.country) < ($0.pooled.value, $1.country) }
  }

  private static func slope(_ item: TrendSeries, _ options: TrendOptions, _ masked: Set<UInt32>) -> CensusRange? {
    let known = item.live.enumerated().compactMap { i, live in
      live.map { (hour: item.firstHour &+ UInt32(clamping: i), live: $0) }
    }
    var series = HourlyLevels(known, masked: masked)
    if let takeover = options.takeover { series.drop(before: takeover) }
    guard series.logs.count / 24 >= TrendModel.daysLeast, series.knownDays >= TrendModel.daysLeast * 3 / 4 else {
      return nil
    }
    let days = series.days(without: WeeklySeason(series))
    guard let first = days.first?.day else { return nil }
    let steps = options.changes.map { Int($0 / 24) - first }.filter { $0 > 0 && $0 < days.count }.sorted()
    guard let line = LogLine(days, steps: steps) else { return nil }
    return BlockBootstrap(line, residuals: line.residuals, days, seed: options.seed).slope
  }

  /// Each country's pooled rate with its 95 % interval.
  static func pool(_ own: [(value: Double, error: Double)]) -> [CensusRange] {
    let spread = between(own)
    // What the countries say of μ, then the prior's two parts weighed by how well they foretold it.
    let weights = own.map { 1 / ($0.error * $0.error + spread) }
    let total = weights.reduce(0, +)
    let mean = zip(own, weights).reduce(0) { $0 + $1.0.value * $1.1 } / total
    let parts = priorDeviations.map { Part(mean: mean, precision: total, deviation: $0) }
    let top = parts.map(\.evidence).max() ?? 0
    let shares = parts.map { exp($0.evidence - top) }
    let scale = shares.reduce(0, +)
    var centre = 0.0
    for (part, share) in zip(parts, shares) { centre += part.mean * share / scale }
    var centreVariance = 0.0
    for (part, share) in zip(parts, shares) {
      let gap = part.mean - centre
      centreVariance += (part.variance + gap * gap) * share / scale
    }
    return own.map { item in
      let error = item.error * item.error
      let keep = spread / (spread + error)
      let value = keep * item.value + (1 - keep) * centre
      let deviation = (keep * error + (1 - keep) * (1 - keep) * centreVariance).squareRoot()
      return CensusRange(low: value - 1.96 * deviation, value: value, high: value + 1.96 * deviation)
    }
  }

  /// One part of the prior of μ, after the data.
  private struct Part {
    var evidence: Double
    var mean: Double
    var variance: Double

    init(mean: Double, precision: Double, deviation: Double) {
      let prior = deviation * deviation
      let gap = mean - CountryRates.conficker
      let foretold = 1 / precision + prior
      evidence = -0.5 * (log(foretold) + gap * gap / foretold)
      variance = 1 / (precision + 1 / prior)
      self.mean = (precision * mean + CountryRates.conficker / prior) * variance
    }
  }

  /// τ²: how much countries differ beyond their errors.
  private static func between(_ own: [(value: Double, error: Double)]) -> Double {
    let weights = own.map { 1 / ($0.error * $0.error) }
    let total = weights.reduce(0, +)
    let mean = zip(own, weights).reduce(0) { $0 + $1.0.value * $1.1 } / total
    let q = zip(own, weights).reduce(0) { $0 + $1.1 * ($1.0.value - mean) * ($1.0.value - mean) }
    let c = total - weights.reduce(0) { $0 + $1 * $1 } / total
    guard c > 0 else { return 0 }
    return max(0, (q - Double(own.count - 1)) / c)
  }
}
