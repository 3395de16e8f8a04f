import Glibc
import Testing

@testable import Mothlight

@Suite struct GapBinsTests {
  private let all = [Double](repeating: 1, count: GapHistogram.binCount)

  private func bins(_ counts: [Double]) -> GapBins {
    GapBins(counts, NoTimer.fit(counts, max(1, counts.reduce(0, +))))
  }

  private func only(_ wanted: (Int) -> Bool) -> GapBins {
    bins(all.indices.map { wanted($0) ? 1 : 0 })
  }

  @Test func modelProbabilitiesSumToAtMostOne() {
    let bins = bins(all)
    for jitter in [0.03, 0.5, 0.9] {
      for miss in [0.0, 0.55] {
        bins.comb(600, jitter, miss)
        #expect(bins.covered > 0.85 && bins.covered <= 1.0001)
        var rates: [Double] = []
        bins.interrupted(600, jitter, miss, rates: [0.3, 1]) { rate in
          rates.append(rate)
          #expect(bins.covered > 0.85 && bins.covered <= 1.0001)
        }
        #expect(rates == [0.3, 1])
      }
    }
  }

  /// A bin has its probability whatever stands beside it: neighbours share an edge, others do not.
  @Test func aBinHasTheSameProbabilityAlone() {
    func covered(_ bins: GapBins) -> [Double] {
      bins.comb(600, 0.35, 0.45)
      var result = [bins.covered]
      bins.interrupted(600, 0.35, 0.45, rates: [0.3, 1]) { _ in result.append(bins.covered) }
      return result
    }
    let whole = covered(bins(all))
    for bin in [0, 20, 50, 52, 53, 54, 60, GapHistogram.binCount - 1] {
      let sums = zip(covered(only { $0 == bin }), covered(only { $0 != bin })).map { $0 + $1 }
      #expect(zip(sums, whole).allSatisfy { abs($0 - $1) < 1e-12 }, "bin \(bin)")
    }
  }

  @Test func likelihoodIsTheSumOfLogarithms() {
    var counts = [Double](repeating: 0, count: GapHistogram.binCount)
    for (bin, count) in [(10, 1.0), (30, 8), (52, 9), (53, 400), (60, 3)] { counts[bin] = count }
    let null = NoTimer.fit(counts, 421)
    let bins = GapBins(counts, null)
    for extra in [0.02, 0.5] {
      bins.comb(600, 0.35, 0.45)
      var sum = 0.0
      for (i, bin) in counts.indices.filter({ counts[$0] > 0 }).enumerated() {
        let alone = only { $0 == bin }
        alone.comb(600, 0.35, 0.45)
        sum += counts[bin] * log((1 - extra) * alone.covered + extra * null.probabilities[i] + 1e-12)
      }
      #expect(abs(bins.logLikelihood(extra) - sum) < 1e-9 * abs(sum))
    }
  }

  @Test func noGapsAreNoTrouble() {
    let none = GapBins([], NoTimer(probabilities: [], logLikelihood: 0))
    none.comb(600, 0.1, 0)
    #expect(none.covered == 0 && none.logLikelihood(0.1) == 0)
  }
}
