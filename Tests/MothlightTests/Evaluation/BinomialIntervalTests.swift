import Testing

@testable import Mothlight

@Suite struct BinomialIntervalTests {
  /// Limits as printed in tables of the exact interval (0 of n is 1 − 0.025^(1/n) in closed form).
  @Test(arguments: [
    (0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (1, 10, 0.0025, 0.4450),
    (0, 1, 0.0, 0.9750), (0, 3000, 0.0, 0.001229), (9, 10, 0.5550, 0.9975),
  ])
  func knownLimits(count: Int, of: Int, low: Double, high: Double) {
    let interval = BinomialShare(count, of: of).interval()
    #expect(abs(interval.low - low) < 5e-5)
    #expect(abs(interval.high - high) < 5e-5)
  }

  /// Each limit is where the binomial tail, summed term by term, holds 2.5 %.
  @Test func tailsAgreeWithTheBinomialSum() {
    for n in [1, 2, 7, 30, 61] {
      for k in 0...n {
        let (low, high) = BinomialShare(k, of: n).interval()
        if k > 0 { #expect(abs(Self.tail(n, low) { $0 >= k } - 0.025) < 1e-9) }
        if k < n { #expect(abs(Self.tail(n, high) { $0 <= k } - 0.025) < 1e-9) }
      }
    }
  }

  private static func tail(_ n: Int, _ p: Double, _ holds: (Int) -> Bool) -> Double {
    var sum = 0.0
    for k in 0...n where holds(k) {
      var term = 1.0
      for i in 0..<k { term *= Double(n - i) / Double(i + 1) * p }
      for _ in k..<n { term *= 1 - p }
      sum += term
    }
    return sum
  }

  @Test func incompleteBetaInClosedForm() {
    for x in [0.01, 0.2, 0.5, 0.9, 0.999] {
      #expect(abs(IncompleteBeta.regularised(x, a: 1, b: 1) - x) < 1e-13)
      #expect(abs(IncompleteBeta.regularised(x, a: 2, b: 1) - x * x) < 1e-13)
      #expect(abs(IncompleteBeta.regularised(x, a: 1, b: 3) - (1 - (1 - x) * (1 - x) * (1 - x))) < 1e-13)
    }
  }

  @Test func nothingTriedNothingKnown() {
    let none = BinomialShare(3, of: 0)
    #expect(none.share == nil)
    #expect(none.interval() == (0, 1))
    #expect(BinomialShare(12, of: 10).count == 10)
    #expect(BinomialShare(-1, of: 10).count == 0)
  }

  @Test func largeCountsStayFinite() {
    let (low, high) = BinomialShare(500_000, of: 1_000_000).interval()
    #expect(low > 0.4990 && low < 0.4991 && high > 0.5009 && high < 0.5010)
  }
}
