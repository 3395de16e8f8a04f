import GRDB
import Mothlight

/// Findings newest first: by day, and within a day the latest written first.
///
/// The narrowest of what was asked for chooses the index; what no index knows is looked at row by row, up to a bound, so a
/// page may hold fewer rows than it could and still have a next one.
struct FindingList {
  private let db: Database
  private let query: FindingQuery
  private let hasFullText: Bool
  /// Conditions that an index entry or a column answers.
  private var conditions = ""
  private var values: [SQLValue] = []
  private var isImpossible = false
  private let within: ClosedRange<IPAddress>?

  /// Rows that are looked at for one page: some 50 ms.
  private static let rowsSeenMost = 50_000
  /// Host-days of one day that are gathered rather than looked for among the day's findings.
  private static let hostDaysMost = 500

  init(_ db: Database, _ query: FindingQuery, hasFullText: Bool) throws {
    self.db = db
    self.query = query
    self.hasFullText = hasFullText
    within = query.host.map { $0...$0 } ?? query.within.map(\.range)
    if let detector = query.detector {
      let id = try Prepared(db, "SELECT id FROM detector WHERE name = ?").bind(.text(detector)).integer()
      require("detector", id)
    }
    if let botnet = query.botnet { require("botnet", try BotnetNames.id(botnet, db)) }
    if let family = query.family { require("family", family.number) }
  }

  private mutating func require(_ column: String, _ value: Int64?) {
    guard let value else {
      isImpossible = true
      return
    }
    conditions += " AND \(column) = ?"
    values.append(.integer(value))
  }

  struct Found {
    var id: Int64
    var recorded: Int64
    var body: [UInt8]
  }

  /// Rows in order, and where looking ended when that was before the end of the list.
  private struct Gathered {
    var rows: [Found] = []
    var stoppedAt: Int64?
  }

  func page(before last: Int64?, limit: Int) throws -> Page<StoredFinding> {
    guard !isImpossible else { return Page(rows: [], next: nil) }
    let days = try KeptDays.all(db, in: query.days)
    guard let newest = days.first, let oldest = days.last else { return Page(rows: [], next: nil) }
    var range = RowID.range(oldest...newest)
    if let last {
      guard last > range.lowerBound else { return Page(rows: [], next: nil) }
      range = range.lowerBound...min(range.upperBound, last - 1)
    }
    var gathered: Gathered
    if let text = query.text, !text.isEmpty {
      gathered = try byText(text, days, range, limit + 1)
    } else if within != nil {
      gathered = try byHost(days, range, limit + 1)
    } else {
      gathered = try scan(range, limit + 1)
    }
    let hasMore = gathered.rows.count > limit
    if hasMore { gathered.rows.removeLast(gathered.rows.count - limit) }
    let next = hasMore ? gathered.rows.last?.id : gathered.stoppedAt
    return Page(
      rows: try gathered.rows.map(Self.stored), next: next.map { PageCursor.make("f", [UInt64(bitPattern: $0)]) })
  }

  static func stored(_ found: Found) throws -> StoredFinding {
    let finding = try FindingBody.decode(found.body)
    return StoredFinding(id: finding.id, finding: finding, recorded: Timestamp(nanoseconds: found.recorded))
  }

  // MARK: Along an index

  /// The index of the narrowest condition, or the table itself, newest first.
  private var index: String {
    if query.botnet != nil { return "INDEXED BY finding_botnet" }
    if query.detector != nil { return "INDEXED BY finding_detector" }
    if query.family != nil { return "INDEXED BY finding_family" }
    return "NOT INDEXED"
  }

  private func scan(
    _ range: ClosedRange<Int64>, _ limit: Int, where isWanted: ((SQLRow) throws -> Bool)? = nil
  ) throws -> Gathered {
    let sql = """
      SELECT id, recorded, body, about FROM finding \(index) WHERE id BETWEEN ? AND ?\(conditions) AND flags & 1
      ORDER BY id DESC
      """
    let select = try Prepared(db, sql)
    select.bind(all: [.integer(range.lowerBound), .integer(range.upperBound)] + values)
    var result = Gathered()
    var seen = 0
    try select.each { row in
      seen += 1
      if try isWanted?(row) ?? true { result.rows.append(Self.found(row)) }
      guard seen < Self.rowsSeenMost || result.rows.count >= limit else {
        result.stoppedAt = row.integer(0)
        return false
      }
      return result.rows.count < limit
    }
    return result
  }

  private static func found(_ row: SQLRow) -> Found {
    Found(id: row.integer(0), recorded: row.integer(1), body: row.blob(2))
  }

  // MARK: By host

  private func byHost(_ days: [Int], _ range: ClosedRange<Int64>, _ limit: Int) throws -> Gathered {
    guard let within else { return try scan(range, limit) }
    var result = Gathered()
    let hosts = try Prepared(
      db, "SELECT id FROM host_day INDEXED BY host_day_host WHERE day = ? AND host BETWEEN ? AND ? LIMIT ?")
    for day in days where RowID.range(day).overlaps(range) && result.rows.count < limit {
      var hostDays: [Int64] = []
      hosts.bind(
        .integer(day), .blob(within.lowerBound.octets), .blob(within.upperBound.octets),
        .integer(Self.hostDaysMost + 1))
      try hosts.each { row in
        hostDays.append(row.integer(0))
        return true
      }
      let part = RowID.range(day).clamped(to: range)
      if hostDays.count <= Self.hostDaysMost {
        result.rows += try gather(hostDays, part).prefix(limit - result.rows.count)
      } else {
        let found = try scan(part, limit - result.rows.count) { row in
          within.contains(try row.withBlob(2) { try FindingBody.host($0) })
        }
        result.rows += found.rows
        if let stop = found.stoppedAt {
          result.stoppedAt = stop
          return result
        }
      }
    }
    return result
  }

  private func gather(_ hostDays: [Int64], _ range: ClosedRange<Int64>) throws -> [Found] {
    let select = try Prepared(
      db,
      """
      SELECT f.id, f.recorded, f.body FROM snapshot s CROSS JOIN finding f INDEXED BY finding_snapshot ON f.snapshot = s.id
      WHERE s.host_day = ? AND f.id BETWEEN ? AND ?\(conditions) AND f.flags & 1
      """)
    var rows: [Found] = []
    for hostDay in hostDays {
      select.bind(all: [.integer(hostDay), .integer(range.lowerBound), .integer(range.upperBound)] + values)
      try select.each { row in
        rows.append(Self.found(row))
        return true
      }
    }
    return rows.sorted { $0.id > $1.id }
  }

  // MARK: By text

  /// Subjects below which each is asked for; more are no narrow question, and are looked for along the list.
  private static let aboutsMost = 4000

  private func byText(_ text: String, _ days: [Int], _ range: ClosedRange<Int64>, _ limit: Int) throws -> Gathered {
    let abouts = try AboutSearch(db, hasFullText: hasFullText).ids(holding: text, limit: Self.aboutsMost + 1)
    if abouts.isComplete, abouts.ids.isEmpty { return Gathered() }
    let within = within
    func isWanted(_ row: SQLRow) throws -> Bool {
      guard let within else { return true }
      return within.contains(try row.withBlob(2) { try FindingBody.host($0) })
    }
    guard abouts.isComplete, abouts.ids.count <= Self.aboutsMost else {
      let holds = try Prepared(db, "SELECT instr(lower(subject || char(10) || name), ?) FROM about WHERE id = ?")
      let folded = text.lowercased()
      return try scan(range, limit) { row in
        guard try isWanted(row) else { return false }
        return try (holds.bind(.text(folded), .integer(row.integer(3))).integer() ?? 0) > 0
      }
    }
    // Numbers of ours, so they may stand in the text of the statement.
    let list = abouts.ids.map { String($0) }.joined(separator: ",")
    let sql = """
      SELECT id, recorded, body FROM finding INDEXED BY finding_about
      WHERE day = ? AND about IN (\(list)) AND id BETWEEN ? AND ?\(conditions) AND flags & 1 ORDER BY id DESC
      """
    let select = try Prepared(db, sql, isCached: false)
    var result = Gathered()
    for day in days where RowID.range(day).overlaps(range) && result.rows.count < limit {
      select.bind(all: [.integer(day), .integer(range.lowerBound), .integer(range.upperBound)] + values)
      try select.each { row in
        if try isWanted(row) { result.rows.append(Self.found(row)) }
        return result.rows.count < limit
      }
    }
    return result
  }
}

/// Subjects and names that a text is part of.
struct AboutSearch {
  private let db: Database
  private let hasFullText: Bool

  /// Newest subjects that are compared one by one where no index helps: some 20 ms.
  private static let comparedMost = 50_000

  init(_ db: Database, hasFullText: Bool) {
    self.db = db
    self.hasFullText = hasFullText
  }

  struct Result {
    var ids: [Int64]
    /// Whether every subject was looked at.
    var isComplete: Bool
  }

  /// Newest first.
  func ids(holding asked: String, limit: Int) throws -> Result {
    // A question of the index ends at an octet of zero.
    let text = asked.filter { $0 != "\u{0}" }
    guard !text.isEmpty else { return Result(ids: [], isComplete: true) }
    // Pieces of three characters are what the index knows.
    if hasFullText, text.unicodeScalars.count >= 3, try db.tableExists("words_about") {
      let phrase = "\"" + text.replacing("\"", with: "\"\"") + "\""
      let select = try Prepared(
        db, "SELECT rowid FROM words_about WHERE words_about MATCH ? ORDER BY rowid DESC LIMIT ?")
      return Result(ids: try collect(select.bind(.text(phrase), .integer(limit))), isComplete: true)
    }
    let newest = try Prepared(db, "SELECT MAX(id) FROM about").integer() ?? 0
    let oldest = try Prepared(db, "SELECT MIN(id) FROM about").integer() ?? 0
    let from = max(oldest, newest - Int64(Self.comparedMost))
    let select = try Prepared(
      db,
      """
      SELECT id FROM about WHERE id >= ? AND instr(lower(subject || char(10) || name), ?) > 0
      ORDER BY id DESC LIMIT ?
      """)
    let found = try collect(select.bind(.integer(from), .text(text.lowercased()), .integer(limit)))
    return Result(ids: found, isComplete: from <= oldest)
  }

  private func collect(_ select: Prepared) throws -> [Int64] {
    var ids: [Int64] = []
    try select.each { row in
      ids.append(row.integer(0))
      return true
    }
    return ids
  }
}

extension StationStore {
  /// Newest day first, within it the latest written. A page may be shorter than `limit` and still have a next.
  public func findings(_ query: FindingQuery, after cursor: Mothlight.Cursor?, limit: Int) async throws(StoreError)
    -> Page<StoredFinding>
  {
    var last: Int64?
    if let cursor { last = Int64(bitPattern: try PageCursor.read(cursor, "f", count: 1)[0]) }
    let (from, hasFullText) = (last, file.hasFullText)
    return try await read { db in
      try FindingList(db, query, hasFullText: hasFullText).page(before: from, limit: PageCursor.clamped(limit))
    }
  }

  public func finding(id: String) async throws(StoreError) -> StoredFinding? {
    guard let mark = Finding.mark(of: id.lowercased()) else { return nil }
    return try await read { db in try Self.finding(db, mark, id.lowercased()) }
  }

  static func finding(_ db: Database, _ mark: Int64, _ id: String) throws -> StoredFinding? {
    let select = try Prepared(
      db,
      """
      SELECT id, recorded, body FROM finding INDEXED BY finding_mark WHERE day = ? AND mark = ?
      ORDER BY flags & 1 DESC, id LIMIT 1
      """)
    for day in try KeptDays.all(db) {
      let found = try select.bind(.integer(day), .integer(mark)).first { row in
        FindingList.Found(id: row.integer(0), recorded: row.integer(1), body: row.blob(2))
      }
      if let found {
        let stored = try FindingList.stored(found)
        if stored.id == id { return stored }
      }
    }
    return nil
  }
}
