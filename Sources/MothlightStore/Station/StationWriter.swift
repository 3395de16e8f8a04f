import GRDB
import Mothlight

/// One transaction that writes host-days: their snapshots, findings, sums and cases.
final class StationWriter {
  let db: Database
  let time: Timestamp
  let hasFullText: Bool
  private let names: NameHash
  var memory: WriterMemory
  let totals: DayTotals
  let cases: CaseWriter?

  private var next: [String: [Int: Int64]] = [:]

  private let findHostDay: Prepared
  private let insertHostDay: Prepared
  private let updateHostDay: Prepared
  private let snapshots: Prepared
  private let insertSnapshot: Prepared
  private let insertAbout: Prepared
  let insertFinding: Prepared

  /// - Parameter rules: `nil` opens no cases.
  /// - Parameter file: whose transaction this is.
  init(_ db: Database, _ file: SQLiteStore, rules: CaseRules?, at time: Timestamp, memory: WriterMemory) throws {
    self.db = db
    self.time = time
    self.memory = memory
    hasFullText = file.hasFullText
    names = file.names
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
  func keep(_ encoded: EncodedDay, run name: String, recorded: [String: Timestamp] = [:]) throws {
    let day = encoded.day
    guard abs(day.day) <= RowID.dayMost else { return }
    let run = try self.run(name)
    let known = try findHostDay.bind(.integer(day.day), .blob(day.host.octets)).first { row in
      Known(
        id: row.integer(0), verdict: Verdict(place: row.integer(1)),
        botnets: try row.withBlob(2) { try HostDayBody.brief($0).botnets })
    }
    var all: [Snapshot] = []
    if let known {
      try snapshots.bind(.integer(known.id)).each { row in
        all.append(Snapshot(id: row.integer(0), run: row.integer(1), places: row.blob(2), body: row.blob(3)))
        return true
      }
    }
    let id = try known?.id ?? nextID("host_day", day.day)
    let own = all.first { $0.run == run }
    if let own {
      guard try replace(own, with: encoded, isAlone: all.count == 1) else { return }
    } else {
      try add(encoded, run: run, hostDay: id, isAlone: all.isEmpty, recorded)
    }
    if all.count == (own == nil ? 0 : 1) {
      try write(day, encoded.names, id, known)
      try cases?.take(day)
    } else {
      let merged = try merge(all, replacing: own?.id, with: day)
      try write(merged, EncodedDay.Names(merged), id, known)
      try cases?.take(merged)
    }
  }

  private func write(_ day: HostDay, _ names: EncodedDay.Names, _ id: Int64, _ known: Known?) throws {
    // SQLite keeps a number that is none as NULL.
    let score = day.score.isNaN ? 0 : day.score
    let flows = Int64(clamping: day.activity.flows)
    let (first, last) = (day.activity.first.nanoseconds, day.activity.last.nanoseconds)
    if known == nil {
      try insertHostDay.bind(
        .integer(id), .integer(day.day), .blob(day.host.octets), .integer(day.verdict.place), .real(score),
        .integer(day.findings.count), .integer(first), .integer(last), .integer(flows),
        .blob(names.brief)
      ).run()
    } else {
      try updateHostDay.bind(
        .integer(day.verdict.place), .real(score), .integer(day.findings.count), .integer(first), .integer(last),
        .integer(flows), .blob(names.brief), .integer(id)
      ).run()
    }
    try totals.moved(day.host, day.day, from: known?.verdict, to: day.verdict)
    var sums: [Int64: BotnetSum] = [:]
    for name in names.botnets { sums[try botnet(name)] = BotnetSum(day.activity) }
    for finding in day.findings {
      guard let name = finding.botnet else { continue }
      let id = try botnet(name)
      sums[id] = sums[id].map { $0.findings == 0 ? BotnetSum(finding) : $0.adding(finding) } ?? BotnetSum(finding)
    }
    let before = try known.map { try Set($0.botnets.map { try botnet($0) }) } ?? []
    try totals.named(day.host, day.day, before: before, now: sums)
  }

  private func merge(_ all: [Snapshot], replacing old: Int64?, with day: HostDay) throws -> HostDay {
    var days = try all.map { try $0.id == old ? day : HostDayReading(db).read($0, on: day.day) }
    if old == nil { days.append(day) }
    return HostDayMerge.merge(days) ?? day
  }

  // MARK: Snapshots

  private func add(
    _ encoded: EncodedDay, run: Int64, hostDay: Int64, isAlone: Bool, _ recorded: [String: Timestamp]
  ) throws {
    let day = encoded.day
    let snapshot = try nextID("snapshot", day.day)
    var seen: Set<Int64> = []
    var places: [Int64] = []
    places.reserveCapacity(day.findings.count)
    for (finding, item) in zip(day.findings, encoded.findings) {
      let isFirst = seen.insert(item.mark).inserted
      let needsCare = !isAlone || finding.spansDays
      let written = recorded.isEmpty ? time : recorded[finding.id] ?? time
      let id = try insert(
        finding, item, snapshot: snapshot, day: day.day, isShown: isFirst && !needsCare, recorded: written)
      places.append(RowID.place(id))
      if needsCare { try settle(item.mark, finding, on: day.day) }
    }
    totals.add(findings: places.count, to: day.day)
    try insertSnapshot.bind(
      .integer(snapshot), .integer(hostDay), .integer(run), .blob(HostDayBody.encode(places: places)),
      .blob(encoded.body)
    ).run()
  }

  func insert(
    _ finding: Finding, _ item: EncodedDay.Item, snapshot: Int64, day: Int, isShown: Bool, recorded: Timestamp
  ) throws -> Int64 {
    let id = try nextID("finding", day)
    let flags = (isShown ? FindingFlags.shown : 0) | (finding.spansDays ? FindingFlags.spans : 0)
    try insertFinding.bind(
      .integer(id), .integer(snapshot), .integer(day), .integer(item.mark), .integer(recorded.nanoseconds),
      .integer(try detector(finding)), .integer(finding.family.number),
      try finding.botnet.map { .integer(try botnet($0)) } ?? .null,
      .integer(try about(finding, item.about, on: day)), .integer(flags), .blob(item.body)
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

  /// Also notes which families a detector's findings are of.
  func detector(_ finding: Finding) throws -> Int64 {
    let id = try memory.detectors[finding.detector] ?? number(of: finding.detector, "detector")
    memory.detectors[finding.detector] = id
    if memory.families.insert(.init(family: finding.family.number, detector: id)).inserted {
      try Prepared(db, "INSERT OR IGNORE INTO detector_family VALUES (?, ?)").bind(
        .integer(finding.family.number), .integer(id)
      ).run()
    }
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
  /// - Parameter hash: `NameHash` of subject and name.
  func about(_ finding: Finding, _ hash: UInt64, on day: Int) throws -> Int64 {
    try memory.abouts.load(db, names)
    if var known = memory.abouts.find(hash) {
      guard AboutAge.isDue(known, day) else { return known.id }
      try Prepared(db, "UPDATE about SET last_day = ? WHERE id = ?").bind(.integer(day), .integer(known.id)).run()
      known.lastDay = Int32(clamping: day)
      memory.abouts.put(hash, known)
      return known.id
    }
    try insertAbout.bind(.text(finding.subject), .text(finding.peerName ?? ""), .integer(day)).run()
    let id = db.lastInsertedRowID
    memory.abouts.put(hash, .init(id: id, lastDay: Int32(clamping: day)))
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
    if hasFullText { try memory.words = AboutWords(db).catchUp(from: memory.words) }
    memory.trim()
    return memory
  }
}

/// How the store remembers when a subject was last used.
enum AboutAge {
  /// Days by which `about.last_day` may be behind: it is written now and then, not at each finding.
  static let lagDays = 14

  /// Subjects that came on one day have their turns on different days.
  static func isDue(_ known: AboutMemory.Known, _ day: Int) -> Bool {
    day >= Int(known.lastDay) + lagDays - Int(known.id & 7)
  }
}

enum FindingFlags {
  /// The one of its id that lists show.
  static let shown: Int64 = 1
  /// It reaches over midnight.
  static let spans: Int64 = 2
}
