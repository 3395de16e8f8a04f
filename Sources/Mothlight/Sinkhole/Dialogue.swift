/// What the first octets of a client's stream amount to; a pure function of them, asked again when more arrive.
///
/// Octets are looked at and let go: what is kept of them is decided later, and without the personal parts.
struct Dialogue {
  /// Octets held before anything is recognised, and of an HTTP head or TLS hello (sinkhole.md R24, section 7).
  static let unknownOctetsMost = 4096
  static let knownOctetsMost = 8192
  /// Octets of an HTTP body that are looked at.
  static let bodyOctetsMost = 128
  /// Lines of an IRC registration that are waited for.
  private static let ircLinesMost = 6

  enum Content {
    /// Connected and said nothing.
    case silence
    case raw
    case irc
    case http(RequestView)
    case tls(TLSHandshake)
  }

  var content: Content
  var shape: Recogniser.Shape
  /// Name by which it was addressed: `Host` or SNI.
  var host: String?
  var isHTTP: Bool { if case .http = content { true } else { false } }

  /// - Parameters:
  ///   - bytes: all octets so far, from the first.
  ///   - isEnd: nothing more will come: closed, out of time or out of room.
  ///   - scanned: octets that an earlier call has searched for the end of the head; moved on.
  /// - Returns: `nil` while more octets could change the answer.
  static func read(
    _ bytes: RawSpan, isEnd: Bool, ends: Endpoints, scanned: inout Int, _ recogniser: Recogniser,
    _ prints: FingerprintCache
  ) -> Dialogue? {
    guard bytes.byteCount > 0 else { return isEnd ? Dialogue(content: .silence, shape: .unknown) : nil }
    switch StreamSignature.recognise(bytes, fromClient: true, greeting: .none, ends: ends) {
    case .found(.httpRequest):
      return request(bytes, isEnd || bytes.byteCount >= knownOctetsMost, ends, &scanned, recogniser)
    case .found(.tlsClient):
      return hello(bytes, isEnd || bytes.byteCount >= knownOctetsMost, ends, recogniser, prints)
    case .found(.sslv2Client): return Dialogue(content: .raw, shape: .shaped)
    case .found(.irc): return irc(bytes, isEnd || bytes.byteCount >= unknownOctetsMost, ends, recogniser)
    case .needsMore where !isEnd && bytes.byteCount < unknownOctetsMost:
      // A short strong signature need not wait for a longer protocol's beginning.
      let (number, _) = recogniser.set.matchNumber(streamStart: bytes, serverPort: ends.serverPort)
      guard let number, recogniser.set.signatures[number].evidence == .strong else { return nil }
      return Dialogue(content: .raw, shape: .matched(number))
    case .found(.named), .found(.dns), .found(.ssh): return raw(bytes, isEnd, ends, recogniser, otherwise: .shaped)
    default: return raw(bytes, isEnd, ends, recogniser, otherwise: .unknown)
    }
  }

  private static func raw(
    _ bytes: RawSpan, _ isEnd: Bool, _ ends: Endpoints, _ recogniser: Recogniser, otherwise: Recogniser.Shape
  ) -> Dialogue? {
    let (number, mayMatch) = recogniser.set.matchNumber(streamStart: bytes, serverPort: ends.serverPort)
    if mayMatch, !isEnd, bytes.byteCount < Signature.streamOctets { return nil }
    return Dialogue(content: .raw, shape: number.map { .matched($0) } ?? otherwise)
  }

  private static func irc(_ bytes: RawSpan, _ isEnd: Bool, _ ends: Endpoints, _ recogniser: Recogniser) -> Dialogue? {
    let (number, _) = recogniser.set.matchNumber(streamStart: bytes, serverPort: ends.serverPort)
    if let number { return Dialogue(content: .irc, shape: .matched(number)) }
    var lines = 0
    var at = 0
    while let end = bytes.firstOffset(of: 0x0a, from: at) {
      lines &+= 1
      at = end &+ 1
    }
    guard isEnd || lines >= ircLinesMost else { return nil }
    return Dialogue(content: .irc, shape: lines > 0 ? .shaped : .unknown)
  }

  private static func request(
    _ bytes: RawSpan, _ isEnd: Bool, _ ends: Endpoints, _ scanned: inout Int, _ recogniser: Recogniser
  ) -> Dialogue? {
    let length = HTTP.headLength(bytes, from: max(0, scanned &- 3))
    scanned = bytes.byteCount
    guard let head = length ?? (isEnd ? bytes.byteCount : nil) else { return nil }
    guard let request = try? HTTPRequest(bytes.extracting(0..<head), ends: ends) else {
      return Dialogue(content: .raw, shape: .unknown)
    }
    let have = bytes.byteCount &- head
    if !isEnd, length != nil, have < bodyOctetsMost {
      switch request.body {
      case .length(let octets) where UInt64(have) < min(octets, UInt64(bodyOctetsMost)):
        // Found already: the next call needs to look at the body only.
        scanned = head &- 1
        return nil
      default: break
      }
    }
    var view = RequestView(request.exchange, head: bytes.extracting(0..<head))
    view.body = bytes.extracting(head..<min(bytes.byteCount, head &+ bodyOctetsMost)).copied
    let number = recogniser.set.matchNumber(view)
    // Without its empty line it is somebody who gave up or who holds the line.
    let plain: Recogniser.Shape = length == nil ? .unknown : .shaped
    return Dialogue(content: .http(view), shape: number.map { .matched($0) } ?? plain, host: request.exchange.host)
  }

  private static func hello(
    _ bytes: RawSpan, _ isEnd: Bool, _ ends: Endpoints, _ recogniser: Recogniser, _ prints: FingerprintCache
  ) -> Dialogue? {
    var body: [UInt8]?
    if let (type, range) = TLSRecords.firstMessage(in: bytes), type == 1 {
      body = bytes.extracting(range).copied
    } else {
      var records = TLSRecords()
      records.append(bytes)
      if let (type, range) = records.nextMessage(), type == 1 { body = Array(records.bytes(range)) }
      if body == nil, records.end == nil, !isEnd { return nil }
    }
    guard let body, let hello = try? TLSClientHello(body.span.bytes) else {
      return Dialogue(content: .raw, shape: .unknown)
    }
    var event = TLSHandshake(ends: ends, version: hello.version, anomalies: hello.anomalies)
    event.serverName = hello.serverName
    event.alpn = hello.alpn
    event.ja3 = hello.ja3(prints)
    event.ja4 = hello.ja4(isQUIC: false, prints)
    let number = recogniser.set.matchNumber(event)
    return Dialogue(content: .tls(event), shape: number.map { .matched($0) } ?? .shaped, host: hello.serverName)
  }
}
