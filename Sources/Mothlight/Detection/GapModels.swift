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
    let bins = GapBins(counts, null)
    func consider(_ extra: Double, _ shown: Double, _ model: (Double, Double, Double), _ best: inout GapModels) {
      let factor = bins.logLikelihood(extra) - null.logLikelihood - 2 * log(n)
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
          if !extras.isEmpty { bins.comb(period, jitter, miss) }
          for extra in extras { consider(extra, extra, model, &best) }
          guard !rates.isEmpty else { continue }
          bins.interrupted(period, jitter, miss, rates: rates) { consider(0.02, $0 / (1 + $0), model, &best) }
        }
      }
      return best
    }
    // Every period is tried on a coarse grid, the best of them on the whole one.
    var coarse: [(best: GapModels, isCut: Bool)] = []
    for period in candidates(counts, n, gaps, hint) {
      // The fullest bin is the median's too, more often than not: it counts twice, and is tried once.
      if let same = coarse.first(where: { $0.best.period == period }) {
        coarse.append(same)
        continue
      }
      let plain = fit(period, [0.1, 0.35, 0.9], [0, 0.45], [0.1], [])
      let cut = fit(period, [0.2, 0.9], [0], [], [1])
      // Where unrelated starts explain far less than none, they are not tried again.
      let isCut = cut.logBayesFactor > plain.logBayesFactor - 8
      coarse.append((plain.logBayesFactor > cut.logBayesFactor ? plain : cut, isCut))
    }
    guard let leading = coarse.map(\.best).max(by: { $0.logBayesFactor < $1.logBayesFactor }) else { return nil }
    // The whole grid finds a few nats more, never a timer where the coarse one finds the opposite.
    guard leading.logBayesFactor >= min(hopeless, hopelessPerGap * n) else { return leading }
    let promising = coarse.sorted {
      ($0.best.logBayesFactor, $1.best.period) > ($1.best.logBayesFactor, $0.best.period)
    }.prefix(periodsFitted)
    var fitted: [GapModels] = []
    for (best, isCut) in promising where fitted.last?.period != best.period {
      fitted.append(fit(best.period, jitters, misses, extras, isCut ? interruptions : []))
    }
    return fitted.max { ($0.logBayesFactor, $1.period) < ($1.logBayesFactor, $0.period) }
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
}
