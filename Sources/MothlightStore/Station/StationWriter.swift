import GRDB
import Mothlight

/// One transaction that writes host-days: their snapshots, findings, sums and cases.
final class StationWriter {
  let db: Database
  let time: Timestamp
  let hasFullText: Bool
  var memory: WriterMemory
  let totals: DayTotals
  let cases: CaseWriter?

  private var next: [String: [Int: Int64]] = [:]
  private var newAbouts: [(id: Int64, about: WriterMemory.About)] = []

  private let findHostDay: Prepared
  private let insertHostDay: Prepared
  private let updateHostDay: Prepared
  private let snapshots: Prepared
  private let insertSnapshot: Prepared
  private let findAbout: Prepared
  private let insertAbout: Prepared
  let insertFinding: Prepared

  /// - Parameter rules: `nil` opens no cases.
  init(_ db: Database, rules: CaseRules?, at time: Timestamp, memory: WriterMemory, hasFullText: Bool) throws {
    self.db = db
    self.time = time
    self.memory = memory
    self.hasFullText = hasFullText
    totals = try DayTotals(db, at: time)
    cases = try rules.map { try CaseWriter(db, rules: $0, at: time) }
    findHostDay = try Prepared(db, "SELECT id, verdict, brief FROM host_day WHERE day = ? AND host = ?")
    insertHostDay = try Prepared(db, "INSERT INTO host_day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    updateHostDay = try Prepared(
      db,
      "UPDATE host_day SET verdict = ?, score = ?, findings = ?, first = ?, last = ?, flows = ?, brief = ? WHERE id = ?"
    )
    snapshots = try Prepared(db, "SELECT id, run, places, body FROM snapshot WHERE host_day = ? ORDER BY run")
    insertSnapshot = try Prepared(db, "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?)")
    findAbout = try Prepared(db, "SELECT id, last_day FROM about WHERE subject = ? AND name = ?")
    insertAbout = try Prepared(db, "INSERT INTO about (subject, name, last_day) VALUES (?, ?, ?)")
    insertFinding = try Prepared(db, "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
  }

  /// What a host-day's row said before.
  private struct Known {
    var id: Int64
    var verdict: Verdict
    var botnets: [String]
  }

  /// One run's word on a host-day, as it is kept.
  struct Snapshot {
    var id: Int64
    var run: Int64
    var places: [UInt8]
    var body: [UInt8]
  }

  /// - Parameter recorded: when each finding was first written, by id, where that is known from elsewhere.
  func keep(_ day: HostDay, run name: String, recorded: [String: Timestamp] = [:]) throws {
    guard abs(day.day) <= RowID.dayMost else { return }
    let run = try self.run(name)
    let known = try findHostDay.bind(.integer(day.day), .blob(day.host.octets)).first { row in
      Known(
        id: row.integer(0), verdict: Verdict(place: row.integer(1)),
        botnets: try row.withBlob(2) { try HostDayBody.brief($0).botnets })
    }
    let body = HostDayBody.encode(day)
    var all: [Snapshot] = []
    if let known {
      try snapshots.bind(.integer(known.id)).each { row in
        all.append(Snapshot(id: row.integer(0), run: row.integer(1), places: row.blob(2), body: row.blob(3)))
        return true
      }
    }
    let id = try known?.id ?? nextID("host_day", day.day)
    let merged: HostDay
    if let own = all.first(where: { $0.run == run }) {
      guard try replace(own, with: day, body, isAlone: all.count == 1) else { return }
      merged = try all.count == 1 ? day : merge(all, replacing: own.id, with: day)
    } else {
      try add(day, body, run: run, hostDay: id, isAlone: all.isEmpty, recorded)
      merged = try all.isEmpty ? day : merge(all, replacing: nil, with: day)
    }
    try write(merged, id, known)
    try cases?.take(merged)
  }

  private func write(_ day: HostDay, _ id: Int64, _ known: Known?) throws {
    let named = Set(day.botnets).union(day.findings.compactMap(\.botnet)).sorted()
    let brief = HostDayBody.Brief(reason: day.reason, botnets: named, roles: day.roles)
    // SQLite keeps a number that is none as NULL.
    let score = day.score.isNaN ? 0 : day.score
    let flows = Int64(clamping: day.activity.flows)
    let (first, last) = (day.activity.first.nanoseconds, day.activity.last.nanoseconds)
    if known == nil {
      try insertHostDay.bind(
        .integer(id), .integer(day.day), .blob(day.host.octets), .integer(day.verdict.place), .real(score),
        .integer(day.findings.count), .integer(first), .integer(last), .integer(flows),
        .blob(HostDayBody.encode(brief))
      ).run()
    } else {
      try updateHostDay.bind(
        .integer(day.verdict.place), .real(score), .integer(day.findings.count), .integer(first), .integer(last),
        .integer(flows), .blob(HostDayBody.encode(brief)), .integer(id)
      ).run()
    }
    try totals.moved(day.host, day.day, from: known?.verdict, to: day.verdict)
    var sums: [Int64: BotnetSum] = [:]
    for name in named { sums[try botnet(name)] = BotnetSum(day.activity) }
    for finding in day.findings {
      guard let name = finding.botnet else { continue }
      let id = try botnet(name)
      sums[id] = sums[id].map { $0.findings == 0 ? BotnetSum(finding) : $0.adding(finding) } ?? BotnetSum(finding)
    }
    let before = try known.map { try Set($0.botnets.map { try botnet($0) }) } ?? []
    try totals.named(day.host, day.day, before: before, now: sums)
  }

  private func merge(_ all: [Snapshot], replacing old: Int64?, with day: HostDay) throws -> HostDay {
    var days = try all.map { try $0.id == old ? day : HostDayReading(db).read($0) }
    if old == nil { days.append(day) }
    return HostDayMerge.merge(days) ?? day
  }

  // MARK: Snapshots

  private func add(
    _ day: HostDay, _ body: [UInt8], run: Int64, hostDay: Int64, isAlone: Bool, _ recorded: [String: Timestamp]
  ) throws {
    let snapshot = try nextID("snapshot", day.day)
    var seen: Set<Int64> = []
    var places: [Int64] = []
    places.reserveCapacity(day.findings.count)
    for finding in day.findings {
      let name = finding.id
      let mark = Finding.mark(of: name) ?? 0
      let isFirst = seen.insert(mark).inserted
      let needsCare = !isAlone || finding.spansDays
      let id = try insert(
        finding, FindingBody.encode(finding), mark: mark, snapshot: snapshot, day: day.day,
        isShown: isFirst && !needsCare, recorded: recorded[name] ?? time)
      places.append(RowID.place(id))
      if needsCare { try settle(mark, finding, on: day.day) }
    }
    totals.add(findings: places.count, to: day.day)
    try insertSnapshot.bind(
      .integer(snapshot), .integer(hostDay), .integer(run), .blob(HostDayBody.encode(places: places)), .blob(body)
    ).run()
  }

  func insert(
    _ finding: Finding, _ body: [UInt8], mark: Int64, snapshot: Int64, day: Int, isShown: Bool, recorded: Timestamp
  ) throws -> Int64 {
    let id = try nextID("finding", day)
    let flags = (isShown ? FindingFlags.shown : 0) | (finding.spansDays ? FindingFlags.spans : 0)
    try insertFinding.bind(
      .integer(id), .integer(snapshot), .integer(day), .integer(mark), .integer(recorded.nanoseconds),
      .integer(try detector(finding.detector)), .integer(finding.family.number),
      try finding.botnet.map { .integer(try botnet($0)) } ?? .null,
      .integer(try about(finding.subject, finding.peerName ?? "", on: day)), .integer(flags), .blob(body)
    ).run()
    return id
  }

  // MARK: Names

  func run(_ name: String) throws -> Int64 {
    if let known = memory.runs[name] { return known }
    let id = try number(of: name, "run")
    memory.runs[name] = id
    return id
  }

  func detector(_ name: String) throws -> Int64 {
    if let known = memory.detectors[name] { return known }
    let id = try number(of: name, "detector")
    memory.detectors[name] = id
    return id
  }

  private func number(of name: String, _ table: String) throws -> Int64 {
    if let id = try Prepared(db, "SELECT id FROM \(table) WHERE name = ?").bind(.text(name)).integer() { return id }
    try Prepared(db, "INSERT INTO \(table) (name) VALUES (?)").bind(.text(name)).run()
    return db.lastInsertedRowID
  }

  func botnet(_ name: String) throws -> Int64 {
    if let known = memory.botnets[name] { return known }
    var id = try Prepared(db, "SELECT id FROM named_botnet WHERE name = ?").bind(.text(name)).integer()
    if id == nil {
      let insert = try Prepared(db, "INSERT INTO named_botnet (name, folded) VALUES (?, ?)")
      try insert.bind(.text(name), .text(BotnetName.folded(name))).run()
      id = db.lastInsertedRowID
    }
    memory.botnets[name] = id
    return id ?? 0
  }

  /// What findings are about, each once, so that text is searched in names and not in findings.
  func about(_ subject: String, _ name: String, on day: Int) throws -> Int64 {
    let key = WriterMemory.About(subject: subject, name: name)
    // Written once a week, not at each finding.
    if let known = memory.abouts[key], day < known.lastDay + AboutAge.lagDays { return known.id }
    let row = try findAbout.bind(.text(subject), .text(name)).first { (id: $0.integer(0), day: Int($0.integer(1))) }
    if let row {
      var lastDay = row.day
      if day >= lastDay + AboutAge.lagDays {
        lastDay = day
        try Prepared(db, "UPDATE about SET last_day = ? WHERE id = ?").bind(.integer(day), .integer(row.id)).run()
      }
      memory.abouts[key] = (row.id, lastDay)
      return row.id
    }
    try insertAbout.bind(.text(subject), .text(name), .integer(day)).run()
    let id = db.lastInsertedRowID
    memory.abouts[key] = (id, day)
    newAbouts.append((id, key))
    return id
  }

  /// The next free id of `day`.
  func nextID(_ table: String, _ day: Int) throws -> Int64 {
    let range = RowID.range(day)
    let id: Int64
    if let known = next[table]?[day] {
      id = known
    } else {
      let most = try Prepared(db, "SELECT MAX(id) FROM \(table) WHERE id BETWEEN ? AND ?")
      id =
        try most.bind(.integer(range.lowerBound), .integer(range.upperBound)).integer().map { $0 &+ 1 }
        ?? range.lowerBound
    }
    guard range.contains(id) else {
      throw StoreError(.refused, "a day holds at most 4294967296 rows of \(table)")
    }
    next[table, default: [:]][day] = id &+ 1
    return id
  }

  /// Writes what was only counted so far; the last thing in a transaction.
  func finish() throws -> WriterMemory {
    try totals.flush()
    try index()
    memory.trim()
    return memory
  }

  /// Outside the migrations: it holds nothing of its own, and a SQLite without FTS5 must be able to open the file.
  private func index() throws {
    guard hasFullText else { return }
    if memory.hasWords {
      let insert = try Prepared(db, "INSERT INTO words_about (rowid, subject, name) VALUES (?, ?, ?)")
      for (id, about) in newAbouts { try insert.bind(.integer(id), .text(about.subject), .text(about.name)).run() }
    } else {
      try AboutWords.create(db)
      try AboutWords.catchUp(db)
      memory.hasWords = true
    }
  }
}

/// How the store remembers when a subject was last used.
enum AboutAge {
  /// Days by which `about.last_day` may be behind.
  static let lagDays = 7
}

/// The index of texts: pieces of three characters, so that any part of a name is found.
enum AboutWords {
  static func create(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE VIRTUAL TABLE IF NOT EXISTS words_about
          USING fts5 (subject, name, content = 'about', content_rowid = 'id', tokenize = 'trigram')
        """)
  }

  /// Takes in what a program without FTS5 has added.
  static func catchUp(_ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO words_about (rowid, subject, name) SELECT id, subject, name FROM about
        WHERE id > (SELECT COALESCE(MAX(id), 0) FROM words_about_docsize)
        """)
  }
}

enum FindingFlags {
  /// The one of its id that lists show.
  static let shown: Int64 = 1
  /// It reaches over midnight.
  static let spans: Int64 = 2
}
