import Glibc

/// How much a series of starts looks like a timer, by independent looks at its gaps and at the distances between its starts.
///
/// Gap-based on purpose: a sleeping program drifts in phase, so periodograms and Rayleigh tests lose it after about 1/j²
/// beats (detection.md section 3.1).
struct Periodicity {
  var starts: Int
  var median: Double
  /// Standard deviation over mean of the gaps: 1 for Poisson.
  var dispersion: Double
  /// Entropy of the quarter-octave gap histogram over ln(n + 1): 0 for a clock.
  var entropy: Double
  var model: GapModels
  /// Share of gaps at 1, 2, 3 periods beyond what a memoryless source of the same mean gives.
  var comb: Double
  /// Height of the highest hill among the distances between starts, standard deviations.
  var autocorrelation: Double
  private var gaps: [Double]
  /// Gap counts for the picture.
  var histogram: [Double]

  /// All looks, each against series without a timer.
  var odds: TimerOdds {
    TimerOdds(
      starts: starts, logBayesFactor: model.logBayesFactor, dispersion: dispersion, comb: comb,
      autocorrelation: autocorrelation, entropy: entropy)
  }

  /// What a series must show before the models are fitted, which costs a hundred times as much.
  struct Gate {
    var dispersionMost = Double.infinity
    var entropyMost = 1.0
    /// Log-odds of the autocorrelation that open it alone: one timerless series in twenty.
    static let autocorrelationLeast = 3.0

    /// A memoryless series of n starts has a dispersion of 1 ± 1/√n, so a long one says more by less.
    func admits(_ starts: Int, _ dispersion: Double, _ entropy: Double, _ autocorrelation: Double) -> Bool {
      if dispersion < max(dispersionMost, 1 - 1.3 / Double(starts).squareRoot()) || entropy < entropyMost {
        return true
      }
      let looks = TimerOdds(
        starts: starts, logBayesFactor: -.infinity, dispersion: dispersion, comb: 0, autocorrelation: autocorrelation,
        entropy: entropy)
      return looks.autocorrelation >= Self.autocorrelationLeast
    }
  }

  /// - Parameters:
  ///   - starts: sorted seconds.
  ///   - oldGaps: counts of gaps that are no longer kept as times.
  ///   - absences: sorted, on the same clock: when the machine was off.
  /// - Returns: `nil` for fewer than five gaps, and for a series that no limit of the gate lets through.
  static func analyse(
    _ starts: [Double], oldGaps: [UInt32] = [], absences: [ClosedRange<Double>] = [], gate: Gate = Gate()
  ) -> Periodicity? {
    guard let plain = score(starts, oldGaps, absences, gate) else { return nil }
    // A beat may open several connections: judge the beats, not their parts, if that explains more.
    let gaps = differences(starts).sorted()
    guard oldGaps.isEmpty, gaps.count >= 10 else { return plain }
    let long = gaps[gaps.count * 9 / 10]
    let merged = beats(starts, closerThan: min(30, long * 0.1))
    guard merged.count >= 8, merged.count < starts.count, let other = score(merged, [], absences, gate) else {
      return plain
    }
    // The distance between the connections of one beat is a timer too, but not the one that matters.
    let isInner = plain.model.period < other.model.period * 0.1 && other.model.logBayesFactor >= 6
    return isInner || other.model.logBayesFactor - 0.7 > plain.model.logBayesFactor ? other : plain
  }

  static func differences(_ sorted: [Double]) -> [Double] {
    guard sorted.count > 1 else { return [] }
    return (1..<sorted.count).map { sorted[$0] - sorted[$0 - 1] }
  }

  static func beats(_ starts: [Double], closerThan limit: Double) -> [Double] {
    var result: [Double] = []
    var previous = -Double.infinity
    for start in starts {
      if start - previous >= limit { result.append(start) }
      previous = start
    }
    return result
  }

  /// Gaps during which the machine was on: what it did not begin while it was off says nothing about a timer.
  ///
  /// Absences that swallow half of the gaps are rather the pauses of a machine that does little else than call home.
  static func gaps(_ starts: [Double], absences: [ClosedRange<Double>]) -> [Double] {
    let all = differences(starts)
    guard !absences.isEmpty else { return all.filter { $0 >= 0.0625 } }
    var kept: [Double] = []
    var next = 0
    for (i, gap) in all.enumerated() {
      while next < absences.count, absences[next].upperBound <= starts[i] { next += 1 }
      let isCut = next < absences.count && absences[next].lowerBound < starts[i + 1]
      if gap >= 0.0625, !isCut { kept.append(gap) }
    }
    return kept.count >= 5 && kept.count * 2 >= all.count ? kept : all.filter { $0 >= 0.0625 }
  }

  private static func score(
    _ starts: [Double], _ oldGaps: [UInt32], _ absences: [ClosedRange<Double>], _ gate: Gate
  ) -> Periodicity? {
    let gaps = gaps(starts, absences: absences)
    guard gaps.count >= 5 else { return nil }
    let histogram = GapHistogram.count(gaps, onto: oldGaps)
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    let dispersion = mean > 0 ? variance.squareRoot() / mean : 0
    let entropy = entropy(histogram)
    let hill = Autocorrelation(starts, absences: absences)
    guard gate.admits(starts.count, dispersion, entropy, hill.height),
      let model = GapModels.compare(histogram, gaps: gaps, hint: hill.period)
    else { return nil }
    let sorted = gaps.sorted()
    return Periodicity(
      starts: starts.count, median: sorted[sorted.count / 2], dispersion: dispersion, entropy: entropy, model: model,
      comb: comb(gaps, mean: mean, period: model.period), autocorrelation: hill.height, gaps: gaps,
      histogram: histogram)
  }

  /// Half the width that holds nine of ten gaps around one period, as a share of it: measured, where the model's own jitter is
  /// one of a few steps.
  var jitter: Double {
    let near = gaps.filter { $0 > model.period * 0.4 && $0 < model.period * 1.6 }.sorted()
    guard near.count >= 3 else { return model.jitter }
    return (near[near.count * 95 / 100] - near[near.count * 5 / 100]) / 2 / model.period
  }

  static func entropy(_ counts: [Double]) -> Double {
    let n = counts.reduce(0, +)
    guard n > 1 else { return 0 }
    var sum = 0.0
    for c in counts where c > 0 { sum -= c / n * log(c / n) }
    return sum / log(n + 1)
  }

  /// Harmonic comb: gaps within ± 15 %/√k of k·P, k = 1…3, minus what exponential gaps of the same mean would put there.
  static func comb(_ gaps: [Double], mean: Double, period: Double) -> Double {
    guard mean > 0, period > 0 else { return 0 }
    var inside = 0.0
    var expected = 0.0
    for k in 1...3 {
      let half = 0.15 / Double(k).squareRoot() * Double(k) * period
      let low = Double(k) * period - half
      let high = Double(k) * period + half
      inside += Double(gaps.count { $0 >= low && $0 < high })
      expected += exp(-low / mean) - exp(-high / mean)
    }
    return max(0, inside / Double(gaps.count) - expected)
  }
}
