extension HyperLogLog {
  /// How many distinct hashes there were.
  ///
  /// Ertl's improved raw estimator (arXiv 1702.01284, algorithm 6): no table of biases, and no switch between two formulas at small or
  /// large counts.
  /// - Complexity: O(m) when dense, O(registers in use) when sparse.
  public var estimate: Double {
    guard !isEmpty else { return 0 }
    let counts = rankCounts
    let m = Double(registerCount)
    let last = counts.count - 1
    var z = m * Self.tau(1 - Double(counts[last]) / m)
    for k in stride(from: last - 1, through: 1, by: -1) { z = 0.5 * (z + Double(counts[k])) }
    z += m * Self.sigma(Double(counts[0]) / m)
    // All registers at the highest rank: every hash there is.
    return z > 0 ? min(0x1p64, Self.alpha * m * m / z) : 0x1p64
  }

  /// 1/(2 ln 2), the limit of the bias constant.
  private static let alpha = 0.721_347_520_444_481_7

  /// x + Σ x^(2^k) 2^(k−1): what registers without a hash contribute.
  static func sigma(_ start: Double) -> Double {
    guard start < 1 else { return .infinity }
    var x = start
    var y = 1.0
    var z = x
    while true {
      x *= x
      let before = z
      z += x * y
      y += y
      if z == before { return z }
    }
  }

  /// ⅓(1 − x − Σ (1 − x^(2^−k))² 2^(−k)): what registers at the highest rank contribute.
  static func tau(_ start: Double) -> Double {
    guard start > 0, start < 1 else { return 0 }
    var x = start
    var y = 1.0
    var z = 1 - x
    while true {
      x = x.squareRoot()
      let before = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
      if z == before { return z / 3 }
    }
  }
}
