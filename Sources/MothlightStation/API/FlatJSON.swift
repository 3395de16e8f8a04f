/// A JSON object (RFC 8259) of strings only: all that a change needs to say.
///
/// Nothing can nest, so nothing can be deep; a name stands once, so no two readers can differ about it; and the text is bounded
/// by the server before it comes here.
struct FlatJSON: Sendable, Equatable {
  struct Problem: Error, Equatable { let message: String }

  private(set) var fields: [String: String] = [:]

  subscript(_ name: String) -> String? { fields[name] }

  /// - Throws: `Problem` with what is wrong, without quoting what was sent.
  init(_ octets: some Collection<UInt8>) throws(Problem) {
    guard let text = String(validating: octets, as: UTF8.self) else { throw Problem(message: "the body is not UTF-8") }
    var reading = Reading(Array(text.unicodeScalars))
    try reading.object(into: &fields)
  }

  private struct Reading {
    private let scalars: [Unicode.Scalar]
    private var at = 0

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func skipBlanks() {
      while let scalar = next, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" { at += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar, _ name: String) throws(Problem) {
      skipBlanks()
      guard next == scalar else { throw Problem(message: "the body is no JSON object of strings: \(name) is missing") }
      at += 1
    }

    mutating func object(into fields: inout [String: String]) throws(Problem) {
      try take("{", "its beginning {")
      skipBlanks()
      if next == "}" {
        at += 1
      } else {
        while true {
          let name = try string()
          try take(":", "a colon after a name")
          guard fields.updateValue(try string(), forKey: name) == nil else {
            throw Problem(message: "a name stands twice in the body")
          }
          skipBlanks()
          guard next == "," else { break }
          at += 1
        }
        try take("}", "its end }")
      }
      skipBlanks()
      guard next == nil else { throw Problem(message: "something follows the JSON object") }
    }

    private mutating func string() throws(Problem) -> String {
      try take("\"", "a string in quotes")
      var text = String.UnicodeScalarView()
      while let scalar = next {
        at += 1
        switch scalar {
        case "\"": return String(text)
        case "\\": text.append(try escape())
        case _ where scalar.value < 0x20: throw Problem(message: "a control character stands unescaped in a string")
        default: text.append(scalar)
        }
      }
      throw Problem(message: "a string has no end")
    }

    private mutating func escape() throws(Problem) -> Unicode.Scalar {
      let letter = next
      at += 1
      switch letter {
      case "\"": return "\""
      case "\\": return "\\"
      case "/": return "/"
      case "b": return "\u{8}"
      case "f": return "\u{c}"
      case "n": return "\n"
      case "r": return "\r"
      case "t": return "\t"
      case "u": return try unicodeEscape()
      default: throw Problem(message: "a backslash in a string escapes nothing")
      }
    }

    private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
      let broken = Problem(message: "a \\u escape in a string is no character")
      guard let first = unit() else { throw broken }
      guard first & 0xfc00 == 0xd800 else {
        guard let scalar = Unicode.Scalar(first) else { throw broken }
        return scalar
      }
      guard next == "\\" else { throw broken }
      at += 1
      guard next == "u" else { throw broken }
      at += 1
      guard let second = unit(), second & 0xfc00 == 0xdc00,
        let scalar = Unicode.Scalar(0x10000 + (first & 0x3ff) << 10 + (second & 0x3ff))
      else { throw broken }
      return scalar
    }

    private mutating func unit() -> UInt32? {
      guard at + 4 <= scalars.count else { return nil }
      var value: UInt32 = 0
      for scalar in scalars[at..<at + 4] {
        let digit: UInt32
        switch scalar.value {
        case 0x30...0x39: digit = scalar.value - 0x30
        case 0x41...0x46: digit = scalar.value - 0x37
        case 0x61...0x66: digit = scalar.value - 0x57
        default: return nil
        }
        value = value << 4 | digit
      }
      at += 4
      return value
    }
  }
}
