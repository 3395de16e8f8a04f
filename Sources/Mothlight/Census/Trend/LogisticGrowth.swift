import Glibc

/// A growth that fills up: level = K / (1 + e^(−r(t − m))), when it explains the days far better than an exponential does.
struct LogisticGrowth: Sendable {
  private(set) var ceiling = 0.0
  /// Of the known days, in logarithms.
  private(set) var residuals: [Double] = []
  private var rate = 0.0
  private var middle = 0.0
  /// How much better by Akaike's criterion it must be; days of a week count as two, since they are alike.
  private static let gainLeast = 6.0

  /// `nil` when the exponential does as well.
  init?(_ days: [DailyLevel], line: LogLine) {
    let points = days.enumerated().compactMap { i, day in
      day.log.map { (x: (Double(i) + 0.5) / 7, log: $0 - line.step(i)) }
    }
    guard points.count > 8, let most = points.map(\.log).max() else { return nil }
    var best = (squares: Double.infinity, ceiling: 0.0, rate: 0.0, middle: 0.0)
    // Ceilings from just above the highest day to fifty times it, evenly in logarithms.
    for i in 0...80 {
      let top = exp(most) * 1.005 * pow(50, Double(i) / 80)
      guard let fit = Self.logit(points, top), fit.squares < best.squares else { continue }
      best = (fit.squares, top, fit.rate, fit.middle)
    }
    let plain = line.residuals.reduce(0) { $0 + $1 * $1 }
    let n = Double(points.count) * 2 / 7
    guard best.squares.isFinite, best.rate > 0, n * log(plain / max(best.squares, 1e-300)) - 2 > Self.gainLeast else {
      return nil
    }
    ceiling = best.ceiling
    rate = best.rate
    middle = best.middle
    residuals = days.enumerated().compactMap { i, day in day.log.map { $0 - line.step(i) - log(value(i)) } }
  }

  /// A line through the logits for one ceiling, judged by the squares of the logarithms.
  private static func logit(
    _ points: [(x: Double, log: Double)], _ top: Double
  ) -> (squares: Double, rate: Double, middle: Double)? {
    var n = 0.0
    var (sx, sy, sxx, sxy) = (0.0, 0.0, 0.0, 0.0)
    for point in points {
      let share = exp(point.log) / top
      guard share > 0, share < 1 else { continue }
      // Near the ceiling a small error is a large one of the logit: weight by the logit's variance.
      let weight = (1 - share) * (1 - share)
      let y = log(share / (1 - share))
      n += weight
      sx += weight * point.x
      sy += weight * y
      sxx += weight * point.x * point.x
      sxy += weight * point.x * y
    }
    let spread = n * sxx - sx * sx
    guard n > 0, spread > 1e-12 else { return nil }
    let rate = (n * sxy - sx * sy) / spread
    let middle = rate == 0 ? 0 : (sx - sy / rate) / n
    let squares = points.reduce(0) { sum, point in
      let gap = point.log - log(top / (1 + exp(-rate * (point.x - middle))))
      return sum + gap * gap
    }
    return squares.isFinite ? (squares, rate, middle) : nil
  }

  func value(_ offset: Int) -> Double { ceiling / (1 + exp(-rate * ((Double(offset) + 0.5) / 7 - middle))) }

  /// The exponential's band around this curve: same relative width.
  func band(_ other: CensusRange?, at offset: Int) -> CensusRange? {
    guard let other, other.value > 0 else { return nil }
    let value = value(offset)
    return CensusRange(low: value * other.low / other.value, value: value, high: value * other.high / other.value)
  }
}
