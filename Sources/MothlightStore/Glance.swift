import GRDB
import Mothlight

/// The look at every table before a store is used: its first and its last row, and the pages on the way to them.
///
/// - Complexity: some milliseconds whatever the size. The whole is read by `StationStore.check`, while the store is in use.
enum Glance {
  /// - Throws: `StoreError` when a table cannot be read at either end.
  static func look(_ db: Database, _ path: String) throws {
    let tables = try Row.fetchAll(
      db,
      sql:
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*'")
    for table in tables {
      let name: String = table["name"]
      let quoted = "\"\(name.replacing("\"", with: "\"\""))\""
      let hasRowID = (table["wr"] as Int64) == 0
      do {
        _ = try Row.fetchOne(db, sql: "SELECT * FROM \(quoted) LIMIT 1")
        if hasRowID { _ = try Row.fetchOne(db, sql: "SELECT * FROM \(quoted) ORDER BY rowid DESC LIMIT 1") }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
        throw StoreError.damaged(path, "table \(name): \(error.message ?? "a page cannot be read")")
      }
    }
  }
}
