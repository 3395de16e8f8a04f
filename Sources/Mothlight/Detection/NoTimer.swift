import Glibc

/// The likeliest of the models in which nothing keeps time: memoryless, people in bursts, and bursts with pauses between them.
struct NoTimer {
  /// Of each occupied bin of the gap histogram, in order.
  var probabilities: [Double]
  var logLikelihood: Double

  /// Narrower log-normal gaps would be a timer with jitter.
  private static let narrowest = 0.9
  private static let rounds = 12

  static func fit(_ counts: [Double], _ n: Double) -> NoTimer {
    let occupied = counts.indices.filter { counts[$0] > 0 }
    var mean = 0.0
    var logMean = 0.0
    for b in occupied {
      mean += counts[b] * GapHistogram.centres[b]
      logMean += counts[b] * GapHistogram.logCentres[b]
    }
    mean /= n
    logMean /= n
    var variance = 0.0
    for b in occupied { variance += counts[b] * pow(GapHistogram.logCentres[b] - logMean, 2) }
    let sigma = max(narrowest, (variance / n).squareRoot())
    var models = [bins(occupied) { 1 - exp(-$0 / mean) }, logNormal(logMean, sigma, occupied)]
    if n >= 10 { models.append(bursts(counts, n, occupied, logMean, sigma)) }
    var best = NoTimer(probabilities: models[0], logLikelihood: -.infinity)
    for p in models {
      var sum = 0.0
      for (i, b) in occupied.enumerated() { sum += counts[b] * log(p[i] + 1e-12) }
      if sum > best.logLikelihood { best = NoTimer(probabilities: p, logLikelihood: sum) }
    }
    return best
  }

  /// Two broad log-normals, within and between visits, by expectation and maximisation (Dempster, Laird, Rubin 1977).
  private static func bursts(_ counts: [Double], _ n: Double, _ occupied: [Int], _ centre: Double, _ sigma: Double)
    -> [Double]
  {
    var means = [centre - sigma, centre + sigma]
    var sigmas = [narrowest, narrowest]
    var share = 0.5
    var parts = [logNormal(means[0], sigmas[0], occupied), logNormal(means[1], sigmas[1], occupied)]
    let logs = occupied.map { GapHistogram.logCentres[$0] }
    for _ in 0..<rounds {
      var weight = [0.0, 0.0]
      var sum = [0.0, 0.0]
      var square = [0.0, 0.0]
      for (i, b) in occupied.enumerated() {
        let x = logs[i]
        let first = share * parts[0][i]
        let second = (1 - share) * parts[1][i]
        let mine = first / (first + second + 1e-300) * counts[b]
        for k in 0...1 {
          let w = k == 0 ? mine : counts[b] - mine
          weight[k] += w
          sum[k] += w * x
          square[k] += w * x * x
        }
      }
      guard weight[0] > 1, weight[1] > 1 else { break }
      for k in 0...1 {
        means[k] = sum[k] / weight[k]
        sigmas[k] = max(narrowest, max(0, square[k] / weight[k] - means[k] * means[k]).squareRoot())
        parts[k] = logNormal(means[k], sigmas[k], occupied)
      }
      share = weight[0] / n
    }
    return occupied.indices.map { share * parts[0][$0] + (1 - share) * parts[1][$0] }
  }

  private static func logNormal(_ mean: Double, _ sigma: Double, _ occupied: [Int]) -> [Double] {
    bins(occupied) { $0.isFinite ? 0.5 * erfc(-(log(max($0, 1e-9)) - mean) / (sigma * 2.0.squareRoot())) : 1 }
  }

  /// Probability of each occupied bin, given that a gap falls into the histogram at all.
  private static func bins(_ occupied: [Int], _ cumulative: (Double) -> Double) -> [Double] {
    let total = cumulative(GapHistogram.edges[GapHistogram.binCount]) - cumulative(GapHistogram.edges[0])
    var reached = -1
    var at = 0.0
    return occupied.map { bin in
      // Neighbouring bins share an edge.
      let low = reached == bin ? at : cumulative(GapHistogram.edges[bin])
      at = cumulative(GapHistogram.edges[bin + 1])
      reached = bin + 1
      return total > 0 ? (at - low) / total : at - low
    }
  }
}
