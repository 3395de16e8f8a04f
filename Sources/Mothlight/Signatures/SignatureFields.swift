/// A map of the signature file whose keys are taken one by one; what nobody took is an error.
struct SignatureFields {
  typealias Problem = YAMLNode.Problem

  let line: Int
  private let what: String
  private let entries: [YAMLNode.Entry]
  /// Every key asked for, present or not: what the language knows at this place.
  private var known: [String] = []

  init(_ node: YAMLNode, _ what: String) throws(Problem) {
    guard case .map(let entries) = node.value else { throw Problem(node.line, "\(what) is not a map of keys") }
    line = node.line
    self.what = what
    self.entries = entries
  }

  mutating func take(_ key: String) -> YAMLNode? {
    known.append(key)
    return entries.first { $0.key == key }?.node
  }

  func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

  var keys: [String] { entries.map(\.key) }

  /// Call last: a key that nobody took is a typing error, or something that the language cannot say.
  func finish() throws(Problem) {
    if let stranger = entries.first(where: { !known.contains($0.key) }) {
      throw Problem(
        stranger.line, "\(what) knows no key '\(stranger.key)'; it knows: \(known.sorted().joined(separator: ", "))")
    }
  }

  func missing(_ key: String) -> Problem { Problem(line, "\(what) lacks '\(key)'") }

  mutating func required(_ key: String) throws(Problem) -> YAMLNode {
    guard let node = take(key) else { throw missing(key) }
    return node
  }

  // MARK: Values

  mutating func text(_ key: String, most: Int = 400) throws(Problem) -> String? {
    guard let node = take(key) else { return nil }
    return try Self.text(node, key, most: most)
  }

  /// Text that is shown to people: one line without control characters.
  static func text(_ node: YAMLNode, _ key: String, most: Int = 400) throws(Problem) -> String {
    guard case .text(let text) = node.value, !text.isEmpty else { throw Problem(node.line, "'\(key)' is not a text") }
    guard text.utf8.count <= most else { throw Problem(node.line, "'\(key)' is longer than \(most) octets") }
    guard WireText.printable(text) == text else { throw Problem(node.line, "'\(key)' holds control characters") }
    return text
  }

  mutating func texts(_ key: String, most: Int = 64) throws(Problem) -> [String] {
    guard let node = take(key) else { return [] }
    return try Self.list(node, key, most: most).map { item throws(Problem) in try Self.text(item, key) }
  }

  static func list(_ node: YAMLNode, _ key: String, most: Int) throws(Problem) -> [YAMLNode] {
    guard case .list(let items) = node.value else { throw Problem(node.line, "'\(key)' is not a list") }
    guard !items.isEmpty else { throw Problem(node.line, "'\(key)' is empty; leave it out") }
    guard items.count <= most else { throw Problem(node.line, "'\(key)' has more than \(most) items") }
    return items
  }

  /// One word of a fixed choice.
  mutating func word<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) throws(Problem) -> Choice?
  where Choice.RawValue == String {
    guard let node = take(key) else { return nil }
    return try Self.word(node, key)
  }

  static func word<Choice: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ key: String) throws(Problem) -> Choice
  where Choice.RawValue == String {
    guard case .text(let text) = node.value, let choice = Choice(rawValue: text) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(node.line, "'\(key)' is one of: \(words)")
    }
    return choice
  }

  private enum Truth: String, CaseIterable {
    case yes = "true"
    case no = "false"
  }

  mutating func isTrue(_ key: String) throws(Problem) -> Bool { try word(key, Truth.self) == .yes }

  mutating func number(_ key: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let node = take(key) else { return nil }
    return try Self.number(node, key, in: range)
  }

  static func number(_ node: YAMLNode, _ key: String, in range: ClosedRange<Int>) throws(Problem) -> Int {
    guard case .text(let text) = node.value, let number = decimal(text), range.contains(number) else {
      throw Problem(node.line, "'\(key)' is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// `7`, `10-20` or `20-` (to the limit).
  mutating func range(_ key: String, in limit: ClosedRange<Int>) throws(Problem) -> ClosedRange<Int>? {
    guard let node = take(key) else { return nil }
    return try Self.range(node, key, in: limit)
  }

  static func range(_ node: YAMLNode, _ key: String, in limit: ClosedRange<Int>) throws(Problem) -> ClosedRange<Int> {
    let words = "'\(key)' is N, N-M or N- within \(limit.lowerBound) to \(limit.upperBound)"
    guard case .text(let text) = node.value else { throw Problem(node.line, words) }
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let low = decimal(parts[0]), limit.contains(low) else { throw Problem(node.line, words) }
    guard parts.count == 2 else { return low...low }
    let high = parts[1].isEmpty ? limit.upperBound : decimal(parts[1])
    guard let high, high >= low, high <= limit.upperBound else { throw Problem(node.line, words) }
    return low...high
  }

  /// Digits only; no sign, no other base, and nothing that an `Int` cannot hold.
  private static func decimal(_ text: String) -> Int? {
    text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(text) : nil
  }

  /// Octets as `text:` or `hex:` in `fields`.
  mutating func pattern(_ key: String, most: Int) throws(Problem) -> OctetPattern? {
    guard let node = take(key) else { return nil }
    return try Self.pattern(node, key, most: most)
  }

  static func pattern(_ node: YAMLNode, _ key: String, most: Int) throws(Problem) -> OctetPattern {
    var fields = try SignatureFields(node, "'\(key)'")
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
