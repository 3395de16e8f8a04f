import GRDB
import Mothlight

/// Who changes something by hand, and why: both are kept for good.
public struct Edit: Sendable {
  public var author: String
  public var reason: String
  public var time: Timestamp

  public init(author: String, reason: String, time: Timestamp) {
    self.author = author
    self.reason = reason
    self.time = time
  }

  /// Claims of people have a publisher of their own.
  public var source: String { "analyst/\(author)" }
}

/// One row of who changed what.
public struct AuditRow: Sendable, Hashable {
  public var time: Timestamp
  public var author: String
  public var action: String
  public var subject: String
  public var detail: String
  public var reason: String
}

extension LedgerWriter {
  func audit(_ edit: Edit, action: String, subject: String, detail: String) throws {
    try db.execute(
      sql: "INSERT INTO audit (time, author, action, subject, detail, reason) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [edit.time.second, edit.author, action, subject, detail, edit.reason])
  }
}

extension Ledger {
  /// Facts that a person may add.
  public struct Additions: Sendable {
    public var protocols: [String] = []
    public var references: [String] = []
    public var notes: [String] = []
    public init() {}
    var all: [(field: String, value: String)] {
      protocols.map { ("protocol", $0) } + references.map { ("reference", $0) } + notes.map { ("note", $0) }
    }
  }

  /// - Returns: the id of the new row.
  public func add(
    _ name: String, kind: Botnet.Kind, aliases: [String], variantOf: String? = nil, additions: Additions = Additions(),
    by edit: Edit
  ) throws(StoreError) -> String {
    try change(edit, action: "add", detail: "\(kind.rawValue)") { writer, source in
      let db = writer.db
      if let owner = try String.fetchOne(
        db, sql: "SELECT uuid FROM botnet WHERE folded = ?", arguments: [BotnetName.folded(name)])
      {
        throw StoreError(.refused, "'\(name)' is there already (\(owner)); `alias` and `note` add to it")
      }
      let parent = try variantOf.map { try Self.known($0, db) }
      let row = try writer.create(id: nil, name: name, kind: kind, authority: 2, source: source)
      for alias in aliases { try writer.addName(alias, to: row, source: source) }
      if let parent {
        let uuid = try String.fetchOne(db, sql: "SELECT uuid FROM botnet WHERE id = ?", arguments: [parent]) ?? ""
        try writer.addRelation(Botnet.Relation(kind: "variant-of", target: uuid), to: row, source: source)
      }
      for (field, value) in additions.all { try writer.addFact(field, value, to: row, source: source) }
      return row
    }
  }

  /// Adds an alias, or takes back one that a person gave.
  public func alias(_ alias: String, of name: String, remove: Bool = false, by edit: Edit) throws(StoreError) {
    _ = try change(edit, action: remove ? "alias removed" : "alias", detail: alias) { writer, source in
      let row = try Self.known(name, writer.db)
      if remove {
        try writer.db.execute(
          sql: """
            DELETE FROM name WHERE botnet_id = ? AND folded = ?
              AND source_id IN (SELECT id FROM source WHERE name GLOB 'analyst/*')
              AND folded <> (SELECT folded FROM botnet WHERE id = name.botnet_id)
            """, arguments: [row, BotnetName.folded(alias)])
        guard writer.db.changesCount > 0 else {
          throw StoreError(.refused, "'\(alias)' is no alias that a person gave to '\(name)'")
        }
        writer.touch(row)
      } else {
        try writer.addName(alias, to: row, source: source)
        guard !writer.changes.isEmpty else { throw StoreError(.refused, "you gave '\(alias)' to '\(name)' before") }
      }
      return row
    }
  }

  public func note(_ additions: Additions, on name: String, kind: Botnet.Kind? = nil, by edit: Edit) throws(StoreError)
  {
    let detail = additions.all.map { "\($0.field): \($0.value)" } + (kind.map { ["kind: \($0.rawValue)"] } ?? [])
    _ = try change(edit, action: "note", detail: detail.joined(separator: "; ")) { writer, source in
      let row = try Self.known(name, writer.db)
      for (field, value) in additions.all { try writer.addFact(field, value, to: row, source: source) }
      if let kind { try writer.setKind(kind, of: row, authority: 2, source: source) }
      guard !writer.changes.isEmpty else { throw StoreError(.refused, "you said that of '\(name)' before") }
      return row
    }
  }

  public func takedown(_ takedown: TakedownRecord, of name: String, by edit: Edit) throws(StoreError) {
    let detail = "\(Timestamp.describe(day: takedown.day)) \(takedown.outcome.rawValue) by \(takedown.by)"
    _ = try change(edit, action: "takedown", detail: detail) { writer, source in
      let row = try Self.known(name, writer.db)
      try writer.db.execute(
        sql: "INSERT OR REPLACE INTO takedown VALUES (?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          row, takedown.day, takedown.by, takedown.outcome.rawValue, takedown.method, source, edit.time.second,
        ])
      writer.changes.add(.takedowns, detail)
      writer.touch(row)
      return row
    }
  }

  /// Newest first.
  public func audit(limit: Int) throws(StoreError) -> [AuditRow] {
    try store.read { db in
      let sql = "SELECT time, author, action, subject, detail, reason FROM audit ORDER BY id DESC LIMIT ?"
      return try Row.fetchAll(db, sql: sql, arguments: [limit]).map { row in
        AuditRow(
          time: Timestamp(seconds: row[0]), author: row[1], action: row[2], subject: row[3], detail: row[4],
          reason: row[5])
      }
    }
  }

  private func change(
    _ edit: Edit, action: String, detail: String, _ body: (inout LedgerWriter, Int64) throws -> Int64
  ) throws(StoreError) -> String {
    try store.write { db in
      var writer = LedgerWriter(db, second: edit.time.second)
      let source = try writer.source(edit.source)
      let row = try body(&writer, source)
      try writer.derive(fullText: store.hasFullText)
      try writer.audit(edit, action: action, subject: try writer.label(row), detail: detail)
      return try String.fetchOne(db, sql: "SELECT uuid FROM botnet WHERE id = ?", arguments: [row]) ?? ""
    }
  }

  static func known(_ name: String, _ db: Database) throws -> Int64 {
    if let row = try row(of: name, db) { return row }
    throw StoreError(.refused, "no botnet is called '\(name)'; `mothlight registry search` finds near names")
  }
}
