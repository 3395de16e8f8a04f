import Mothlight

/// `SipHash` of names, with a key of this opening alone.
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

  func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { SipHash.hash(bytes, key: key) }
}
