/// Turns one entry of the signature file into a `Signature` with its tests, refusing what contradicts itself.
struct SignatureDecoder {
  typealias Problem = YAMLNode.Problem

  enum Bound {
    /// Octets of one pattern.
    static let pattern = 256
    /// Tests on the octets of one message.
    static let tests = 16
    /// Octets of a test message.
    static let vector = 2048
  }

  static func entry(_ node: YAMLNode) throws(Problem) -> SignatureFile.Entry {
    var fields = try YAMLFields(node, "a signature")
    let id = try identifier(&fields)
    guard let transport = try fields.word("transport", Carrier.self) else { throw fields.missing("transport") }
    let direction = try fields.word("direction", Signature.Direction.self) ?? .client
    guard let evidence = try fields.word("evidence", Signature.Evidence.self) else { throw fields.missing("evidence") }
    guard let confidence = try fields.word("confidence", Signature.Confidence.self) else {
      throw fields.missing("confidence")
    }
    guard let family = try fields.text("family", most: 48) else { throw fields.missing("family") }
    guard let source = try fields.text("source") else { throw fields.missing("source") }
    _ = try fields.text("note")
    let ports = try ports(&fields)
    let isForSinkholeOnly = try fields.isTrue("sinkhole_only")
    let reply = try fields.word("reply", Signature.Reply.self) ?? .none
    let personal = try personalData(&fields)
    let identity = try fields.take("identity").map { node throws(Problem) in try SignatureIdentity(node) }
    let firstSeen = try month("first_seen", &fields)
    let lastSeen = try month("last_seen", &fields)
    let (shape, length) = try shape(try fields.required("match"), transport)
    let tests = try fields.required("tests")
    try fields.finish()
    let signature = Signature(
      id: id, family: family, transport: transport == .udp ? .udp : .tcp, direction: direction, evidence: evidence,
      confidence: confidence, source: source, ports: ports, length: length, shape: shape,
      isForSinkholeOnly: isForSinkholeOnly, reply: reply, personalData: personal, identity: identity,
      firstSeen: firstSeen, lastSeen: lastSeen)
    if let contradiction = SignatureRules.contradiction(in: signature) {
      throw Problem(node.line, "\(id): \(contradiction)")
    }
    let (positives, negatives) = try SignatureVector.read(tests, for: signature)
    guard identity == nil || positives.contains(where: { $0.identity != nil }) else {
      throw Problem(node.line, "\(id): no test says which 'identity' is found")
    }
    return .init(signature: signature, line: node.line, positives: positives, negatives: negatives)
  }

  enum Carrier: String, CaseIterable { case udp, tcp }

  private static func identifier(_ fields: inout YAMLFields) throws(Problem) -> String {
    guard let id = try fields.text("id", most: 48) else { throw fields.missing("id") }
    let isPlain = id.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 26 || $0 == 0x2d }
    guard isPlain, let first = id.utf8.first, first &- 0x61 < 26 else {
      throw Problem(fields.line, "'id' has lower-case letters, digits and '-' and begins with a letter")
    }
    return id
  }

  private static func ports(_ fields: inout YAMLFields) throws(Problem) -> [ClosedRange<UInt16>] {
    guard let node = fields.take("ports") else { return [] }
    return try YAMLFields.list(node, "ports", most: 64).map { item throws(Problem) in
      let range = try YAMLFields.range(item, "ports", in: 1...65_535)
      return UInt16(clamping: range.lowerBound)...UInt16(clamping: range.upperBound)
    }
  }

  private static func personalData(_ fields: inout YAMLFields) throws(Problem) -> [Signature.PersonalData] {
    guard let node = fields.take("personal_data") else { return [] }
    return try YAMLFields.list(node, "personal_data", most: 16).map { item throws(Problem) in
      try YAMLFields.word(item, "personal_data")
    }
  }

  /// `2008` or `2008-11`.
  private static func month(_ key: String, _ fields: inout YAMLFields) throws(Problem) -> String? {
    let line = fields.line
    guard let text = try fields.text(key, most: 48) else { return nil }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isDate =
      parts.allSatisfy { $0.utf8.allSatisfy { $0 &- 0x30 < 10 } } && parts[0].utf8.count == 4 && parts.count <= 2
      && (parts.count == 1 || (parts[1].utf8.count == 2 && (1...12).contains(Int(parts[1]) ?? 0)))
    guard isDate else { throw Problem(line, "'\(key)' is a year or a month: 2008 or 2008-11") }
    return text
  }

  // MARK: What is looked at

  private static func shape(
    _ node: YAMLNode, _ transport: Carrier
  ) throws(Problem) -> (Signature.Shape, ClosedRange<Int>) {
    var fields = try YAMLFields(node, "'match'")
    let any = 1...65_535
    if fields.has("http") || fields.has("tls") {
      guard transport == .tcp else { throw Problem(node.line, "'http' and 'tls' go with transport tcp") }
      let shape: Signature.Shape
      if let http = fields.take("http") {
        shape = .request(try request(http))
      } else {
        shape = .hello(try hello(try fields.required("tls")))
      }
      guard fields.keys.count == 1 else { throw Problem(node.line, "'http' and 'tls' stand alone in 'match'") }
      return (shape, any)
    }
    let length = try fields.range("length", in: any) ?? any
    let tests = try octetTests(&fields, transport)
    try fields.finish()
    guard !tests.isEmpty else { throw Problem(node.line, "'match' asks for nothing but a length") }
    return (.octets(tests), length)
  }

  private static func octetTests(
    _ fields: inout YAMLFields, _ transport: Carrier
  ) throws(Problem) -> [OctetTest] {
    let last = transport == .tcp ? Signature.streamOctets &- 1 : 65_534
    var tests: [OctetTest] = []
    if let node = fields.take("bytes") {
      tests += try YAMLFields.list(node, "bytes", most: Bound.tests).map { item throws(Problem) in
        var fields = try YAMLFields(item, "an item of 'bytes'")
        guard let at = try fields.number("at", in: 0...last) else { throw fields.missing("at") }
        let pattern = try fields.octets(most: Bound.pattern)
        try fields.finish()
        guard at &+ pattern.count &- 1 <= last else { throw Problem(item.line, "'bytes' beyond offset \(last)") }
        return .bytes(pattern, at: at)
      }
    }
    if let node = fields.take("xor") {
      tests += try YAMLFields.list(node, "xor", most: Bound.tests).map { item throws(Problem) in
        try xor(item, last)
      }
    }
    if let range = try fields.range("printable", in: 0...last) { tests.append(.printable(range)) }
    if let node = fields.take("digits") { tests.append(try digits(node)) }
    if let node = fields.take("contains") {
      var inner = try YAMLFields(node, "'contains'")
      tests.append(.contains(try inner.plainOctets(most: Bound.pattern)))
      try inner.finish()
    }
    if let node = fields.take("counted") { tests.append(try counted(node, last)) }
    if let node = fields.take("xor_alternate") {
      guard transport == .udp else {
        throw Problem(node.line, "'xor_alternate' needs the length of a datagram: udp only")
      }
      tests.append(try xorAlternate(node))
    }
    if let node = fields.take("irc_line") {
      guard transport == .tcp else { throw Problem(node.line, "'irc_line' goes with transport tcp") }
      tests.append(.ircLine(try pattern(node, "irc_line")))
    }
    return tests
  }

  private static func pair(_ node: YAMLNode, _ key: String, _ last: Int) throws(Problem) -> (Int, Int) {
    let items = try YAMLFields.list(node, key, most: 2)
    guard items.count == 2 else { throw Problem(node.line, "'\(key)' takes two offsets") }
    return (
      try YAMLFields.number(items[0], key, in: 0...last), try YAMLFields.number(items[1], key, in: 0...last)
    )
  }

  private static func xor(_ node: YAMLNode, _ last: Int) throws(Problem) -> OctetTest {
    var fields = try YAMLFields(node, "an item of 'xor'")
    let (i, j) = try pair(try fields.required("at"), "at", last)
    let octets = try fields.plainOctets(most: 1)
    try fields.finish()
    guard i != j else { throw Problem(node.line, "'xor' of an octet with itself") }
    return .xor(i, j, octets.first ?? 0)
  }

  private static func digits(_ node: YAMLNode) throws(Problem) -> OctetTest {
    var fields = try YAMLFields(node, "'digits'")
    guard let count = try fields.range("count", in: 1...20) else { throw fields.missing("count") }
    let tail = try fields.pattern("then", most: Bound.pattern) ?? OctetPattern([])
    try fields.finish()
    return .digits(count, then: tail)
  }

  private static func counted(_ node: YAMLNode, _ last: Int) throws(Problem) -> OctetTest {
    var fields = try YAMLFields(node, "'counted'")
    guard let at = try fields.number("at", in: 0...last) else { throw fields.missing("at") }
    guard let length = try fields.range("length", in: 0...255) else { throw fields.missing("length") }
    let tail = try fields.pattern("then", most: Bound.pattern) ?? OctetPattern([])
    try fields.finish()
    return .counted(at: at, length, then: tail)
  }

  private static func xorAlternate(_ node: YAMLNode) throws(Problem) -> OctetTest {
    var fields = try YAMLFields(node, "'xor_alternate'")
    guard let from = try fields.number("from", in: 0...Bound.pattern) else { throw fields.missing("from") }
    let key = try pair(try fields.required("key"), "key", Bound.pattern)
    if try fields.isTrue("printable") {
      try fields.finish()
      return .unmasked(from: from, key: key, .printable)
    }
    let plain = try fields.plainOctets(most: Bound.pattern)
    try fields.finish()
    return .unmasked(from: from, key: key, .text(plain))
  }

  static func pattern(_ node: YAMLNode, _ key: String) throws(Problem) -> LinearPattern {
    guard case .text(let source) = node.value else { throw Problem(node.line, "'\(key)' is not a text") }
    do throws(LinearPattern.Refusal) { return try LinearPattern(source) } catch {
      throw Problem(node.line, "'\(key)': \(error.message)")
    }
  }
}
