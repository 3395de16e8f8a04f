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

  private typealias Filter = (SQLRow) throws -> Bool

  /// Along the index of the narrowest condition, or along the table itself, newest first.
  private func scan(_ range: ClosedRange<Int64>, _ limit: Int, where isWanted: Filter? = nil) throws -> Gathered {
    if query.botnet != nil { return try walk("INDEXED BY finding_botnet", nil, range, limit, isWanted) }
    if query.detector != nil { return try walk("INDEXED BY finding_detector", nil, range, limit, isWanted) }
    guard let family = query.family else { return try walk("NOT INDEXED", nil, range, limit, isWanted) }
    // A family is its detectors.
    var detectors: [Int64] = []
    try Prepared(db, "SELECT detector FROM detector_family WHERE family = ?").bind(.integer(family.number)).each {
      row in
      detectors.append(row.integer(0))
      return true
    }
    let parts = try detectors.map { try walk("INDEXED BY finding_detector", $0, range, limit, isWanted) }
    // Where one of them stopped looking, the others' rows beyond are not next in the list.
    let stop = parts.compactMap(\.stoppedAt).max()
    let rows = parts.flatMap(\.rows).filter { $0.id >= stop ?? .min }.sorted { $0.id > $1.id }
    return Gathered(rows: Array(rows.prefix(limit)), stoppedAt: rows.count < limit ? stop : nil)
  }

  private func walk(
    _ index: String, _ detector: Int64?, _ range: ClosedRange<Int64>, _ limit: Int, _ isWanted: Filter?
  ) throws -> Gathered {
    let sql = """
      SELECT id, recorded, body, about FROM finding \(index) WHERE id BETWEEN ? AND ?\(conditions)\
      \(detector == nil ? "" : " AND detector = ?") AND flags & 1 ORDER BY id DESC
      """
    let select = try Prepared(db, sql)
    select.bind(
      all: [.integer(range.lowerBound), .integer(range.upperBound)] + values + (detector.map { [.integer($0)] } ?? []))
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
    let ids = try hostDays.flatMap { try HostDayReading.rows(db, of: $0) }
    return try fetch(ids.filter { range.contains($0) }.sorted(by: >), limit: .max)
  }

  /// Those of some rows that are wanted.
  private func fetch(_ ids: [Int64], limit: Int, where isWanted: Filter? = nil) throws -> [Found] {
    let select = try Prepared(
      db, "SELECT id, recorded, body FROM finding WHERE id = ?\(conditions) AND flags & 1")
    var rows: [Found] = []
    for id in ids where rows.count < limit {
      select.bind(all: [.integer(id)] + values)
      try select.each { row in
        if try isWanted?(row) ?? true { rows.append(Self.found(row)) }
        return false
      }
    }
    return rows
  }

  // MARK: By text

  /// Subjects up to which each is asked for, in each stretch of ids.
  private static let askedMost = 100
  /// Subjects up to which the entries of an index are gone through; more are no narrow question, and are looked for row by row.
  private static let aboutsMost = 4000
  /// Entries that are gone through for one page: some 50 ms.
  private static let entriesSeenMost = 250_000

  private func byText(_ text: String, _ days: [Int], _ range: ClosedRange<Int64>, _ limit: Int) throws -> Gathered {
    let abouts = try AboutSearch(db, hasFullText: hasFullText).ids(holding: text, limit: Self.aboutsMost + 1)
    if abouts.isComplete, abouts.ids.isEmpty { return Gathered() }
    let within = within
    func isWanted(_ row: SQLRow) throws -> Bool {
      guard let within else { return true }
      return within.contains(try row.withBlob(2) { try FindingBody.host($0) })
    }
    guard abouts.isComplete, abouts.ids.count <= Self.aboutsMost else {
      let select = try Prepared(db, "SELECT subject, name FROM about WHERE id = ?")
      let folded = FoldedText(text)
      return try scan(range, limit) { row in
        guard try isWanted(row) else { return false }
        return try select.bind(.integer(row.integer(3))).first { folded.isPart(of: $0, 0, 1) } ?? false
      }
    }
    // Numbers of ours, so they may stand in the text of the statement.
    let list = abouts.ids.map { String($0) }.joined(separator: ",")
    let isNarrow = abouts.ids.count <= Self.askedMost
    let select = try Prepared(
      db,
      """
      SELECT id, about FROM finding INDEXED BY finding_about
      WHERE id >> 15 = ?\(isNarrow ? " AND about IN (\(list))" : "") AND id BETWEEN ? AND ?
      """, isCached: false)
    let wanted = Set(abouts.ids)
    var result = Gathered()
    var seen = 0
    for day in days where RowID.range(day).overlaps(range) && result.rows.count < limit {
      for stretch in try (RowID.stretches(db, day) ?? 0...(-1 as Int64)).reversed() where result.rows.count < limit {
        var ids: [Int64] = []
        try select.bind(.integer(stretch), .integer(range.lowerBound), .integer(range.upperBound)).each { row in
          seen += 1
          if isNarrow || wanted.contains(row.integer(1)) { ids.append(row.integer(0)) }
          return true
        }
        result.rows += try fetch(ids.sorted(by: >), limit: limit - result.rows.count, where: isWanted)
        guard seen < Self.entriesSeenMost || result.rows.count >= limit else {
          result.stoppedAt = stretch << 15
          return result
        }
      }
    }
    return result
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
    let select = try Prepared(db, "SELECT id, recorded, body, flags FROM finding WHERE id = ?")
    for day in try KeptDays.all(db) {
      var copies: [(found: FindingList.Found, isShown: Bool)] = []
      for row in try FindingMarks.ids(db, mark, day: day) {
        try select.bind(.integer(row)).each { row in
          let found = FindingList.Found(id: row.integer(0), recorded: row.integer(1), body: row.blob(2))
          copies.append((found, row.integer(3) & FindingFlags.shown != 0))
          return false
        }
      }
      guard let best = copies.first(where: \.isShown) ?? copies.first else { continue }
      let stored = try FindingList.stored(best.found)
      if stored.id == id { return stored }
    }
    return nil
  }
}
