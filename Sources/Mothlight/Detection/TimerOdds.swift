import Glibc

/// How rarely series without a timer look as regular as this one, by four looks at the starts, and what they say together.
///
/// Each look's value becomes −ln of the share of timerless series of as many starts that reach it: log-odds against chance, so
/// that eight starts and a thousand are held to the same standard. Values beyond the table go on at its last slope.
struct TimerOdds {
  /// The gap-histogram Bayes factor, and how little the gaps differ.
  var bayes: Double
  var dispersion: Double
  /// Gaps at one, two, three periods.
  var comb: Double
  /// Pairs of starts one period apart, whatever came between.
  var autocorrelation: Double
  /// Few different gaps.
  var entropy: Double

  /// The other looks see the same starts, so they add to the first rather than count as much as it does. The weights did
  /// best on the training seeds of Benchmarks/BeaconGrid, better than the strongest look alone.
  private static let dispersionWeight = 0.3
  private static let otherWeight = 0.2

  /// What all looks say together, nat: of a thousand timerless series that pass the gate's door about one reaches 9.
  var total: Double {
    bayes + Self.dispersionWeight * dispersion + Self.otherWeight * max(comb, autocorrelation, entropy)
  }

  init(
    starts: Int, logBayesFactor: Double, dispersion: Double, comb: Double, autocorrelation: Double, entropy: Double
  ) {
    let band = TimerOddsTable.startsFrom.lastIndex { $0 <= starts } ?? 0
    bayes = Self.odds(logBayesFactor, TimerOddsTable.logBayesFactor[band])
    self.dispersion = Self.odds(-dispersion, TimerOddsTable.dispersion[band])
    self.comb = Self.odds(comb, TimerOddsTable.comb[band])
    self.autocorrelation = Self.odds(autocorrelation, TimerOddsTable.autocorrelation[band])
    self.entropy = Self.odds(-entropy, TimerOddsTable.entropy[band])
  }

  /// −ln of the share of timerless series that reach `value`, between the quantiles of a row, linear in between.
  static func odds(_ value: Double, _ row: [Double]) -> Double {
    var i = 0
    while i < row.count - 2, value > row[i + 1] { i += 1 }
    guard i + 1 < row.count else { return 0 }
    let low = -log(1 - TimerOddsTable.shares[i])
    let high = -log(1 - TimerOddsTable.shares[i + 1])
    let odds = low + (high - low) * (value - row[i]) / max(1e-6, row[i + 1] - row[i])
    return max(0, min(100, odds))
  }
}
