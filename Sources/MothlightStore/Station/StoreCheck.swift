import GRDB
import Mothlight

extension StationStore {
  /// Reads every page once, table by table, while others read and write; damage makes the store one that is only read.
  ///
  /// - Returns: what is wrong, a line each; empty when all is well.
  /// - Complexity: O(octets of the file); between two tables the log can be put into the file.
  public func check(at time: Timestamp) async throws(StoreError) -> [String] {
    var trouble: [String] = []
    for table in try await tables() {
      let answers = try await readChecking { db in
        try String.fetchAll(db, sql: "PRAGMA quick_check('\(table)')")
      }
      let lines = answers.flatMap { $0.split(separator: "\n") }.filter { $0 != "ok" && !$0.hasPrefix("***") }
      trouble += lines.map { "\(table): \($0)" }
    }
    if let first = trouble.first {
      note(damage: StoreError.damaged(file.path, first))
    } else if file.trouble == nil {
      try await write { db in
        try db.execute(sql: "INSERT OR REPLACE INTO state VALUES ('checked', ?)", arguments: [time.second])
      }
    }
    // Whoever repaired the file in its place has it checked.
    if trouble.isEmpty { DamageNote(file.path).remove() }
    return trouble
  }

  /// Seconds since 1970 of the latest check that found all well; `nil` when there was none.
  public func checked() async throws(StoreError) -> Timestamp? {
    try await read { db in
      try Prepared(db, "SELECT value FROM state WHERE key = 'checked'").integer().map { Timestamp(seconds: $0) }
    }
  }

  private func tables() async throws(StoreError) -> [String] {
    try await read { db in
      try String.fetchAll(
        db,
        sql:
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND rootpage > 0 ORDER BY name"
      )
    }
  }

  /// A page that cannot be read at all is an answer too.
  private func readChecking(_ body: @escaping @Sendable (Database) throws -> [String]) async throws(StoreError)
    -> [String]
  {
    do throws(StoreError) { return try await read(body) } catch {
      guard error.code == .damaged else { throw error }
      return [error.message]
    }
  }
}
