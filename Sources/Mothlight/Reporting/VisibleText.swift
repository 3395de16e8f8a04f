/// Makes hidden characters of foreign text visible, so that a name from the wire cannot steer a terminal or reorder a page.
public enum VisibleText {
  /// Control, format (bidirectional overrides, zero-width), line and paragraph separators, private and unassigned scalars.
  static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value < 0x20 }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
    default: return false
    }
  }

  /// `\x1b` below U+0100, `\u{202e}` above: ASCII, so escaping twice changes nothing.
  static func append(escapeOf scalar: Unicode.Scalar, to text: inout String) {
    let hex = String(scalar.value, radix: 16)
    if scalar.value < 0x100 {
      text += hex.utf8.count < 2 ? "\\x0" : "\\x"
      text += hex
    } else {
      text += "\\u{"
      text += hex
      text += "}"
    }
  }

  /// `text` with hidden characters written out.
  /// - Complexity: O(length); no allocation when all of it is printable ASCII.
  public static func escaped(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var out = ""
    out.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if isHidden(scalar) { append(escapeOf: scalar, to: &out) } else { out.unicodeScalars.append(scalar) }
    }
    return out
  }

  /// Columns that `text` takes on a terminal: East Asian wide scalars (UAX #11) count two, combining marks none.
  static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 &+ width($1) }
  }

  static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: break
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }

  /// The longest beginning of `text` that fits `columns`, with `…` when something was left out.
  package static func clipped(_ text: String, to columns: Int) -> String {
    guard width(text) > columns else { return text }
    guard columns > 0 else { return "" }
    var out = ""
    var used = 0
    for scalar in text.unicodeScalars {
      let w = width(scalar)
      if used &+ w > columns &- 1 { break }
      used &+= w
      out.unicodeScalars.append(scalar)
    }
    return out + "…"
  }
}
