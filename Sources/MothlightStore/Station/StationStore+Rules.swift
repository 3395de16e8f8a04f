import GRDB
import Mothlight

extension StationStore {
  public func allowRules() async throws(StoreError) -> [StoredAllowRule] {
    try await read { db in
      var rules: [StoredAllowRule] = []
      let select = try Prepared(
        db, "SELECT number, rule, reason, actor, origin, added FROM allow_rule WHERE ended IS NULL ORDER BY number")
      try select.each { row in
        let text = row.text(1)
        guard let rule = try? AllowList.parse(text) else { throw BodyDefect() }
        rules.append(
          StoredAllowRule(
            number: row.integer(0), rule: rule, reason: row.text(2), actor: Actor(row.text(3), origin: row.text(4)),
            added: Timestamp(nanoseconds: row.integer(5))))
        return true
      }
      return rules
    }
  }

  /// A rule that holds already is not added twice.
  public func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> StoredAllowRule
  {
    try await write { db in
      let text = rule.description
      // What cannot be read back would be lost.
      guard let rule = try? AllowList.parse(text) else {
        throw StoreError(.refused, "an allow rule needs an address or a name")
      }
      let same = try Prepared(db, "SELECT number FROM allow_rule WHERE rule = ? AND ended IS NULL").bind(.text(text))
      if let number = try same.integer() {
        throw StoreError(.refused, "allow rule \(number) says that already: \(text)")
      }
      let insert = try Prepared(
        db, "INSERT INTO allow_rule (rule, reason, actor, origin, added) VALUES (?, ?, ?, ?, ?)")
      try insert.bind(
        .text(text), .text(reason), .text(actor.name), .text(actor.origin), .integer(time.nanoseconds)
      ).run()
      let number = db.lastInsertedRowID
      try AuditTable.add(
        db,
        AuditEntry(
          time: time, actor: actor, action: "allow.add", subject: "allow rule \(number)", detail: "\(text): \(reason)"))
      return StoredAllowRule(number: number, rule: rule, reason: reason, actor: actor, added: time)
    }
  }

  public func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    try await write { db in
      let rule = try Prepared(db, "SELECT rule FROM allow_rule WHERE number = ? AND ended IS NULL").bind(
        .integer(number)
      ).first { $0.text(0) }
      guard let rule else { return false }
      try Prepared(db, "UPDATE allow_rule SET ended = ? WHERE number = ?").bind(
        .integer(time.nanoseconds), .integer(number)
      ).run()
      try AuditTable.add(
        db,
        AuditEntry(time: time, actor: actor, action: "allow.end", subject: "allow rule \(number)", detail: rule))
      return true
    }
  }

  // MARK: Audit

  public func record(_ entry: AuditEntry) async throws(StoreError) {
    try await write { db in try AuditTable.add(db, entry) }
  }

  /// Newest first; edits of the registry are in it too.
  public func audit(after cursor: Mothlight.Cursor?, limit: Int) async throws(StoreError) -> Page<AuditEntry> {
    var before = Int64.max
    if let cursor { before = Int64(bitPattern: try PageCursor.read(cursor, "a", count: 1)[0]) }
    let (from, limit) = (before, PageCursor.clamped(limit))
    return try await read { db in
      let select = try Prepared(db, "\(AuditTable.select) WHERE id < ? ORDER BY id DESC LIMIT ?")
      var rows: [(id: Int64, entry: AuditEntry)] = []
      try select.bind(.integer(from), .integer(limit + 1)).each { row in
        rows.append((row.integer(0), AuditTable.entry(row)))
        return true
      }
      let next = rows.count > limit ? PageCursor.make("a", [UInt64(bitPattern: rows[limit - 1].id)]) : nil
      return Page(rows: rows.prefix(limit).map(\.entry), next: next)
    }
  }
}
