import HTTPTypes
import Mothlight

/// Reads path and query strictly: what a route does not take is refused by name, not passed over.
enum APIQuery {
  static let partsMost = 32

  /// Values by name.
  /// - Throws: `APIProblem` with status 400.
  static func values(
    of route: APIRoute, path: [Substring], query: String?
  ) throws(APIProblem) -> [String: String] {
    var values: [String: String] = [:]
    for (part, text) in zip(route.path.split(separator: "/"), path) where part.hasPrefix("{") {
      let name = String(part.dropFirst().dropLast())
      guard let decoded = decoded(text, plusIsBlank: false) else { throw wrong(name, "is not percent-encoded UTF-8") }
      values[name] = decoded
    }
    try read(query, into: &values, route)
    for parameter in route.parameters {
      guard let value = values[parameter.name] else {
        guard !parameter.isRequired else { throw wrong(parameter.name, "is missing") }
        continue
      }
      guard parameter.kind.admits(value) else {
        // No such thing can be there.
        if parameter.place == .path, case .integer = parameter.kind { throw .missing("number like this") }
        throw wrong(parameter.name, "is not \(parameter.kind.expectation)")
      }
    }
    return values
  }

  private static func read(
    _ query: String?, into values: inout [String: String], _ route: APIRoute
  ) throws(APIProblem) {
    guard let query, !query.isEmpty else { return }
    let known = Set(route.parameters.filter { $0.place == .query }.map(\.name))
    let parts = query.split(separator: "&", omittingEmptySubsequences: false)
    guard parts.count <= partsMost else {
      throw APIProblem(.badRequest, .parameter, "There are more than \(partsMost) query parameters.")
    }
    for part in parts {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = decoded(sides[0], plusIsBlank: true), known.contains(name) else {
        let shown = VisibleText.escaped(String(sides[0].prefix(40)))
        let all =
          known.isEmpty ? "none are" : known.sorted().joined(separator: ", ") + (known.count > 1 ? " are" : " is")
        throw APIProblem(.badRequest, .parameter, "The query parameter '\(shown)' is unknown here; \(all).")
      }
      guard sides.count == 2, let value = decoded(sides[1], plusIsBlank: true) else {
        throw wrong(name, "has no value, or one that is not percent-encoded UTF-8")
      }
      guard values.updateValue(value, forKey: name) == nil else { throw wrong(name, "stands more than once") }
    }
  }

  static func wrong(_ name: String, _ what: String) -> APIProblem {
    APIProblem(.badRequest, .parameter, "'\(name)' \(what).")
  }

  /// `nil` when an escape is broken or the octets are no UTF-8 (RFC 3986 section 2.1).
  static func decoded(_ text: Substring, plusIsBlank: Bool) -> String? {
    var octets: [UInt8] = []
    var rest = text.utf8[...]
    while let octet = rest.popFirst() {
      if octet == 0x25 {
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
        octets.append(high << 4 | low)
      } else {
        octets.append(plusIsBlank && octet == 0x2b ? 0x20 : octet)
      }
    }
    return String(validating: octets, as: UTF8.self)
  }

  private static func digit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case 0x30...0x39: octet - 0x30
    case 0x41...0x46: octet - 0x37
    case 0x61...0x66: octet - 0x57
    default: nil
    }
  }
}
