import GRDB
import Mothlight

extension StationWriter {
  private struct Row {
    var id: Int64
    var mark: Int64
    var recorded: Int64
    var flags: Int64
    var body: [UInt8]
  }

  /// Makes a snapshot say what `day` says: what is the same stays as it is, what is gone is removed.
  /// - Returns: whether anything was different.
  func replace(_ old: Snapshot, with encoded: EncodedDay, isAlone: Bool) throws -> Bool {
    let day = encoded.day
    var rows: [Int64: [Row]] = [:]
    let select = try Prepared(db, "SELECT id, mark, recorded, flags, body FROM finding WHERE id = ?")
    for place in try HostDayBody.places(old.places).sorted(by: >) {
      try select.bind(.integer(RowID.id(day.day, place: place))).each { row in
        rows[row.integer(1), default: []].append(
          Row(
            id: row.integer(0), mark: row.integer(1), recorded: row.integer(2), flags: row.integer(3),
            body: row.blob(4)))
        return false
      }
    }
    let before = rows.values.reduce(0) { $0 + $1.count }
    var places: [Int64] = []
    var unsettled: [(mark: Int64, finding: Finding)] = []
    var isChanged = false
    var seen: Set<Int64> = []
    for (finding, item) in zip(day.findings, encoded.findings) {
      let needsCare = !isAlone || finding.spansDays
      let isFirst = seen.insert(item.mark).inserted
      if let row = rows[item.mark]?.popLast() {
        places.append(RowID.place(row.id))
        guard row.body != item.body else { continue }
        try update(row.id, finding, item, on: day.day, flags: row.flags)
      } else {
        let id = try insert(
          finding, item, snapshot: old.id, day: day.day, isShown: isFirst && !needsCare, recorded: time)
        places.append(RowID.place(id))
      }
      isChanged = true
      if needsCare { unsettled.append((item.mark, finding)) }
    }
    let remove = try Prepared(db, "DELETE FROM finding WHERE id = ?")
    for row in rows.values.joined() {
      try remove.bind(.integer(row.id)).run()
      isChanged = true
      if !isAlone || row.flags & FindingFlags.spans != 0 {
        unsettled.append((row.mark, try FindingBody.decode(row.body)))
      }
    }
    for item in unsettled { try settle(item.mark, item.finding, on: day.day) }
    totals.add(findings: places.count - before, to: day.day)
    let places8 = HostDayBody.encode(places: places)
    guard isChanged || places8 != old.places || encoded.body != old.body else { return false }
    let write = try Prepared(db, "UPDATE snapshot SET places = ?, body = ? WHERE id = ?")
    try write.bind(.blob(places8), .blob(encoded.body), .integer(old.id)).run()
    return true
  }

  private func update(
    _ id: Int64, _ finding: Finding, _ item: EncodedDay.Item, on day: Int, flags: Int64
  ) throws {
    let kept = (flags & FindingFlags.shown) | (finding.spansDays ? FindingFlags.spans : 0)
    let sql = "UPDATE finding SET detector = ?, family = ?, botnet = ?, about = ?, flags = ?, body = ? WHERE id = ?"
    try Prepared(db, sql).bind(
      .integer(try detector(finding)), .integer(finding.family.number),
      try finding.botnet.map { .integer(try botnet($0)) } ?? .null,
      .integer(try about(finding, item.about, on: day)), .integer(kept), .blob(item.body), .integer(id)
    ).run()
  }

  /// Of the copies of one finding, by several runs or on several days, shows one: the first day's, of it the strongest.
  func settle(_ mark: Int64, _ finding: Finding, on day: Int) throws {
    let span = min(finding.first.day, day)...max(finding.last.day, day)
    try FindingCopies.settle(db, mark, days: totals.days(in: span, with: day))
  }
}

/// Copies of one finding in several host-days or runs.
enum FindingCopies {
  private struct Copy {
    var id: Int64
    var isShown: Bool
    var recorded: Int64
    var finding: Finding
  }

  /// - Parameter days: in which copies may be.
  static func settle(_ db: Database, _ mark: Int64, days: [Int]) throws {
    let select = try Prepared(db, "SELECT id, flags, recorded, body FROM finding WHERE id = ?")
    var copies: [Copy] = []
    for id in try days.flatMap({ try FindingMarks.ids(db, mark, day: $0) }) {
      try select.bind(.integer(id)).each { row in
        copies.append(
          Copy(
            id: row.integer(0), isShown: row.integer(1) & FindingFlags.shown != 0, recorded: row.integer(2),
            finding: try row.withBlob(3) { try FindingBody.decode($0) }))
        return true
      }
    }
    guard var best = copies.first, let earliest = copies.map(\.recorded).min() else { return }
    for copy in copies.dropFirst() where RowID.day(copy.id) == RowID.day(best.id) {
      if HostDayMerge.isBetter(copy.finding, than: best.finding) { best = copy }
    }
    let write = try Prepared(db, "UPDATE finding SET flags = (flags & ~1) | ?, recorded = ? WHERE id = ?")
    for copy in copies where copy.isShown != (copy.id == best.id) || copy.recorded != earliest {
      try write.bind(.integer(copy.id == best.id ? 1 : 0), .integer(earliest), .integer(copy.id)).run()
    }
  }
}

/// Finds findings by the first half of their id.
enum FindingMarks {
  /// Rows of one day, oldest first.
  /// - Complexity: one look-up for each 32,768 findings of the day.
  static func ids(_ db: Database, _ mark: Int64, day: Int) throws -> [Int64] {
    guard let stretches = try RowID.stretches(db, day) else { return [] }
    let select = try Prepared(
      db, "SELECT id FROM finding INDEXED BY finding_mark WHERE id >> 15 = ? AND mark = ? ORDER BY id")
    var ids: [Int64] = []
    for stretch in stretches {
      try select.bind(.integer(stretch), .integer(mark)).each { row in
        ids.append(row.integer(0))
        return true
      }
    }
    return ids
  }
}
