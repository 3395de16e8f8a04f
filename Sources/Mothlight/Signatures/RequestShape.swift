/// Conditions on an HTTP/1 request; all must hold.
struct RequestShape: Sendable {
  struct Header: Sendable {
    enum Wanted: Sendable {
      case present, absent
      case value(ValueTest, String)
    }
    /// Lower case; a final `*` stands for any rest.
    var name: String
    var wanted: Wanted
  }

  enum ValueTest: String, CaseIterable, Sendable { case equals, starts, contains, ends }

  var method: String
  var uri: LinearPattern?
  var uriLength: ClosedRange<Int>?
  var hostIsIPv4 = false
  var contentLength: ClosedRange<Int>?
  var headers: [Header] = []
  /// Field names that must come first, in this order.
  var headersBegin: [String] = []
  var bodyStarts: [UInt8]?
  var bodyIsBase64 = false

  /// Fields whose values an `HTTPExchange` keeps.
  static let keptValues: Set<String> = ["user-agent", "referer", "host"]

  /// Whether it needs more of a request than an `HTTPExchange` keeps.
  var needsWholeRequest: Bool {
    bodyStarts != nil || bodyIsBase64
      || headers.contains { if case .value = $0.wanted { !Self.keptValues.contains($0.name) } else { false } }
  }

  /// How many things beside the method must come together.
  var conditions: Int {
    [
      uri != nil, uriLength != nil, hostIsIPv4, contentLength != nil, !headersBegin.isEmpty, bodyStarts != nil,
      bodyIsBase64,
    ]
    .count { $0 } &+ headers.count
  }

  func matches(_ request: RequestView) -> Bool {
    let exchange = request.exchange
    guard method == exchange.method else { return false }
    if hostIsIPv4 {
      guard let host = exchange.host, let first = host.utf8.first, first &- 0x30 < 10, let address = IPAddress(host),
        address.isV4
      else { return false }
    }
    if let uriLength, !uriLength.contains(exchange.target.utf8.count) { return false }
    if let contentLength, !contentLength.contains(Int(clamping: exchange.requestBodyOctets)) { return false }
    if !exchange.headerNames.starts(with: headersBegin) { return false }
    for header in headers where !holds(header, request) { return false }
    if let uri, !uri.matches(exchange.target.utf8) { return false }
    if let bodyStarts, !request.body.starts(with: bodyStarts) { return false }
    return !bodyIsBase64 || Self.isBase64(request.body)
  }

  private func holds(_ header: Header, _ request: RequestView) -> Bool {
    switch header.wanted {
    case .present: request.has(header.name)
    case .absent: !request.has(header.name)
    case .value(let test, let wanted):
      switch request.value(of: header.name) {
      case nil: false
      case let value?:
        switch test {
        case .equals: value == wanted
        case .starts: value.hasPrefix(wanted)
        case .ends: value.hasSuffix(wanted)
        case .contains: value.contains(wanted)
        }
      }
    }
  }

  /// RFC 4648 section 4 with its padding: at least sixteen octets, so that a short word does not pass.
  private static func isBase64(_ body: [UInt8]) -> Bool {
    let text = body.reversed().drop { $0 == 0x0a || $0 == 0x0d }
    guard text.count >= 16, text.count % 4 == 0 else { return false }
    let padding = text.prefix(2).prefix { $0 == 0x3d }.count
    return text.dropFirst(padding).allSatisfy { octet in
      octet &- 0x30 < 10 || (octet | 0x20) &- 0x61 < 26 || octet == 0x2b || octet == 0x2f
    }
  }
}

/// A request as a signature sees it: what every decoder keeps and, for a sinkhole, values and the start of the body.
struct RequestView {
  var exchange: HTTPExchange
  /// Fields in order, names in lower case; empty when only names were kept.
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []

  init(_ exchange: HTTPExchange) { self.exchange = exchange }

  /// Reads a request with its body; `nil` when there is no request line.
  init?(whole bytes: [UInt8]) {
    let end = HTTP.headLength(bytes.span.bytes, from: 0) ?? bytes.count
    let head = Array(bytes[..<min(end, bytes.count)])
    let ends = Endpoints(client: .unspecified, server: .unspecified, clientPort: 0, serverPort: 80, transport: .tcp)
    guard let request = try? HTTPRequest(head.span.bytes, ends: ends) else { return nil }
    self.init(request.exchange, head: head.span.bytes)
    body = Array(bytes[min(end, bytes.count)...])
  }

  /// An exchange with the values of all its fields.
  init(_ exchange: HTTPExchange, head: RawSpan) {
    self.exchange = exchange
    var at = (head.firstOffset(of: 0x0a) ?? head.byteCount) &+ 1
    while at < head.byteCount, fields.count < HTTP.Fields.limit {
      let end = head.firstOffset(of: 0x0a, from: at) ?? head.byteCount
      let stop = end > at && head.u8(end &- 1) == 0x0d ? end &- 1 : end
      let line = head.extracting(at..<stop)
      at = end &+ 1
      guard let colon = line.firstOffset(of: 0x3a), colon > 0 else { continue }
      fields.append(
        (
          WireText.lowercased(line.extracting(0..<colon), limit: 64),
          WireText.printable(WireText.trimmed(line.from(colon &+ 1)))
        ))
    }
  }

  func has(_ name: String) -> Bool {
    guard name.utf8.last == 0x2a else { return exchange.headerNames.contains(name) }
    let start = name.dropLast()
    return exchange.headerNames.contains { $0.hasPrefix(start) }
  }

  func value(of name: String) -> String? {
    if let field = fields.first(where: { $0.name == name }) { return field.value }
    return switch name {
    case "user-agent": exchange.userAgent
    case "referer": exchange.referer
    case "host": exchange.host
    default: nil
    }
  }
}

/// Conditions on a TLS ClientHello; all that are given must hold.
struct HelloShape: Sendable {
  /// Lower case; with `*.` in front any name below it.
  var serverName: String?
  var ja3: String?
  var ja4: String?

  func matches(_ hello: TLSHandshake) -> Bool {
    if let ja3, hello.ja3 != ja3 { return false }
    if let ja4, hello.ja4 != ja4 { return false }
    guard let wanted = serverName else { return true }
    guard let name = hello.serverName?.lowercased() else { return false }
    return wanted.hasPrefix("*.") ? name.hasSuffix(wanted.dropFirst()) : name == wanted
  }
}
