import GRDB
import Mothlight

extension StationStore {
  /// In order `verdict` the worst first, then the score, the host, the newest day; in order `newest` the newest day first and
  /// the worst within it; in order `host` by address, then the newest day.
  public func hostDays(_ query: HostDayQuery, after cursor: Mothlight.Cursor?, limit: Int) async throws(StoreError)
    -> Page<
      HostDayRow
    >
  {
    var key: HostDayList.Key?
    if let cursor { key = try HostDayList.Key(cursor) }
    let from = key
    return try await read { db in
      try HostDayList(db, query).page(after: from, limit: PageCursor.clamped(limit))
    }
  }

  public func hostDay(_ host: IPAddress, day: Int) async throws(StoreError) -> HostDay? {
    try await read { db in try HostDayReading(db).hostDay(host, day) }
  }

  public func history(of host: IPAddress) async throws(StoreError) -> [HostDayRow] {
    try await read { db in try HostDayList.history(db, of: host) }
  }
}

/// Puts a host-day together from the snapshots of its runs.
struct HostDayReading {
  let db: Database

  init(_ db: Database) { self.db = db }

  func hostDay(_ host: IPAddress, _ day: Int) throws -> HostDay? {
    let find = try Prepared(db, "SELECT id FROM host_day WHERE day = ? AND host = ?")
    guard let id = try find.bind(.integer(day), .blob(host.octets)).integer() else { return nil }
    return try HostDayMerge.merge(snapshots(of: id).map { try read($0, on: day) })
  }

  private func snapshots(of id: Int64) throws -> [StationWriter.Snapshot] {
    var all: [StationWriter.Snapshot] = []
    let select = try Prepared(db, "SELECT id, run, places, body FROM snapshot WHERE host_day = ? ORDER BY run")
    try select.bind(.integer(id)).each { row in
      all.append(
        StationWriter.Snapshot(id: row.integer(0), run: row.integer(1), places: row.blob(2), body: row.blob(3)))
      return true
    }
    return all
  }

  /// A snapshot with its findings, in their order.
  func read(_ snapshot: StationWriter.Snapshot, on day: Int) throws -> HostDay {
    let select = try Prepared(db, "SELECT body FROM finding WHERE id = ?")
    let findings = try HostDayBody.places(snapshot.places).compactMap { place in
      try select.bind(.integer(RowID.id(day, place: place))).first { row in
        try row.withBlob(0) { try FindingBody.decode($0) }
      }
    }
    return try HostDayBody.decode(snapshot.body, findings: findings)
  }

  /// Rows of all findings of one host-day, by whatever run, oldest first.
  static func rows(_ db: Database, of hostDay: Int64) throws -> [Int64] {
    let select = try Prepared(db, "SELECT places FROM snapshot WHERE host_day = ?")
    var ids: [Int64] = []
    try select.bind(.integer(hostDay)).each { row in
      ids += try HostDayBody.places(row.blob(0)).map { RowID.id(RowID.day(hostDay), place: $0) }
      return true
    }
    return ids.sorted()
  }
}
