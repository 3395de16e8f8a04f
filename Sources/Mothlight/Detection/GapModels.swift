import Glibc

/// Likelihood of a gap histogram under "a timer" and under "no timer", and their ratio.
///
/// Timer: gaps uniform on P(1 ± j); lost beats give k·P with weights m^(k−1); a share ε of the gaps comes from the other
/// model, or unrelated starts cut the gaps. No timer: see `NoTimer`. Both are scored on the same quarter-octave bins, so the
/// ratio has no free constant; four fitted numbers cost 2·ln n (BIC, Schwarz 1978, doi:10.1214/aos/1176344136).
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
  /// Unrelated starts per beat: they cut the timer's gaps, they do not only stand beside them.
  private static let interruptions = [0.3, 1.0]

  /// Below it a series is left at its coarse fit: four of five timerless series that the gate admits. What the coarse grid
  /// lacks (half of the beats lost, jitter between its steps) costs in proportion to the gaps, so long series may fall deeper.
  private static let hopeless = -4.0
  private static let hopelessPerGap = -0.06

  /// Candidate periods that are fitted on the whole grid.
  private static let periodsFitted = 2

  /// - Parameter hint: a period that another look at the starts proposes.
  /// - Complexity: O((8 × candidate periods + 252) × occupied bins).
  static func compare(_ counts: [Double], gaps: [Double] = [], hint: Double = 0) -> GapModels? {
    let n = counts.reduce(0, +)
    guard n >= 5 else { return nil }
    let null = NoTimer.fit(counts, n)
    let occupied = counts.indices.filter { counts[$0] > 0 }
    let observed = Observed(occupied, counts, null)
    func consider(
      _ p: [Double], _ extra: Double, _ shown: Double, _ model: (Double, Double, Double), _ best: inout GapModels
    ) {
      let factor = observed.logLikelihood(p, extra) - null.logLikelihood - 2 * log(n)
      guard factor > best.logBayesFactor else { return }
      best = GapModels(
        logBayesFactor: factor, period: model.0, jitter: model.1, missShare: model.2, extraShare: shown)
    }
    func fit(_ period: Double, _ jitters: [Double], _ misses: [Double], _ extras: [Double], _ rates: [Double])
      -> GapModels
    {
      var best = GapModels(logBayesFactor: -.infinity, period: period, jitter: 0, missShare: 0, extraShare: 0)
      for jitter in jitters {
        for miss in misses {
          let model = (period, jitter, miss)
          let timer = comb(period, jitter, miss, at: occupied)
          for extra in extras { consider(timer, extra, extra, model, &best) }
          guard !rates.isEmpty else { continue }
          for (rate, cut) in zip(rates, interrupted(period, jitter, miss, rates: rates, at: occupied)) {
            consider(cut, 0.02, rate / (1 + rate), model, &best)
          }
        }
      }
      return best
    }
    // Every period is tried on a coarse grid, the best of them on the whole one.
    var isCut: [Double: Bool] = [:]
    let coarse = candidates(counts, n, gaps, hint).map { period in
      let plain = fit(period, [0.1, 0.35, 0.9], [0, 0.45], [0.1], [])
      let cut = fit(period, [0.2, 0.9], [0], [], [1])
      // Where unrelated starts explain far less than none, they are not tried again.
      isCut[period] = cut.logBayesFactor > plain.logBayesFactor - 8
      return plain.logBayesFactor > cut.logBayesFactor ? plain : cut
    }
    guard let leading = coarse.max(by: { $0.logBayesFactor < $1.logBayesFactor }) else { return nil }
    // The whole grid finds a few nats more, never a timer where the coarse one finds the opposite.
    guard leading.logBayesFactor >= min(hopeless, hopelessPerGap * n) else { return leading }
    let promising = coarse.sorted { ($0.logBayesFactor, $1.period) > ($1.logBayesFactor, $0.period) }.prefix(
      periodsFitted)
    let fitted = promising.map {
      fit($0.period, jitters, misses, extras, isCut[$0.period] == true ? interruptions : [])
    }
    return fitted.max { ($0.logBayesFactor, $1.period) < ($1.logBayesFactor, $0.period) }
  }

  /// The counted gaps, ready to be held against many models.
  private struct Observed {
    private var weights: [Double]
    private var repeats: [Int]
    private var rest: [Double]

    init(_ bins: [Int], _ counts: [Double], _ null: NoTimer) {
      weights = bins.map { counts[$0] }
      repeats = weights.map { Int(min(8, $0)) }
      rest = null.probabilities
    }

    func logLikelihood(_ timer: [Double], _ extra: Double) -> Double {
      // A product of up to eight likes of a number takes one logarithm; below 1e-180 it is put away before it underflows.
      var likelihood = 0.0
      var product = 1.0
      for i in weights.indices {
        let p = (1 - extra) * timer[i] + extra * rest[i] + 1e-12
        if weights[i] > 8 {
          likelihood += weights[i] * log(p)
          continue
        }
        for _ in 0..<repeats[i] { product *= p }
        if product < 1e-180 {
          likelihood += log(product)
          product = 1
        }
      }
      return likelihood + log(product)
    }
  }

  /// Periods worth trying: the fullest bins, each at the mean of the gaps that fell into it, and the median.
  private static func candidates(_ counts: [Double], _ n: Double, _ gaps: [Double], _ hint: Double)
    -> [Double]
  {
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
        // Unrelated starts cut gaps short.
        periods.append(middle(b) * 1.6)
        break
      }
    }
    // Lost beats stretch the mean: what it was before them, when no bin at the period itself stands out.
    if !gaps.isEmpty {
      let mean = gaps.reduce(0, +) / Double(gaps.count)
      periods += [mean * 0.7, mean * 0.4]
    }
    if hint > 0 { periods.append(hint) }
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

  /// Probability of the bins `bins` under a timer whose gaps memoryless starts cut, for each of `rates` of them per beat that
  /// shows.
  ///
  /// Superposition of a renewal and a Poisson process (Cox, Renewal Theory, 1962, chapter 6): a gap outlasts t when no
  /// unrelated start falls into it and, begun by a beat, the timer's gap outlasts t, or, begun elsewhere, what is left of it.
  static func interrupted(_ period: Double, _ jitter: Double, _ miss: Double, rates: [Double], at bins: [Int])
    -> [[Double]]
  {
    // Neighbouring bins share an edge.
    var edges: [Double] = []
    var place: [Int] = []
    for (i, bin) in bins.enumerated() {
      if i == 0 || bins[i - 1] != bin - 1 { edges.append(GapHistogram.edges[bin]) }
      place.append(edges.count)
      edges.append(GapHistogram.edges[bin + 1])
    }
    var left = [Double](repeating: 0, count: edges.count)
    var tail = left
    let kinds = miss > 0 ? 7 : 1
    var weight = 1 - miss
    var mean = 0.0
    for k in 1...kinds {
      // The last kind takes what is left of the weights, so that they sum to one.
      let share = k == kinds ? weight / (1 - miss) : weight
      let half = period * jitter * Double(k).squareRoot()
      let low = max(Double(k) * period - half, 0.01)
      let high = Double(k) * period + half
      mean += share * Double(k) * period
      weight *= miss
      for (i, t) in edges.enumerated() where t < high {
        if t <= low {
          left[i] += share
          tail[i] += share * ((low + high) / 2 - t)
        } else {
          left[i] += share * (high - t) / (high - low)
          tail[i] += share * (high - t) * (high - t) / (2 * (high - low))
        }
      }
    }
    return rates.map { rate in
      let outlasts = edges.indices.map { i in
        left[i] > 0 ? exp(-rate * edges[i] / mean) * (left[i] + rate * tail[i] / mean) / (1 + rate) : 0
      }
      return place.map { max(0, outlasts[$0 - 1] - outlasts[$0]) }
    }
  }
}
