import Glibc

/// How often a source was seen when it was hardly seen: 1, 2, 3... hours, and anything.
struct FewHours: Sendable {
  static let countsMost = 8
  /// Sources seen in 1, 2... `countsMost` hours.
  private(set) var counts = [Double](repeating: 0, count: countsMost)
  private(set) var all = 0.0

  var one: Double { counts[0] }

  mutating func count(_ hours: Int) {
    all += 1
    if (1...Self.countsMost).contains(hours) { counts[hours - 1] += 1 }
  }

  mutating func add(_ other: FewHours) {
    for i in counts.indices { counts[i] += other.counts[i] }
    all += other.all
  }

  /// Singletons that the pattern of recurrence supports: at most 2 f2² / (3 f3) (Chiu and Chao 2016, doi
  /// 10.7717/peerj.1634). Only a clear excess is taken off, for short visits of real machines look a little like it.
  ///
  /// - Parameter least: share of all below which an excess is left.
  func supported(least: Double) -> Double {
    guard one > 0, counts[2] > 0 else { return one }
    let supported = min(one, 2 * counts[1] * counts[1] / (3 * counts[2]))
    return one > 1.5 * supported && one - supported > least * all ? supported : one
  }

  /// Never seen (Chao 1984), for `ones` singletons: a lower bound.
  func unseen(_ ones: Double) -> Double { counts[1] > 0 ? ones * ones / (2 * counts[1]) : 0 }

  /// What recurrence tells of those seen once and never.
  struct Extrapolation: Sendable {
    /// Sources seen once that are no visitors, and those never seen.
    var ones: Double
    var none: Double
    /// One standard error of their sum, from the counts alone.
    var error: Double
  }

  /// Carries the counts of those seen 2, 3... 8 times on to 1 and 0.
  ///
  /// Sights are a Poisson process, so f_k = ∫ g(μ) e^(−μ) μ^k / k! dμ, where g is the density of what a machine is
  /// expected to show. Near 0 that is nearly flat: infection, clean-up and the window's ends cut machines' times
  /// anywhere; and rises a little, since some are seldom on. For g ∝ μ^(s−1) e^(−aμ), f_k ∝ Γ(k+s)/k! r^k: a
  /// geometric series for s = 1. `shape` s was set on tuning seeds.
  ///
  /// Visitors come once. Where those seen once are no more than the series says, they take part in it.
  /// - Returns: `nil` where too few were seen to tell.
  func extrapolated(shape: Double) -> Extrapolation? {
    guard counts[1...].reduce(0, +) >= 60, let rest = Self.series(counts, from: 2, shape) else { return nil }
    let excess = one - rest.ones
    if excess < 2 * (rest.onesError * rest.onesError + one).squareRoot(),
      let whole = Self.series(counts, from: 1, shape)
    {
      return Extrapolation(ones: one, none: whole.none, error: whole.noneError)
    }
    return Extrapolation(ones: rest.ones, none: rest.none, error: rest.onesError + rest.noneError)
  }

  /// Poisson regression of log f_k on k, by Newton's steps.
  private static func series(
    _ counts: [Double], from least: Int, _ shape: Double
  ) -> (ones: Double, none: Double, onesError: Double, noneError: Double)? {
    func offset(_ k: Double) -> Double { lgamma(k + shape) - lgamma(k + 1) }
    let seen = (least...counts.count).map { (k: Double($0), count: counts[$0 - 1], offset: offset(Double($0))) }
    var level = log(max(1, seen[0].count)) - seen[0].offset
    var slope = 0.0
    var inverse = (level: 0.0, both: 0.0, slope: 0.0)
    for _ in 0..<60 {
      var gradient = (0.0, 0.0)
      var hessian = (0.0, 0.0, 0.0)
      for point in seen {
        let mean = exp(min(50, level + slope * point.k + point.offset))
        gradient.0 += point.count - mean
        gradient.1 += (point.count - mean) * point.k
        hessian.0 += mean
        hessian.1 += mean * point.k
        hessian.2 += mean * point.k * point.k
      }
      let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1
      guard determinant > 1e-9 else { return nil }
      inverse = (hessian.2 / determinant, -hessian.1 / determinant, hessian.0 / determinant)
      let step = max(-2, min(2, inverse.level * gradient.0 + inverse.both * gradient.1))
      let turn = max(-1, min(1, inverse.both * gradient.0 + inverse.slope * gradient.1))
      level += step
      slope += turn
      if abs(step) + abs(turn) < 1e-10 { break }
    }
    let none = exp(level + offset(0))
    let ones = exp(level + slope + offset(1))
    guard none.isFinite, ones.isFinite else { return nil }
    let noneError = none * max(0, inverse.level).squareRoot()
    let onesError = ones * max(0, inverse.level + 2 * inverse.both + inverse.slope).squareRoot()
    return (ones, none, onesError, noneError)
  }
}
