import Glibc

/// Likelihood of a gap histogram under "a timer" and under "no timer", and their ratio.
///
/// Timer: gaps uniform on P(1 ± j); lost beats give k·P with weights m^(k−1); a share ε of the gaps comes from the other
/// model. No timer: exponential, or log-normal with σ ≥ 0.9 (people in bursts). Both are scored on the same quarter-octave
/// bins, so the ratio has no free constant; four fitted numbers cost 2·ln n (BIC, Schwarz 1978, doi:10.1214/aos/1176344136).
struct GapModels {
  /// ln P(gaps | timer) − ln P(gaps | no timer) − penalty.
  var logBayesFactor: Double
  var period: Double
  /// Half-width of the gap as a share of the period.
  var jitter: Double
  /// Share of beats that did not show.
  var missShare: Double
  /// Share of gaps that the timer does not explain.
  var extraShare: Double

  private static let jitters = [0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9]
  private static let misses = [0.0, 0.3, 0.6]
  private static let extras = [0.02, 0.1, 0.25, 0.5]

  /// - Complexity: O(candidate periods × 84 × occupied bins).
  static func compare(_ counts: [Double], gaps: [Double] = []) -> GapModels? {
    let n = counts.reduce(0, +)
    guard n >= 5 else { return nil }
    let null = noTimer(counts, n)
    let nullLikelihood = logLikelihood(counts, null)
    let occupied = counts.indices.filter { counts[$0] > 0 }
    var best: GapModels?
    for period in candidates(counts, n, gaps) {
      for jitter in jitters {
        for miss in misses {
          let timer = comb(period, jitter, miss, at: occupied)
          for extra in extras {
            var likelihood = 0.0
            for (i, b) in occupied.enumerated() {
              likelihood += counts[b] * log((1 - extra) * timer[i] + extra * null[b] + 1e-12)
            }
            let factor = likelihood - nullLikelihood - 2 * log(n)
            if factor > best?.logBayesFactor ?? -.infinity {
              best = GapModels(
                logBayesFactor: factor, period: period, jitter: jitter, missShare: miss, extraShare: extra)
            }
          }
        }
      }
    }
    return best
  }

  /// Periods worth trying: the fullest bins, each at the mean of the gaps that fell into it, and the median.
  private static func candidates(_ counts: [Double], _ n: Double, _ gaps: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: counts.count)
    var seen = [Double](repeating: 0, count: counts.count)
    for gap in gaps {
      guard let bin = GapHistogram.bin(ofSeconds: gap) else { continue }
      sums[bin] += gap
      seen[bin] += 1
    }
    func middle(_ bin: Int) -> Double { seen[bin] > 0 ? sums[bin] / seen[bin] : GapHistogram.centre(bin) }
    let order = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $1) > (counts[$1], $0) }
    var periods = order.prefix(4).map(middle)
    var sum = 0.0
    for b in counts.indices {
      sum += counts[b]
      if sum >= n / 2 {
        periods.append(middle(b))
        // A wide uniform has its centre of mass above the median bin's centre.
        periods.append(middle(b) * 1.15)
        break
      }
    }
    return periods
  }

  /// Probability of the bins `bins` under a timer with jitter and lost beats.
  static func comb(_ period: Double, _ jitter: Double, _ miss: Double, at bins: [Int]) -> [Double] {
    var p = [Double](repeating: 0, count: bins.count)
    var weight = 1 - miss
    for k in 1...(miss > 0 ? 7 : 1) {
      let mean = Double(k) * period
      let half = period * jitter * Double(k).squareRoot()
      let low = max(mean - half, 0.01)
      let high = mean + half
      for (i, b) in bins.enumerated() {
        let overlap = min(high, GapHistogram.edges[b + 1]) - max(low, GapHistogram.edges[b])
        if overlap > 0 { p[i] += weight * overlap / (high - low) }
      }
      weight *= miss
    }
    return p
  }

  /// The better of exponential and broad log-normal, as bin probabilities.
  private static func noTimer(_ counts: [Double], _ n: Double) -> [Double] {
    var mean = 0.0
    var logMean = 0.0
    for b in counts.indices {
      mean += counts[b] * GapHistogram.centre(b)
      logMean += counts[b] * log(GapHistogram.centre(b))
    }
    mean /= n
    logMean /= n
    var variance = 0.0
    for b in counts.indices { variance += counts[b] * pow(log(GapHistogram.centre(b)) - logMean, 2) }
    let sigma = max(0.9, (variance / n).squareRoot())
    let exponential = bins { 1 - exp(-$0 / mean) }
    let logNormal = bins { 0.5 * erfc(-(log(max($0, 1e-9)) - logMean) / (sigma * 2.0.squareRoot())) }
    return logLikelihood(counts, exponential) > logLikelihood(counts, logNormal) ? exponential : logNormal
  }

  private static func bins(_ cumulative: (Double) -> Double) -> [Double] {
    var p = (0..<GapHistogram.binCount).map {
      cumulative(GapHistogram.edges[$0 + 1]) - cumulative(GapHistogram.edges[$0])
    }
    let total = p.reduce(0, +)
    if total > 0 { for b in p.indices { p[b] = p[b] / total } }
    return p
  }

  private static func logLikelihood(_ counts: [Double], _ p: [Double]) -> Double {
    var sum = 0.0
    for b in counts.indices where counts[b] > 0 { sum += counts[b] * log(p[b] + 1e-12) }
    return sum
  }
}
