import Glibc

/// A count out of a number of independent trials, with its exact 95 % interval.
///
/// Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26
/// (1934): the interval is never too short, which is what a claim such as "no false alarm" needs.
public struct BinomialShare: Sendable, Equatable {
  public var count: Int
  public var of: Int

  /// - Parameter count: clamped to `0...of`.
  public init(_ count: Int, of trials: Int) {
    of = max(0, trials)
    self.count = max(0, min(count, of))
  }

  /// `nil` without trials.
  public var share: Double? { of > 0 ? Double(count) / Double(of) : nil }

  /// Lower and upper limit of the share; everything is possible without trials.
  /// - Parameter confidence: between 0 and 1.
  public func interval(confidence: Double = 0.95) -> (low: Double, high: Double) {
    guard of > 0 else { return (0, 1) }
    let tail = (1 - confidence) / 2
    let k = Double(count)
    let n = Double(of)
    let low = count == 0 ? 0 : IncompleteBeta.quantile(tail, a: k, b: n - k + 1)
    let high = count == of ? 1 : IncompleteBeta.quantile(1 - tail, a: k + 1, b: n - k)
    return (low, high)
  }
}

/// The regularised incomplete beta function I_x(a, b), NIST Digital Library of Mathematical Functions section 8.17.
enum IncompleteBeta {
  private static let stepsMost = 10_000
  private static let tiny = 1e-300

  /// The distribution function of Beta(a, b) at `x`, by the continued fraction 8.17.22 with Lentz's method.
  static func regularised(_ x: Double, a: Double, b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean; the symmetry 8.17.4 serves the rest.
    if x > (a + 1) / (a + b + 2) { return 1 - continuedFraction(1 - x, b, a) }
    return continuedFraction(x, a, b)
  }

  private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    var c = 1.0
    var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
    var fraction = d
    for m in 1...stepsMost {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / nonzero(1 + even * d)
      c = nonzero(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + odd * d)
      c = nonzero(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return front * fraction
  }

  private static func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }

  /// The `x` with I_x(a, b) = `probability`, by bisection: I grows with x, and 60 halvings use up a double.
  static func quantile(_ probability: Double, a: Double, b: Double) -> Double {
    var low = 0.0
    var high = 1.0
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if regularised(middle, a: a, b: b) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
