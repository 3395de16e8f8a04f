import Glibc

/// How much a series of starts looks like a timer, by four independent looks at its gaps.
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
  private var gaps: [Double]
  private var times: [Double]
  /// Gap counts for the picture.
  var histogram: [Double]

  /// What a series must show before the models are fitted.
  struct Gate {
    var dispersionMost = Double.infinity
    var entropyMost = 1.0
  }

  /// - Parameters:
  ///   - starts: sorted seconds.
  ///   - oldGaps: counts of gaps that are no longer kept as times.
  /// - Returns: `nil` for fewer than five gaps, and for a series that passes neither limit of the gate.
  static func analyse(_ starts: [Double], oldGaps: [UInt32] = [], gate: Gate = Gate()) -> Periodicity? {
    guard let plain = score(starts, oldGaps, gate) else { return nil }
    // A beat may open several connections: judge the beats, not their parts, if that explains more.
    let gaps = differences(starts).sorted()
    guard oldGaps.isEmpty, gaps.count >= 10 else { return plain }
    let long = gaps[gaps.count * 9 / 10]
    let merged = beats(starts, closerThan: min(30, long * 0.1))
    guard merged.count >= 8, merged.count < starts.count, let other = score(merged, [], gate) else { return plain }
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

  private static func score(_ starts: [Double], _ oldGaps: [UInt32], _ gate: Gate) -> Periodicity? {
    let gaps = differences(starts).filter { $0 >= 0.0625 }
    guard gaps.count >= 5 else { return nil }
    let histogram = GapHistogram.count(gaps, onto: oldGaps)
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    let dispersion = mean > 0 ? variance.squareRoot() / mean : 0
    let entropy = entropy(histogram)
    guard dispersion < gate.dispersionMost || entropy < gate.entropyMost,
      let model = GapModels.compare(histogram, gaps: gaps)
    else { return nil }
    let sorted = gaps.sorted()
    return Periodicity(
      starts: starts.count, median: sorted[sorted.count / 2], dispersion: dispersion, entropy: entropy, model: model,
      gaps: gaps, times: starts, histogram: histogram)
  }

  /// Half the width that holds nine of ten gaps around one period, as a share of it: measured, where the model's own jitter is
  /// one of a few steps.
  var jitter: Double {
    let near = gaps.filter { $0 > model.period * 0.4 && $0 < model.period * 1.6 }.sorted()
    guard near.count >= 3 else { return model.jitter }
    return (near[near.count * 95 / 100] - near[near.count * 5 / 100]) / 2 / model.period
  }

  /// Share of gaps at 1, 2, 3 periods beyond what a memoryless source of the same mean gives.
  var comb: Double { Self.comb(gaps, mean: gaps.reduce(0, +) / Double(max(1, gaps.count)), period: model.period) }
  /// Highest autocorrelation beyond half a period.
  var autocorrelation: Double { Self.autocorrelation(times, period: model.period) }

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

  /// Starts binned at an eighth of the period, clipped to one, correlated with themselves at 0.5 to 8 periods.
  static func autocorrelation(_ starts: [Double], period: Double) -> Double {
    guard period > 0, let first = starts.first, let last = starts.last else { return 0 }
    let width = period / 8
    let count = min(1024, Int(min(1e6, (last - first) / width)) + 1)
    guard count >= 32 else { return 0 }
    var bins = [Double](repeating: 0, count: count)
    for start in starts {
      let b = Int((start - first) / width)
      if b < count { bins[b] = 1 }
    }
    let mean = bins.reduce(0, +) / Double(count)
    var variance = 0.0
    for b in bins { variance += (b - mean) * (b - mean) }
    guard variance > 0 else { return 0 }
    var best = 0.0
    for lag in 4...min(64, count / 2) {
      var sum = 0.0
      for i in 0..<(count - lag) { sum += (bins[i] - mean) * (bins[i + lag] - mean) }
      best = max(best, sum / variance)
    }
    return best
  }
}
