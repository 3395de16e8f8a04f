/// The head of an HTTP/1 message (RFC 9112): start line and header fields, read from a whole block.
enum HTTP {
  /// Methods that mark the start of a request: RFC 9110, WebDAV (RFC 4918) and what bots and UPnP add.
  static let methods: [StaticString] = [
    "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ", "TRACE ", "PATCH ", "PROPFIND ", "PROPPATCH ",
    "MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK ", "SEARCH ", "REPORT ", "NOTIFY ", "SUBSCRIBE ", "UNSUBSCRIBE ",
    "M-SEARCH ", "PRI * HTTP/2",
  ]

  /// Whether these bytes start like a request; `nil` when they are too few to say.
  static func startsRequest(_ bytes: RawSpan) -> Bool? {
    guard bytes.byteCount > 0, bytes.u8(0) >= 0x41, bytes.u8(0) <= 0x5a else {
      return bytes.byteCount > 0 ? false : nil
    }
    var mayBe = false
    for method in methods {
      switch starts(bytes, method) {
      case true?: return true
      case nil: mayBe = true
      case false?: break
      }
    }
    return mayBe ? nil : false
  }

  static func startsResponse(_ bytes: RawSpan) -> Bool? { starts(bytes, "HTTP/1.") }

  /// Whether `bytes` begin with `text`; `nil` when they are a shorter beginning of it.
  static func starts(_ bytes: RawSpan, _ text: StaticString) -> Bool? {
    let count = Swift.min(bytes.byteCount, text.utf8CodeUnitCount)
    for i in 0..<count where bytes.u8(i) != text.utf8Start[i] { return false }
    return count == text.utf8CodeUnitCount ? true : nil
  }

  /// Length of the head with its empty line, looking from `start` on; `nil` when it is not complete.
  static func headLength(_ bytes: RawSpan, from start: Int) -> Int? {
    var i = Swift.max(0, start)
    while let end = bytes.firstOffset(of: 0x0a, from: i) {
      if end &+ 1 < bytes.byteCount, bytes.u8(end &+ 1) == 0x0a { return end &+ 2 }
      if end &+ 2 < bytes.byteCount, bytes.u8(end &+ 1) == 0x0d, bytes.u8(end &+ 2) == 0x0a { return end &+ 3 }
      i = end &+ 1
    }
    return nil
  }

  /// What tells how long the body is (RFC 9112 section 6).
  enum Body: Equatable {
    case none
    case length(UInt64)
    case chunked
    /// Until the connection closes, or not to be told.
    case unknown
  }

  /// Header fields that both kinds of message share.
  struct Fields {
    var contentLength: UInt64?
    var isChunked = false
    var contentType: String?
    var host: String?
    var userAgent: String?
    var referer: String?
    var names: [String] = []
    var isMalformed = false

    /// More fields than any ordinary client sends.
    static let limit = 100

    /// - Parameter keepsNames: whether the list of names is wanted (requests).
    init(_ block: RawSpan, keepsNames: Bool) {
      var at = 0
      var count = 0
      while at < block.byteCount, count < Self.limit {
        let end = block.firstOffset(of: 0x0a, from: at) ?? block.byteCount
        let stop = end > at && block.u8(end &- 1) == 0x0d ? end &- 1 : end
        if stop > at { read(block.extracting(at..<stop), keepsNames) }
        at = end &+ 1
        count &+= 1
      }
    }

    private mutating func read(_ line: RawSpan, _ keepsNames: Bool) {
      // A folded line continues the one before (obsolete, RFC 9112 section 5.2).
      if line.u8(0) == 0x20 || line.u8(0) == 0x09 { return }
      guard let colon = line.firstOffset(of: 0x3a), colon > 0 else {
        isMalformed = true
        return
      }
      let name = line.extracting(0..<colon)
      let value = WireText.trimmed(line.from(colon &+ 1))
      if keepsNames { names.append(WireText.lowercased(name, limit: 64)) }
      switch colon {
      case 4 where host == nil && keepsNames && WireText.equals(name, "host"):
        host = HTTP.hostName(value)
      case 7 where keepsNames && WireText.equals(name, "referer"): referer = WireText.printable(value)
      case 10 where keepsNames && WireText.equals(name, "user-agent"): userAgent = WireText.printable(value)
      case 12 where WireText.equals(name, "content-type"): contentType = WireText.printable(value)
      case 14 where WireText.equals(name, "content-length"):
        let number = WireText.number(value)
        if number == nil || (contentLength != nil && contentLength != number) { isMalformed = true }
        contentLength = number ?? contentLength
      case 17 where WireText.equals(name, "transfer-encoding"):
        isChunked = WireText.lowercased(value).hasSuffix("chunked")
      default: break
      }
    }
  }

  /// A host without its port, lower case; `nil` when empty.
  static func hostName(_ authority: RawSpan) -> String? {
    guard authority.byteCount > 0 else { return nil }
    var name = authority
    if authority.u8(0) == 0x5b {
      let close = authority.firstOffset(of: 0x5d) ?? authority.byteCount
      name = authority.extracting(1..<Swift.max(1, close))
    } else if let colon = authority.firstOffset(of: 0x3a) {
      name = authority.extracting(0..<colon)
    }
    return name.byteCount == 0 ? nil : WireText.lowercased(name)
  }
}

/// A request head with the exchange that it opens.
struct HTTPRequest {
  var exchange: HTTPExchange
  var body: HTTP.Body

  /// - Parameter head: everything up to and including the empty line, or what there is of it.
  /// - Throws: `.unsupported` for another protocol of the same shape (RTSP, SIP), `.malformed` without a request line.
  init(_ head: RawSpan, ends: Endpoints) throws(DecodeError) {
    let lineEnd = head.firstOffset(of: 0x0a) ?? head.byteCount
    let line = WireText.trimmed(
      head.extracting(0..<(lineEnd > 0 && head.u8(lineEnd &- 1) == 0x0d ? lineEnd &- 1 : lineEnd)))
    guard let space = line.firstOffset(of: 0x20), space > 0, space <= 32 else { throw .malformed }
    var last = line.byteCount &- 1
    while last > space, line.u8(last) != 0x20 { last &-= 1 }
    if line.has("RTSP/", at: last &+ 1) || line.has("SIP/", at: last &+ 1) { throw .unsupported }
    let hasVersion = last > space && line.has("HTTP/", at: last &+ 1)
    let targetEnd = hasVersion ? last : line.byteCount
    let target = WireText.trimmed(line.extracting((space &+ 1)..<Swift.max(space &+ 1, targetEnd)))
    let fields = HTTP.Fields(head.from(lineEnd &+ 1), keepsNames: true)
    exchange = HTTPExchange(
      ends: ends, method: WireText.printable(line.extracting(0..<space)), host: fields.host,
      target: WireText.printable(target, limit: Limits.httpTargetOctets), userAgent: fields.userAgent,
      referer: fields.referer, requestBodyOctets: fields.contentLength ?? 0, headerNames: fields.names)
    if exchange.method == "CONNECT" {
      exchange.host = HTTP.hostName(target) ?? fields.host
    } else if exchange.host == nil, target.has("http://") || target.has("https://") {
      // Absolute form, as to a proxy (RFC 9112 section 3.2.2).
      let authority = target.from(target.has("https") ? 8 : 7)
      let end = authority.firstOffset(of: 0x2f) ?? authority.byteCount
      exchange.host = HTTP.hostName(authority.extracting(0..<end))
    }
    if fields.isMalformed || !hasVersion { exchange.anomalies.insert(.malformedHTTP) }
    // A request without either header has no body (RFC 9112 section 6.3).
    let length = fields.contentLength ?? 0
    body = fields.isChunked ? .chunked : length == 0 ? .none : .length(length)
  }
}

/// A status line with what its header fields say about the body.
struct HTTPResponse {
  var status: UInt16
  var fields: HTTP.Fields

  init(_ head: RawSpan) throws(DecodeError) {
    guard head.byteCount >= 12, head.has("HTTP/"), let space = head.firstOffset(of: 0x20), space <= 10,
      space &+ 4 <= head.byteCount,
      let code = WireText.number(head.extracting((space &+ 1)..<(space &+ 4))), (100...999).contains(code)
    else { throw .malformed }
    status = UInt16(clamping: code)
    fields = HTTP.Fields(head.from((head.firstOffset(of: 0x0a) ?? head.byteCount) &+ 1), keepsNames: false)
  }

  /// RFC 9112 section 6.3.
  func body(answering method: String?) -> HTTP.Body {
    if method == "HEAD" || status < 200 || status == 204 || status == 304 { return .none }
    if fields.isChunked { return .chunked }
    guard let length = fields.contentLength else { return .unknown }
    return length == 0 ? .none : .length(length)
  }
}
