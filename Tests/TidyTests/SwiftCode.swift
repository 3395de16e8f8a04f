/// Blanks comments and string literals out of Swift text, so that rules look at code alone.
///
/// Line ends stay where they are, and so does code inside `\(…)`. Handles nested block comments, raw and multi-line strings.
/// Regex literals are not known to it; the project has none.
struct SwiftCode {
  private enum Mode {
    /// Code; the count is of open parentheses when it stands inside an interpolation.
    case code(open: Int?)
    case lineComment
    case blockComment(depth: Int)
    case string(hashes: Int, isMultiline: Bool)
  }

  private let bytes: [UInt8]
  private var out: [UInt8] = []
  private var i = 0
  private var modes: [Mode] = [.code(open: nil)]

  private init(_ text: String) {
    bytes = Array(text.utf8)
    out.reserveCapacity(bytes.count)
  }

  static func only(_ text: String) -> String {
    var code = SwiftCode(text)
    while code.i < code.bytes.count { code.step() }
    return String(decoding: code.out, as: UTF8.self)
  }

  private mutating func step() {
    switch modes[modes.count - 1] {
    case .code(let open): stepCode(open)
    case .lineComment:
      if bytes[i] == UInt8(ascii: "\n") { modes.removeLast() }
      blank(1)
    case .blockComment(let depth):
      if starts("*/") {
        modes.removeLast()
        if depth > 1 { modes.append(.blockComment(depth: depth - 1)) }
        blank(2)
      } else if starts("/*") {
        modes[modes.count - 1] = .blockComment(depth: depth + 1)
        blank(2)
      } else {
        blank(1)
      }
    case .string(let hashes, let isMultiline): stepString(hashes, isMultiline)
    }
  }

  private mutating func stepCode(_ open: Int?) {
    if starts("//") {
      modes.append(.lineComment)
      return blank(2)
    }
    if starts("/*") {
      modes.append(.blockComment(depth: 1))
      return blank(2)
    }
    if let hashes = hashesBeforeQuote() {
      i += hashes
      out += [UInt8](repeating: 0x20, count: hashes)
      let isMultiline = starts("\"\"\"")
      modes.append(.string(hashes: hashes, isMultiline: isMultiline))
      return blank(isMultiline ? 3 : 1)
    }
    if let open {
      if bytes[i] == UInt8(ascii: "(") { modes[modes.count - 1] = .code(open: open + 1) }
      if bytes[i] == UInt8(ascii: ")") {
        guard open > 1 else {
          modes.removeLast()
          return blank(1)
        }
        modes[modes.count - 1] = .code(open: open - 1)
      }
    }
    out.append(bytes[i])
    i += 1
  }

  private mutating func stepString(_ hashes: Int, _ isMultiline: Bool) {
    let marks = String(repeating: "#", count: hashes)
    if starts("\\" + marks + "(") {
      modes.append(.code(open: 1))
      blank(2 + hashes)
    } else if starts("\\" + marks) {
      blank(2 + hashes)
    } else if starts((isMultiline ? "\"\"\"" : "\"") + marks) {
      modes.removeLast()
      blank((isMultiline ? 3 : 1) + hashes)
    } else {
      // A string that its line does not end is damage; go on as code rather than swallow the file.
      if bytes[i] == UInt8(ascii: "\n"), !isMultiline { modes.removeLast() }
      blank(1)
    }
  }

  /// Number of `#` before a quotation mark that begins a literal here; `nil` when none begins.
  private func hashesBeforeQuote() -> Int? {
    var j = i
    while j < bytes.count, bytes[j] == UInt8(ascii: "#") { j += 1 }
    return j < bytes.count && bytes[j] == UInt8(ascii: "\"") ? j - i : nil
  }

  private func starts(_ text: String) -> Bool { bytes[i...].starts(with: text.utf8) }

  private mutating func blank(_ count: Int) {
    for _ in 0..<count where i < bytes.count {
      out.append(bytes[i] == UInt8(ascii: "\n") ? bytes[i] : 0x20)
      i += 1
    }
  }
}
