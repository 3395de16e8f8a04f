/// Appends integers in network order and length-prefixed blocks; the base of every synthetic message.
struct OctetBuilder {
  var octets: [UInt8] = []

  mutating func u8(_ value: Int) { octets.append(UInt8(truncatingIfNeeded: value)) }
  mutating func u16(_ value: Int) {
    u8(value >> 8)
    u8(value)
  }
  mutating func u32(_ value: Int) {
    u16(value >> 16)
    u16(value)
  }
  mutating func bytes(_ values: some Sequence<UInt8>) { octets.append(contentsOf: values) }
  mutating func text(_ string: String) { octets.append(contentsOf: string.utf8) }

  mutating func random(_ count: Int, _ source: inout RandomSource) {
    var left = count
    while left > 0 {
      let word = source.next()
      for shift in 0..<min(8, left) { octets.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8))) }
      left -= 8
    }
  }

  /// A block behind its own length in `width` bytes, as TLS and SSH write vectors.
  mutating func prefixed(_ width: Int, _ body: (inout OctetBuilder) -> Void) {
    var inner = OctetBuilder()
    body(&inner)
    for shift in stride(from: (width - 1) * 8, through: 0, by: -8) { u8(inner.octets.count >> shift) }
    bytes(inner.octets)
  }
}
