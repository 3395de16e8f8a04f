import GRDB
import Mothlight

extension Ledger {
  /// Rows whose names begin with, hold, or nearly begin with `text`, and rows whose notes and references hold its words.
  /// - Complexity: O(names × length of `text`): a scan, some 10 ms for 6,000 botnets.
  public func search(_ text: String, limit: Int) throws(StoreError) -> [BotnetHit] {
    let folded = BotnetName.folded(text)
    guard !folded.isEmpty, limit > 0 else { return [] }
    return try store.read { db in
      var best = try Self.nameHits(folded, db)
      for row in try textHits(text, db, limit: limit) where best[row] == nil {
        best[row] = Candidate(how: .text, errors: 0, matched: "", length: 0)
      }
      let find = try db.cachedStatement(sql: "SELECT uuid, name, kind FROM botnet WHERE id = ?")
      var hits: [BotnetHit] = []
      // Names decide ties, so all of the best class are needed before the cut.
      let ordered = best.sorted { a, b in
        (a.value.how, a.value.errors, a.value.length, a.value.matched, a.key)
          < (b.value.how, b.value.errors, b.value.length, b.value.matched, b.key)
      }
      for (id, candidate) in ordered.prefix(limit) {
        guard let row = try Row.fetchOne(find, arguments: [id]) else { continue }
        let name: String = row[1]
        hits.append(
          BotnetHit(
            id: row[0], name: name, kind: Botnet.Kind(rawValue: row[2]) ?? .family, how: candidate.how,
            matched: candidate.how == .text ? name : candidate.matched, errors: candidate.errors))
      }
      return hits
    }
  }

  private struct Candidate {
    var how: BotnetHit.How
    var errors: Int
    var matched: String
    var length: Int
  }

  private static func nameHits(_ folded: String, _ db: Database) throws -> [Int64: Candidate] {
    var best: [Int64: Candidate] = [:]
    var distance = NameDistance(folded)
    let asked = Array(folded.utf8)
    let names = try Row.fetchCursor(db, sql: "SELECT botnet_id, folded, text FROM name")
    while let row = try names.next() {
      let name: String = row[1]
      let how: BotnetHit.How
      var errors = 0
      if name.utf8.starts(with: folded.utf8) {
        how = name.utf8.count == folded.utf8.count ? .exact : .beginning
      } else if folded.utf8.count >= 3, holds(name, asked) {
        how = .part
      } else if let found = distance.toPrefix(of: name) {
        how = .typing
        errors = found
      } else {
        continue
      }
      let id: Int64 = row[0]
      if let old = best[id], (old.how, old.errors) <= (how, errors) { continue }
      best[id] = Candidate(how: how, errors: errors, matched: row[2], length: name.utf8.count)
    }
    return best
  }

  /// Octets in octets; both are folded, so letters need no comparing.
  private static func holds(_ name: String, _ asked: [UInt8]) -> Bool {
    guard name.utf8.count > asked.count, let first = asked.first else { return false }
    let rest = asked.count &- 1
    var at = name.utf8.startIndex
    while let found = name.utf8[at...].firstIndex(of: first) {
      at = name.utf8.index(after: found)
      if name.utf8[at...].prefix(rest).elementsEqual(asked.dropFirst()) { return true }
    }
    return false
  }

  /// Every word of `text` begins a word of the row's names, notes or references.
  private func textHits(_ text: String, _ db: Database, limit: Int) throws -> [Int64] {
    let words = text.split { !$0.isLetter && !$0.isNumber }.prefix(8)
    guard !words.isEmpty else { return [] }
    if store.hasFullText, try db.tableExists("words") {
      let pattern = words.map { "\"\($0)\"*" }.joined(separator: " AND ")
      return try Int64.fetchAll(
        db, sql: "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", arguments: [pattern, limit])
    }
    let likes = words.map { _ in "value LIKE ? ESCAPE '!'" }.joined(separator: " AND ")
    let sql = "SELECT DISTINCT botnet_id FROM fact WHERE field <> 'kind' AND \(likes) LIMIT ?"
    let values = words.map { "%\($0)%" }
    return try Int64.fetchAll(db, sql: sql, arguments: StatementArguments(values) + [limit])
  }
}
