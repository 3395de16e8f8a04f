/// One bit per hash: says at the cost of one load that a key is surely absent, so that nearly no look-up asks the table.
struct HashFilter: Sendable {
  private var words: [UInt64] = [0]
  private var mask: UInt64 = 63

  init() {}

  /// Sixteen bits a key: about one absent key in sixteen passes.
  init(_ hashes: some Collection<UInt64>) {
    var bits: UInt64 = 64
    while bits < UInt64(hashes.count) &* 16 { bits *= 2 }
    mask = bits - 1
    words = [UInt64](repeating: 0, count: Int(bits / 64))
    for hash in hashes {
      let bit = Self.mixed(hash) & mask
      words[Int(bit >> 6)] |= 1 << (bit & 63)
    }
  }

  @inline(__always)
  func mayHold(_ hash: UInt64) -> Bool {
    let bit = Self.mixed(hash) & mask
    return words[Int(bit >> 6)] >> (bit & 63) & 1 != 0
  }

  @inline(__always) private static func mixed(_ hash: UInt64) -> UInt64 { hash ^ hash >> 32 }
}
