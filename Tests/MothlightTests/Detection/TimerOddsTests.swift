import Testing

@testable import Mothlight

@Suite struct TimerOddsTests {
  @Test func tableRowsRise() {
    let looks = [
      TimerOddsTable.logBayesFactor, TimerOddsTable.dispersion, TimerOddsTable.comb, TimerOddsTable.autocorrelation,
      TimerOddsTable.entropy,
    ]
    for look in looks {
      #expect(look.count == TimerOddsTable.startsFrom.count)
      for row in look {
        #expect(row.count == TimerOddsTable.shares.count)
        #expect(zip(row, row.dropFirst()).allSatisfy { $0 < $1 })
      }
    }
  }

  /// At a quantile the odds are −ln of what lies above it; beyond the table they go on, and end.
  @Test func oddsFollowTheQuantiles() {
    let row = [0.0, 1, 2, 3, 4]
    #expect(abs(TimerOdds.odds(3, row) - 4.605) < 0.001)
    #expect(abs(TimerOdds.odds(1, row) - 2.303) < 0.001)
    #expect(TimerOdds.odds(10, row) > TimerOdds.odds(4, row))
    #expect(TimerOdds.odds(1e9, row) == 100)
    #expect(TimerOdds.odds(-1e9, row) == 0)
    #expect(TimerOdds.odds(-.infinity, row) == 0)
  }

  private func series(_ count: Int, hours: Double, seed: UInt64) -> [Double] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in random.uniform(0, hours * 3600) }.sorted()
  }

  /// Series without a timer stay below what the detector asks, whatever their length.
  @Test(arguments: [8, 10, 15, 30, 60, 200, 500])
  func memorylessSeriesScoreLow(_ count: Int) {
    let over = (0..<100 as Range<UInt64>).count { seed in
      (Periodicity.analyse(series(count, hours: 24, seed: seed + 7000))?.odds.total ?? 0) >= 8
    }
    #expect(over <= 1)
  }

  /// Each look alone says more about a clock than about the same number of starts at random.
  @Test func everyLookSeesAClock() throws {
    let clock = try #require(Periodicity.analyse((0..<40).map { Double($0) * 1800 })).odds
    let chance = try #require(Periodicity.analyse(series(40, hours: 20, seed: 3))).odds
    #expect(clock.bayes > 10 && clock.bayes > chance.bayes)
    #expect(clock.dispersion > chance.dispersion)
    #expect(clock.comb > chance.comb)
    #expect(clock.autocorrelation > chance.autocorrelation)
    #expect(clock.entropy > chance.entropy)
    #expect(clock.total > 20)
  }
}
