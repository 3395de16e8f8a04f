import GRDB
import Mothlight
import Synchronization

/// How long a station keeps what it found.
public struct Retention: Sendable, Equatable {
  /// Days that host-days and findings are kept after their day ended or, if that is later, after they were last written.
  public var detailDays: Int
  /// Days that sums per day and per botnet and day are kept; `nil`: for good.
  public var sumDays: Int?

  public init(detailDays: Int = 30, sumDays: Int? = nil) {
    self.detailDays = max(1, detailDays)
    self.sumDays = sumDays.map { max(1, $0) }
  }
}

/// What a round of retention removed.
public struct Pruned: Sendable, Equatable {
  public var days = 0
  public var hostDays = 0
  public var findings = 0
  /// Octets that were given back to the file system.
  public var octets: Int64 = 0
}

extension StationStore {
  /// Rows that one transaction removes: some 20 ms, so that a writer hardly waits.
  private static let rowsAtOnce = 2000
  /// Pages that one transaction gives back.
  private static let pagesAtOnce = 2000

  /// Removes the detail of days that are older than `retention` allows, in small steps between which others write.
  ///
  /// A case keeps the strongest findings of such days. Stopped in the middle, it goes on where it was when called again.
  public func prune(_ retention: Retention, at time: Timestamp) async throws(StoreError) -> Pruned {
    var pruned = Pruned()
    let before = file.octets
    while let day = try await nextToPrune(retention, time) {
      try await begin(day)
      while true {
        let (hostDays, findings) = try await removeSome(day)
        pruned.hostDays += hostDays
        pruned.findings += findings
        guard hostDays + findings > 0 else { break }
        await Task.yield()
      }
      try await write { db in
        try Prepared(db, "UPDATE day_total SET has_detail = 0 WHERE day = ? AND has_detail = 2").bind(.integer(day))
          .run()
      }
      pruned.days += 1
    }
    try await forget(retention, time)
    try await shrink()
    pruned.octets = max(0, before - file.octets)
    return pruned
  }

  /// The oldest day that is due, or one whose removal was begun.
  private func nextToPrune(_ retention: Retention, _ time: Timestamp) async throws(StoreError) -> Int? {
    let last = time.advanced(bySeconds: -86_400 * Double(retention.detailDays))
    return try await read { db in
      let sql = """
        SELECT day FROM day_total WHERE has_detail = 2 OR (has_detail = 1 AND day < ? AND written < ?)
        ORDER BY day LIMIT 1
        """
      return try Prepared(db, sql).bind(.integer(last.day), .integer(last.nanoseconds)).integer().map { Int($0) }
    }
  }

  private func begin(_ day: Int) async throws(StoreError) {
    try await write { db in
      let cases = try Prepared(db, "SELECT DISTINCT case_number FROM case_day WHERE day = ?")
      var numbers: [Int64] = []
      try cases.bind(.integer(day)).each { row in
        numbers.append(row.integer(0))
        return true
      }
      for number in numbers { try CaseArchive(db).save(number, day) }
      try Prepared(db, "UPDATE day_total SET has_detail = 2 WHERE day = ?").bind(.integer(day)).run()
    }
  }

  private func removeSome(_ day: Int) async throws(StoreError) -> (hostDays: Int, findings: Int) {
    let range = RowID.range(day)
    return try await write { db in
      // Somebody wrote to it again meanwhile.
      let state = try Prepared(db, "SELECT has_detail FROM day_total WHERE day = ?").bind(.integer(day)).integer()
      guard state == 2 else { return (0, 0) }
      var left = Self.rowsAtOnce
      func remove(_ table: String) throws -> Int {
        guard left > 0 else { return 0 }
        let sql =
          "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)"
        try Prepared(db, sql).bind(.integer(range.lowerBound), .integer(range.upperBound), .integer(left)).run()
        left -= db.changesCount
        return db.changesCount
      }
      try Self.showOtherCopies(db, range, limit: left)
      let findings = try remove("finding")
      _ = try remove("snapshot")
      let hostDays = try remove("host_day")
      guard left > 0 else { return (max(1, hostDays), findings) }
      let sql = """
        DELETE FROM botnet_host_day WHERE day = ?1 AND (botnet, host) IN
          (SELECT botnet, host FROM botnet_host_day WHERE day = ?1 LIMIT ?2)
        """
      try Prepared(db, sql).bind(.integer(day), .integer(left)).run()
      return (hostDays + (db.changesCount > 0 ? 1 : 0), findings)
    }
  }

  /// A finding that reaches over midnight goes on being shown by its later day.
  private static func showOtherCopies(_ db: Database, _ range: ClosedRange<Int64>, limit: Int) throws {
    let select = try Prepared(
      db, "SELECT mark, body, flags FROM finding WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")
    var spanning: [(mark: Int64, last: Int)] = []
    try select.bind(.integer(range.lowerBound), .integer(range.upperBound), .integer(limit)).each { row in
      if row.integer(2) & FindingFlags.spans != 0 {
        spanning.append((row.integer(0), try row.withBlob(1) { try FindingBody.decode($0) }.last.day))
      }
      return true
    }
    let day = RowID.day(range.lowerBound)
    let kept = try KeptDays.all(db)
    for (mark, last) in spanning {
      try FindingCopies.settle(db, mark, days: kept.filter { $0 > day && $0 <= last }.sorted())
    }
  }

  /// Forgets hosts and subjects that only removed days knew, and sums that are too old.
  private func forget(_ retention: Retention, _ time: Timestamp) async throws(StoreError) {
    let oldest = try await read { db in try KeptDays.all(db).last } ?? time.day
    for (table, key) in [("flagged_host", "host"), ("botnet_host", "botnet, host")] {
      try await removeAll {
        "DELETE FROM \(table) WHERE (\(key)) IN (SELECT \(key) FROM \(table) WHERE last_day < \(oldest) LIMIT \($0))"
      }
    }
    try await forgetAbouts(before: oldest - AboutAge.lagDays)
    guard let days = retention.sumDays else { return }
    let first = time.advanced(bySeconds: -86_400 * Double(days)).day
    try await write { db in
      try Prepared(db, "DELETE FROM day_total WHERE day < ? AND has_detail = 0").bind(.integer(first)).run()
      try Prepared(
        db, "DELETE FROM botnet_day WHERE day < ? AND day NOT IN (SELECT day FROM day_total WHERE has_detail <> 0)"
      ).bind(.integer(first)).run()
    }
  }

  private func removeAll(_ sql: @escaping @Sendable (Int) -> String) async throws(StoreError) {
    var isDone = false
    while !isDone {
      isDone = try await write { db in
        try Prepared(db, sql(Self.rowsAtOnce)).run()
        return db.changesCount < Self.rowsAtOnce
      }
      await Task.yield()
    }
  }

  private func forgetAbouts(before day: Int) async throws(StoreError) {
    var from = Int64.min
    while true {
      let start = from
      let next = try await write { [self] db -> Int64? in
        var last: Int64?
        var old: [Int64] = []
        let select = try Prepared(db, "SELECT id, last_day FROM about WHERE id > ? ORDER BY id LIMIT ?")
        try select.bind(.integer(start), .integer(Self.rowsAtOnce)).each { row in
          last = row.integer(0)
          if row.integer(1) < Int64(day) { old.append(row.integer(0)) }
          return true
        }
        guard !old.isEmpty else { return last }
        memory.withLock { $0 = WriterMemory() }
        if try file.hasFullText && AboutWords.isThere(db) {
          try AboutWords(db).forget(old, upTo: try AboutWords.mark(db))
        }
        let remove = try Prepared(db, "DELETE FROM about WHERE id = ?")
        for id in old { try remove.bind(.integer(id)).run() }
        try AboutWords(db).settle()
        return last
      }
      guard let next else { return }
      from = next
      await Task.yield()
    }
  }

  /// Gives free pages back, and keeps an eighth of the file for what comes next.
  private func shrink() async throws(StoreError) {
    while true {
      let isDone = try await write { db in
        let free = try Prepared(db, "PRAGMA freelist_count").integer() ?? 0
        let pages = try Prepared(db, "PRAGMA page_count").integer() ?? 0
        guard free > pages / 8, free > Int64(Self.pagesAtOnce) else { return true }
        try Prepared(db, "PRAGMA incremental_vacuum(\(Self.pagesAtOnce))", isCached: false).each { _ in true }
        return try Prepared(db, "PRAGMA freelist_count").integer() == free
      }
      if isDone { return }
      await Task.yield()
    }
  }
}

/// Saves what a case rests on before its day is removed.
struct CaseArchive {
  private let db: Database

  /// Findings of one case that outlive their days: some 60 KB.
  private static let findingsMost = 100

  init(_ db: Database) { self.db = db }

  func save(_ number: Int64, _ day: Int) throws {
    let saved = try Prepared(db, "SELECT COUNT(*) FROM case_finding WHERE case_number = ?").bind(.integer(number))
    let room = Self.findingsMost - Int(try saved.integer() ?? 0)
    guard room > 0 else { return }
    var found: [(row: FindingList.Found, weight: Double)] = []
    try CaseRows(db).each(of: number, on: day) { row in
      let finding = try FindingBody.decode(row.body)
      found.append((row, finding.isConclusive ? .infinity : finding.logOdds))
      return true
    }
    let insert = try Prepared(db, "INSERT INTO case_finding (case_number, recorded, body) VALUES (?, ?, ?)")
    for item in found.sorted(by: { $0.weight > $1.weight }).prefix(room) {
      try insert.bind(.integer(number), .integer(item.row.recorded), .blob(item.row.body)).run()
    }
  }
}
