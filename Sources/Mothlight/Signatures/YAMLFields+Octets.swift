extension YAMLFields {
  /// Octets as `text:` or `hex:` in `fields`.
  mutating func pattern(_ key: String, most: Int) throws(Problem) -> OctetPattern? {
    guard let node = take(key) else { return nil }
    return try Self.pattern(node, key, most: most)
  }

  static func pattern(_ node: YAMLNode, _ key: String, most: Int) throws(Problem) -> OctetPattern {
    var fields = try YAMLFields(node, "'\(key)'")
    let pattern = try fields.octets(most: most)
    try fields.finish()
    return pattern
  }

  /// The keys `text` or `hex` of this map, one of them.
  mutating func octets(most: Int) throws(Problem) -> OctetPattern {
    let text = take("text")
    let hex = take("hex")
    let pattern: OctetPattern
    switch (text?.value, hex?.value) {
    case (.text(let text), nil): pattern = OctetPattern(Array(text.utf8))
    case (nil, .text(let digits)):
      guard let octets = OctetPattern(hex: digits) else {
        throw Problem(line, "'hex' holds something else than pairs of hexadecimal digits and ??")
      }
      pattern = octets
    default: throw Problem(line, "\(what) needs one of 'text' and 'hex'")
    }
    guard pattern.count > 0, pattern.count <= most else {
      throw Problem(line, "\(what) holds no octets or more than \(most)")
    }
    return pattern
  }

  /// The same without holes.
  mutating func plainOctets(most: Int) throws(Problem) -> [UInt8] {
    let pattern = try octets(most: most)
    guard pattern.fixed == pattern.count else { throw Problem(line, "\(what) takes no ??") }
    return pattern.values
  }
}
