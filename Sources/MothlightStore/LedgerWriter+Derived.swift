import GRDB
import Mothlight

extension LedgerWriter {
  /// Makes evidence and text of the touched rows anew.
  /// - Complexity: O(claims of the touched rows).
  func derive(fullText: Bool) throws {
    guard !touched.isEmpty else { return }
    try db.execute(sql: "CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY); DELETE FROM touched")
    let note = try db.cachedStatement(sql: "INSERT INTO touched VALUES (?)")
    for id in touched.sorted() { try note.execute(arguments: [id]) }
    try db.execute(sql: Self.evidenceSQL)
    if fullText { try deriveText() }
  }

  /// Only an answer of a command server, or machines counted in an hour or a day, are life.
  private static let evidenceSQL = """
    DELETE FROM evidence WHERE botnet_id IN (SELECT id FROM touched);
    INSERT INTO evidence
      SELECT c.botnet_id, CASE c.role WHEN 'c2' THEN 'c2' WHEN 'print' THEN 'print' ELSE 'payload' END AS what,
        c.source_id, MIN(COALESCE(c.first_seen, c.last_seen)), MAX(COALESCE(c.last_seen, c.first_seen)),
        MAX(CASE c.role WHEN 'c2' THEN COALESCE(c.last_seen, c.first_seen) END), COUNT(*)
      FROM touched t JOIN claim c ON c.botnet_id = t.id WHERE c.role <> 'other' GROUP BY 1, 2, 3;
    INSERT INTO evidence
      SELECT f.botnet_id, 'publication', f.source_id, MIN(f.date), MAX(f.date), NULL, COUNT(*)
      FROM touched t JOIN fact f ON f.botnet_id = t.id WHERE f.field = 'reference' GROUP BY 1, 3;
    INSERT INTO evidence
      SELECT s.botnet_id, 'machines', s.source_id, MIN(s.first_hour) * 3600, MAX(s.last_hour) * 3600 + 3599,
        MAX(CASE WHEN s.kind IN ('live', 'active') THEN s.last_hour * 3600 + 3599 END), COUNT(*)
      FROM touched t JOIN size s ON s.botnet_id = t.id WHERE s.value > 0 GROUP BY 1, 3;
    """

  /// Outside the migrations: it holds nothing of its own, and a SQLite without FTS5 must be able to open the file.
  private func deriveText() throws {
    try db.execute(
      sql: "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (names, texts, prefix = '2 3', tokenize = 'unicode61')")
    try db.execute(sql: "DELETE FROM words WHERE rowid IN (SELECT id FROM touched)")
    try db.execute(
      sql: """
        INSERT INTO words (rowid, names, texts)
          SELECT t.id, (SELECT GROUP_CONCAT(n.text, ' ') FROM name n WHERE n.botnet_id = t.id),
            (SELECT GROUP_CONCAT(f.value, ' ') FROM fact f WHERE f.botnet_id = t.id AND f.field <> 'kind')
          FROM touched t JOIN botnet b ON b.id = t.id
        """)
  }
}
