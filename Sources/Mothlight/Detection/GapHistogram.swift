import Glibc

/// Quarter-octave histogram of gaps between starts: bin i covers [2^(i/4 − 4), 2^((i+1)/4 − 4)) seconds, 1/16 s to 18 h.
enum GapHistogram {
  static let binCount = 80
  static let seriesName = "gap_histogram_quarter_octave_from_2e-4_s"
  private static let firstOctave = -4.0

  /// `nil` below 1/16 s: parallel connections of one act, not a gap.
  static func bin(ofSeconds gap: Double) -> Int? {
    bin(ofSeconds: gap, OctaveScale.shared)
  }
  @inline(__always)
  static func bin(ofSeconds gap: Double, _ scale: OctaveScale) -> Int? {
    guard gap >= 0.0625 else { return nil }
    return min(binCount - 1, (scale.sixteenths(gap) - 16 * Int(firstOctave)) / 4)
  }
  static func lowerEdge(_ bin: Int) -> Double { exp2(Double(bin) / 4 + firstOctave) }
  static func centre(_ bin: Int) -> Double { exp2((Double(bin) + 0.5) / 4 + firstOctave) }
  static let centres = (0..<binCount).map(centre)
  static let logCentres = centres.map { log($0) }
  /// The last bin is open: longer gaps fall into it.
  static let edges: [Double] = (0..<binCount).map(lowerEdge) + [.infinity]

  static func count(_ gaps: [Double], onto old: [UInt32] = []) -> [Double] {
    var counts = old.isEmpty ? [Double](repeating: 0, count: binCount) : old.map(Double.init)
    let scale = OctaveScale.shared
    for gap in gaps { if let bin = bin(ofSeconds: gap, scale) { counts[bin] += 1 } }
    return counts
  }
}
