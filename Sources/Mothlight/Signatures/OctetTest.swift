/// A condition on the octets; offsets count from the start of the datagram or of the direction's stream.
enum OctetTest: Sendable {
  case bytes(OctetPattern, at: Int)
  /// Two octets differ by exactly these bits.
  case xor(Int, Int, UInt8)
  /// Octets of this range are printable ASCII.
  case printable(ClosedRange<Int>)
  /// Decimal digits from the start, this many, and then these octets.
  case digits(ClosedRange<Int>, then: OctetPattern)
  /// The octets occur somewhere.
  case contains([UInt8])
  /// One octet tells the length of a printable text after it, and then come these octets.
  case counted(at: Int, ClosedRange<Int>, then: OctetPattern)
  /// Octets from `from` on, XORed in turn with two key octets and the inverted length of what is masked (BFBot).
  case unmasked(from: Int, key: (Int, Int), Plain)
  /// A line of IRC among those at the start of the stream.
  case ircLine(LinearPattern)

  enum Plain: Sendable {
    case text([UInt8])
    case printable
  }
}

/// Octets with holes for any value.
struct OctetPattern: Sendable, Equatable {
  private(set) var values: [UInt8] = []
  /// 0xff where the value counts, 0 at a hole.
  private(set) var masks: [UInt8] = []

  var count: Int { values.count }
  var fixed: Int { masks.count { $0 != 0 } }

  init(_ values: [UInt8]) {
    self.values = values
    masks = [UInt8](repeating: 0xff, count: values.count)
  }

  /// Reads pairs of hexadecimal digits or `??`, with spaces between them where wanted; `nil` for anything else.
  init?(hex: String) {
    var digits: [UInt8] = []
    for byte in hex.utf8 where byte != 0x20 { digits.append(byte) }
    guard digits.count % 2 == 0 else { return nil }
    var i = 0
    while i &+ 1 < digits.count {
      if digits[i] == 0x3f, digits[i &+ 1] == 0x3f {
        values.append(0)
        masks.append(0)
      } else {
        guard let high = hexDigit(digits[i]), let low = hexDigit(digits[i &+ 1]) else { return nil }
        values.append(high << 4 | low)
        masks.append(0xff)
      }
      i &+= 2
    }
  }

  /// The value of the first octet, unless it is a hole.
  var first: UInt8? { masks.first == 0xff ? values.first : nil }

  func check(_ bytes: RawSpan, at offset: Int) -> Signature.Result {
    for i in values.indices {
      guard offset &+ i < bytes.byteCount else { return .needsMore }
      if bytes.u8(offset &+ i) & masks[i] != values[i] { return .no }
    }
    return .yes
  }
}

extension OctetTest {
  func check(_ bytes: RawSpan, isStream: Bool) -> Signature.Result {
    switch self {
    case .bytes(let pattern, let offset): return pattern.check(bytes, at: offset)
    case .xor(let i, let j, let value):
      guard max(i, j) < bytes.byteCount else { return .needsMore }
      return bytes.u8(i) ^ bytes.u8(j) == value ? .yes : .no
    case .printable(let range):
      for i in range {
        guard i < bytes.byteCount else { return .needsMore }
        if !Self.isPrintable(bytes.u8(i)) { return .no }
      }
      return .yes
    case .digits(let count, let tail):
      var digits = 0
      while digits < bytes.byteCount, digits < count.upperBound, bytes.u8(digits) &- 0x30 < 10 { digits &+= 1 }
      if digits == bytes.byteCount, digits < count.upperBound || tail.count > 0 { return .needsMore }
      return digits < count.lowerBound ? .no : tail.check(bytes, at: digits)
    case .contains(let pattern):
      let end = (isStream ? min(bytes.byteCount, Signature.streamOctets) : bytes.byteCount) &- pattern.count
      var i = 0
      while i <= end {
        if bytes.has(pattern, at: i) { return .yes }
        i &+= 1
      }
      return .needsMore
    case .counted(let offset, let range, let tail):
      guard offset < bytes.byteCount else { return .needsMore }
      let count = Int(bytes.u8(offset))
      guard range.contains(count) else { return .no }
      for i in (offset &+ 1)..<(offset &+ 1 &+ count) {
        guard i < bytes.byteCount else { return .needsMore }
        if !Self.isPrintable(bytes.u8(i)) { return .no }
      }
      return tail.check(bytes, at: offset &+ 1 &+ count)
    case .unmasked(let from, let key, let plain): return Self.unmasked(bytes, from, key, plain)
    case .ircLine(let pattern): return Self.ircLine(bytes, pattern)
    }
  }

  private static func isPrintable(_ octet: UInt8) -> Bool { (0x20...0x7e).contains(octet) }

  private static func unmasked(_ bytes: RawSpan, _ from: Int, _ key: (Int, Int), _ plain: Plain) -> Signature.Result {
    let count = bytes.byteCount &- from
    guard count > 0, max(key.0, key.1) < bytes.byteCount else { return .no }
    if case .text(let text) = plain, text.count != count { return .no }
    let length = ~UInt8(truncatingIfNeeded: count)
    for i in 0..<count {
      let octet = bytes.u8(from &+ i) ^ bytes.u8(i & 1 == 0 ? key.0 : key.1) ^ length
      switch plain {
      case .text(let text): if octet != text[i] { return .no }
      case .printable: if !isPrintable(octet) { return .no }
      }
    }
    return .yes
  }

  /// Commands with which a client opens (RFC 2812 section 3.1, IRCv3 `CAP`).
  private static let openers: [StaticString] = ["NICK ", "USER ", "PASS ", "JOIN ", "CAP "]

  /// First octets that one of them has.
  static let ircFirstOctets: [UInt8] = openers.map { $0.utf8Start[0] }

  private static func ircLine(_ bytes: RawSpan, _ pattern: LinearPattern) -> Signature.Result {
    guard openers.contains(where: { HTTP.starts(bytes, $0) != false }) else { return .no }
    let all = bytes.extracting(0..<min(bytes.byteCount, Signature.streamOctets)).copied
    var start = 0
    while start < all.count {
      let end = all[start...].firstIndex(of: 0x0a) ?? all.count
      let stop = end > start && all[end &- 1] == 0x0d ? end &- 1 : end
      // A line that goes on may still come to match, or no longer.
      if end < all.count, pattern.matches(all[start..<stop]) { return .yes }
      start = end &+ 1
    }
    return .needsMore
  }
}

extension OctetTest {
  /// The share of random octets that pass, in messages of at most `most` octets.
  func chance(among most: Int) -> Double {
    func power(_ share: Double, _ times: Int) -> Double { (0..<max(0, times)).reduce(1) { value, _ in value * share } }
    let printable = 95.0 / 256
    switch self {
    case .bytes(let pattern, _): return power(1 / 256, pattern.fixed)
    case .xor: return 1 / 256
    case .printable(let range): return power(printable, range.count)
    case .digits(let count, let tail): return power(10.0 / 256, count.lowerBound) * power(1 / 256, tail.fixed)
    case .contains(let pattern): return min(1, Double(most) * power(1 / 256, pattern.count))
    case .counted(_, let range, let tail):
      let texts = range.reduce(0.0) { $0 + power(printable, $1) / 256 }
      return texts * power(1 / 256, tail.fixed)
    case .unmasked(_, _, .text(let text)): return power(1 / 256, text.count)
    case .unmasked(let from, _, .printable): return power(printable, max(1, most &- from))
    // It may stand anywhere, so at every octet in the worst case.
    case .ircLine(let pattern): return min(1, Double(most) * power(0.5, Int(pattern.leastBits)))
    }
  }

  /// First octets that do not rule the test out; `nil` for any.
  var firstOctets: [UInt8]? {
    switch self {
    case .bytes(let pattern, at: 0): pattern.first.map { [$0] }
    case .digits: Array(0x30...0x39)
    case .printable(let range) where range.lowerBound == 0: Array(0x20...0x7e)
    case .counted(at: 0, let range, _): range.map { UInt8(clamping: $0) }
    case .ircLine: Self.ircFirstOctets
    default: nil
    }
  }
}
