/// What may not stand in the sources; each rule answers with one line per place, or with nothing.
enum SwiftRules {
  static let functionLinesMost = 70
  static let fileLinesMost = 500

  /// Functions, initialisers and subscripts that are longer than allowed.
  static func longFunctions(_ text: String, most: Int = functionLinesMost) -> [String] {
    let code = SwiftCode.only(text).lines
    return code.indices.compactMap { start in
      guard beginsFunction(code[start]), let end = bodyEnd(code, from: start) else { return nil }
      let length = end - start + 1
      return length > most ? "line \(start + 1): \(length) lines" : nil
    }
  }

  private static let modifiers: Set<Substring> = [
    "public", "private", "fileprivate", "internal", "package", "open", "static", "class", "final", "override",
    "mutating",
    "nonmutating", "consuming", "borrowing", "convenience", "required", "nonisolated", "isolated", "indirect",
  ]

  static func beginsFunction(_ line: Substring) -> Bool {
    for word in line.split(separator: " ") {
      if word.hasPrefix("@") || modifiers.contains(word) { continue }
      if word == "func" || word == "deinit" { return true }
      return ["init", "subscript"].contains { keyword in
        guard word.hasPrefix(keyword) else { return false }
        let next = word.dropFirst(keyword.count).first
        return next == "(" || next == "?" || next == "<"
      }
    }
    return false
  }

  /// Line of the brace that closes the body of the function that begins on line `start`; `nil` when it has none.
  private static func bodyEnd(_ code: [Substring], from start: Int) -> Int? {
    var parentheses = 0
    var braces = 0
    for n in start..<code.count {
      let trimmed = code[n].drop { $0 == " " }
      if n > start, braces == 0, parentheses == 0, !trimmed.isEmpty, !continuesSignature(trimmed) { return nil }
      for c in code[n].utf8 {
        switch c {
        case UInt8(ascii: "("): parentheses += 1
        case UInt8(ascii: ")"): parentheses -= 1
        case UInt8(ascii: "{") where parentheses == 0 || braces > 0: braces += 1
        case UInt8(ascii: "}") where braces > 0:
          braces -= 1
          if braces == 0 { return n }
        default: break
        }
      }
    }
    return nil
  }

  private static func continuesSignature(_ line: Substring) -> Bool {
    ["{", ")", "->", "throws", "async", "rethrows", "where"].contains { line.hasPrefix($0) }
  }

  /// Code that traps or promises what it does not hold.
  static func traps(_ text: String) -> [String] {
    let inCode = ["try!", "as!", "fatalError("].flatMap { places(of: $0, in: SwiftCode.only(text)) }
    let unfinished = ["TO" + "DO", "FIX" + "ME"].flatMap { places(of: $0, in: text) }
    return inCode + unfinished
  }

  /// Promises to the compiler that it cannot check, without a word on why they hold.
  static func unexplainedPromises(_ text: String) -> [String] {
    let lines = text.lines
    return ["@unchecked Sendable", "nonisolated(unsafe)"].flatMap { promise in
      places(of: promise, in: SwiftCode.only(text), lines: true).compactMap { n in
        let before = n > 0 ? lines[n - 1].drop { $0 == " " } : ""
        return lines[n].contains("//") || before.hasPrefix("//") ? nil : "line \(n + 1): \(promise) without a reason"
      }
    }
  }

  /// Modules that a file imports.
  static func imports(_ text: String) -> [String] {
    SwiftCode.only(text).lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy({ isImportPrefix($0) }) else { return nil }
      let kinds: Set<Substring> = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
      return words[(at + 1)...].first { !kinds.contains($0) }.map { String($0.split(separator: ".")[0]) }
    }
  }

  private static func isImportPrefix(_ word: Substring) -> Bool {
    word.hasPrefix("@") || ["public", "internal", "package", "private", "fileprivate"].contains(word)
  }

  /// What could reach the network. A call is a file's own when the file declares a function of that name.
  static func networkUse(_ text: String) -> [String] {
    let modules = imports(text).filter {
      $0.hasPrefix("NIO") || ["FoundationNetworking", "Network", "AsyncHTTPClient", "Hummingbird"].contains($0)
    }
    let code = SwiftCode.only(text)
    let calls = ["socket(", "connect(", "sendto(", "sendmsg(", "URLSession", "CFStream"].filter { word in
      !code.contains("func \(word)") && !places(of: word, in: code).isEmpty
    }
    return modules.map { "imports \($0)" } + calls.map { "uses \($0)" }
  }

  /// Constants that no doc comment explains.
  static func undocumentedConstants(_ text: String) -> [String] {
    let lines = text.lines.map { $0.drop { $0 == " " } }
    return lines.indices.compactMap { n in
      guard lines[n].hasPrefix("public static let ") else { return nil }
      return n > 0 && lines[n - 1].hasPrefix("///") ? nil : "line \(n + 1): \(lines[n].prefix(60))"
    }
  }

  /// Paths that are there on one machine only. Temporary files of our own are made when needed and may be named.
  static func absolutePaths(_ text: String) -> [String] {
    let roots = ["work", "tmp", "root"].map { "/" + $0 + "/" }
    return roots.flatMap { root in
      places(of: root, in: text, lines: true).compactMap { n in
        let line = String(text.lines[n])
        let own = root + "mothlight-"
        return line.replacing(own, with: "").contains(root) ? "line \(n + 1): \(root)" : nil
      }
    }
  }

  private static func places(of word: String, in text: String) -> [String] {
    places(of: word, in: text, lines: true).map { "line \($0 + 1): \(word)" }
  }

  /// Numbers of the lines, from 0, in which `word` stands and is not the tail of a longer one.
  private static func places(of word: String, in text: String, lines: Bool) -> [Int] {
    guard text.contains(word) else { return [] }
    let all = text.lines
    return all.indices.filter { n in
      all[n].ranges(of: word).contains { range in
        guard range.lowerBound > all[n].startIndex else { return true }
        let before = all[n][all[n].index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_" || before == "." || before == "-")
      }
    }
  }
}
