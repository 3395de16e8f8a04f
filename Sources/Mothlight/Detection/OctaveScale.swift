import Glibc

/// Sixteenths of octaves of positive numbers, without a logarithm: tests of pairs ask for millions of them.
///
/// The exponent of a number tells its octave; sixteen edges at 2^(i/16) divide its significand, and the upper six bits of that
/// tell between which two of them it may lie, since a cell of 1/64 never holds two.
struct OctaveScale {
  static let shared = OctaveScale()

  /// Significand bits of 2^(i/16), i = 1…16.
  private var edges = InlineArray<16, UInt64>(repeating: 1 << 52)
  /// By the upper six bits of a significand: the first edge that may lie above it.
  private var cells = InlineArray<64, UInt8>(repeating: 0)

  private init() {
    for i in 0..<15 { edges[i] = exp2(Double(i + 1) / 16).significandBitPattern }
    for cell in cells.indices {
      cells[cell] = UInt8(truncatingIfNeeded: edges.indices.first { edges[$0] > UInt64(cell) << 46 } ?? 15)
    }
  }

  /// ⌊16 · log2 x⌋ for positive, normal x; numbers beyond 2^1000 count as that.
  @inline(__always)
  func sixteenths(_ x: Double) -> Int {
    let bits = min(x, 0x1p1000).bitPattern
    let significand = bits & (1 << 52 - 1)
    let below = Int(cells[Int(truncatingIfNeeded: significand >> 46)])
    let step = significand >= edges[below] ? below &+ 1 : below
    return (Int(truncatingIfNeeded: bits >> 52) &- 1023) &* 16 &+ step
  }
}
