/// A table that fills up says so.
enum BoundRules {
  /// A bound from which on it is a table's; below, it is how much is enough to tell or to show.
  static let tableLeast = 1024
  /// Lines after the comparison within which the refusal must be counted.
  private static let reach = 8

  /// Places that compare a count with a bound of a table and count no refusal close by.
  ///
  /// - Parameter texts: the files of one detector; the bound may stand in one and be used in another.
  static func silentTables(_ texts: [String]) -> [String] {
    let tables = Set(texts.flatMap { bounds(SwiftCode.only($0)) }.filter { $0.value >= tableLeast }.map(\.name))
    return texts.flatMap { text in
      let lines = SwiftCode.only(text).lines
      return lines.indices.compactMap { n -> String? in
        guard let name = tables.first(where: { compares(lines[n], with: $0) }) else { return nil }
        let near = lines[n..<min(lines.count, n + reach)]
        return near.contains { $0.contains("refused &+= ") } ? nil : "line \(n + 1): \(name) without a count"
      }
    }
  }

  private static func compares(_ line: Substring, with name: String) -> Bool {
    ["< Bound.\(name)", "Bound.\(name) -", "< Self.\(name)"].contains { mark in
      line.ranges(of: mark).contains { range in
        guard range.upperBound < line.endIndex else { return true }
        let next = line[range.upperBound]
        return !(next.isLetter || next.isNumber || next == "_")
      }
    }
  }

  /// Whole-number constants: `static let name = 1 << 16` or `= 4096`.
  static func bounds(_ code: String) -> [(name: String, value: Int)] {
    code.lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let at = words.firstIndex(of: "let"), at > 0, words[at - 1] == "static", words.count > at + 3,
        words[at + 2] == "=" || words[at + 1].hasSuffix(":")
      else { return nil }
      let name = String(words[at + 1].prefix { $0 != ":" })
      guard let equals = words.firstIndex(of: "=") else { return nil }
      let rest = words[(equals + 1)...].map { $0.replacing("_", with: "") }
      if rest.count >= 3, rest[1] == "<<", let one = Int(rest[0]), let by = Int(rest[2]), by < 62 {
        return (name, one << by)
      }
      return rest.first.flatMap { Int($0) }.map { (name, $0) }
    }
  }
}
