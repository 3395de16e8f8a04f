import Testing

@testable import Mothlight

@Suite("Random source") struct RandomSourceTests {
  /// First outputs of SplitMix64 from state 0, as published with the reference code.
  @Test func splitMixVectors() {
    #expect(RandomSource.mix(0x9e37_79b9_7f4a_7c15) == 0xe220_a839_7b1d_cdaf)
    #expect(RandomSource.mix(0x9e37_79b9_7f4a_7c15 &* 2) == 0x6e78_9e6a_a1b9_65f4)
  }

  @Test func seedsAndStreamsDiffer() {
    func first(_ seed: UInt64, _ stream: UInt64) -> [UInt64] {
      var random = RandomSource(seed: seed, stream: stream)
      return (0..<4).map { _ in random.next() }
    }
    #expect(first(1, 0) == first(1, 0))
    #expect(Set([first(1, 0), first(2, 0), first(1, 1), first(0, 0), first(0, 1)]).count == 5)
  }

  @Test func moments() {
    var random = RandomSource(seed: 42)
    let n = 40_000
    func mean(_ draw: (inout RandomSource) -> Double) -> Double {
      (0..<n).reduce(0) { sum, _ in sum + draw(&random) } / Double(n)
    }
    #expect(abs(mean { $0.unit() } - 0.5) < 0.01)
    #expect(abs(mean { $0.exponential(mean: 7) } - 7) < 0.2)
    #expect(abs(mean { $0.normal(mean: 3, deviation: 2) } - 3) < 0.05)
    #expect(
      abs(
        mean { source in
          let x = source.normal()
          return x * x
        } - 1) < 0.05)
    // A Pareto variable with index 2 has the mean 2 * minimum; the cap takes little away.
    #expect(abs(mean { $0.pareto(minimum: 10, alpha: 2, cap: 1e6) } - 20) < 1)
    #expect(abs(mean { $0.logNormal(median: 5, sigma: 0.5) } - 5 * 1.1331) < 0.1)
    var least = Int.max
    var greatest = Int.min
    for _ in 0..<n {
      let value = random.int(3, 9)
      least = min(least, value)
      greatest = max(greatest, value)
    }
    #expect((least, greatest) == (3, 9))
    #expect(random.int(below: 0) == 0)
    #expect(random.pick([Int]()) == nil)
  }
}
