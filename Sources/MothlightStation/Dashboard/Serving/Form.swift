import Hummingbird
import NIOCore

/// Fields of a form or of a query (application/x-www-form-urlencoded, WHATWG URL section 5.1).
public struct Form: Sendable, Hashable {
  /// Fields read of one form; further ones are not looked at.
  static let fieldsMost = 64
  private var fields: [(name: String, value: String)] = []

  public init() {}

  public init(_ text: some StringProtocol) {
    for part in text.utf8.split(separator: UInt8(ascii: "&")).prefix(Self.fieldsMost) {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      fields.append((Self.decoded(sides[0]), sides.count > 1 ? Self.decoded(sides[1]) : ""))
    }
  }

  /// The first value of that name, without blanks around it; `nil` when there is none or it is empty.
  public subscript(_ name: String) -> String? {
    guard let value = fields.first(where: { $0.name == name })?.value else { return nil }
    let trimmed = value.drop { $0.isWhitespace }
    guard let end = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
    return String(trimmed[...end])
  }

  /// The first value of that name as it was typed: blanks are part of a password.
  public func raw(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  public var names: [String] { fields.map(\.name) }

  public static func == (a: Form, b: Form) -> Bool { a.fields.elementsEqual(b.fields) { $0 == $1 } }
  public func hash(into hasher: inout Hasher) {
    for field in fields {
      hasher.combine(field.name)
      hasher.combine(field.value)
    }
  }

  /// `+` is a blank, `%41` an octet; what is no UTF-8 becomes U+FFFD.
  private static func decoded(_ octets: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    var high: UInt8?
    var isEscape = false
    for octet in octets {
      if isEscape {
        guard let digit = hexDigit(octet) else {
          out += [UInt8(ascii: "%")] + (high.map { [$0] } ?? []) + [octet]
          (isEscape, high) = (false, nil)
          continue
        }
        if let first = high.flatMap(hexDigit) {
          out.append(first << 4 | digit)
          (isEscape, high) = (false, nil)
        } else {
          high = octet
        }
      } else if octet == UInt8(ascii: "%") {
        isEscape = true
      } else {
        out.append(octet == UInt8(ascii: "+") ? 0x20 : octet)
      }
    }
    if isEscape { out += [UInt8(ascii: "%")] + (high.map { [$0] } ?? []) }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hexDigit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case 0x30...0x39: octet - 0x30
    case 0x41...0x46: octet - 0x37
    case 0x61...0x66: octet - 0x57
    default: nil
    }
  }

  /// A part of a path as it was meant.
  static func decodedPath(_ text: some StringProtocol) -> String {
    decoded(text.utf8.lazy.flatMap { $0 == UInt8(ascii: "+") ? Array("%2B".utf8) : [$0] })
  }

  /// Text as a part of a path or query (RFC 3986 section 2.1): unreserved characters stay.
  public static func encoded(_ text: String) -> String {
    var out: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for octet in text.utf8 {
      switch octet {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.append(octet)
      default: out += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
