/// Text of a log field as a `String`: escapes resolved, length bounded, invalid UTF-8 replaced.
enum LogText {
  /// Zeek writes bytes that would break its columns as `\xNN`, and a backslash as `\\`.
  static func zeek(_ text: UnsafeRawBufferPointer, limit: Int = Limits.textOctets) -> String {
    guard text.contains(0x5c) else { return String(decoding: text.prefix(limit), as: UTF8.self) }
    return String(decoding: zeekBytes(text).prefix(limit), as: UTF8.self)
  }

  static func zeekBytes(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      if text[i] == 0x5c, i + 3 < text.count, text[i + 1] == 0x78, let high = hexDigit(text[i + 2]),
        let low = hexDigit(text[i + 3])
      {
        out.append(high << 4 | low)
        i += 4
      } else if text[i] == 0x5c, i + 1 < text.count, text[i + 1] == 0x5c {
        out.append(0x5c)
        i += 2
      } else {
        out.append(text[i])
        i += 1
      }
    }
    return out
  }

  static func json(_ text: UnsafeRawBufferPointer, escaped: Bool, limit: Int = Limits.textOctets) -> String {
    guard escaped else { return String(decoding: text.prefix(limit), as: UTF8.self) }
    return String(decoding: jsonBytes(text).prefix(limit), as: UTF8.self)
  }

  /// Resolves `\n`, `\u00e9` and surrogate pairs (RFC 8259 section 7); a lone surrogate becomes U+FFFD.
  static func jsonBytes(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      guard text[i] == 0x5c, i + 1 < text.count else {
        out.append(text[i])
        i += 1
        continue
      }
      let c = text[i + 1]
      i += 2
      switch c {
      case 0x6e: out.append(0x0a)
      case 0x74: out.append(0x09)
      case 0x72: out.append(0x0d)
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0c)
      case 0x75: appendUnicode(text, &i, to: &out)
      default: out.append(c)
      }
    }
    return out
  }

  private static func appendUnicode(_ text: UnsafeRawBufferPointer, _ i: inout Int, to out: inout [UInt8]) {
    guard var scalar = fourHex(text, i) else { return out.append(contentsOf: [0xef, 0xbf, 0xbd]) }
    i += 4
    if scalar >> 10 == 0xd800 >> 10, i + 1 < text.count, text[i] == 0x5c, text[i + 1] == 0x75,
      let low = fourHex(text, i + 2), low >> 10 == 0xdc00 >> 10
    {
      scalar = 0x10000 + ((scalar & 0x3ff) << 10 | (low & 0x3ff))
      i += 6
    }
    let unicode = Unicode.Scalar(scalar) ?? "\u{fffd}"
    out.append(contentsOf: UTF8.encode(unicode).map { Array($0) } ?? [])
  }

  private static func fourHex(_ text: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
    guard at + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for i in at..<at + 4 {
      guard let digit = hexDigit(text[i]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// A host name as `DNSLookup.name` has it: lower case, no final dot, non-printable bytes as `\DDD`
  /// (RFC 4343, RFC 1035 section 5.1).
  static func domain(_ text: UnsafeRawBufferPointer) -> String {
    var text = UnsafeRawBufferPointer(rebasing: text.prefix(Limits.textOctets))
    if text.count > 0, text[text.count - 1] == 0x2e { text = UnsafeRawBufferPointer(rebasing: text.dropLast()) }
    if text.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
      return String(unsafeUninitializedCapacity: text.count) { out in
        for i in text.indices {
          let c = text[i]
          out[i] = c &- 0x41 < 26 ? c | 0x20 : c
        }
        return text.count
      }
    }
    var out: [UInt8] = []
    for c in text {
      if c > 0x20, c < 0x7f {
        out.append(c &- 0x41 < 26 ? c | 0x20 : c)
      } else {
        out.append(contentsOf: [0x5c, 0x30 + c / 100, 0x30 + c / 10 % 10, 0x30 + c % 10])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The `Host` header without its port, lower case (RFC 9110 section 7.2).
  static func host(_ text: UnsafeRawBufferPointer) -> String? {
    var end = text.count
    if text.count > 0, text[0] == 0x5b {
      if let close = text.firstIndex(of: 0x5d) { end = close + 1 }
    } else if let colon = text.firstIndex(of: 0x3a), text[(colon + 1)...].allSatisfy({ $0 &- 0x30 < 10 }) {
      end = colon
    }
    let name = domain(UnsafeRawBufferPointer(rebasing: text[..<end]))
    return name.isEmpty ? nil : name
  }

  /// TLS version from the spellings of Zeek (`TLSv12`) and Suricata (`TLS 1.2`); 0 when it is none.
  static func tlsVersion(_ text: UnsafeRawBufferPointer) -> UInt16 {
    let isDTLS = text.count > 0 && text[0] | 0x20 == 0x64
    let digits = text.filter { $0 &- 0x30 < 10 }
    if text.starts(with: [0x53, 0x53, 0x4c]) { return digits.first == 0x32 ? 0x0002 : 0x0300 }
    guard text.count >= 3, text.contains(0x4c), text.contains(0x53) else { return 0 }
    switch (digits.first, digits.dropFirst().first) {
    case (0x31, 0x33): return isDTLS ? 0xfefc : 0x0304
    case (0x31, 0x32): return isDTLS ? 0xfefd : 0x0303
    case (0x31, 0x31): return isDTLS ? 0xfefe : 0x0302
    case (0x31, _): return isDTLS ? 0xfeff : 0x0301
    default: return 0
    }
  }

  /// The service that a sensor's word stands for; of a list (`ssl,http`) the first one that is known.
  static func service(_ text: UnsafeRawBufferPointer) -> Service {
    var start = 0
    var best = Service.unknown
    while start < text.count {
      var end = start
      while end < text.count, text[end] != 0x2c { end &+= 1 }
      let word = UnsafeRawBufferPointer(rebasing: text[start..<end])
      let service = oneService(word)
      if service != .other { return service }
      best = .other
      start = end &+ 1
    }
    return best
  }

  private static func oneService(_ word: UnsafeRawBufferPointer) -> Service {
    switch ShortWord(word) {
    case "dns", "mdns", "llmnr": .dns
    case "http", "http2": .http
    case "ssl", "tls", "dtls": .tls
    case "ssh": .ssh
    case "smtp": .smtp
    case "ntp": .ntp
    case "irc": .irc
    case "quic": .quic
    case "bittorre": .bittorrent
    case "dhcp": .dhcp
    case "rdp": .rdp
    case "ftp", "ftp-data": .ftp
    case "failed", "unknown", "": .unknown
    default: .other
    }
  }
}

/// The first eight bytes of a word, in lower case, as one number: a switch over words without strings.
struct ShortWord: Equatable, ExpressibleByStringLiteral {
  let bits: UInt64

  @inline(__always)
  init(_ text: UnsafeRawBufferPointer) {
    var value: UInt64 = 0
    for i in 0..<min(8, text.count) {
      let c = text[i]
      value |= UInt64(c &- 0x41 < 26 ? c | 0x20 : c) << UInt64(truncatingIfNeeded: 8 &* i)
    }
    bits = value
  }

  @inline(__always)
  init(stringLiteral text: StaticString) {
    self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  static func ~= (pattern: ShortWord, value: ShortWord) -> Bool { pattern.bits == value.bits }
}
