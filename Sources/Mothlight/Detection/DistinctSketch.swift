import Glibc

/// Counts distinct values in a bounded space: exactly up to 64 of them, then to about 5 % (HyperLogLog).
///
/// 64 hashes or 512 registers, so at most 512 B. The same set gives the same count in whatever order it came. Flajolet et al.,
/// HyperLogLog, AofA 2007; below 2.5 values a register by linear counting (Whang et al., 1990).
struct DistinctSketch: Sendable {
  private static let exactMost = 64
  private static let registerCount = 512
  private static let registerBits: UInt64 = 9

  private var exact: [UInt64] = []
  private var registers: [UInt8] = []

  /// - Parameter hash: any 64-bit hash; it is mixed again here.
  mutating func insert(_ hash: UInt64) {
    let mixed = mix64(hash &+ 0x9e37_79b9_7f4a_7c15)
    guard registers.isEmpty else { return note(mixed) }
    if exact.contains(mixed) { return }
    if exact.count < Self.exactMost {
      exact.append(mixed)
      return
    }
    registers = [UInt8](repeating: 0, count: Self.registerCount)
    for old in exact { note(old) }
    note(mixed)
    exact = []
  }

  private mutating func note(_ mixed: UInt64) {
    let index = Int(mixed >> (64 - Self.registerBits))
    let rest = mixed << Self.registerBits
    let rank = UInt8(min(64 - Int(Self.registerBits), rest.leadingZeroBitCount) + 1)
    if registers[index] < rank { registers[index] = rank }
  }

  var count: Double {
    guard !registers.isEmpty else { return Double(exact.count) }
    let m = Double(Self.registerCount)
    var sum = 0.0
    var empty = 0
    for rank in registers {
      sum += exp2(-Double(rank))
      if rank == 0 { empty += 1 }
    }
    let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
    guard raw <= 2.5 * m, empty > 0 else { return raw }
    return max(Double(Self.exactMost), m * log(m / Double(empty)))
  }
}
