/// SipHash-2-4, a keyed hash of 64 bits (Aumasson and Bernstein, INDOCRYPT 2012, doi 10.1007/978-3-642-34931-7_28).
public struct SipHash: Sendable {
  private var (v0, v1, v2, v3): (UInt64, UInt64, UInt64, UInt64)

  /// - Parameter key: its 16 octets as two little-endian words.
  private init(_ key: (UInt64, UInt64)) {
    v0 = key.0 ^ 0x736f_6d65_7073_6575
    v1 = key.1 ^ 0x646f_7261_6e64_6f6d
    v2 = key.0 ^ 0x6c79_6765_6e65_7261
    v3 = key.1 ^ 0x7465_6462_7974_6573
  }

  /// Of any number of octets.
  /// - Complexity: O(octets).
  public static func hash(_ bytes: UnsafeRawBufferPointer, key: (UInt64, UInt64)) -> UInt64 {
    var state = SipHash(key)
    var at = 0
    while at &+ 8 <= bytes.count {
      state.absorb(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian)
      at &+= 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    var shift: UInt64 = 0
    while at < bytes.count {
      last |= UInt64(bytes[at]) << shift
      shift &+= 8
      at &+= 1
    }
    return state.finish(last)
  }

  /// Of a message below eight octets, little endian in the low part of `last`.
  @inline(__always)
  static func hash(last: UInt64, octets: UInt64, key: (UInt64, UInt64)) -> UInt64 {
    var state = SipHash(key)
    return state.finish(last | octets << 56)
  }

  /// Of a message of 8 to 15 octets: a whole word and what is left of it.
  @inline(__always)
  static func hash(word: UInt64, last: UInt64 = 0, octets: UInt64 = 8, key: (UInt64, UInt64)) -> UInt64 {
    var state = SipHash(key)
    state.absorb(word)
    return state.finish(last | octets << 56)
  }

  @inline(__always)
  private mutating func finish(_ last: UInt64) -> UInt64 {
    absorb(last)
    v2 ^= 0xff
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  @inline(__always)
  private mutating func absorb(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  @inline(__always)
  private mutating func round() {
    v0 = v0 &+ v1
    v1 = Self.rotate(v1, 13) ^ v0
    v0 = Self.rotate(v0, 32)
    v2 = v2 &+ v3
    v3 = Self.rotate(v3, 16) ^ v2
    v0 = v0 &+ v3
    v3 = Self.rotate(v3, 21) ^ v0
    v2 = v2 &+ v1
    v1 = Self.rotate(v1, 17) ^ v2
    v2 = Self.rotate(v2, 32)
  }

  @inline(__always)
  private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 &- n) }
}
