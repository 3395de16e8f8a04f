/// Octets being written, little endian.
struct SpoolOctets {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }
  mutating func fixed(_ value: some FixedWidthInteger & UnsignedInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
  /// LEB128: seven bits an octet, the lowest first.
  mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
  mutating func text(_ text: String, most: Int) {
    let octets = text.utf8.prefix(most)
    number(UInt64(octets.count))
    append(octets)
  }
  mutating func clear() { bytes.removeAll(keepingCapacity: true) }
}

/// Octets being read; every step says whether there was enough.
struct SpoolCursor {
  private let bytes: [UInt8]
  private(set) var at = 0

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  var isAtEnd: Bool { at == bytes.count }

  mutating func take(_ count: Int) -> [UInt8]? {
    guard count >= 0, bytes.count - at >= count else { return nil }
    defer { at += count }
    return Array(bytes[at..<at + count])
  }
  mutating func fixed<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> T? {
    let size = MemoryLayout<T>.size
    guard bytes.count - at >= size else { return nil }
    var value: T = 0
    for i in 0..<size { value |= T(bytes[at + i]) << T(8 * i) }
    at += size
    return value
  }
  mutating func number() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      guard at < bytes.count else { return nil }
      let octet = bytes[at]
      at += 1
      if shift == 63, octet > 1 { return nil }
      value |= UInt64(octet & 0x7f) << UInt64(shift)
      if octet & 0x80 == 0 { return value }
    }
    return nil
  }
  mutating func text(most: Int) -> String? {
    guard let length = number(), length <= UInt64(most), let octets = take(Int(length)) else { return nil }
    return String(decoding: octets, as: UTF8.self)
  }
}
