/// HTML or SVG text in which every interpolated `String` is escaped, so that no name from the wire can become markup.
///
/// Only literals of this file's callers, numbers and other `Markup` go in as they are.
package struct Markup: ExpressibleByStringInterpolation, Sendable {
  package private(set) var text: String

  package init(stringLiteral value: String) { text = value }
  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate(set) var text = ""
    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount * 16)
    }
    package mutating func appendLiteral(_ literal: String) { text += literal }
    package mutating func appendInterpolation(_ value: String) { Markup.escape(value, into: &text) }
    package mutating func appendInterpolation(_ value: Markup) { text += value.text }
    package mutating func appendInterpolation(_ value: Int) { text += String(value) }
    package mutating func appendInterpolation(_ value: IPAddress) { text += value.description }
    /// A drawing coordinate with at most one decimal.
    package mutating func appendInterpolation(px value: Double) { text += Markup.coordinate(value) }
  }

  package static func += (a: inout Markup, b: Markup) { a.text += b.text }

  package mutating func drain() -> String {
    defer { text = "" }
    return text
  }

  /// Escapes for element content and quoted attributes alike; hidden characters are written out.
  package static func escape(_ value: String, into out: inout String) {
    let plain = value.utf8.allSatisfy {
      $0 >= 0x20 && $0 < 0x7f && $0 != 0x26 && $0 != 0x3c && $0 != 0x3e && $0 != 0x22 && $0 != 0x27
    }
    if plain {
      out += value
      return
    }
    for scalar in value.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default:
        if VisibleText.isHidden(scalar) {
          VisibleText.append(escapeOf: scalar, to: &out)
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
  }

  package static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let tenths = Int((max(-1e6, min(1e6, value)) * 10).rounded())
    let whole = "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10)"
    return tenths % 10 == 0 ? whole : whole + ".\(abs(tenths) % 10)"
  }
}
