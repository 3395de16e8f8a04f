import Glibc

/// RITA v5's published beacon score, written anew from the team's description of it (detection.md section 2), to compare with.
///
/// Not part of the product.
struct RITAScore {
  var timestamps = 0.0
  var dataSizes = 0.0
  var histogram = 0.0
  var duration = 0.0

  /// A quarter each, rounded to three places.
  var total: Double { (250 * (timestamps + dataSizes + histogram + duration)).rounded() / 1000 }

  /// - Parameters:
  ///   - times: starts in seconds.
  ///   - sizes: octets sent by our host per connection.
  ///   - range: first and last second of the whole data set.
  /// - Returns: `nil` below four distinct seconds, RITA's floor, and from 86,400 connections a day on ("strobe").
  init?(times: [Double], sizes: [Double], range: ClosedRange<Double>) {
    let seconds = times.map { $0.rounded(.down) }.sorted()
    var gaps: [Double] = []
    for i in seconds.indices.dropFirst() where seconds[i] > seconds[i - 1] { gaps.append(seconds[i] - seconds[i - 1]) }
    let span = range.upperBound - range.lowerBound
    guard gaps.count >= 3, span > 0, Double(times.count) < 86_400 * max(1, span / 86_400) else { return nil }
    timestamps = Self.statistical(gaps, whenMedianIsZero: 1)
    dataSizes = Self.statistical(sizes, whenMedianIsZero: 0)
    var bins = [Double](repeating: 0, count: 24)
    for t in times { bins[min(23, max(0, Int((t - range.lowerBound) / span * 24)))] += 1 }
    histogram = Self.histogram(bins)
    duration = Self.duration(bins, first: seconds[0], last: seconds[seconds.count - 1], span: span)
  }

  /// Half Bowley symmetry, half closeness to the median.
  static func statistical(_ values: [Double], whenMedianIsZero: Double) -> Double {
    let x = values.sorted()
    guard x.count > 1 else { return 0 }
    let half = x.count / 2
    let q1 = median(x[..<half])
    let q2 = median(x[...])
    let q3 = median(x[(x.count - half)...])
    var bowley = 0.0
    if q3 - q1 >= 10, q2 != q1, q2 != q3 { bowley = (q1 + q3 - 2 * q2) / (q3 - q1) }
    let deviation = median(x.map { abs($0 - q2) }.sorted()[...])
    let closeness = q2 < 1 ? whenMedianIsZero : max(0, (q2 - deviation) / q2)
    return ((1 - abs(bowley)) + closeness) / 2
  }

  private static func median(_ x: ArraySlice<Double>) -> Double {
    guard !x.isEmpty else { return 0 }
    let middle = x.startIndex + x.count / 2
    return x.count % 2 == 1 ? x[middle] : (x[middle - 1] + x[middle]) / 2
  }

  /// How even the 24 bars are, or how many of them have one of two heights.
  static func histogram(_ bins: [Double]) -> Double {
    let mean = bins.reduce(0, +) / 24
    guard mean > 0 else { return 0 }
    let deviation = (bins.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 24).squareRoot()
    let even = max(0, 1 - deviation / mean)
    let bars = bins.filter { $0 > 0 }
    guard bars.count >= 11, let most = bars.max() else { return even }
    let width = (0.05 * most).rounded(.up)
    var heights: [Double: Int] = [:]
    for bar in bars { heights[(bar / width).rounded(.down), default: 0] += 1 }
    let largest = heights.values.sorted(by: >).prefix(2).reduce(0, +)
    return max(even, min(1, Double(largest) / Double(max(bars.count - 1, 1))))
  }

  static func duration(_ bins: [Double], first: Double, last: Double, span: Double) -> Double {
    guard bins.count(where: { $0 > 0 }) >= 6 else { return 0 }
    var longest = 0
    var run = 0
    for i in 0..<48 {
      run = bins[i % 24] > 0 ? run + 1 : 0
      longest = max(longest, min(24, run))
    }
    return max(min(1, (last - first) / span), min(1, Double(longest) / 12))
  }

  /// What RITA is told about a pair besides its times and sizes.
  struct Surroundings {
    /// Share of our hosts that talk to the peer.
    var prevalence: Double
    /// Days since the peer was first seen; `nil` when the data set is not a rolling one.
    var knownDays: Double?
    var lacksHost: Bool
    var hasRareSignature: Bool
  }

  /// Threat score: the beacon score cut into four steps, plus the published modifiers that a timer can meet.
  func threat(_ around: Surroundings) -> Double {
    let edges = [(50.0, 0.2), (70, 0.4), (90, 0.6), (100, 0.8)]
    let percent = total * 100
    var score = percent >= 100 ? 0.8 : 0
    for (low, high) in zip(edges, edges.dropFirst()) where percent >= low.0 && percent < high.0 {
      score = low.1 + (high.1 - low.1) * (percent - low.0) / (high.0 - low.0)
    }
    if around.prevalence <= 0.02 { score += 0.15 }
    if around.prevalence >= 0.5 { score -= 0.15 }
    if let days = around.knownDays {
      if days <= 7 { score += 0.15 }
      if days >= 30 { score -= 0.15 }
    }
    if around.lacksHost { score += 0.1 }
    if around.hasRareSignature { score += 0.15 }
    return score
  }
}
