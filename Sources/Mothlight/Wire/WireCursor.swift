import Glibc

/// A forward walk over borrowed bytes in network byte order; every step checks what is left.
struct WireCursor: ~Escapable {
  let bytes: RawSpan
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  var remaining: Int { bytes.byteCount &- offset }

  mutating func u8() throws(DecodeError) -> UInt8 {
    guard remaining >= 1 else { throw .truncated }
    let value = bytes.u8(offset)
    offset &+= 1
    return value
  }

  mutating func u16() throws(DecodeError) -> UInt16 {
    guard remaining >= 2 else { throw .truncated }
    let value = bytes.u16(offset)
    offset &+= 2
    return value
  }

  mutating func u24() throws(DecodeError) -> Int {
    guard remaining >= 3 else { throw .truncated }
    let value = Int(bytes.u8(offset)) << 16 | Int(bytes.u16(offset &+ 1))
    offset &+= 3
    return value
  }

  mutating func u32() throws(DecodeError) -> UInt32 {
    guard remaining >= 4 else { throw .truncated }
    let value = bytes.u32(offset)
    offset &+= 4
    return value
  }

  mutating func skip(_ count: Int) throws(DecodeError) {
    guard count >= 0, remaining >= count else { throw .truncated }
    offset &+= count
  }

  @_lifetime(copy self)
  mutating func take(_ count: Int) throws(DecodeError) -> RawSpan {
    guard count >= 0, remaining >= count else { throw .truncated }
    let piece = bytes.extracting(offset..<(offset &+ count))
    offset &+= count
    return piece
  }

  /// A vector with a one-octet length in front (RFC 8446 section 3.4).
  @_lifetime(copy self)
  mutating func vector8() throws(DecodeError) -> RawSpan { try take(Int(try u8())) }

  /// A vector with a two-octet length in front.
  @_lifetime(copy self)
  mutating func vector16() throws(DecodeError) -> RawSpan { try take(Int(try u16())) }

  /// A variable-length integer of QUIC (RFC 9000 section 16).
  mutating func quicInteger() throws(DecodeError) -> Int {
    let first = try u8()
    let more = (1 << Int(first >> 6)) &- 1
    guard remaining >= more else { throw .truncated }
    var value = UInt64(first & 0x3f)
    for i in 0..<more { value = value << 8 | UInt64(bytes.u8(offset &+ i)) }
    offset &+= more
    return Int(clamping: value)
  }
}

extension RawSpan {
  /// Whether the bytes at `offset` are `text`; `false` when they do not fit.
  func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    let count = text.utf8CodeUnitCount
    guard offset >= 0, byteCount &- offset >= count else { return false }
    for i in 0..<count where u8(offset &+ i) != text.utf8Start[i] { return false }
    return true
  }

  /// Whether the bytes at `offset` are `pattern`; `false` when they do not fit.
  func has(_ pattern: [UInt8], at offset: Int = 0) -> Bool {
    guard offset >= 0, byteCount &- offset >= pattern.count else { return false }
    for i in pattern.indices where u8(offset &+ i) != pattern[i] { return false }
    return true
  }

  /// Everything from `offset` on; empty when there is nothing.
  @_lifetime(copy self)
  func from(_ offset: Int) -> RawSpan { extracting(Swift.min(Swift.max(0, offset), byteCount)..<byteCount) }

  /// First position of `value` from `start` on.
  func firstOffset(of value: UInt8, from start: Int = 0) -> Int? {
    let from = Swift.max(0, start)
    guard from < byteCount else { return nil }
    return withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = memchr(base + from, Int32(value), bytes.count &- from) else {
        return nil
      }
      return base.distance(to: UnsafeRawPointer(found))
    }
  }

  var copied: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension Array where Element == UInt8 {
  /// Appends at most `limit - count` of the bytes; the number taken.
  @discardableResult
  mutating func append(_ bytes: RawSpan, upTo limit: Int) -> Int {
    let room = Swift.min(bytes.byteCount, Swift.max(0, limit &- count))
    if room > 0 { bytes.withUnsafeBytes { append(contentsOf: $0[0..<room]) } }
    return room
  }
}
