/// A message by which a signature is tested. It goes to the check and nowhere else: a `SignatureSet` does not hold it.
struct SignatureVector: Sendable {
  enum Message: Sendable {
    case octets([UInt8])
    case request([UInt8])
    case hello(TLSHandshake)
  }
  typealias Problem = YAMLNode.Problem

  var line: Int
  /// The server's port; the signature's first one when it is not given.
  var port: UInt16
  var message: Message
  /// What identifies the machine in it; `nil` where the test does not say.
  var identity: [UInt8]?

  static func read(_ node: YAMLNode, for signature: Signature) throws(Problem) -> ([Self], [Self]) {
    var fields = try YAMLFields(node, "'tests'")
    let positives = try list(try fields.required("match"), "match", signature)
    let negatives = try list(try fields.required("no_match"), "no_match", signature)
    try fields.finish()
    return (positives, negatives)
  }

  private static func list(_ node: YAMLNode, _ key: String, _ signature: Signature) throws(Problem) -> [Self] {
    try YAMLFields.list(node, key, most: 32).map { item throws(Problem) in try one(item, signature) }
  }

  private static func one(_ node: YAMLNode, _ signature: Signature) throws(Problem) -> Self {
    var fields = try YAMLFields(node, "a test")
    let given = try fields.number("port", in: 1...65_535)
    let message: Message
    switch signature.shape {
    case .octets: message = .octets(try fields.plainOctets(most: SignatureDecoder.Bound.vector))
    case .request: message = .request(try request(&fields))
    case .hello: message = .hello(try hello(&fields, node.line))
    }
    let identity = try fields.pattern("identity", most: SignatureIdentity.octetsMost)
    try fields.finish()
    let port = given.map { UInt16(clamping: $0) } ?? signature.ports.first?.lowerBound ?? 80
    return Self(line: node.line, port: port, message: message, identity: identity?.values)
  }

  /// `request` is the request line and the fields, `body` what follows the empty line.
  private static func request(_ fields: inout YAMLFields) throws(Problem) -> [UInt8] {
    let lines = try fields.texts("request", most: 64)
    guard !lines.isEmpty else { throw fields.missing("request") }
    var bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    if let body = try fields.pattern("body", most: SignatureDecoder.Bound.vector) { bytes += body.values }
    return bytes
  }

  private static func hello(_ fields: inout YAMLFields, _ line: Int) throws(Problem) -> TLSHandshake {
    let ends = Endpoints(client: .unspecified, server: .unspecified, clientPort: 0, serverPort: 443, transport: .tcp)
    var hello = TLSHandshake(ends: ends, version: 0x0303)
    hello.serverName = try fields.text("sni", most: 253)
    hello.ja3 = try fields.text("ja3")
    hello.ja4 = try fields.text("ja4")
    return hello
  }

  private func found(by identity: SignatureIdentity?) -> [UInt8]? {
    guard let identity else { return nil }
    switch message {
    case .octets(let bytes): return identity.value(in: bytes.span.bytes, isStream: false)
    case .request(let bytes): return RequestView(whole: bytes).flatMap { identity.value(in: $0.exchange) }
    case .hello: return nil
    }
  }

  /// Whether this very signature matches, whatever others would.
  func isMatched(by signature: Signature) -> Bool {
    guard signature.admits(port: port), identity == nil || identity == found(by: signature.identity) else {
      return false
    }
    switch (message, signature.shape) {
    case (.octets(let bytes), .octets):
      return signature.matches(bytes.span.bytes, isStream: signature.transport == .tcp) == .yes
    case (.request(let bytes), .request(let shape)): return RequestView(whole: bytes).map { shape.matches($0) } ?? false
    case (.hello(let hello), .hello(let shape)): return shape.matches(hello)
    default: return false
    }
  }
}
