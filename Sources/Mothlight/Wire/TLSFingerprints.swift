import Crypto

extension TLSClientHello {
  /// The text whose MD5 is JA3: version, ciphers, extensions, groups, point formats in decimal, GREASE left out
  /// (Althouse, Atkinson, Atkins 2017).
  var ja3Text: String {
    let lists = [ciphers, extensions, groups].map { list in
      list.filter { !TLSList.isGREASE($0) }.map { String($0) }.joined(separator: "-")
    }
    let formats = pointFormats.map { String($0) }.joined(separator: "-")
    return "\(legacyVersion),\(lists.joined(separator: ",")),\(formats)"
  }

  var ja3: String { Hex.encode(Insecure.MD5.hash(data: Array(ja3Text.utf8))) }

  /// JA4 (FoxIO, "JA4 technical details", 2023): shape, hash of sorted ciphers, hash of sorted extensions and
  /// signature algorithms.
  func ja4(isQUIC: Bool) -> String {
    let realCiphers = ciphers.filter { !TLSList.isGREASE($0) }
    let realExtensions = extensions.filter { !TLSList.isGREASE($0) }
    let shape =
      (isQUIC ? "q" : legacyVersion >> 8 == 0xfe ? "d" : "t") + Self.ja4Version(version) + (hasServerName ? "d" : "i")
      + pad(Swift.min(99, realCiphers.count), 2) + pad(Swift.min(99, realExtensions.count), 2) + ja4ALPN
    let sorted = realExtensions.filter { $0 != 0 && $0 != 16 }.sorted()
    var third = Self.hexList(sorted)
    let algorithms = signatureAlgorithms.filter { !TLSList.isGREASE($0) }
    if !algorithms.isEmpty { third += "_" + Self.hexList(algorithms) }
    return shape + "_" + Self.short(realCiphers.isEmpty ? "" : Self.hexList(realCiphers.sorted()))
      + "_" + Self.short(sorted.isEmpty ? "" : third)
  }

  /// First and last character of the first ALPN value; of its hexadecimal form when either is not alphanumeric.
  private var ja4ALPN: String {
    guard let first = firstALPN.first, let last = firstALPN.last else { return "00" }
    func isAlphanumeric(_ c: UInt8) -> Bool {
      (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a)
    }
    if isAlphanumeric(first), isAlphanumeric(last) { return String(decoding: [first, last], as: UTF8.self) }
    return String(Hex.encode([first]).prefix(1)) + String(Hex.encode([last]).suffix(1))
  }

  private static func ja4Version(_ version: UInt16) -> String {
    switch version {
    case 0x0304: "13"
    case 0x0303: "12"
    case 0x0302: "11"
    case 0x0301: "10"
    case 0x0300: "s3"
    case 0x0002: "s2"
    case 0xfeff: "d1"
    case 0xfefd: "d2"
    case 0xfefc: "d3"
    default: "00"
    }
  }

  private static func hexList(_ values: [UInt16]) -> String {
    values.map { Hex.encode([UInt8($0 >> 8), UInt8($0 & 255)]) }.joined(separator: ",")
  }

  /// First 12 hexadecimal digits of SHA-256, or twelve zeros for nothing.
  private static func short(_ text: String) -> String {
    text.isEmpty ? "000000000000" : String(Hex.encode(SHA256.hash(data: Array(text.utf8))).prefix(12))
  }
}

extension TLSServerHello {
  /// The text whose MD5 is JA3S: version, cipher, extensions.
  var ja3sText: String {
    "\(legacyVersion),\(cipher)," + extensions.map { String($0) }.joined(separator: "-")
  }

  var ja3s: String { Hex.encode(Insecure.MD5.hash(data: Array(ja3sText.utf8))) }
}
