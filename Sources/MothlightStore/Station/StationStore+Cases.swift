import GRDB
import Mothlight

extension StationStore {
  /// Newest first.
  public func cases(_ query: CaseQuery, after cursor: Mothlight.Cursor?, limit: Int) async throws(StoreError) -> Page<
    Case
  > {
    var before = Int64.max
    if let cursor { before = Int64(bitPattern: try PageCursor.read(cursor, "c", count: 1)[0]) }
    let (from, limit) = (before, PageCursor.clamped(limit))
    return try await read { db in
      var rows = try CaseTable(db).list(query, before: from, limit: limit + 1)
      guard rows.count > limit else { return Page(rows: rows, next: nil) }
      rows.removeLast()
      return Page(rows: rows, next: rows.last.map { PageCursor.make("c", [UInt64(bitPattern: $0.number)]) })
    }
  }

  public func `case`(_ number: Int64) async throws(StoreError) -> CaseRecord? {
    try await read { db in try CaseTable(db).record(number) }
  }

  public func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    try await write { db in
      let table = CaseTable(db)
      guard let old = try table.summary(number) else { throw Self.noCase(number) }
      guard old.state != state else {
        throw StoreError(.refused, "case \(number) is \(state.rawValue) already")
      }
      try CaseHistory.note(db, number, from: old.state, to: state, reason: reason, by: actor, at: time)
      try CaseHistory.settle(db, number, state: state, at: time)
      try table.setSigns(number, isFalseAlarm: state == .falseAlarm)
      try AuditTable.add(
        db,
        AuditEntry(
          time: time, actor: actor, action: "case.change", subject: "case \(number)",
          detail: "\(old.state.rawValue) to \(state.rawValue): \(reason)"))
      return try table.record(number) ?? CaseRecord(summary: old, findings: [], changes: [], suggestions: [])
    }
  }

  public func undo(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> CaseRecord {
    try await write { db in
      let table = CaseTable(db)
      guard let old = try table.summary(number) else { throw Self.noCase(number) }
      let select = try Prepared(
        db,
        """
        SELECT id, from_state FROM case_change WHERE case_number = ? AND is_undone = 0 AND from_state IS NOT NULL
        ORDER BY id DESC LIMIT 1
        """)
      let last = try select.bind(.integer(number)).first { (id: $0.integer(0), from: Case.State(rawValue: $0.text(1))) }
      guard let last, let state = last.from else {
        throw StoreError(.refused, "case \(number) has no change that could be taken back")
      }
      try Prepared(db, "UPDATE case_change SET is_undone = 1 WHERE id = ?").bind(.integer(last.id)).run()
      try CaseHistory.settle(db, number, state: state, at: time)
      try table.setSigns(number, isFalseAlarm: state == .falseAlarm)
      try AuditTable.add(
        db,
        AuditEntry(
          time: time, actor: actor, action: "case.undo", subject: "case \(number)",
          detail: "\(old.state.rawValue) back to \(state.rawValue)"))
      return try table.record(number) ?? CaseRecord(summary: old, findings: [], changes: [], suggestions: [])
    }
  }

  public func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    let rules = rules
    return try await write { db in
      guard let kept = try HostDayReading(db).hostDay(host, day) else {
        throw StoreError(.refused, "nothing is kept of \(host) on \(Timestamp.describe(day: day))")
      }
      let number = try CaseWriter(db, rules: rules, at: time).open(kept, because: reason, by: actor)
      guard let record = try CaseTable(db).record(number) else { throw Self.noCase(number) }
      return record
    }
  }

  private static func noCase(_ number: Int64) -> StoreError { StoreError(.refused, "there is no case \(number)") }

  /// Hours run from the opening of a case to its first cleaning that was not taken back.
  public func caseStatistics() async throws(StoreError) -> CaseStatistics {
    try await read { db in
      var byState: [Case.State: Int] = [:]
      try Prepared(db, "SELECT state, COUNT(*) FROM case_file GROUP BY state").each { row in
        if let state = Case.State(rawValue: row.text(0)) { byState[state] = Int(row.integer(1)) }
        return true
      }
      let select = try Prepared(
        db,
        """
        SELECT (MIN(h.time) - c.opened) / 3.6e12, c.reopened FROM case_change h JOIN case_file c ON c.number = h.case_number
        WHERE h.to_state = 'cleaned' AND h.is_undone = 0 GROUP BY h.case_number
        """)
      var hours: [Double] = []
      var cameBack = 0
      try select.each { row in
        hours.append(row.real(0))
        if row.integer(1) > 0 { cameBack += 1 }
        return true
      }
      hours.sort()
      return CaseStatistics(
        byState: byState, cleaned: hours.count, hoursMedian: Self.quantile(hours, 0.5),
        hours90: Self.quantile(hours, 0.9), cameBack: cameBack)
    }
  }

  /// By linear interpolation between the neighbours; `nil` of nothing.
  static func quantile(_ sorted: [Double], _ share: Double) -> Double? {
    guard let last = sorted.last else { return nil }
    let place = share * Double(sorted.count - 1)
    let below = Int(place.rounded(.down))
    guard below + 1 < sorted.count else { return last }
    return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
  }
}
