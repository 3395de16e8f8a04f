import GRDB

@testable import MothlightStore

/// Every row of every table but those that are derived or hold the time of a check.
enum LedgerDump {
  static func text(_ store: SQLiteStore, without left: Set<String> = ["state"]) throws -> String {
    try store.read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'words*' ORDER BY name")
      var out = ""
      for table in tables where !left.contains(table) {
        out += try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table) \($0)\n" }.sorted().joined()
      }
      return out
    }
  }
}
