import Crypto

extension TLSHandshake.Certificate {
  /// The leaf of a Certificate message body up to TLS 1.2 (RFC 5246 section 7.4.2); `nil` when there is none.
  init?(chain body: RawSpan) {
    var cursor = WireCursor(body)
    do {
      var list = WireCursor(try cursor.take(try cursor.u24()))
      let leaf = try list.take(try list.u24())
      guard leaf.byteCount > 0 else { return nil }
      self.init(der: leaf)
    } catch {
      return nil
    }
  }

  /// Digests of `der`, and as much of subject, issuer and validity as can be read (RFC 5280 section 4.1).
  init(der: RawSpan) {
    self.init()
    let bytes = der.copied
    sha1 = Hex.encode(Insecure.SHA1.hash(data: bytes))
    sha256 = Hex.encode(SHA256.hash(data: bytes))
    try? readFields(der)
  }

  private mutating func readFields(_ der: RawSpan) throws(DecodeError) {
    var outer = DERWalk(der)
    var certificate = DERWalk(try outer.next(DERTag.sequence))
    var fields = DERWalk(try certificate.next(DERTag.sequence))
    if fields.nextTag == 0xa0 { _ = try fields.nextValue() }
    _ = try fields.next(0x02)
    _ = try fields.next(DERTag.sequence)
    issuer = try DistinguishedName.text(try fields.next(DERTag.sequence))
    var validity = DERWalk(try fields.next(DERTag.sequence))
    let startTag = validity.nextTag ?? 0
    notBefore = DERTime.timestamp(startTag, try validity.nextValue())
    let endTag = validity.nextTag ?? 0
    notAfter = DERTime.timestamp(endTag, try validity.nextValue())
    subject = try DistinguishedName.text(try fields.next(DERTag.sequence))
  }
}

enum DERTag {
  static let sequence: UInt8 = 0x30
  static let set: UInt8 = 0x31
  static let objectIdentifier: UInt8 = 0x06
}

/// Reads tag-length-value triples one after the other (X.690 section 8.1, definite lengths only).
struct DERWalk: ~Escapable {
  private var cursor: WireCursor

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { cursor = WireCursor(bytes) }

  var isAtEnd: Bool { cursor.remaining == 0 }
  /// The tag of what comes next; `nil` at the end.
  var nextTag: UInt8? { cursor.remaining > 0 ? cursor.bytes.u8(cursor.offset) : nil }

  /// The content of the next value, which must have this tag.
  @_lifetime(copy self)
  mutating func next(_ tag: UInt8) throws(DecodeError) -> RawSpan {
    guard nextTag == tag else { throw .malformed }
    return try nextValue()
  }

  @_lifetime(copy self)
  mutating func nextValue() throws(DecodeError) -> RawSpan {
    // Tags of more than one octet do not occur where we look.
    guard try cursor.u8() & 0x1f != 0x1f else { throw .unsupported }
    let first = try cursor.u8()
    var length = Int(first)
    if first >= 0x80 {
      guard first > 0x80, first <= 0x83 else { throw .unsupported }
      length = 0
      for _ in 0..<Int(first & 0x7f) { length = length << 8 | Int(try cursor.u8()) }
    }
    return try cursor.take(length)
  }
}

/// UTCTime and GeneralizedTime in the forms that RFC 5280 section 4.1.2.5 allows, seconds and `Z` included.
enum DERTime {
  static func timestamp(_ tag: UInt8, _ text: RawSpan) -> Timestamp? {
    let yearDigits = tag == 0x17 ? 2 : tag == 0x18 ? 4 : 0
    guard yearDigits > 0, text.byteCount == yearDigits &+ 11, text.u8(text.byteCount &- 1) == 0x5a else { return nil }
    func number(_ offset: Int, _ digits: Int) -> Int? {
      WireText.number(text.extracting(offset..<(offset &+ digits))).map { Int(clamping: $0) }
    }
    guard var year = number(0, yearDigits), let month = number(yearDigits, 2), let day = number(yearDigits &+ 2, 2),
      let hour = number(yearDigits &+ 4, 2), let minute = number(yearDigits &+ 6, 2),
      let second = number(yearDigits &+ 8, 2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
      second <= 60
    else { return nil }
    if yearDigits == 2 { year &+= year < 50 ? 2000 : 1900 }
    let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
    return Timestamp(seconds: Int64(days) &* 86_400 &+ Int64(hour &* 3600 &+ minute &* 60 &+ second))
  }
}

/// X.501 names as RFC 4514 text: last relative name first, `+` inside one, special characters escaped.
enum DistinguishedName {
  /// More relative names than any real certificate has.
  private static let partsLimit = 64

  static func text(_ name: RawSpan) throws(DecodeError) -> String {
    var relatives: [String] = []
    var walk = DERWalk(name)
    while !walk.isAtEnd, relatives.count < partsLimit {
      var set = DERWalk(try walk.next(DERTag.set))
      var attributes: [String] = []
      while !set.isAtEnd, attributes.count < partsLimit {
        var pair = DERWalk(try set.next(DERTag.sequence))
        let type = attributeName(try pair.next(DERTag.objectIdentifier))
        let tag = pair.nextTag ?? 0
        attributes.append(type + "=" + escaped(string(tag, try pair.nextValue())))
      }
      relatives.append(attributes.joined(separator: "+"))
    }
    return relatives.reversed().joined(separator: ",")
  }

  /// Short names of RFC 4514 section 3 and OpenSSL's for e-mail and serial number; else the dotted number.
  private static func attributeName(_ oid: RawSpan) -> String {
    if oid.byteCount == 3, oid.has([0x55, 0x04]) {
      switch oid.u8(2) {
      case 3: return "CN"
      case 4: return "SN"
      case 5: return "serialNumber"
      case 6: return "C"
      case 7: return "L"
      case 8: return "ST"
      case 9: return "STREET"
      case 10: return "O"
      case 11: return "OU"
      case 12: return "title"
      case 42: return "GN"
      default: break
      }
    }
    if oid.byteCount == 9, oid.has([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]) { return "emailAddress" }
    if oid.byteCount == 10, oid.has([0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01]) {
      if oid.u8(9) == 25 { return "DC" }
      if oid.u8(9) == 1 { return "UID" }
    }
    return dotted(oid)
  }

  private static func dotted(_ oid: RawSpan) -> String {
    var parts: [String] = []
    var value: UInt64 = 0
    for i in 0..<Swift.min(oid.byteCount, 64) {
      value = value << 7 | UInt64(oid.u8(i) & 0x7f)
      guard oid.u8(i) & 0x80 == 0 else { continue }
      if parts.isEmpty {
        let first = Swift.min(value / 40, 2)
        parts = [String(first), String(value &- first &* 40)]
      } else {
        parts.append(String(value))
      }
      value = 0
    }
    return parts.joined(separator: ".")
  }

  private static func string(_ tag: UInt8, _ bytes: RawSpan) -> String {
    let count = Swift.min(bytes.byteCount, Limits.textOctets)
    switch tag {
    case 0x1e:  // BMPString
      let units = (0..<(count / 2)).map { bytes.u16($0 &* 2) }
      return WireText.printable(String(decoding: units, as: UTF16.self))
    case 0x14:  // TeletexString, in practice Latin-1
      var text = ""
      for i in 0..<count { text.unicodeScalars.append(Unicode.Scalar(bytes.u8(i))) }
      return WireText.printable(text)
    default: return WireText.printable(bytes)
    }
  }

  /// RFC 4514 section 2.4.
  private static func escaped(_ value: String) -> String {
    var out = ""
    var index = 0
    let last = value.unicodeScalars.count &- 1
    for scalar in value.unicodeScalars {
      let atEdge = (scalar == " " && (index == 0 || index == last)) || (scalar == "#" && index == 0)
      if atEdge || "\"+,;<>\\".unicodeScalars.contains(scalar) { out += "\\" }
      out.unicodeScalars.append(scalar)
      index &+= 1
    }
    return out
  }
}
