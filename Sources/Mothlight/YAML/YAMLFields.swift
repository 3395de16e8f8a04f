/// A map of a YAML file whose keys are taken one by one; what nobody took is an error.
package struct YAMLFields {
  package typealias Problem = YAMLNode.Problem

  package let line: Int
  let what: String
  private let entries: [YAMLNode.Entry]
  /// Every key asked for, present or not: what the language knows at this place.
  private var known: [String] = []

  package init(_ node: YAMLNode, _ what: String) throws(Problem) {
    guard case .map(let entries) = node.value else { throw Problem(node.line, "\(what) is not a map of keys") }
    line = node.line
    self.what = what
    self.entries = entries
  }

  package mutating func take(_ key: String) -> YAMLNode? {
    known.append(key)
    return entries.first { $0.key == key }?.node
  }

  package func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

  /// Where a key stands; where the map begins when it is absent.
  package func lineOf(_ key: String) -> Int { entries.first { $0.key == key }?.line ?? line }

  package var keys: [String] { entries.map(\.key) }

  /// Call last: a key that nobody took is a typing error, or something that the language cannot say.
  package func finish() throws(Problem) {
    if let stranger = entries.first(where: { !known.contains($0.key) }) {
      throw Problem(
        stranger.line, "\(what) knows no key '\(stranger.key)'; it knows: \(known.sorted().joined(separator: ", "))")
    }
  }

  /// That `key` is lacking, with the line of the key that was probably meant for it.
  package func missing(_ key: String) -> Problem {
    // More than one error would take 'transparent' for 'transport', and a mere beginning 'identity' for 'id'.
    var distance = NameDistance(key)
    let near = entries.first {
      !known.contains($0.key) && abs($0.key.utf8.count - key.utf8.count) <= 1
        && distance.toPrefix(of: $0.key) ?? .max <= 1
    }
    guard let near else { return Problem(line, "\(what) lacks '\(key)'") }
    return Problem(near.line, "\(what) lacks '\(key)'; is '\(near.key)' a typing error for it?")
  }

  package mutating func required(_ key: String) throws(Problem) -> YAMLNode {
    guard let node = take(key) else { throw missing(key) }
    return node
  }

  // MARK: Values

  package mutating func text(_ key: String, most: Int = 400) throws(Problem) -> String? {
    guard let node = take(key) else { return nil }
    return try Self.text(node, key, most: most)
  }

  /// Text that is shown to people: one line without control characters.
  package static func text(_ node: YAMLNode, _ key: String, most: Int = 400) throws(Problem) -> String {
    guard case .text(let text) = node.value, !text.isEmpty else { throw Problem(node.line, "'\(key)' is not a text") }
    guard text.utf8.count <= most else { throw Problem(node.line, "'\(key)' is longer than \(most) octets") }
    guard WireText.printable(text) == text else { throw Problem(node.line, "'\(key)' holds control characters") }
    return text
  }

  package mutating func texts(_ key: String, most: Int = 64) throws(Problem) -> [String] {
    guard let node = take(key) else { return [] }
    return try Self.list(node, key, most: most).map { item throws(Problem) in try Self.text(item, key) }
  }

  package static func list(_ node: YAMLNode, _ key: String, most: Int) throws(Problem) -> [YAMLNode] {
    guard case .list(let items) = node.value else { throw Problem(node.line, "'\(key)' is not a list") }
    guard !items.isEmpty else { throw Problem(node.line, "'\(key)' is empty; leave it out") }
    guard items.count <= most else { throw Problem(node.line, "'\(key)' has more than \(most) items") }
    return items
  }

  /// One word of a fixed choice.
  package mutating func word<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) throws(Problem)
    -> Choice?
  where Choice.RawValue == String {
    guard let node = take(key) else { return nil }
    return try Self.word(node, key)
  }

  package static func word<Choice: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ key: String) throws(Problem)
    -> Choice
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

  package mutating func isTrue(_ key: String) throws(Problem) -> Bool { try word(key, Truth.self) == .yes }

  package mutating func number(_ key: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let node = take(key) else { return nil }
    return try Self.number(node, key, in: range)
  }

  package static func number(_ node: YAMLNode, _ key: String, in range: ClosedRange<Int>) throws(Problem) -> Int {
    guard case .text(let text) = node.value, let number = decimal(text), range.contains(number) else {
      throw Problem(node.line, "'\(key)' is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// `7`, `10-20` or `20-` (to the limit).
  package mutating func range(_ key: String, in limit: ClosedRange<Int>) throws(Problem) -> ClosedRange<Int>? {
    guard let node = take(key) else { return nil }
    return try Self.range(node, key, in: limit)
  }

  package static func range(_ node: YAMLNode, _ key: String, in limit: ClosedRange<Int>) throws(Problem) -> ClosedRange<
    Int
  > {
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
  static func decimal(_ text: String) -> Int? {
    text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(text) : nil
  }
}
