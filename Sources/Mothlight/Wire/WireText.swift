/// Text from the wire that is safe to print, log and compare.
enum WireText {
  /// At most `limit` octets as UTF-8, repaired; control characters become `\xNN`, so no value can drive a terminal.
  static func printable(_ bytes: RawSpan, limit: Int = Limits.textOctets) -> String {
    let count = Swift.min(bytes.byteCount, Swift.max(0, limit))
    var isPlain = true
    for i in 0..<count where bytes.u8(i) < 0x20 || bytes.u8(i) >= 0x7f {
      isPlain = false
      break
    }
    let cut = bytes.extracting(0..<count)
    if isPlain { return cut.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
    return printable(cut.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
  }

  /// The same for text that is already decoded; C1 controls and line separators go too.
  static func printable(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069:
        out += "\\x" + Hex.encode(String(scalar).utf8)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// ASCII upper case to lower case, other bytes untouched.
  @inline(__always) static func lower(_ byte: UInt8) -> UInt8 {
    byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
  }

  /// Lower-case form of `bytes` up to `limit`, printable.
  static func lowercased(_ bytes: RawSpan, limit: Int = Limits.textOctets) -> String {
    let count = Swift.min(bytes.byteCount, Swift.max(0, limit))
    var isPlain = true
    for i in 0..<count where bytes.u8(i) < 0x20 || bytes.u8(i) >= 0x7f { isPlain = false }
    guard isPlain else {
      var lowered: [UInt8] = []
      lowered.append(bytes, upTo: limit)
      for i in lowered.indices { lowered[i] = lower(lowered[i]) }
      return printable(lowered.span.bytes, limit: limit)
    }
    return String(unsafeUninitializedCapacity: count) { text in
      for i in 0..<count { text[i] = lower(bytes.u8(i)) }
      return count
    }
  }

  /// Whether `bytes` is `text` in any case; `text` must be lower case.
  static func equals(_ bytes: RawSpan, _ text: StaticString) -> Bool {
    guard bytes.byteCount == text.utf8CodeUnitCount else { return false }
    for i in 0..<bytes.byteCount where lower(bytes.u8(i)) != text.utf8Start[i] { return false }
    return true
  }

  /// Without spaces and tabs at either end.
  @_lifetime(copy bytes)
  static func trimmed(_ bytes: RawSpan) -> RawSpan {
    var start = 0
    var end = bytes.byteCount
    while start < end, bytes.u8(start) == 0x20 || bytes.u8(start) == 0x09 { start &+= 1 }
    while end > start, bytes.u8(end &- 1) == 0x20 || bytes.u8(end &- 1) == 0x09 { end &-= 1 }
    return bytes.extracting(start..<end)
  }

  /// A decimal number and nothing else; saturates.
  static func number(_ bytes: RawSpan) -> UInt64? {
    guard bytes.byteCount > 0, bytes.byteCount <= 20 else { return nil }
    var value: UInt64 = 0
    for i in 0..<bytes.byteCount {
      let c = bytes.u8(i)
      guard c >= 0x30, c <= 0x39 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = product.addingReportingOverflow(UInt64(c &- 0x30))
      value = overflow || overflow2 ? .max : sum
    }
    return value
  }
}
