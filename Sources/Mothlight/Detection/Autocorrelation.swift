import Glibc

/// Autocorrelation of a series of starts without bins of time: how many pairs of starts lie one period apart, beyond what
/// their neighbourhood of distances holds.
///
/// Distances between each start and the next twelve are counted on a fine logarithmic scale, where people and bursts make
/// broad slopes and a timer makes a hill (Hu et al., BAYWATCH, DSN 2016, confirm their candidates on hills too). Connections
/// between two beats do not move the beats, so unrelated traffic costs little; what a gap histogram loses there, this keeps.
struct Autocorrelation {
  /// Height of the highest hill, standard deviations.
  var height = 0.0
  /// Distance at which it stands, seconds.
  var period = 0.0

  /// Bins per octave: each ± 2.2 %.
  private static let resolution = 16.0
  /// Starts looked ahead: unrelated traffic may put several between two beats.
  private static let ahead = 12
  private static let firstOctave = -1.0
  /// Half a second to six days.
  private static let binCount = 320

  /// - Parameter absences: sorted, when the machine was off; distances across one say nothing.
  /// - Complexity: O(12 · starts + bins).
  init(_ starts: [Double], absences: [ClosedRange<Double>] = []) {
    guard starts.count >= 6, let first = starts.first, let last = starts.last else { return }
    let counts = Self.distances(starts.span, absences)
    var sums = [0.0]
    for c in counts { sums.append(sums[sums.count - 1] + c) }
    let longest = Self.resolution * (log2(max(1, (last - first) / 4)) - Self.firstOctave)
    for reach in [0, 1, 3] {
      let edge = 3 * reach + 4
      for bin in edge..<max(edge, min(Self.binCount - edge, Int(longest))) {
        let inside = sums[bin + reach + 1] - sums[bin - reach]
        guard inside >= 4 else { continue }
        let wide = sums[bin + edge] - sums[bin - edge + 1]
        let share = Double(2 * reach + 1) / Double(2 * edge - 1 - (2 * reach + 1))
        let expected = (wide - inside) * share
        let z = (inside - expected) / (expected + 1).squareRoot()
        if z > height {
          height = z
          period = exp2((Double(bin) + 0.5) / Self.resolution + Self.firstOctave)
        }
      }
    }
  }

  /// By bin: pairs of starts that lie so far apart.
  private static func distances(_ starts: Span<Double>, _ absences: [ClosedRange<Double>]) -> [Double] {
    var counts = [Double](repeating: 0, count: binCount)
    // A long pause lies between many starts before and many after it, yet it is one distance.
    var pauseCounted = [Int](repeating: -1, count: binCount)
    let scale = OctaveScale.shared
    var absence = 0
    for i in starts.indices {
      while absence < absences.count, absences[absence].upperBound <= starts[i] { absence += 1 }
      let end = absence < absences.count ? absences[absence].lowerBound : .infinity
      var widest = i
      var previous = -1
      for j in (i + 1)..<max(i + 1, min(starts.count, i + 1 + ahead)) {
        if starts[j] > end { break }
        if starts[j] - starts[j - 1] > starts[widest + 1] - starts[widest] { widest = j - 1 }
        let distance = starts[j] - starts[i]
        guard distance >= 0.5 else { continue }
        let bin = min(binCount - 1, scale.sixteenths(distance) - Int(resolution * firstOctave))
        // Several connections of one beat are one partner.
        if bin == previous { continue }
        previous = bin
        if (starts[widest + 1] - starts[widest]) * 2 > distance {
          if pauseCounted[bin] == widest { continue }
          pauseCounted[bin] = widest
        }
        counts[bin] += 1
      }
    }
    return counts
  }
}
