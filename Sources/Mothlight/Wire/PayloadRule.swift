/// One published shape of a bot's traffic, as a row of data: it can recognise, and holds nothing to send.
public struct PayloadRule: Sendable {
  /// What a match is worth by itself.
  public enum Confidence: String, Sendable {
    /// Forty fixed bits or more, or several independent oddities: chance and ordinary software do not make it.
    case strong
    /// A hint that other traffic shares; counts only with behaviour.
    case weak
  }
  public enum Direction: Sendable { case fromClient, fromServer }

  /// A condition on the octets; offsets count from the start of the datagram or of the direction's stream.
  enum Test: Sendable {
    case bytes([UInt8], at: Int)
    /// Decimal digits from the start, this many, and then these bytes.
    case digits(ClosedRange<Int>, then: [UInt8])
    /// The bytes occur somewhere.
    case contains([UInt8])
    /// BFBot's obfuscation: octets from 3 on, XORed with octet 1 or 2 in turn and the inverted payload length.
    case unmasked([UInt8])
    /// The same, any printable ASCII.
    case unmaskedPrintable
  }

  /// A condition on an HTTP request.
  struct Request: Sendable {
    var method: String
    var target: TargetShape
    var hostIsIPv4 = false
    /// Field names that must come first, in this order.
    var leadingHeaders: [String] = []
    var absentHeaders: [String] = []
    var userAgentPrefix = ""
  }

  public let id: String
  /// The botnet or kit as most publications call it.
  public let family: String
  public let transport: Transport
  public let direction: Direction
  public let confidence: Confidence
  /// Where the shape was published.
  public let source: String
  /// Server ports; empty for any.
  var ports: [UInt16] = []
  /// Octets of a datagram, or that a stream must have shown.
  var length: ClosedRange<Int> = 1...65_535
  var tests: [Test] = []
  var request: Request?

  enum Result { case no, yes, needsMore }

  /// - Parameter isStream: bytes are a beginning that may go on, so lengths are lower bounds.
  func matches(_ bytes: RawSpan, isStream: Bool) -> Result {
    if !isStream, !length.contains(bytes.byteCount) { return .no }
    var result = bytes.byteCount < length.lowerBound ? Result.needsMore : .yes
    for test in tests {
      switch Self.check(test, bytes, isStream: isStream) {
      case .no: return .no
      case .needsMore: result = .needsMore
      case .yes: break
      }
    }
    if result == .needsMore, !isStream || bytes.byteCount >= Self.streamOctets { return .no }
    return result
  }

  /// How far into a stream a rule may look.
  static let streamOctets = 512

  private static func check(_ test: Test, _ bytes: RawSpan, isStream: Bool) -> Result {
    switch test {
    case .bytes(let pattern, let offset):
      for i in pattern.indices {
        guard offset &+ i < bytes.byteCount else { return .needsMore }
        if bytes.u8(offset &+ i) != pattern[i] { return .no }
      }
      return .yes
    case .digits(let count, let tail):
      var digits = 0
      while digits < bytes.byteCount, digits < count.upperBound, bytes.u8(digits) &- 0x30 < 10 { digits &+= 1 }
      if digits == bytes.byteCount { return .needsMore }
      return digits < count.lowerBound ? .no : check(.bytes(tail, at: digits), bytes, isStream: isStream)
    case .contains(let pattern):
      var i = 0
      let end = Swift.min(bytes.byteCount, isStream ? streamOctets : bytes.byteCount) &- pattern.count
      while i <= end {
        if bytes.has(pattern, at: i) { return .yes }
        i &+= 1
      }
      return .needsMore
    case .unmasked(let plain):
      guard bytes.byteCount == plain.count &+ 3 else { return .no }
      for i in plain.indices where unmask(bytes, i) != plain[i] { return .no }
      return .yes
    case .unmaskedPrintable:
      guard bytes.byteCount > 3 else { return .no }
      for i in 0..<(bytes.byteCount &- 3) where !(0x20...0x7e).contains(unmask(bytes, i)) { return .no }
      return .yes
    }
  }

  private static func unmask(_ bytes: RawSpan, _ i: Int) -> UInt8 {
    bytes.u8(3 &+ i) ^ bytes.u8(1 &+ (i & 1)) ^ ~UInt8(truncatingIfNeeded: bytes.byteCount &- 3)
  }

  func matches(_ exchange: HTTPExchange) -> Bool {
    guard let request, request.method == exchange.method else { return false }
    if !request.userAgentPrefix.isEmpty, exchange.userAgent?.hasPrefix(request.userAgentPrefix) != true { return false }
    if request.hostIsIPv4 {
      guard let host = exchange.host, let address = IPAddress(host), address.isV4 else { return false }
    }
    if !exchange.headerNames.starts(with: request.leadingHeaders) { return false }
    for name in request.absentHeaders where exchange.headerNames.contains(name) { return false }
    return request.target.matches(exchange.target)
  }
}

/// A small pattern over request targets: parts in a row, no going back, so its cost is the target's length.
struct TargetShape: Sendable {
  enum Part: Sendable {
    case text(String)
    case oneOf([String])
    case digits(ClosedRange<Int>)
    case hex(ClosedRange<Int>)
    case optional([Part])
    /// Any run that leaves just the rest from the last place where this text stands.
    case anythingUpToLast(String)
  }

  var parts: [Part]

  init(_ parts: Part...) { self.parts = parts }

  func matches(_ target: String) -> Bool {
    let text = Array(target.utf8)
    return Self.match(parts, text, 0) == text.count
  }

  /// Where the parts end when they match from `start` on.
  private static func match(_ parts: [Part], _ text: [UInt8], _ start: Int) -> Int? {
    var at = start
    for part in parts {
      switch part {
      case .text(let wanted):
        guard let next = after(wanted, text, at) else { return nil }
        at = next
      case .oneOf(let choices):
        guard let next = choices.lazy.compactMap({ after($0, text, at) }).max() else { return nil }
        at = next
      case .digits(let count):
        guard let next = run(text, at, count, { $0 &- 0x30 < 10 }) else { return nil }
        at = next
      case .hex(let count):
        guard let next = run(text, at, count, { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }) else { return nil }
        at = next
      case .optional(let inner):
        at = match(inner, text, at) ?? at
      case .anythingUpToLast(let mark):
        guard let first = mark.utf8.first, let found = text.lastIndex(of: first), found >= at,
          let next = after(mark, text, found)
        else { return nil }
        at = next
      }
    }
    return at
  }

  private static func after(_ wanted: String, _ text: [UInt8], _ start: Int) -> Int? {
    var at = start
    for byte in wanted.utf8 {
      guard at < text.count, text[at] == byte else { return nil }
      at &+= 1
    }
    return at
  }

  private static func run(_ text: [UInt8], _ start: Int, _ count: ClosedRange<Int>, _ isIn: (UInt8) -> Bool) -> Int? {
    var at = start
    while at < text.count, at &- start < count.upperBound, isIn(text[at]) { at &+= 1 }
    return at &- start >= count.lowerBound ? at : nil
  }
}
