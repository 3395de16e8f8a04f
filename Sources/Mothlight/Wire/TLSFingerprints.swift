import Crypto

extension TLSClientHello {
  /// The text whose MD5 is JA3: version, ciphers, extensions, groups, point formats in decimal, GREASE left out
  /// (Althouse, Atkinson, Atkins 2017).
  var ja3Text: [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(256)
    FingerprintText.append(decimal: legacyVersion, to: &text)
    for list in [ciphers, extensions, groups] {
      text.append(0x2c)
      FingerprintText.append(list.lazy.filter { !TLSList.isGREASE($0) }, to: &text)
    }
    text.append(0x2c)
    for i in 0..<pointFormats.byteCount {
      if i > 0 { text.append(0x2d) }
      FingerprintText.append(decimal: UInt16(pointFormats.u8(i)), to: &text)
    }
    return text
  }

  var ja3: String { Hex.encode(Insecure.MD5.hash(data: ja3Text)) }

  /// JA4 (FoxIO, "JA4 technical details", 2023): shape, hash of sorted ciphers, hash of sorted extensions and
  /// signature algorithms.
  func ja4(isQUIC: Bool) -> String {
    let realCiphers = ciphers.filter { !TLSList.isGREASE($0) }
    let realExtensions = extensions.filter { !TLSList.isGREASE($0) }
    let shape =
      (isQUIC ? "q" : legacyVersion >> 8 == 0xfe ? "d" : "t") + Self.ja4Version(version) + (hasServerName ? "d" : "i")
      + pad(Swift.min(99, realCiphers.count), 2) + pad(Swift.min(99, realExtensions.count), 2) + ja4ALPN
    let sorted = realExtensions.filter { $0 != 0 && $0 != 16 }.sorted()
    var third: [UInt8] = []
    if !sorted.isEmpty {
      FingerprintText.append(hex: sorted, to: &third)
      let algorithms = signatureAlgorithms.filter { !TLSList.isGREASE($0) }
      if !algorithms.isEmpty {
        third.append(0x5f)
        FingerprintText.append(hex: algorithms, to: &third)
      }
    }
    var second: [UInt8] = []
    FingerprintText.append(hex: realCiphers.sorted(), to: &second)
    return shape + "_" + Self.short(second) + "_" + Self.short(third)
  }

  /// What a network's few programs share: computed once a cache.
  func ja3(_ cache: FingerprintCache) -> String {
    var digest = FingerprintCache.Digest(3)
    digest.add(UInt64(legacyVersion))
    digest.add(words: cipherOctets)
    var at = 0
    while at < extensionOctets.byteCount {
      let type = nextExtension(&at)
      if !TLSList.isGREASE(type) { digest.add(UInt64(type)) }
    }
    digest.add(words: groupOctets)
    for i in 0..<pointFormats.byteCount { digest.add(UInt64(pointFormats.u8(i))) }
    return cache.text(digest, ja3)
  }

  /// Ciphers and extensions count in any order: browsers shuffle them.
  func ja4(isQUIC: Bool, _ cache: FingerprintCache) -> String {
    var digest = FingerprintCache.Digest(isQUIC ? 5 : 4)
    digest.add(UInt64(legacyVersion) << 16 | UInt64(version))
    digest.add(UInt64(firstALPN?.first ?? 0) << 16 | UInt64(firstALPN?.last ?? 0) << 8 | (hasServerName ? 1 : 0))
    digest.add(words: algorithmOctets)
    for i in 0..<(cipherOctets.byteCount / 2) {
      let cipher = cipherOctets.u16(i &* 2)
      if !TLSList.isGREASE(cipher) { digest.addUnordered(UInt64(cipher)) }
    }
    var at = 0
    while at < extensionOctets.byteCount {
      let type = nextExtension(&at)
      if !TLSList.isGREASE(type) { digest.addUnordered(UInt64(type) | 1 << 32) }
    }
    return cache.text(digest, ja4(isQUIC: isQUIC))
  }

  /// First and last character of the first ALPN value; of its hexadecimal form when either is not alphanumeric.
  private var ja4ALPN: String {
    guard let (first, last) = firstALPN else { return "00" }
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

  /// First 12 hexadecimal digits of SHA-256, or twelve zeros for nothing.
  private static func short(_ text: [UInt8]) -> String {
    text.isEmpty ? "000000000000" : Hex.encode(SHA256.hash(data: text).prefix(6))
  }
}

extension FingerprintCache.Digest {
  /// Adds a list of 16-bit values without GREASE, and where it ends.
  mutating func add(words octets: RawSpan) {
    for i in 0..<(octets.byteCount / 2) {
      let value = octets.u16(i &* 2)
      if !TLSList.isGREASE(value) { add(UInt64(value)) }
    }
    add(1 << 40)
  }
}

extension TLSServerHello {
  func ja3s(_ cache: FingerprintCache) -> String {
    var digest = FingerprintCache.Digest(6)
    digest.add(UInt64(legacyVersion) << 16 | UInt64(cipher))
    for type in extensions { digest.add(UInt64(type)) }
    return cache.text(digest, ja3s)
  }

  /// The text whose MD5 is JA3S: version, cipher, extensions.
  var ja3sText: [UInt8] {
    var text: [UInt8] = []
    FingerprintText.append(decimal: legacyVersion, to: &text)
    text.append(0x2c)
    FingerprintText.append(decimal: cipher, to: &text)
    text.append(0x2c)
    FingerprintText.append(extensions, to: &text)
    return text
  }

  var ja3s: String { Hex.encode(Insecure.MD5.hash(data: ja3sText)) }
}

/// Number lists as the fingerprints write them, straight into octets: a handshake needs some hundred numbers.
enum FingerprintText {
  static func append(decimal value: UInt16, to text: inout [UInt8]) {
    var divisor: UInt16 = 10_000
    while divisor > 1, value < divisor { divisor /= 10 }
    while divisor > 0 {
      text.append(0x30 &+ UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
  }

  /// Decimals joined by `-`.
  static func append(_ values: some Sequence<UInt16>, to text: inout [UInt8]) {
    var isFirst = true
    for value in values {
      if !isFirst { text.append(0x2d) }
      isFirst = false
      append(decimal: value, to: &text)
    }
  }

  /// Four hexadecimal digits each, joined by `,`.
  static func append(hex values: [UInt16], to text: inout [UInt8]) {
    for (index, value) in values.enumerated() {
      if index > 0 { text.append(0x2c) }
      for shift: UInt16 in [12, 8, 4, 0] {
        let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
        text.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
      }
    }
  }
}
