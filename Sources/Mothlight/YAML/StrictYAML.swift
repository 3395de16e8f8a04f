/// Reads the plain part of YAML 1.2: maps, lists and one-line scalars. Anchors, aliases, tags, directives, several
/// documents and scalars over several lines are refused.
///
/// The library needs line numbers for every error, bounds on every loop and no alias to expand, in about a millisecond at
/// start; that is less than a general parser gives, so the language is made smaller. What is accepted means the same to
/// any YAML parser.
package struct StrictYAML {
  package enum Bound {
    /// Octets of a file: a signature with its tests takes about 600.
    package static let octets = 1 << 20
    /// Nested maps and lists: the signature language needs five.
    static let depth = 12
    /// Keys of one map: every key is compared with those before it.
    static let keys = 128
    /// Values of one list.
    static let items = 4096
    /// Octets of a scalar.
    static let scalar = 4096
  }

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0

  /// The whole of `bytes` as one value.
  package static func read(_ bytes: [UInt8]) throws(YAMLNode.Problem) -> YAMLNode {
    guard bytes.count <= Bound.octets else { throw .init(1, "larger than \(Bound.octets) octets") }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .init(1, "is not UTF-8") }
    var reader = StrictYAML(bytes: bytes)
    try reader.skipBlank()
    reader.skipDocumentMark()
    try reader.skipBlank()
    guard reader.at < bytes.count else { throw .init(1, "is empty") }
    let node = try reader.block(column: 0, depth: 0)
    try reader.skipBlank()
    guard reader.at == bytes.count else { throw reader.problem("this line fits no map or list above it") }
    return node
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func problem(_ message: String) -> YAMLNode.Problem { .init(line, message) }

  private var here: UInt8? { at < bytes.count ? bytes[at] : nil }
  private func peek(_ distance: Int) -> UInt8? { at &+ distance < bytes.count ? bytes[at &+ distance] : nil }
  private var column: Int { at &- lineStart }

  private var isLineEnd: Bool { here == nil || here == 0x0a || (here == 0x0d && peek(1) == 0x0a) }

  private static func endsWord(_ byte: UInt8?) -> Bool {
    byte == nil || byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private mutating func nextLine() {
    while let byte = here, byte != 0x0a { at &+= 1 }
    if here != nil {
      at &+= 1
      line &+= 1
      lineStart = at
    }
  }

  private mutating func skipSpaces() throws(YAMLNode.Problem) {
    while here == 0x20 { at &+= 1 }
    if here == 0x09 { throw problem("a tab; use spaces") }
  }

  /// To the next content, over spaces, remarks and empty lines.
  private mutating func skipBlank() throws(YAMLNode.Problem) {
    while at < bytes.count {
      try skipSpaces()
      if isLineEnd || (here == 0x23 && isAfterSpace) {
        guard at < bytes.count else { return }
        nextLine()
      } else {
        return
      }
    }
  }

  private var isAfterSpace: Bool { at == lineStart || bytes[at &- 1] == 0x20 }

  private mutating func skipDocumentMark() {
    if line == 1 || column == 0, here == 0x2d, peek(1) == 0x2d, peek(2) == 0x2d, Self.endsWord(peek(3)) { at &+= 3 }
  }

  /// After a value: nothing but a remark may follow on the line.
  private mutating func endLine() throws(YAMLNode.Problem) {
    try skipSpaces()
    guard isLineEnd || (here == 0x23 && isAfterSpace) else { throw problem("unexpected text after a value") }
    nextLine()
  }
}

extension StrictYAML {
  private var isDash: Bool { here == 0x2d && Self.endsWord(peek(1)) }

  /// A map, a list or a value whose first octet is here.
  private mutating func block(column least: Int, depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
    guard depth < Bound.depth else { throw problem("nested deeper than \(Bound.depth)") }
    guard column >= least else { throw problem("not indented enough") }
    if isDash { return try list(column, depth) }
    if hasKey { return try map(column, depth) }
    let node = try inline(depth)
    try endLine()
    return node
  }

  private mutating func list(_ column: Int, _ depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
    let start = line
    var items: [YAMLNode] = []
    while at < bytes.count, self.column == column, isDash {
      guard items.count < Bound.items else { throw problem("more than \(Bound.items) items in a list") }
      at &+= 1
      try skipSpaces()
      let own = line
      try skipBlank()
      if line == own || self.column > column {
        items.append(try block(column: column &+ 1, depth: depth &+ 1))
      } else {
        items.append(YAMLNode(line: own, value: .nothing))
      }
      try skipBlank()
    }
    if at < bytes.count, self.column > column { throw problem("indented differently from its list") }
    return YAMLNode(line: start, value: .list(items))
  }

  private mutating func map(_ column: Int, _ depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
    let start = line
    var entries: [YAMLNode.Entry] = []
    while at < bytes.count, self.column == column, !isDash {
      let own = line
      let key = try self.key(entries)
      try skipSpaces()
      try skipBlank()
      let node: YAMLNode
      if at < bytes.count, line == own {
        node = try inline(depth &+ 1)
        try endLine()
      } else if at < bytes.count, self.column > column || (self.column == column && isDash) {
        node = try block(column: column, depth: depth &+ 1)
      } else {
        node = YAMLNode(line: own, value: .nothing)
      }
      entries.append(.init(key: key, line: own, node: node))
      try skipBlank()
    }
    if at < bytes.count, self.column > column { throw problem("indented differently from the keys above it") }
    return YAMLNode(line: start, value: .map(entries))
  }

  /// Whether this line goes on with `key:`.
  private var hasKey: Bool {
    var i = at
    if let quote = here, quote == 0x22 || quote == 0x27 {
      i &+= 1
      while i < bytes.count, bytes[i] != quote, bytes[i] != 0x0a { i &+= bytes[i] == 0x5c && quote == 0x22 ? 2 : 1 }
      i &+= 1
      return i < bytes.count && bytes[i] == 0x3a && Self.endsWord(i &+ 1 < bytes.count ? bytes[i &+ 1] : nil)
    }
    if here == 0x5b || here == 0x7b { return false }
    while i < bytes.count, bytes[i] != 0x0a {
      if bytes[i] == 0x3a, Self.endsWord(i &+ 1 < bytes.count ? bytes[i &+ 1] : nil) { return true }
      if bytes[i] == 0x23, i > at, bytes[i &- 1] == 0x20 { return false }
      i &+= 1
    }
    return false
  }

  private mutating func key(_ before: [YAMLNode.Entry]) throws(YAMLNode.Problem) -> String {
    guard before.count < Bound.keys else { throw problem("more than \(Bound.keys) keys in a map") }
    let key: String
    if here == 0x22 || here == 0x27 {
      key = try quoted()
    } else {
      let start = at
      while let byte = here, byte != 0x3a {
        guard Self.isKeyOctet(byte) else { throw problem("a key has letters, digits, '.', '_', '-' and then ': '") }
        at &+= 1
      }
      key = String(decoding: bytes[start..<at], as: UTF8.self)
    }
    guard let first = key.utf8.first, first != 0x2d, first != 0x2a, here == 0x3a else {
      throw problem("no key with ': ' after it")
    }
    at &+= 1
    guard Self.endsWord(here) else { throw problem("no space after '\(key):'") }
    if before.contains(where: { $0.key == key }) { throw problem("'\(key)' is given twice") }
    return key
  }

  private static func isKeyOctet(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x2a
  }
}

extension StrictYAML {
  /// A value that begins in the middle of a line.
  private mutating func inline(_ depth: Int, inFlow: Bool = false) throws(YAMLNode.Problem) -> YAMLNode {
    guard depth < Bound.depth else { throw problem("nested deeper than \(Bound.depth)") }
    let start = line
    switch here {
    case 0x5b: return try flowList(depth)
    case 0x7b: return try flowMap(depth)
    case 0x22, 0x27: return YAMLNode(line: start, value: .text(try quoted()))
    case 0x26: throw problem("'&' begins an anchor, which is not allowed here; quote the text")
    case 0x2a: throw problem("'*' begins an alias, which is not allowed here; quote the text")
    case 0x21: throw problem("'!' begins a tag, which is not allowed here; quote the text")
    case 0x7c, 0x3e: throw problem("text over several lines is not allowed here")
    case 0x25, 0x40, 0x60, 0x2c, 0x5d, 0x7d: throw problem("a value cannot begin like this; quote the text")
    case 0x2d where Self.endsWord(peek(1)), 0x3f where Self.endsWord(peek(1)):
      throw problem("a value cannot begin like this; quote the text")
    default: return YAMLNode(line: start, value: .text(try plain(inFlow: inFlow)))
    }
  }

  private mutating func plain(inFlow: Bool) throws(YAMLNode.Problem) -> String {
    let start = at
    while let byte = here, byte != 0x0a {
      if byte == 0x0d, peek(1) == 0x0a { break }
      if byte == 0x23, at > start, bytes[at &- 1] == 0x20 { break }
      // Older parsers end a word of a flow here.
      if inFlow, byte == 0x3f { throw problem("'?' inside [ ] or { }; quote the text") }
      if inFlow, byte == 0x2c || byte == 0x5d || byte == 0x7d || byte == 0x5b || byte == 0x7b { break }
      if byte == 0x3a, Self.endsWord(peek(1)) { throw problem("': ' inside a value; quote the text") }
      if byte < 0x20 || byte == 0x7f { throw problem("a control character; write it as an escape in double quotes") }
      at &+= 1
    }
    var end = at
    while end > start, bytes[end &- 1] == 0x20 { end &-= 1 }
    return try text(Array(bytes[start..<end]))
  }

  private func text(_ octets: [UInt8]) throws(YAMLNode.Problem) -> String {
    guard octets.count <= Bound.scalar else { throw problem("a value of more than \(Bound.scalar) octets") }
    guard let text = String(validating: octets, as: UTF8.self) else { throw problem("a value that is not UTF-8") }
    return text
  }

  private mutating func quoted() throws(YAMLNode.Problem) -> String {
    let quote = bytes[at]
    at &+= 1
    var octets: [UInt8] = []
    while let byte = here, byte != 0x0a {
      at &+= 1
      if byte == quote {
        guard quote == 0x27, here == 0x27 else { return try text(octets) }
        at &+= 1
        octets.append(0x27)
      } else if byte == 0x5c, quote == 0x22 {
        octets += try escape()
      } else if byte < 0x20 || byte == 0x7f {
        throw problem("a control character; write it as an escape in double quotes")
      } else {
        octets.append(byte)
      }
    }
    throw problem("a quote that does not end on its line")
  }

  private mutating func escape() throws(YAMLNode.Problem) -> [UInt8] {
    guard let byte = here else { throw problem("a quote that does not end on its line") }
    at &+= 1
    switch byte {
    case 0x22, 0x2f, 0x5c: return [byte]
    case 0x30: return [0]
    case 0x6e: return [0x0a]
    case 0x72: return [0x0d]
    case 0x74: return [0x09]
    case 0x78:
      guard let high = here.flatMap(hexDigit), let low = peek(1).flatMap(hexDigit) else {
        throw problem("'\\x' needs two hexadecimal digits")
      }
      at &+= 2
      // \xHH is a code point in YAML; beyond 7f it would not be one octet.
      guard high < 8 else { throw problem("'\\x' beyond 7f; write octets as hex") }
      return [high << 4 | low]
    default: throw problem("unknown escape; there are \\\" \\\\ \\/ \\0 \\n \\r \\t \\xHH")
    }
  }

  private mutating func flowList(_ depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
    let start = line
    at &+= 1
    var items: [YAMLNode] = []
    while true {
      try skipBlank()
      if here == 0x5d { break }
      guard items.count < Bound.items else { throw problem("more than \(Bound.items) items in a list") }
      items.append(try inline(depth &+ 1, inFlow: true))
      guard try comma(orEnd: 0x5d, of: "list", start) else { break }
    }
    at &+= 1
    return YAMLNode(line: start, value: .list(items))
  }

  private mutating func flowMap(_ depth: Int) throws(YAMLNode.Problem) -> YAMLNode {
    let start = line
    at &+= 1
    var entries: [YAMLNode.Entry] = []
    while true {
      try skipBlank()
      if here == 0x7d { break }
      let own = line
      let key = try self.key(entries)
      try skipBlank()
      let isEmpty = here == 0x2c || here == 0x7d
      let node = isEmpty ? YAMLNode(line: own, value: .nothing) : try inline(depth &+ 1, inFlow: true)
      entries.append(.init(key: key, line: own, node: node))
      guard try comma(orEnd: 0x7d, of: "map", start) else { break }
    }
    at &+= 1
    return YAMLNode(line: start, value: .map(entries))
  }

  /// Steps over a comma; `false` at the end mark, which stays.
  private mutating func comma(orEnd end: UInt8, of what: String, _ start: Int) throws(YAMLNode.Problem) -> Bool {
    try skipBlank()
    if here == end { return false }
    guard here == 0x2c else { throw problem("a \(what) from line \(start) that does not end, or no ',' in it") }
    at &+= 1
    return true
  }
}
