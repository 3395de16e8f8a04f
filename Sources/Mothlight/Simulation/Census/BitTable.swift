/// A set of small whole numbers, one bit each.
struct BitTable: Sendable {
  private var words: [UInt64]
  private(set) var count = 0

  init(capacity: Int) { words = [UInt64](repeating: 0, count: max(1, (capacity + 63) / 64)) }

  @inline(__always)
  func contains(_ index: Int) -> Bool { words[index >> 6] >> UInt64(index & 63) & 1 == 1 }

  /// - Returns: whether it was not there.
  @inline(__always)
  @discardableResult
  mutating func insert(_ index: Int) -> Bool {
    let bit = UInt64(1) << UInt64(index & 63)
    guard words[index >> 6] & bit == 0 else { return false }
    words[index >> 6] |= bit
    count += 1
    return true
  }

  @inline(__always)
  mutating func remove(_ index: Int) {
    let bit = UInt64(1) << UInt64(index & 63)
    guard words[index >> 6] & bit != 0 else { return }
    words[index >> 6] &= ~bit
    count -= 1
  }
}
