extension SignatureDecoder {
  static func request(_ node: YAMLNode) throws(Problem) -> RequestShape {
    var fields = try YAMLFields(node, "'http'")
    guard let method = try fields.text("method", most: 16) else { throw fields.missing("method") }
    guard method.utf8.allSatisfy({ $0 &- 0x41 < 26 }) else { throw Problem(node.line, "'method' is in capitals") }
    var shape = RequestShape(method: method)
    shape.uri = try fields.take("uri").map { node throws(Problem) in try pattern(node, "uri") }
    shape.uriLength = try fields.range("uri_length", in: 1...Limits.httpTargetOctets)
    shape.hostIsIPv4 = try fields.word("host", HostKind.self) == .ipv4
    shape.contentLength = try fields.range("content_length", in: 0...Int(UInt32.max))
    if let node = fields.take("headers") { shape.headers = try headers(node) }
    shape.headersBegin = try fields.texts("headers_begin", most: 32).map { $0.lowercased() }
    if let starts = try fields.pattern("body_starts", most: Bound.pattern) {
      guard starts.fixed == starts.count else { throw Problem(node.line, "'body_starts' takes no ??") }
      shape.bodyStarts = starts.values
    }
    shape.bodyIsBase64 = try fields.isTrue("body_base64")
    try fields.finish()
    guard shape.conditions > 0 else { throw Problem(node.line, "'http' asks for nothing but a method") }
    return shape
  }

  private enum HostKind: String, CaseIterable { case ipv4 }
  private enum Presence: String, CaseIterable { case present, absent }

  private static func headers(_ node: YAMLNode) throws(Problem) -> [RequestShape.Header] {
    guard case .map(let entries) = node.value, !entries.isEmpty, entries.count <= 32 else {
      throw Problem(node.line, "'headers' is a map of 1 to 32 field names")
    }
    return try entries.map { entry throws(Problem) in
      let name = entry.key.lowercased()
      if case .text = entry.node.value {
        let word: Presence = try YAMLFields.word(entry.node, name)
        return .init(name: name, wanted: word == .present ? .present : .absent)
      }
      guard name.utf8.last != 0x2a else {
        throw Problem(entry.line, "'\(name)' is many fields: present or absent only")
      }
      var fields = try YAMLFields(entry.node, "'\(name)'")
      var wanted: RequestShape.Header.Wanted?
      for test in RequestShape.ValueTest.allCases {
        guard let text = try fields.text(test.rawValue) else { continue }
        guard wanted == nil else { throw Problem(entry.line, "'\(name)' takes one test") }
        wanted = .value(test, text)
      }
      try fields.finish()
      guard let wanted else { throw Problem(entry.line, "'\(name)' says nothing about its value") }
      return .init(name: name, wanted: wanted)
    }
  }

  static func hello(_ node: YAMLNode) throws(Problem) -> HelloShape {
    var fields = try YAMLFields(node, "'tls'")
    var shape = HelloShape()
    if let name = try fields.text("sni", most: 253) {
      guard let domain = Indicator.domain(name) else { throw Problem(node.line, "'sni' is no domain name") }
      shape.serverName = name.hasPrefix("*.") ? "*." + domain : domain
    }
    if let text = try fields.text("ja3") {
      guard let print = Indicator("ja3:" + text) else { throw Problem(node.line, "'ja3' is 32 hexadecimal digits") }
      shape.ja3 = print.value
    }
    if let text = try fields.text("ja4") {
      guard let print = Indicator("ja4:" + text) else { throw Problem(node.line, "'ja4' is no JA4 print") }
      shape.ja4 = print.value
    }
    try fields.finish()
    guard shape.serverName != nil || shape.ja3 != nil || shape.ja4 != nil else {
      throw Problem(node.line, "'tls' asks for nothing")
    }
    return shape
  }
}

/// What a signature may not claim.
enum SignatureRules {
  /// Random messages that a strong signature may match: forty fixed bits.
  static let chanceOfStrong = 0x1p-40

  /// What contradicts itself in `signature`; `nil` when nothing does.
  static func contradiction(in signature: Signature) -> String? {
    let isStrong = signature.evidence == .strong
    if isStrong, !signature.confidence.canConvict {
      return "what is \(signature.confidence.rawValue) is weak: it cannot convict alone"
    }
    if signature.transport == .tcp, signature.direction == .server {
      return "the server's side of a stream is not examined; direction server goes with udp"
    }
    if let contradiction = signature.identity?.contradiction(in: signature) { return contradiction }
    if signature.transport == .udp, signature.reply != .none { return "a datagram is never answered: reply is none" }
    switch signature.shape {
    case .octets:
      if signature.reply == .http404 || signature.reply == .http200Empty { return "an HTTP reply without 'http'" }
      if isStrong, let chance = signature.chance, chance > chanceOfStrong {
        return "strong needs 40 fixed bits or more; one random message in \(Phrase.rounded(1 / chance, 0)) fits"
      }
      let firstOctets = signature.firstOctets.count
      let fixesLength = signature.transport == .udp && signature.length.upperBound < 64 && signature.length.count <= 4
      if firstOctets == 0 { return "no first octet fits all its tests" }
      if firstOctets > 16, !fixesLength {
        return "it would be tried on nearly every message: fix the first octet or, for udp, a length below 64"
      }
    case .request(let shape):
      if shape.needsWholeRequest, !signature.isForSinkholeOnly {
        return "bodies and most header values are not kept when traffic is only watched: add 'sinkhole_only: true'"
      }
      if isStrong, shape.conditions < 2 { return "strong needs two conditions or more beside the method" }
    case .hello(let shape):
      if signature.reply == .http404 || signature.reply == .http200Empty { return "an HTTP reply without 'http'" }
      if isStrong, shape.serverName == nil { return "a print alone is shared by many programs: it is weak" }
    }
    return nil
  }
}
