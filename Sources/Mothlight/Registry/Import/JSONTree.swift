/// A JSON value (RFC 8259) that knows the line on which an object began.
public indirect enum JSONTree: Sendable {
  case null
  case flag(Bool)
  /// As written.
  case number(String)
  case text(String)
  case array([JSONTree])
  case object(Members)

  public struct Members: Sendable {
    public var line: Int
    public var all: [(name: String, value: JSONTree)]

    /// The first of that name.
    /// - Complexity: O(members).
    public subscript(name: String) -> JSONTree? { all.first { $0.name == name }?.value }
  }

  public subscript(name: String) -> JSONTree? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  public var members: Members? { if case .object(let members) = self { members } else { nil } }
  public var array: [JSONTree]? { if case .array(let items) = self { items } else { nil } }
  public var string: String? { if case .text(let text) = self { text } else { nil } }

  public var double: Double? {
    guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// Text of a scalar; flags as `true` and `false`, lists of scalars with commas between.
  public var scalarText: String? {
    switch self {
    case .null, .object: nil
    case .flag(let flag): flag ? "true" : "false"
    case .number(let text), .text(let text): text
    case .array(let items): items.compactMap(\.scalarText).joined(separator: ",")
    }
  }
}

/// Where and how a text is damaged.
public struct TextDamage: Sendable, Hashable {
  public var line: Int
  public var what: String
}

/// Reads a JSON text. Of a damaged one, what stands before the damage is kept: whole elements of the outermost containers.
struct JSONTreeParser {
  private enum Bound {
    static let depth = 32
    /// Values of one file: a full export of a feed has some 10 M; each takes about 50 octets.
    static let values = 16_000_000
  }

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var values = 0
  private(set) var damage: TextDamage?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func parse(_ bytes: [UInt8]) -> (tree: JSONTree?, damage: TextDamage?) {
    var parser = JSONTreeParser(bytes)
    let tree = parser.value(depth: 0)
    if parser.damage == nil {
      parser.skipSpace()
      if parser.at < bytes.count { parser.fail("something follows the end of the JSON text") }
    }
    return (tree, parser.damage)
  }

  private mutating func fail(_ what: String) {
    if damage == nil { damage = TextDamage(line: line, what: what) }
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x0a:
        line += 1
        at += 1
      case 0x20, 0x09, 0x0d: at += 1
      default: return
      }
    }
  }

  private mutating func value(depth: Int) -> JSONTree? {
    skipSpace()
    values += 1
    guard depth <= Bound.depth, values <= Bound.values else {
      fail(depth > Bound.depth ? "nested deeper than \(Bound.depth)" : "more than \(Bound.values) values")
      return nil
    }
    guard at < bytes.count else {
      fail("ends in the middle")
      return nil
    }
    switch bytes[at] {
    case 0x7b: return object(depth: depth)
    case 0x5b: return array(depth: depth)
    case 0x22: return string().map { .text($0) }
    case 0x74: return word("true", .flag(true))
    case 0x66: return word("false", .flag(false))
    case 0x6e: return word("null", .null)
    default: return number()
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSONTree) -> JSONTree? {
    let isThere = text.withUTF8Buffer { bytes[at...].starts(with: $0) }
    guard isThere else {
      fail(at + text.utf8CodeUnitCount > bytes.count ? "ends in the middle" : "not JSON")
      return nil
    }
    at += text.utf8CodeUnitCount
    return value
  }

  private mutating func number() -> JSONTree? {
    let start = at
    while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard text.utf8.count <= 64, Double(text) != nil else {
      fail("not JSON")
      return nil
    }
    return .number(text)
  }

  private mutating func array(depth: Int) -> JSONTree? {
    at += 1
    var items: [JSONTree] = []
    skipSpace()
    if at < bytes.count, bytes[at] == 0x5d {
      at += 1
      return .array(items)
    }
    while true {
      let item = value(depth: depth + 1)
      if let item { items.append(item) }
      if damage != nil { return depth <= 1 ? .array(items) : nil }
      skipSpace()
      guard at < bytes.count, bytes[at] == 0x2c || bytes[at] == 0x5d else {
        fail(at < bytes.count ? "a comma or ] is missing" : "ends in the middle")
        return depth <= 1 ? .array(items) : nil
      }
      at += 1
      if bytes[at - 1] == 0x5d { return .array(items) }
    }
  }

  private mutating func object(depth: Int) -> JSONTree? {
    var members = JSONTree.Members(line: line, all: [])
    func kept() -> JSONTree? { depth == 0 ? .object(members) : nil }
    at += 1
    skipSpace()
    if at < bytes.count, bytes[at] == 0x7d {
      at += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard at < bytes.count, bytes[at] == 0x22, let name = string() else {
        fail(at < bytes.count ? "a name in quotes is missing" : "ends in the middle")
        return kept()
      }
      skipSpace()
      guard at < bytes.count, bytes[at] == 0x3a else {
        fail(at < bytes.count ? "a colon is missing" : "ends in the middle")
        return kept()
      }
      at += 1
      if let value = value(depth: depth + 1) { members.all.append((name, value)) }
      if damage != nil { return kept() }
      skipSpace()
      guard at < bytes.count, bytes[at] == 0x2c || bytes[at] == 0x7d else {
        fail(at < bytes.count ? "a comma or } is missing" : "ends in the middle")
        return kept()
      }
      at += 1
      if bytes[at - 1] == 0x7d { return .object(members) }
    }
  }

  /// At a quotation mark; leaves behind the closing one.
  private mutating func string() -> String? {
    at += 1
    let start = at
    while at < bytes.count, bytes[at] != 0x22, bytes[at] != 0x5c, bytes[at] >= 0x20 { at += 1 }
    if at < bytes.count, bytes[at] == 0x22 {
      at += 1
      return String(decoding: bytes[start..<(at - 1)], as: UTF8.self)
    }
    var text = Array(bytes[start..<at])
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case 0x22: return String(decoding: text, as: UTF8.self)
      case 0x5c:
        guard escape(into: &text) else { return nil }
      case 0x20...0xff: text.append(byte)
      default:
        fail("a control character inside quotes")
        return nil
      }
    }
    fail("ends in the middle")
    return nil
  }

  private mutating func escape(into text: inout [UInt8]) -> Bool {
    guard at < bytes.count else {
      fail("ends in the middle")
      return false
    }
    let mark = bytes[at]
    at += 1
    let plain: [UInt8: UInt8] = [
      0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09,
    ]
    if let byte = plain[mark] {
      text.append(byte)
      return true
    }
    guard mark == 0x75, let unit = hexUnit() else {
      fail("an unknown escape")
      return false
    }
    var units = [unit]
    if UTF16.isLeadSurrogate(unit), at + 1 < bytes.count, bytes[at] == 0x5c, bytes[at + 1] == 0x75 {
      at += 2
      guard let second = hexUnit() else {
        fail("an unknown escape")
        return false
      }
      units.append(second)
    }
    // A lone surrogate becomes U+FFFD.
    text += Array(String(decoding: units, as: UTF16.self).utf8)
    return true
  }

  private mutating func hexUnit() -> UInt16? {
    guard at + 4 <= bytes.count, let unit = UInt16(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16)
    else {
      return nil
    }
    at += 4
    return unit
  }
}
