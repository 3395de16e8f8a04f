import GRDB

/// The index of texts: pieces of three characters, so that any part of a name is found.
///
/// It holds in which subjects a piece is and no more, so what it finds is compared with the text. It may be behind: what it does not
/// hold yet is compared one by one (`AboutSearch`). Outside the migrations, since a SQLite without FTS5 must be able to
/// use the file.
struct AboutWords {
  private let db: Database

  init(_ db: Database) { self.db = db }

  /// Subjects that may wait: comparing them takes 10 ms, and a part of the index for each few would have to be merged again
  /// and again.
  private static let behindMost: Int64 = 1 << 14
  /// Subjects that one transaction takes in after an upgrade: a third of a second.
  private static let atOnce: Int64 = 1 << 16

  static func isThere(_ db: Database) throws -> Bool { try db.tableExists("words_subject") }

  /// The latest subject that is in the index.
  static func mark(_ db: Database) throws -> Int64 {
    try Prepared(db, "SELECT value FROM state WHERE key = 'words'").integer() ?? 0
  }

  /// Takes in what waits, if it is much.
  /// - Parameter mark: as this gave it the last time.
  /// - Returns: the latest subject that is in the index.
  func catchUp(from mark: Int64?) throws -> Int64 {
    let last = try mark ?? begin()
    let newest = try Prepared(db, "SELECT MAX(id) FROM about").integer() ?? 0
    guard newest - last >= Self.behindMost else { return last }
    let end = min(newest, last + Self.atOnce)
    let insert = try Prepared(
      db, "INSERT INTO words_subject (rowid, text) SELECT id, \(Self.text) FROM about WHERE id > ? AND id <= ?")
    try insert.bind(.integer(last), .integer(end)).run()
    try set(end)
    return end
  }

  /// What is indexed of a subject: most begin with the name of their peer.
  private static let text = "CASE instr(subject, name) WHEN 0 THEN subject || char(10) || name ELSE subject END"

  private func begin() throws -> Int64 {
    guard try !Self.isThere(db) else { return try Self.mark(db) }
    try db.execute(
      sql: """
        DROP TABLE IF EXISTS words_about;
        CREATE VIRTUAL TABLE words_subject USING fts5 (text, content = '', columnsize = 0, detail = none, tokenize = 'trigram');
        """)
    try set(0)
    return 0
  }

  private func set(_ mark: Int64) throws {
    try Prepared(db, "INSERT OR REPLACE INTO state VALUES ('words', ?)").bind(.integer(mark)).run()
  }

  /// Subjects are about to be removed.
  func forget(_ ids: [Int64], upTo mark: Int64) throws {
    let remove = try Prepared(
      db,
      "INSERT INTO words_subject (words_subject, rowid, text) SELECT 'delete', id, \(Self.text) FROM about WHERE id = ?"
    )
    for id in ids where id <= mark { try remove.bind(.integer(id)).run() }
  }

  /// Subjects were removed: the numbers of the newest are given again, and those must be taken in then.
  func settle() throws {
    try db.execute(
      sql: "UPDATE state SET value = min(value, (SELECT COALESCE(MAX(id), 0) FROM about)) WHERE key = 'words'")
  }
}
