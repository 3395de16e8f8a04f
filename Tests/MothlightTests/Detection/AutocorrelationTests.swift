import Testing

@testable import Mothlight

@Suite struct AutocorrelationTests {
  @Test func findsThePeriodUnderAsMuchUnrelatedTraffic() {
    var random = RandomSource(seed: 11)
    var starts = (0..<144).map { Double($0) * 600 + random.uniform(0, 4) }
    starts += (0..<144).map { _ in random.uniform(0, 86_400) }
    let look = Autocorrelation(starts.sorted())
    #expect(look.period > 580 && look.period < 620)
    #expect(look.height > 15)
  }

  /// Two bursts with one pause between them: the pause is one distance, however many starts lie on either side.
  @Test func aPauseCountsOnce() {
    let burst = [0, 1.1, 2.7, 5.2, 9.9, 14.8, 23, 31, 47, 68, 92, 130]
    let look = Autocorrelation(burst + burst.map { $0 + 20_000 })
    #expect(look.period < 1000)
    #expect(look.height < 6)
  }

  @Test func distancesOverAnAbsenceSayNothing() {
    var random = RandomSource(seed: 5)
    var starts: [Double] = []
    var nights: [ClosedRange<Double>] = []
    for day in 0..<7 {
      let midnight = Double(day) * 86_400
      for _ in 0..<12 { starts.append(midnight + random.uniform(0, 1800)) }
      nights.append((midnight + 2000)...(midnight + 86_300))
    }
    #expect(Autocorrelation(starts.sorted(), absences: nights).period < 3600)
  }

  @Test func hostileInputIsHarmless() {
    #expect(Autocorrelation([]).height == 0)
    #expect(Autocorrelation([Double](repeating: 3, count: 1000)).height == 0)
    #expect(Autocorrelation((0..<50).map { Double($0) * 1e12 }).height.isFinite)
  }
}
