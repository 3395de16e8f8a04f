import GRDB

/// Findings of the host-days of a case, as far as their days are kept.
struct CaseRows {
  private let db: Database

  init(_ db: Database) { self.db = db }

  /// Host-day by host-day, the newest day first, those that lists show before their copies.
  /// - Parameter day: only of this day, and without copies.
  /// - Parameter body: says `false` when it has enough.
  func each(of number: Int64, on day: Int? = nil, _ body: (FindingList.Found) throws -> Bool) throws {
    let hostDays = try Prepared(
      db,
      """
      SELECT h.id FROM case_day c CROSS JOIN host_day h INDEXED BY host_day_host ON h.day = c.day AND h.host = c.host
      WHERE c.case_number = ?1 AND c.day = COALESCE(?2, c.day) ORDER BY c.day DESC, c.host DESC
      """)
    try hostDays.bind(.integer(number), day.map { .integer($0) } ?? .null).each { row in
      try findings(row.integer(0), withCopies: day == nil).allSatisfy(body)
    }
  }

  private func findings(_ hostDay: Int64, withCopies: Bool) throws -> [FindingList.Found] {
    let select = try Prepared(db, "SELECT id, recorded, body, flags FROM finding WHERE id = ?")
    var shown: [FindingList.Found] = []
    var copies: [FindingList.Found] = []
    for id in try HostDayReading.rows(db, of: hostDay) {
      try select.bind(.integer(id)).each { row in
        let found = FindingList.Found(id: row.integer(0), recorded: row.integer(1), body: row.blob(2))
        if row.integer(3) & FindingFlags.shown != 0 { shown.append(found) } else { copies.append(found) }
        return false
      }
    }
    return withCopies ? shown + copies : shown
  }
}
