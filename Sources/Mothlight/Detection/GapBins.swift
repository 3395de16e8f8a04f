import Glibc

/// The occupied bins of a gap histogram, ready to be held against hundreds of models of a timer.
///
/// The same memory for all of them: arrays made anew for each model cost as much as the models.
final class GapBins {
  private let count: Int
  private let block: UnsafeMutablePointer<Double>
  private let lows, highs: UnsafeMutablePointer<Double>
  /// How many gaps lie in each.
  private let weights: UnsafeMutablePointer<Double>
  /// What it has without a timer.
  private let rest: UnsafeMutablePointer<Double>
  /// What it has under the model that was made last.
  private let timer: UnsafeMutablePointer<Double>
  /// For the edges of each, how much of a timer's gaps outlasts them.
  private let lowSurvival, highSurvival: UnsafeMutablePointer<Survival>

  private struct Survival {
    /// Share of the gaps.
    var left = 0.0
    /// Mean of what is left of them, 0 for those that are over.
    var tail = 0.0
  }

  /// - Parameter null: of the same counts.
  init(_ counts: [Double], _ null: NoTimer) {
    let occupied = counts.indices.prefix(GapHistogram.binCount).filter { counts[$0] > 0 }
    let n = occupied.count
    count = n
    block = .allocate(capacity: n * 5)
    block.initialize(repeating: 0, count: n * 5)
    (lows, highs, weights, rest, timer) = (block, block + n, block + 2 * n, block + 3 * n, block + 4 * n)
    lowSurvival = .allocate(capacity: n * 2)
    lowSurvival.initialize(repeating: Survival(), count: n * 2)
    highSurvival = lowSurvival + n
    for (i, bin) in occupied.enumerated() {
      lows[i] = GapHistogram.edges[bin]
      highs[i] = GapHistogram.edges[bin + 1]
      weights[i] = counts[bin]
      rest[i] = null.probabilities[i]
    }
  }

  deinit {
    block.deallocate()
    lowSurvival.deallocate()
  }

  /// Probability that the model made last gives to all bins together: no more than one for a sound model.
  var covered: Double { (0..<count).reduce(0) { $0 + timer[$1] } }

  /// ln P(gaps) when a share `extra` of them comes without a timer and the others from the model made last.
  func logLikelihood(_ extra: Double) -> Double {
    // A product of up to eight likes of a number takes one logarithm; below 1e-180 it is put away before it underflows.
    var likelihood = 0.0
    var product = 1.0
    for i in 0..<count {
      let p = (1 - extra) * timer[i] + extra * rest[i] + 1e-12
      if weights[i] > 8 {
        likelihood += weights[i] * log(p)
        continue
      }
      for _ in 0..<Int(weights[i]) { product *= p }
      if product < 1e-180 {
        likelihood += log(product)
        product = 1
      }
    }
    return likelihood + log(product)
  }

  /// Makes the model of a timer with jitter and lost beats.
  func comb(_ period: Double, _ jitter: Double, _ miss: Double) {
    timer.update(repeating: 0, count: count)
    var weight = 1 - miss
    for k in 1...(miss > 0 ? 7 : 1) {
      let mean = Double(k) * period
      let half = period * jitter * Double(k).squareRoot()
      let low = max(mean - half, 0.01)
      let high = mean + half
      for i in 0..<count {
        let overlap = min(high, highs[i]) - max(low, lows[i])
        if overlap > 0 { timer[i] += weight * overlap / (high - low) }
      }
      weight *= miss
    }
  }

  /// Makes the models of a timer with jitter and lost beats whose gaps memoryless starts cut, one after the other.
  ///
  /// Superposition of a renewal and a Poisson process (Cox, Renewal Theory, 1962, chapter 6): a gap outlasts t when no
  /// unrelated start falls into it and, begun by a beat, the timer's gap outlasts t, or, begun elsewhere, what is left of it.
  /// - Parameters:
  ///   - rates: unrelated starts per beat that shows.
  ///   - each: called with each rate when its model has been made.
  func interrupted(_ period: Double, _ jitter: Double, _ miss: Double, rates: [Double], each: (Double) -> Void) {
    lowSurvival.update(repeating: Survival(), count: count)
    highSurvival.update(repeating: Survival(), count: count)
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
      add(share, low, high, at: lows, lowSurvival)
      add(share, low, high, at: highs, highSurvival)
    }
    for rate in rates {
      interrupt(rate / mean, 1 + rate)
      each(rate)
    }
  }

  /// Adds gaps that last from `low` to `high`, all alike.
  private func add(
    _ share: Double, _ low: Double, _ high: Double, at edges: UnsafeMutablePointer<Double>,
    _ sums: UnsafeMutablePointer<Survival>
  ) {
    for i in 0..<count where edges[i] < high {
      let t = edges[i]
      if t <= low {
        sums[i].left += share
        sums[i].tail += share * ((low + high) / 2 - t)
      } else {
        sums[i].left += share * (high - t) / (high - low)
        sums[i].tail += share * (high - t) * (high - t) / (2 * (high - low))
      }
    }
  }

  /// - Parameters:
  ///   - density: unrelated starts per second.
  ///   - starts: starts per beat, the beat included.
  private func interrupt(_ density: Double, _ starts: Double) {
    func outlasts(_ edge: Double, _ gaps: Survival) -> Double {
      gaps.left > 0 ? exp(-density * edge) * (gaps.left + density * gaps.tail) / starts : 0
    }
    var reached = -1.0
    var at = 0.0
    for i in 0..<count {
      // Neighbouring bins share an edge.
      let low = reached == lows[i] ? at : outlasts(lows[i], lowSurvival[i])
      at = outlasts(highs[i], highSurvival[i])
      reached = highs[i]
      timer[i] = max(0, low - at)
    }
  }
}
