import Glibc

/// Quarter-octave histogram of gaps between starts: bin i covers [2^(i/4 − 4), 2^((i+1)/4 − 4)) seconds, 1/16 s to 18 h.
enum GapHistogram {
  static let binCount = 80
  static let seriesName = "gap_histogram_quarter_octave_from_2e-4_s"
  private static let firstOctave = -4.0

  /// `nil` below 1/16 s: parallel connections of one act, not a gap.
  static func bin(ofSeconds gap: Double) -> Int? {
    guard gap >= 0.0625 else { return nil }
    return min(binCount - 1, Int(4 * (log2(gap) - firstOctave)))
  }
  static func lowerEdge(_ bin: Int) -> Double { exp2(Double(bin) / 4 + firstOctave) }
  static func centre(_ bin: Int) -> Double { exp2((Double(bin) + 0.5) / 4 + firstOctave) }
  /// The last bin is open: longer gaps fall into it.
  static let edges: [Double] = (0..<binCount).map(lowerEdge) + [.infinity]

  static func count(_ gaps: [Double], onto old: [UInt32] = []) -> [Double] {
    var counts = old.isEmpty ? [Double](repeating: 0, count: binCount) : old.map(Double.init)
    for gap in gaps { if let bin = bin(ofSeconds: gap) { counts[bin] += 1 } }
    return counts
  }
}
