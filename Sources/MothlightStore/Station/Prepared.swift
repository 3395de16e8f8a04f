import GRDB
import GRDBSQLite

/// A cached statement that is bound and stepped without a box for each value: the inner loop of batch writes and long lists.
///
/// Not to be used inside its own `each`.
struct Prepared {
  private let owner: Statement
  private var statement: OpaquePointer { owner.sqliteStatement }

  /// - Parameter isCached: `false` for a statement that is not used twice.
  init(_ db: Database, _ sql: String, isCached: Bool = true) throws {
    owner = try isCached ? db.cachedStatement(sql: sql) : db.makeStatement(sql: sql)
  }

  /// Binds in the order of the question marks.
  @discardableResult
  func bind(_ values: SQLValue...) -> Prepared {
    bind(all: values)
    return self
  }

  func bind(all values: [SQLValue]) {
    sqlite3_reset(statement)
    var index: Int32 = 1
    for value in values {
      switch value {
      case .null: sqlite3_bind_null(statement, index)
      case .integer(let number): sqlite3_bind_int64(statement, index, number)
      case .real(let number): sqlite3_bind_double(statement, index, number)
      case .text(let text):
        // An empty text has no octets to point to.
        sqlite3_bind_text(statement, index, text, Int32(clamping: text.utf8.count), Self.copies)
      case .blob(let bytes):
        _ = bytes.withUnsafeBytes { raw in
          if let base = raw.baseAddress, raw.count > 0 {
            sqlite3_bind_blob(statement, index, base, Int32(clamping: raw.count), Self.copies)
          } else {
            sqlite3_bind_zeroblob(statement, index, 0)
          }
        }
      }
      index &+= 1
    }
  }

  /// `SQLITE_TRANSIENT`, a macro that Swift does not import: the value is copied at once.
  private static var copies: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
  /// Runs a statement that gives no rows.
  func run() throws {
    let code = sqlite3_step(statement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
    sqlite3_reset(statement)
  }

  /// Calls `body` for each row until it says `false`.
  func each(_ body: (SQLRow) throws -> Bool) throws {
    defer { sqlite3_reset(statement) }
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw failure(code) }
      guard try body(SQLRow(statement: statement)) else { return }
    }
  }

  /// The first row, if any.
  func first<T>(_ body: (SQLRow) throws -> T) throws -> T? {
    var found: T?
    try each { row in
      found = try body(row)
      return false
    }
    return found
  }

  func integer() throws -> Int64? { try first { $0.optional(0) } ?? nil }

  private func failure(_ code: Int32) -> DatabaseError {
    let text = sqlite3_db_handle(statement).map { String(cString: sqlite3_errmsg($0)) }
    sqlite3_reset(statement)
    return DatabaseError(resultCode: ResultCode(rawValue: code), message: text, sql: owner.sql)
  }
}

/// What a statement takes.
enum SQLValue {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])

  static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
  static func integer(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }
}

/// A row while its statement stands on it.
struct SQLRow {
  fileprivate let statement: OpaquePointer

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
  func optional(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
  func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(statement, column) else { return "" }
    let count = Int(sqlite3_column_bytes(statement, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }
  /// The octets of a text, as they are in the store.
  func withText<T>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    let start = sqlite3_column_text(statement, column)
    return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
  }
  func blob(_ column: Int32) -> [UInt8] { withBlob(column) { Array($0) } }
  func withBlob<T>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    let start = sqlite3_column_blob(statement, column)
    return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
  }
}
