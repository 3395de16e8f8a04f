/// SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012, doi 10.1007/978-3-642-34931-7_28) with a key of this opening alone.
///
/// Subjects are words of strangers: without the key nobody can choose two of one hash, or many of one place in a table.
struct NameHash: Sendable {
  private let key: (UInt64, UInt64)

  init(key: (UInt64, UInt64)) { self.key = key }

  init() { key = (UInt64.random(in: 0...(.max)), UInt64.random(in: 0...(.max))) }

  /// Of a subject and the name of its peer.
  func hash(_ subject: String, _ name: String) -> UInt64 {
    var (subject, name) = (subject, name)
    return subject.withUTF8 { a in name.withUTF8 { b in hash(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b)) } }
  }

  func hash(_ subject: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> UInt64 {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(subject.count &+ name.count &+ 1)
    bytes.append(contentsOf: subject)
    // No octet of UTF-8.
    bytes.append(0xff)
    bytes.append(contentsOf: name)
    return bytes.withUnsafeBytes(hash)
  }

  func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var state = State(key)
    let whole = bytes.count & ~7
    for at in stride(from: 0, to: whole, by: 8) {
      state.take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for at in whole..<bytes.count { last |= UInt64(bytes[at]) << UInt64(8 &* (at &- whole)) }
    state.take(last)
    return state.end()
  }

  private struct State {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    init(_ key: (UInt64, UInt64)) {
      a = key.0 ^ 0x736f_6d65_7073_6575
      b = key.1 ^ 0x646f_7261_6e64_6f6d
      c = key.0 ^ 0x6c79_6765_6e65_7261
      d = key.1 ^ 0x7465_6462_7974_6573
    }

    mutating func round() {
      a = a &+ b
      b = (b << 13 | b >> 51) ^ a
      a = a << 32 | a >> 32
      c = c &+ d
      d = (d << 16 | d >> 48) ^ c
      a = a &+ d
      d = (d << 21 | d >> 43) ^ a
      c = c &+ b
      b = (b << 17 | b >> 47) ^ c
      c = c << 32 | c >> 32
    }

    mutating func take(_ word: UInt64) {
      d ^= word
      round()
      round()
      a ^= word
    }

    mutating func end() -> UInt64 {
      c ^= 0xff
      for _ in 0..<4 { round() }
      return a ^ b ^ c ^ d
    }
  }
}
