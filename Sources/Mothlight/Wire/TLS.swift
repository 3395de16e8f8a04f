/// A borrowed view of a ClientHello body (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2), as offered: GREASE values
/// still inside, lists still in their octets.
struct TLSClientHello: ~Escapable {
  let legacyVersion: UInt16
  let cipherOctets: RawSpan
  /// The extensions that could be told apart.
  private(set) var extensionOctets: RawSpan
  private(set) var groupOctets: RawSpan
  private(set) var pointFormats: RawSpan
  private(set) var algorithmOctets: RawSpan
  private var versionOctets: RawSpan
  private(set) var serverName: String?
  /// The extension was there, whatever was in it.
  private(set) var hasServerName = false
  private(set) var alpn: [String] = []
  /// First and last octet of the first protocol of the ALPN list, for JA4.
  private(set) var firstALPN: (first: UInt8, last: UInt8)?
  private(set) var anomalies: Anomalies = []

  /// - Parameter body: the handshake message without its four-octet header.
  /// - Throws: when what comes before the extensions cannot be read. A damaged extension is an anomaly.
  @_lifetime(copy body)
  init(_ body: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(body)
    legacyVersion = try cursor.u16()
    guard legacyVersion >> 8 == 3 || legacyVersion >> 8 == 0xfe else { throw .malformed }
    try cursor.skip(32)
    guard try cursor.vector8().byteCount <= 32 else { throw .malformed }
    // DTLS puts a cookie here (RFC 6347 section 4.2.1).
    if legacyVersion >> 8 == 0xfe { _ = try cursor.vector8() }
    cipherOctets = try cursor.vector16()
    _ = try cursor.vector8()
    let nothing = body.extracting(0..<0)
    extensionOctets = nothing
    groupOctets = nothing
    pointFormats = nothing
    algorithmOctets = nothing
    versionOctets = nothing
    guard cursor.remaining > 0 else { return }
    do {
      let block = try cursor.vector16()
      try readExtensions(block)
      if cursor.remaining > 0 { anomalies.insert(.lengthMismatch) }
    } catch {
      anomalies.insert(.malformedTLS)
    }
  }

  @_lifetime(self: copy block)
  private mutating func readExtensions(_ block: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(block)
    while cursor.remaining > 0 {
      let type = try cursor.u16()
      let body = try cursor.vector16()
      extensionOctets = block.extracting(0..<cursor.offset)
      do { try read(type, body) } catch { anomalies.insert(.malformedTLS) }
    }
  }

  @_lifetime(self: copy body)
  private mutating func read(_ type: UInt16, _ body: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(body)
    switch type {
    case 0:  // server_name, RFC 6066 section 3
      hasServerName = true
      guard cursor.remaining > 0 else { return }
      var list = WireCursor(try cursor.vector16())
      while list.remaining > 0 {
        let kind = try list.u8()
        let name = try list.vector16()
        if kind == 0, serverName == nil, name.byteCount > 0 { serverName = WireText.lowercased(name) }
      }
    case 10: groupOctets = try cursor.vector16()
    case 11: pointFormats = try cursor.vector8()
    case 13: algorithmOctets = try cursor.vector16()
    case 16:  // ALPN, RFC 7301 section 3.1
      var list = WireCursor(try cursor.vector16())
      while list.remaining > 0 {
        let name = try list.vector8()
        if alpn.isEmpty, name.byteCount > 0 { firstALPN = (name.u8(0), name.u8(name.byteCount &- 1)) }
        if alpn.count < 16 { alpn.append(WireText.printable(name)) }
      }
    case 43: versionOctets = try cursor.vector8()
    default: break
    }
  }

  var ciphers: [UInt16] { TLSList.words(cipherOctets) }
  /// Extension types in order.
  var extensions: [UInt16] {
    var types: [UInt16] = []
    types.reserveCapacity(24)
    var at = 0
    while at < extensionOctets.byteCount { types.append(nextExtension(&at)) }
    return types
  }
  var groups: [UInt16] { TLSList.words(groupOctets) }
  var signatureAlgorithms: [UInt16] { TLSList.words(algorithmOctets) }

  /// Type of the extension at `at`, which moves behind it; the block was checked when it was read.
  @inline(__always)
  func nextExtension(_ at: inout Int) -> UInt16 {
    let type = extensionOctets.u16(at)
    at &+= 4 &+ Int(extensionOctets.u16(at &+ 2))
    return type
  }

  /// Highest version offered.
  var version: UInt16 {
    let isDatagram = legacyVersion >> 8 == 0xfe
    var best: UInt16?
    for i in 0..<(versionOctets.byteCount / 2) {
      let offered = versionOctets.u16(i &* 2)
      if TLSList.isGREASE(offered) { continue }
      best = isDatagram ? Swift.min(best ?? offered, offered) : Swift.max(best ?? offered, offered)
    }
    return best ?? legacyVersion
  }
}

/// A ServerHello body (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3).
struct TLSServerHello {
  var legacyVersion: UInt16
  var cipher: UInt16
  var extensions: [UInt16] = []
  var selectedVersion: UInt16?
  var alpn: String?
  /// Asks the client to try again; the true hello follows (RFC 8446 section 4.1.4).
  var isHelloRetryRequest: Bool
  var anomalies: Anomalies = []

  private static let retryRandom: [UInt8] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
  ]

  init(_ body: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(body)
    legacyVersion = try cursor.u16()
    guard legacyVersion >> 8 == 3 || legacyVersion >> 8 == 0xfe else { throw .malformed }
    isHelloRetryRequest = try cursor.take(32).has(Self.retryRandom)
    guard try cursor.vector8().byteCount <= 32 else { throw .malformed }
    cipher = try cursor.u16()
    try cursor.skip(1)
    guard cursor.remaining > 0 else { return }
    do {
      var list = WireCursor(try cursor.vector16())
      while list.remaining > 0 {
        let type = try list.u16()
        var value = WireCursor(try list.vector16())
        extensions.append(type)
        if type == 43 { selectedVersion = try value.u16() }
        if type == 16 {
          var names = WireCursor(try value.vector16())
          alpn = WireText.printable(try names.vector8())
        }
      }
    } catch {
      anomalies.insert(.malformedTLS)
    }
  }

  var version: UInt16 { selectedVersion ?? legacyVersion }
}

enum TLSList {
  /// A vector of 16-bit values; an odd last octet is dropped.
  static func words(_ bytes: RawSpan) -> [UInt16] {
    var out: [UInt16] = []
    let count = bytes.byteCount / 2
    out.reserveCapacity(count)
    for i in 0..<count { out.append(bytes.u16(i &* 2)) }
    return out
  }

  /// Values reserved to keep peers tolerant: 0x0a0a, 0x1a1a, … (RFC 8701).
  static func isGREASE(_ value: UInt16) -> Bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
  }
}
