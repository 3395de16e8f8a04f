/// Where in a message stands what tells one machine from another, as published for its family.
///
/// What is taken is hashed with the sinkhole's key before anything is kept; it never leaves the receive path otherwise.
public struct SignatureIdentity: Sendable {
  enum Field: Sendable {
    /// Octets at a fixed place.
    case octets(at: Int, count: Int)
    /// What stands between the first of these and the next of those.
    case between(after: [UInt8], before: [UInt8])
    /// The value of a parameter of a web request's query.
    case parameter(String)
  }

  var field: Field
  /// Octets below which it is none: a counter or a default tells no machines apart.
  var least = 4
  /// Where it was published that this tells machines apart.
  var source: String

  static let octetsMost = 64

  /// - Parameter isStream: only the first octets of a stream are looked at.
  func value(in bytes: RawSpan, isStream: Bool) -> [UInt8]? {
    let end = isStream ? min(bytes.byteCount, Signature.streamOctets) : bytes.byteCount
    switch field {
    case .octets(let at, let count):
      guard at &+ count <= end else { return nil }
      return checked(bytes.extracting(at..<(at &+ count)).copied)
    case .between(let after, let before):
      guard let start = Self.place(of: after, in: bytes, from: 0, end: end).map({ $0 &+ after.count }),
        let stop = Self.place(
          of: before, in: bytes, from: start, end: min(end, start &+ Self.octetsMost &+ before.count))
      else { return nil }
      return checked(bytes.extracting(start..<stop).copied)
    case .parameter: return nil
    }
  }

  func value(in exchange: HTTPExchange) -> [UInt8]? {
    guard case .parameter(let name) = field, let mark = exchange.target.utf8.firstIndex(of: 0x3f) else { return nil }
    let wanted = Array((name + "=").utf8)
    for pair in exchange.target.utf8[mark...].dropFirst().split(separator: 0x26) where pair.starts(with: wanted) {
      return checked(Array(pair.dropFirst(wanted.count).prefix(Self.octetsMost &+ 1)))
    }
    return nil
  }

  private func checked(_ value: [UInt8]) -> [UInt8]? {
    guard (max(1, least)...Self.octetsMost).contains(value.count), Set(value).count > 1 else { return nil }
    return value
  }

  private static func place(of pattern: [UInt8], in bytes: RawSpan, from start: Int, end: Int) -> Int? {
    var at = start
    while at &+ pattern.count <= end {
      if bytes.has(pattern, at: at) { return at }
      at &+= 1
    }
    return nil
  }
}

extension SignatureIdentity {
  typealias Problem = YAMLNode.Problem

  init(_ node: YAMLNode) throws(Problem) {
    var fields = try YAMLFields(node, "'identity'")
    var found: [Field] = []
    if let inner = fields.take("octets") {
      var inner = try YAMLFields(inner, "'octets'")
      guard let at = try inner.number("at", in: 0...Signature.streamOctets) else { throw inner.missing("at") }
      guard let count = try inner.number("count", in: 1...Self.octetsMost) else { throw inner.missing("count") }
      try inner.finish()
      found.append(.octets(at: at, count: count))
    }
    if let inner = fields.take("between") {
      var inner = try YAMLFields(inner, "'between'")
      guard let after = try inner.pattern("after", most: 64), let before = try inner.pattern("before", most: 64),
        after.fixed == after.count, before.fixed == before.count
      else { throw Problem(node.line, "'between' takes 'after' and 'before', each a text or octets without ??") }
      try inner.finish()
      found.append(.between(after: after.values, before: before.values))
    }
    if let name = try fields.text("parameter", most: 32) { found.append(.parameter(name)) }
    guard found.count == 1 else {
      throw Problem(node.line, "'identity' takes one of 'octets', 'between' and 'parameter'")
    }
    let least = try fields.number("least", in: 1...Self.octetsMost)
    guard let source = try fields.text("source") else { throw fields.missing("source") }
    try fields.finish()
    self.init(field: found[0], least: least ?? 4, source: source)
  }

  /// What contradicts the rest of the signature; `nil` when nothing does.
  func contradiction(in signature: Signature) -> String? {
    guard signature.personalData.contains(.machineID) else {
      return "an identity is personal data: name 'machine_id' in 'personal_data', so that no sample keeps it"
    }
    if signature.direction == .server { return "the server's messages identify no machine" }
    switch (field, signature.shape) {
    case (.parameter, .request), (.octets, .octets), (.between, .octets): return nil
    case (.parameter, _): return "'parameter' is of a web request: it goes with 'http'"
    default: return "'octets' and 'between' go with conditions on octets"
    }
  }
}

/// Turns what identifies a machine into a number that only the holder of the key can make: SipHash-2-4 under 128 bits that never leave
/// the sinkhole. The family is hashed, too, so that equal words of two families are not taken for one machine.
public struct IdentityKey: Sendable {
  public static let octets = 16
  private let key: (UInt64, UInt64)

  /// - Throws: `ConfigurationError` unless there are 16 octets.
  public init(_ octets: [UInt8]) throws(ConfigurationError) {
    guard octets.count == Self.octets else {
      throw ConfigurationError("the key of identities has \(Self.octets) octets, not \(octets.count)")
    }
    func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    key = (word(octets[..<8]), word(octets[8...]))
  }

  /// Never 0, which stands for none.
  func hash(_ value: [UInt8], family: String) -> UInt64 {
    var message = Array(family.utf8)
    message.append(0)
    message += value
    return max(1, message.withUnsafeBytes { SipHash.hash($0, key: key) })
  }
}
