import GRDB

/// Subjects and names that a text is part of.
struct AboutSearch {
  private let db: Database
  private let hasFullText: Bool

  /// Newest subjects that are compared one by one where no index helps: some 20 ms.
  private static let comparedMost: Int64 = 50_000
  /// Subjects that hold the pieces of a text and are compared with it.
  private static let candidatesMost = 20_000
  /// Pieces of a text that the index is asked for: each more costs 4 ms at a million subjects, and fewer find many that do not hold it.
  private static let piecesMost = 6

  init(_ db: Database, hasFullText: Bool) {
    self.db = db
    self.hasFullText = hasFullText
  }

  struct Result {
    /// Newest first.
    var ids: [Int64] = []
    /// Whether every subject was looked at, or `limit` reached.
    var isComplete = true
  }

  func ids(holding asked: String, limit: Int) throws -> Result {
    // A question of the index ends at an octet of zero.
    let text = asked.filter { $0 != "\u{0}" }
    guard !text.isEmpty else { return Result() }
    let folded = FoldedText(text)
    let isIndexed = try hasFullText && text.unicodeScalars.count >= 3 && AboutWords.isThere(db)
    let mark = isIndexed ? try AboutWords.mark(db) : 0
    var result = try compared(folded, after: mark, limit)
    if isIndexed, result.ids.count < limit { try match(text, folded, limit, into: &result) }
    return result
  }

  /// Among those that the index does not hold, from the newest back.
  private func compared(_ text: FoldedText, after mark: Int64, _ limit: Int) throws -> Result {
    let newest = try Prepared(db, "SELECT MAX(id) FROM about").integer() ?? 0
    let oldest = try Prepared(db, "SELECT MIN(id) FROM about").integer() ?? 0
    let from = max(mark, newest - Self.comparedMost)
    let select = try Prepared(db, "SELECT id, subject, name FROM about WHERE id > ? ORDER BY id DESC")
    var result = Result(isComplete: from <= mark || from < oldest)
    try select.bind(.integer(from)).each { row in
      if text.isPart(of: row, 1, 2) { result.ids.append(row.integer(0)) }
      return result.ids.count < limit
    }
    return result
  }

  private func match(_ text: String, _ folded: FoldedText, _ limit: Int, into result: inout Result) throws {
    let select = try Prepared(db, "SELECT rowid FROM words_subject WHERE words_subject MATCH ? ORDER BY rowid DESC")
    let about = try Prepared(db, "SELECT subject, name FROM about WHERE id = ?")
    var candidates = 0
    try select.bind(.text(Self.question(text))).each { row in
      candidates += 1
      let id = row.integer(0)
      if try about.bind(.integer(id)).first({ folded.isPart(of: $0, 0, 1) }) ?? false { result.ids.append(id) }
      if candidates >= Self.candidatesMost { result.isComplete = false }
      return result.ids.count < limit && candidates < Self.candidatesMost
    }
  }

  /// The pieces of three characters that a text is made of, spread over it.
  private static func question(_ text: String) -> String {
    let characters = Array(text.unicodeScalars)
    let last = characters.count - 3
    let count = min(last + 1, piecesMost)
    let starts = (0..<count).map { count == 1 ? 0 : $0 * last / (count - 1) }
    return starts.map { start in
      var piece = String.UnicodeScalarView()
      piece.append(contentsOf: characters[start..<(start + 3)])
      return "\"" + String(piece).replacing("\"", with: "\"\"") + "\""
    }.joined(separator: " AND ")
  }
}

/// A text to be found in others, whatever the case of its letters.
struct FoldedText {
  private let text: String
  /// `nil` when it has more than ASCII.
  private let octets: [UInt8]?

  init(_ text: String) {
    self.text = text.lowercased()
    octets = self.text.utf8.allSatisfy { $0 < 0x80 } ? Array(self.text.utf8) : nil
  }

  /// Whether it is in one of two columns of a row.
  func isPart(of row: SQLRow, _ a: Int32, _ b: Int32) -> Bool {
    guard let octets else { return row.text(a).lowercased().contains(text) || row.text(b).lowercased().contains(text) }
    return row.withText(a) { Self.holds($0, octets) } || row.withText(b) { Self.holds($0, octets) }
  }

  private static func holds(_ text: UnsafeRawBufferPointer, _ part: [UInt8]) -> Bool {
    guard let first = part.first, text.count >= part.count else { return part.isEmpty }
    for start in 0...(text.count &- part.count) where lower(text[start]) == first {
      var n = 1
      while n < part.count, lower(text[start &+ n]) == part[n] { n &+= 1 }
      if n == part.count { return true }
    }
    return false
  }

  @inline(__always) private static func lower(_ octet: UInt8) -> UInt8 {
    octet &- 0x41 < 26 ? octet | 0x20 : octet
  }
}
