import Foundation
import GRDB
import Mothlight

/// What a rescue could read, and what it could not.
public struct Rescued: Sendable {
  public struct Table: Sendable, Hashable {
    public var name: String
    public var rows: Int
    /// Whether all of it was read.
    public var isWhole: Bool
  }
  public var tables: [Table] = []
  public var hostDays = 0
  /// Host-days whose own record was lost; what else told of them was kept.
  public var hostDaysInPart = 0
  public var findings = 0
  /// Findings that are named by a record that was read, and could not be read themselves.
  public var findingsLost = 0
  /// Stretches of the file that could not be read.
  public var gaps = 0
  public var isWhole: Bool { gaps == 0 && findingsLost == 0 && hostDaysInPart == 0 && tables.allSatisfy(\.isWhole) }
}

/// Writes what can be read of a damaged store into a new one. The damaged file is only read.
///
/// Host-days and findings are written anew from their records, so their sums and indexes are right again whatever was damaged.
/// The page that lists the tables must be readable; without it only a backup helps.
public struct Rescue {
  private let source: SQLiteStore
  private let target: SQLiteStore

  /// - Throws: `StoreError`, one line: when the tables cannot be told, or `out` is there already or cannot be made.
  public static func run(_ damaged: String, to out: String, at time: Timestamp) throws(StoreError) -> Rescued {
    do throws(StoreError) { return try attempt(damaged, to: out, at: time) } catch {
      guard error.code == .damaged else { throw error }
      // The error of an opening advises a rescue.
      throw StoreError(
        .damaged,
        "\(damaged): nothing can be rescued: it is no store, or the page that lists its tables is lost; only a backup "
          + "helps")
    }
  }

  private static func attempt(_ damaged: String, to out: String, at time: Timestamp) throws(StoreError) -> Rescued {
    let source = try SQLiteStore(reading: damaged, because: "is being rescued")
    defer { source.close() }
    guard !FileManager.default.fileExists(atPath: out) else {
      throw StoreError(.refused, "\(out): is there already; a rescue overwrites nothing")
    }
    let target = try SQLiteStore(path: out, mode: .create, at: time)
    defer { target.close() }
    return try Rescue(source: source, target: target).run(at: time)
  }

  /// Tables that are made anew from the records, and those that are not ours.
  private static let derived: Set<String> = [
    "about", "botnet_day", "botnet_host", "botnet_host_day", "day_total", "detector", "detector_family", "finding",
    "flagged_host",
    "grdb_migrations", "host_day", "run", "snapshot", "state",
  ]
  /// Parents before their children.
  private static let first = [
    "source", "botnet", "name", "identifier", "relation", "fact", "indicator", "claim", "size", "takedown", "evidence",
    "audit", "named_botnet", "case_file", "case_day", "case_host", "case_botnet", "case_change", "case_sign",
    "case_finding", "allow_rule",
  ]

  private func run(at time: Timestamp) throws(StoreError) -> Rescued {
    var rescued = Rescued()
    for table in try common() {
      let result = try source.readDamaged { db in try copy(table, db) }
      rescued.tables.append(result)
    }
    let isStation = try source.readDamaged { try $0.tableExists("snapshot") }
    guard isStation else { return rescued }
    let runs = try readRuns(&rescued)
    for day in try days(&rescued) { try keep(day, runs, at: time, &rescued) }
    try keepSums(&rescued)
    return rescued
  }

  // MARK: Tables as they are

  private func common() throws(StoreError) -> [String] {
    let sql = """
      SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'words*'
      ORDER BY name
      """
    let theirs = try source.readDamaged { try String.fetchSet($0, sql: sql) }
    let ours = try target.read { try String.fetchAll($0, sql: sql) }.filter {
      theirs.contains($0) && !Self.derived.contains($0)
    }
    return Self.first.filter { ours.contains($0) } + ours.filter { !Self.first.contains($0) }
  }

  private func copy(_ table: String, _ db: Database) throws -> Rescued.Table {
    let columns = try target.read { try $0.columns(in: table).map(\.name) }
    let known = Set(try db.columns(in: table).map(\.name))
    let names = columns.filter { known.contains($0) }.map { "\"\($0)\"" }.joined(separator: ", ")
    let keys = try db.primaryKey(table).columns.map { "\"\($0)\"" }
    var result = Rescued.Table(name: table, rows: 0, isWhole: true)
    let marks = columns.filter { known.contains($0) }.map { _ in "?" }.joined(separator: ", ")
    // Backwards from the end as well, when the way forward ends at a page that cannot be read.
    for direction in ["ASC", "DESC"] {
      let order = keys.isEmpty ? "rowid \(direction)" : keys.map { "\($0) \(direction)" }.joined(separator: ", ")
      let isComplete = try target.write { out -> Bool in
        let insert = try out.makeStatement(sql: "INSERT OR IGNORE INTO \(table) (\(names)) VALUES (\(marks))")
        do {
          let rows = try Row.fetchCursor(db, sql: "SELECT \(names) FROM \(table) ORDER BY \(order)")
          while let row = try rows.next() {
            do {
              try insert.execute(arguments: StatementArguments(row.databaseValues))
              result.rows += out.changesCount
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
              // Its parent was lost.
              result.isWhole = false
            }
          }
          return true
        } catch let error as DatabaseError where Walk.isDamage(error) { return false }
      }
      if isComplete { break }
      result.isWhole = false
    }
    return result
  }

  // MARK: Host-days and findings

  private func readRuns(_ rescued: inout Rescued) throws(StoreError) -> [Int64: String] {
    let (runs, gaps) = try source.readDamaged { db -> ([Int64: String], Int) in
      var runs: [Int64: String] = [:]
      var walk = Walk(db, table: "run", columns: "name")
      try walk.each(in: .min ... .max) { id, row in runs[id] = row.text(1) }
      return (runs, walk.gaps)
    }
    rescued.gaps += gaps
    return runs
  }

  /// Days that any record is of, oldest first, and when each was last written as far as that can be read.
  private func days(_ rescued: inout Rescued) throws(StoreError) -> [(day: Int, written: Timestamp?)] {
    try source.readDamaged { db in
      var days: [Int: Timestamp?] = [:]
      for table in ["snapshot", "finding"] {
        var walk = Walk(db, table: table, columns: "0")
        var from = Int64.min
        // One look-up a day.
        while true {
          var found: Int64?
          do {
            let select = try Prepared(db, "SELECT id FROM \(table) NOT INDEXED WHERE id >= ? ORDER BY id LIMIT 1")
            found = try select.bind(.integer(from)).integer()
          } catch let error as DatabaseError where Walk.isDamage(error) {
            try walk.each(in: from ... .max) { id, _ in days.updateValue(nil, forKey: RowID.day(id)) }
            break
          }
          guard let found else { break }
          days.updateValue(nil, forKey: RowID.day(found))
          from = RowID.range(RowID.day(found)).upperBound &+ 1
        }
      }
      var totals = Walk(db, table: "day_total", key: "day", columns: "written")
      try totals.each(in: .min ... .max) { day, row in
        if days[Int(day)] != nil { days.updateValue(Timestamp(nanoseconds: row.integer(1)), forKey: Int(day)) }
      }
      return days.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }

  private struct Record {
    var run: Int64
    var places: [Int64]
    var body: [UInt8]
  }

  private struct Loose {
    var finding: Finding
    var recorded: Timestamp
  }

  private func keep(
    _ day: (day: Int, written: Timestamp?), _ runs: [Int64: String], at time: Timestamp, _ rescued: inout Rescued
  ) throws(StoreError) {
    let range = RowID.range(day.day)
    var result = rescued
    let (records, findings) = try source.readDamaged { db -> ([Int64: Record], [Int64: [Int64: Loose]]) in
      var records: [Int64: Record] = [:]
      var snapshots = Walk(db, table: "snapshot", columns: "run, places, body")
      try snapshots.each(in: range) { id, row in
        records[id] = Record(run: row.integer(1), places: try HostDayBody.places(row.blob(2)), body: row.blob(3))
      }
      var findings: [Int64: [Int64: Loose]] = [:]
      var walk = Walk(db, table: "finding", columns: "snapshot, recorded, body")
      try walk.each(in: range) { id, row in
        let finding = try row.withBlob(3) { try FindingBody.decode($0) }
        findings[row.integer(1), default: [:]][RowID.place(id)] = Loose(
          finding: finding, recorded: Timestamp(nanoseconds: row.integer(2)))
      }
      result.gaps += snapshots.gaps + walk.gaps
      return (records, findings)
    }
    let names = target.names
    let known = try target.write { db -> Rescued in
      var result = result
      let writer = try StationWriter(
        db, target, rules: nil, at: day.written ?? time, memory: WriterMemory())
      for (id, record) in records.sorted(by: { $0.key < $1.key }) {
        let own = findings[id] ?? [:]
        let listed = record.places.compactMap { own[$0] }
        guard let hostDay = try? HostDayBody.decode(record.body, findings: listed.map(\.finding)) else {
          result.gaps += 1
          try keepLoose(Array(own.values), day.day, writer, names, &result)
          continue
        }
        result.findingsLost += record.places.count - listed.count
        result.findings += listed.count
        result.hostDays += 1
        try writer.keep(
          EncodedDay(hostDay, names), run: runs[record.run] ?? "rescued \(record.run)", recorded: Self.times(listed))
      }
      for (id, loose) in findings.sorted(by: { $0.key < $1.key }) where records[id] == nil {
        try keepLoose(Array(loose.values), day.day, writer, names, &result)
      }
      _ = try writer.finish()
      return result
    }
    rescued = known
  }

  private static func times(_ loose: [Loose]) -> [String: Timestamp] {
    Dictionary(loose.map { ($0.finding.id, $0.recorded) }, uniquingKeysWith: min)
  }

  /// Findings whose host-day was lost: a host-day that says so.
  private func keepLoose(
    _ loose: [Loose], _ day: Int, _ writer: StationWriter, _ names: NameHash, _ result: inout Rescued
  ) throws {
    guard let host = loose.first?.finding.host else { return }
    let findings = loose.map(\.finding).sorted { ($1.logOdds, $0.subject) < ($0.logOdds, $1.subject) }
    var activity = HostActivity()
    activity.first = findings.map(\.first).min() ?? activity.first
    activity.last = findings.map(\.last).max() ?? activity.last
    let hostDay = HostDay(
      host: host, day: day, verdict: .suspicious, score: 0, families: [], findings: findings,
      reason: "Saved from a damaged store: the findings were read, the verdict and the activity were lost.",
      botnets: Set(findings.compactMap(\.botnet)).sorted(), activity: activity)
    try writer.keep(EncodedDay(hostDay, names), run: "rescued", recorded: Self.times(loose))
    result.hostDaysInPart += 1
    result.findings += findings.count
  }

  /// Sums of days whose detail is no longer kept.
  private func keepSums(_ rescued: inout Rescued) throws(StoreError) {
    for (table, condition) in [("day_total", "has_detail = 0"), ("botnet_day", "TRUE")] {
      let rows = try source.readDamaged { db -> [Row]? in
        do {
          return try Row.fetchAll(db, sql: "SELECT * FROM \(table) WHERE \(condition)")
        } catch let error as DatabaseError where Walk.isDamage(error) { return nil }
      }
      let added = try target.write { db in
        try (rows ?? []).reduce(0) { count, row in
          let marks = row.map { _ in "?" }.joined(separator: ", ")
          try db.execute(
            sql: "INSERT OR IGNORE INTO \(table) VALUES (\(marks))",
            arguments: StatementArguments(row.databaseValues))
          return count + db.changesCount
        }
      }
      rescued.tables.append(Rescued.Table(name: table, rows: added, isWhole: rows != nil))
    }
  }
}
