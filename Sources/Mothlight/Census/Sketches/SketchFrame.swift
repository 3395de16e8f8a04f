/// The envelope of everything that is kept of a census: what it is, its version, its length, and a checksum.
///
/// `kind` (4 octets), version (2), reserved (2), octets of the body (8), body, checksum (8); numbers are little endian. The checksum is
/// SipHash-2-4 under a published key: it finds damage, it is no signature.
enum SketchFrame {
  static let headOctets = 16
  static let checkOctets = 8
  /// Largest body believed: a rollup of a big botnet is a hundredth of it.
  static let bodyOctetsMost = 1 << 32
  private static let checkKey: (UInt64, UInt64) = (0x6d6f_7468_6c69_6768, 0x7420_736b_6574_6368)

  enum Kind: String, CaseIterable {
    case hyperLogLog = "MHLL"
    case tuples = "MTUP"
    case cells = "MCEL"
    case rollup = "MROL"
  }

  static func encoded(_ kind: Kind, version: UInt16 = 1, _ body: [UInt8]) -> [UInt8] {
    var out = SpoolOctets()
    out.append(Array(kind.rawValue.utf8))
    out.fixed(version)
    out.fixed(UInt16(0))
    out.fixed(UInt64(body.count))
    out.append(body)
    out.fixed(check(out.bytes[...]))
    return out.bytes
  }

  /// The body of the frame that `octets` begin with, and where it ends.
  static func decode(
    _ octets: ArraySlice<UInt8>, _ kind: Kind, version known: UInt16 = 1
  ) throws(SketchError) -> (body: ArraySlice<UInt8>, end: Int) {
    let start = octets.startIndex
    guard octets.count >= headOctets + checkOctets else {
      throw .damaged(at: octets.count, "shorter than an empty sketch")
    }
    guard octets.prefix(4).elementsEqual(kind.rawValue.utf8) else {
      throw .damaged(at: 0, "does not begin with \(kind.rawValue)")
    }
    var cursor = SpoolCursor(octets[(start + 4)..<(start + headOctets)])
    guard let version = cursor.fixed(UInt16.self), cursor.fixed(UInt16.self) != nil,
      let length = cursor.fixed(UInt64.self)
    else { throw .damaged(at: 4, "has no head") }
    guard version == known else { throw .unsupportedVersion(version) }
    guard length <= UInt64(octets.count - headOctets - checkOctets) else {
      throw .damaged(at: octets.count, "is cut; its head promises \(length) octets")
    }
    let bodyEnd = start + headOctets + Int(length)
    var tail = SpoolCursor(octets[bodyEnd..<bodyEnd + checkOctets])
    guard tail.fixed(UInt64.self) == check(octets[..<bodyEnd]) else {
      throw .damaged(at: bodyEnd - start, "the checksum is wrong")
    }
    return (octets[(start + headOctets)..<bodyEnd], bodyEnd + checkOctets)
  }

  /// The body of a frame after which nothing follows.
  static func decodeWhole(_ octets: [UInt8], _ kind: Kind) throws(SketchError) -> SpoolCursor {
    let (body, end) = try decode(octets[...], kind)
    guard end == octets.count else { throw .damaged(at: end, "something follows the checksum") }
    return SpoolCursor(body)
  }

  private static func check(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.withUnsafeBytes { SipHash.hash($0, key: checkKey) }
  }
}

/// Steps that must succeed; offsets are in the body.
extension SpoolCursor {
  mutating func need<T: FixedWidthInteger & UnsignedInteger>(_: T.Type, _ what: String) throws(SketchError) -> T {
    guard let value = fixed(T.self) else { throw .damaged(at: at, "\(what) is cut") }
    return value
  }

  /// A number that is at most `most`.
  mutating func needNumber(_ what: String, most: UInt64 = .max) throws(SketchError) -> UInt64 {
    guard let value = number() else { throw .damaged(at: at, "\(what) is cut") }
    guard value <= most else { throw .damaged(at: at, "\(what) is \(value), at most \(most) is possible") }
    return value
  }

  mutating func needEnd() throws(SketchError) {
    guard isAtEnd else { throw .damaged(at: at, "something follows the last record") }
  }
}

extension SketchFrame {
  /// Where the frame at the start of `octets` would end, if its head were right; `nil` when it is not there.
  static func promisedEnd(_ octets: ArraySlice<UInt8>) -> Int? {
    guard octets.count >= headOctets else { return nil }
    var cursor = SpoolCursor(octets.prefix(headOctets).dropFirst(8))
    guard let length = cursor.fixed(UInt64.self), length <= UInt64(octets.count) else { return nil }
    let end = octets.startIndex + headOctets + Int(length) + checkOctets
    return end <= octets.endIndex ? end : nil
  }
}
