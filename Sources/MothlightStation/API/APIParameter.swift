import Mothlight

/// What one part of a path or query may be: checked before a handler runs, and told in the OpenAPI document.
struct APIParameter: Sendable {
  enum Kind: Sendable {
    case address, prefix, day, cursor, flag
    case integer(ClosedRange<Int>)
    case word([String])
    /// Text without control characters, up to so many octets.
    case text(Int)
    /// 32 hexadecimal digits.
    case findingID
  }
  enum Place: String, Sendable { case path, query }

  var name: String
  var place: Place
  var kind: Kind
  var meaning: String
  var isRequired: Bool

  static func path(_ name: String, _ kind: Kind, _ meaning: String) -> APIParameter {
    APIParameter(name: name, place: .path, kind: kind, meaning: meaning, isRequired: true)
  }
  static func query(_ name: String, _ kind: Kind, _ meaning: String, isRequired: Bool = false) -> APIParameter {
    APIParameter(name: name, place: .query, kind: kind, meaning: meaning, isRequired: isRequired)
  }

  /// Rows of one page.
  static let limitDefault = 100
  static let limitMost = 1000
  static let paging = [
    query(
      "limit", .integer(1...limitMost),
      "Rows of a page, \(limitDefault) when absent; of a stream, all rows when absent."),
    query("cursor", .cursor, "Where the page before ended; taken from `next`."),
  ]
  static let days = [
    query("from", .day, "First UTC day."), query("to", .day, "Last UTC day, inclusive."),
  ]
}

extension APIParameter.Kind {
  static let cursorOctetsMost = 512

  /// Whether `text` is one of these.
  func admits(_ text: String) -> Bool {
    switch self {
    case .address: !text.contains("%") && HostName.address(text) != nil
    case .prefix: !text.contains("%") && HostName.prefix(text, isVeiled: false) != nil
    case .day: text.utf8.count == 10 && CivilDay.parse(text) != nil
    case .flag: text == "true" || text == "false"
    case .integer(let range): Self.integer(text).map(range.contains) ?? false
    case .word(let words): words.contains(text)
    case .text(let octets):
      (1...octets).contains(text.utf8.count)
        && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    case .cursor:
      (1...Self.cursorOctetsMost).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    case .findingID:
      text.utf8.count == 32 && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }
  }

  /// Digits only, as they would be written.
  static func integer(_ text: String) -> Int? {
    guard let number = Int(text), String(number) == text else { return nil }
    return number
  }

  /// What is expected, for the one who sent something else.
  var expectation: String {
    switch self {
    case .address: "an IP address, or a pseudonym such as host-7F3K2QXD"
    case .prefix: "an IP address or prefix, e.g. 192.0.2.0/24"
    case .day: "a day, YYYY-MM-DD"
    case .flag: "true or false"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .word(let words): "one of \(words.joined(separator: ", "))"
    case .text(let octets): "text of 1 to \(octets) octets without control characters"
    case .cursor: "the cursor of a page before"
    case .findingID: "32 hexadecimal digits"
    }
  }

  var schema: APISchema {
    switch self {
    case .address: .address
    case .prefix: .either([.address, .text(format: nil, pattern: "^[0-9A-Fa-f.:]{2,45}/[0-9]{1,3}$")])
    case .day: .text(format: "date", pattern: nil)
    case .flag: .boolean
    case .integer(let range): .bounded(range)
    case .word(let words): .word(words)
    case .text: .text(format: nil, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$")
    case .cursor: .text(format: nil, pattern: "^[!-~]+$")
    case .findingID: .text(format: nil, pattern: "^[0-9a-f]{32}$")
    }
  }
}
