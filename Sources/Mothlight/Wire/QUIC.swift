import Crypto
import CryptoExtras

/// The client's Initial packets of QUIC (RFC 9000 section 17.2.2), whose protection any observer can remove
/// (RFC 9001 section 5.2).
enum QUIC {
  /// What differs between versions: salt, key labels, and the type bits of an Initial.
  struct Version: Sendable {
    var number: UInt32
    var salt: [UInt8]
    var keyLabel: String
    var ivLabel: String
    var headerLabel: String
    var initialType: UInt8

    static let known: [Version] = [
      // RFC 9001 section 5.2.
      Version(
        number: 1,
        salt: [
          0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
          0x7f, 0x0a,
        ], keyLabel: "quic key", ivLabel: "quic iv", headerLabel: "quic hp", initialType: 0),
      // RFC 9369 section 3.3.
      Version(
        number: 0x6b33_43cf,
        salt: [
          0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
          0x2e, 0xd9,
        ], keyLabel: "quicv2 key", ivLabel: "quicv2 iv", headerLabel: "quicv2 hp", initialType: 1),
      // draft-ietf-quic-tls-29 section 5.2, still met in captures.
      Version(
        number: 0xff00_001d,
        salt: [
          0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90,
          0xa8, 0x99,
        ], keyLabel: "quic key", ivLabel: "quic iv", headerLabel: "quic hp", initialType: 0),
    ]

    static func numbered(_ number: UInt32) -> Version? { known.first { $0.number == number } }
  }

  /// Whether a datagram opens with a long header of some QUIC version (RFC 8999 section 5.1): one of ours, a draft, or
  /// Google's `Q0xx`/`T0xx`.
  static func isLongHeader(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount >= 21, bytes.u8(0) & 0x80 != 0, bytes.u8(5) <= 20 else { return false }
    let version = bytes.u32(1)
    if bytes.u8(0) & 0x40 != 0 {
      if version == 1 || version == 0x6b33_43cf || version >> 8 == 0xff0000 { return true }
    }
    return version >> 16 == 0x5130 || version >> 16 == 0x5430
  }

  /// The places of one protected Initial inside a datagram.
  struct Initial {
    var version: Version
    var destinationID: [UInt8]
    /// Offset of the packet number, and of the first octet behind the packet.
    var numberOffset: Int
    var end: Int
    var start: Int

    /// The Initial at `start`, `nil` when another long-header packet is there; `next` is set to what follows it.
    init?(_ datagram: RawSpan, at start: Int, next: inout Int?) throws(DecodeError) {
      next = nil
      var cursor = WireCursor(datagram)
      try cursor.skip(start)
      let first = try cursor.u8()
      guard first & 0xc0 == 0xc0, let version = Version.numbered(try cursor.u32()) else { throw .unsupported }
      let destination = try cursor.vector8()
      let source = try cursor.vector8()
      guard destination.byteCount <= 20, source.byteCount <= 20 else { throw .malformed }
      let type = first >> 4 & 3
      // Retry has neither length nor packet number; nothing can follow it.
      guard type != (version.initialType &+ 3) & 3 else { return nil }
      if type == version.initialType { try cursor.skip(try cursor.quicInteger()) }
      let length = try cursor.quicInteger()
      numberOffset = cursor.offset
      try cursor.skip(length)
      end = cursor.offset
      next = end < datagram.byteCount ? end : nil
      guard type == version.initialType else { return nil }
      self.version = version
      self.start = start
      destinationID = destination.copied
    }
  }

  /// The client's Initial keys.
  struct Keys {
    let key: SymmetricKey
    let iv: [UInt8]
    let header: SymmetricKey

    init(version: Version, destinationID: [UInt8]) {
      let secret = HKDF<SHA256>.extract(inputKeyMaterial: SymmetricKey(data: destinationID), salt: version.salt)
      let client = Self.expand(SymmetricKey(data: secret), "client in", 32)
      key = Self.expand(client, version.keyLabel, 16)
      iv = Self.expand(client, version.ivLabel, 12).withUnsafeBytes { Array($0) }
      header = Self.expand(client, version.headerLabel, 16)
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
    private static func expand(_ secret: SymmetricKey, _ label: String, _ count: Int) -> SymmetricKey {
      let full = Array("tls13 \(label)".utf8)
      let info = [UInt8(count >> 8), UInt8(count & 255), UInt8(full.count & 255)] + full + [0]
      return HKDF<SHA256>.expand(pseudoRandomKey: secret, info: info, outputByteCount: count)
    }

    /// Removes header protection, then decrypts (RFC 9001 sections 5.4 and 5.3).
    func open(_ packet: Initial, in datagram: RawSpan) throws(DecodeError) -> [UInt8] {
      let sampleAt = packet.numberOffset &+ 4
      guard sampleAt &+ 16 <= packet.end, packet.end <= datagram.byteCount else { throw .truncated }
      var mask = datagram.extracting(sampleAt..<(sampleAt &+ 16)).copied
      do { try AES.permute(&mask, key: header) } catch { throw .malformed }
      var head = datagram.extracting(packet.start..<(packet.numberOffset &+ 4)).copied
      head[0] ^= mask[0] & 0x0f
      let numberOctets = Int(head[0] & 3) &+ 1
      head.removeLast(4 &- numberOctets)
      var number: UInt64 = 0
      for i in 0..<numberOctets {
        let at = head.count &- numberOctets &+ i
        head[at] ^= mask[1 &+ i]
        number = number << 8 | UInt64(head[at])
      }
      var nonce = iv
      for i in 0..<8 { nonce[nonce.count &- 1 &- i] ^= UInt8(truncatingIfNeeded: number >> UInt64(8 &* i)) }
      let sealed = datagram.extracting((packet.numberOffset &+ numberOctets)..<packet.end).copied
      guard sealed.count > 16 else { throw .truncated }
      do {
        let box = try AES.GCM.SealedBox(
          nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed.dropLast(16), tag: sealed.suffix(16))
        return Array(try AES.GCM.open(box, using: key, authenticating: head))
      } catch {
        throw .malformed
      }
    }
  }
}
