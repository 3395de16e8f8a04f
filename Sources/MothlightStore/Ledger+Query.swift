import GRDB
import Mothlight

extension Ledger {
  /// Every row with its evidence, by name.
  /// - Complexity: O(botnets + evidence).
  public func summaries() throws(StoreError) -> [BotnetSummary] {
    try store.read { db in
      let sources = try Self.sourceNames(db)
      var all: [BotnetSummary] = []
      var places: [Int64: Int] = [:]
      let rows = try Row.fetchCursor(db, sql: "SELECT id, uuid, name, kind FROM botnet ORDER BY folded")
      while let row = try rows.next() {
        places[row[0]] = all.count
        all.append(BotnetSummary(id: row[1], name: row[2], kind: Botnet.Kind(rawValue: row[3]) ?? .family))
      }
      let evidence = try Row.fetchCursor(
        db, sql: "SELECT botnet_id, kind, source_id, first_seen, last_seen, life, items FROM evidence")
      while let row = try evidence.next() {
        guard let place = places[row[0]], let item = Self.evidence(row, sources) else { continue }
        all[place].evidence.append(item)
      }
      let takedowns = try Row.fetchCursor(db, sql: "\(Self.takedownSQL) ORDER BY botnet_id, day")
      while let row = try takedowns.next() {
        guard let place = places[row[0]] else { continue }
        all[place].takedowns.append(Self.takedown(row, sources))
      }
      // The newest window wins; within it the live figure, which comes last.
      let sizes = try Row.fetchCursor(
        db, sql: "\(Self.sizeSQL) WHERE kind IN ('live', 'footprint') ORDER BY last_hour, kind = 'live', date")
      while let row = try sizes.next() {
        if let place = places[row[0]] { all[place].size = Self.size(row, sources) }
      }
      return all
    }
  }

  /// All that is known of one row; `nil` when no row has this name or id.
  /// - Parameter indicatorLimit: claims of indicators beyond it are counted, not given.
  public func botnet(_ name: String, indicatorLimit: Int = 10_000) throws(StoreError) -> Botnet? {
    try store.read { db in
      guard let row = try Self.row(of: name, db) else { return nil }
      return try BotnetReading(db, try Self.sourceNames(db), row).botnet(indicatorLimit: indicatorLimit)
    }
  }

  /// The last sign of life of each command server.
  public func serverLives() throws(StoreError) -> [Timestamp] {
    try store.read { db in
      try Int64.fetchAll(
        db,
        sql: """
          SELECT MAX(COALESCE(last_seen, first_seen)) AS life FROM claim WHERE role = 'c2' GROUP BY indicator_id
          HAVING life IS NOT NULL
          """
      ).map { Timestamp(seconds: $0) }
    }
  }

  /// Calls `body` for every row in order of name, and at the end for the claims that no row has.
  public func forEachBotnet(_ body: (Botnet) throws -> Void, unassigned: (IndicatorClaim) throws -> Void)
    throws(StoreError)
  {
    try store.read { db in
      let sources = try Self.sourceNames(db)
      for row in try Int64.fetchAll(db, sql: "SELECT id FROM botnet ORDER BY folded") {
        if let botnet = try BotnetReading(db, sources, row).botnet(indicatorLimit: .max) { try body(botnet) }
      }
      let claims = try Row.fetchCursor(
        db, sql: "\(Self.claimSQL) WHERE c.botnet_id IS NULL ORDER BY i.value, i.kind, c.source_id, c.malware")
      while let row = try claims.next() {
        if let claim = Self.claim(row, sources) { try unassigned(claim) }
      }
    }
  }

  // MARK: Rows to values

  static func sourceNames(_ db: Database) throws -> [Int64: String] {
    var names: [Int64: String] = [:]
    let rows = try Row.fetchCursor(db, sql: "SELECT id, name FROM source")
    while let row = try rows.next() { names[row[0]] = row[1] }
    return names
  }

  static let takedownSQL = "SELECT botnet_id, day, done_by, outcome, method, source_id, date FROM takedown"
  static let sizeSQL = """
    SELECT botnet_id, kind, first_hour, last_hour, grade, low, value, high, at_most, addresses, sensors, source_id, date
    FROM size
    """
  static let claimSQL = """
    SELECT i.kind, i.value, c.role, c.malware, c.first_seen, c.last_seen, c.is_online, c.confidence, c.reference, c.extra,
      c.source_id, c.date, c.botnet_id
    FROM claim c JOIN indicator i ON i.id = c.indicator_id
    """

  static func evidence(_ row: Row, _ sources: [Int64: String]) -> BotnetEvidence? {
    guard let kind = BotnetEvidence.Kind(rawValue: row[1]) else { return nil }
    return BotnetEvidence(
      kind: kind, source: sources[row[2]] ?? "?", first: time(row[3]), last: time(row[4]), life: time(row[5]),
      items: row[6])
  }

  static func time(_ second: Int64?) -> Timestamp? { second.map { Timestamp(seconds: $0) } }

  static func takedown(_ row: Row, _ sources: [Int64: String]) -> TakedownRecord {
    TakedownRecord(
      day: row[1], by: row[2], outcome: TakedownRecord.Outcome(rawValue: row[3]) ?? .disrupted, method: row[4],
      origin: Origin(source: sources[row[5]] ?? "?", date: Timestamp(seconds: row[6])))
  }

  static func size(_ row: Row, _ sources: [Int64: String]) -> SizeObservation? {
    guard let kind = CensusKind(rawValue: row[1]), let grade = CensusGrade(rawValue: row[4]),
      let first = UInt32(exactly: row[2] as Int64), let last = UInt32(exactly: row[3] as Int64), first <= last
    else { return nil }
    var machines: CensusRange?
    if let low: Double = row[5], let value: Double = row[6], let high: Double = row[7] {
      machines = CensusRange(low: low, value: value, high: high)
    }
    let figure = CensusFigure(
      kind: kind, hours: first...last, machines: machines, atMost: row[8], addresses: row[9], grade: grade)
    let sensors = (row[10] as String).split(separator: " ").map(String.init)
    return SizeObservation(
      figure, sensors: sensors,
      origin: Origin(source: sources[row[11]] ?? "?", date: Timestamp(seconds: row[12])))
  }

  static func claim(_ row: Row, _ sources: [Int64: String]) -> IndicatorClaim? {
    guard let kind = Indicator.Kind(rawValue: row[0]), let role = IndicatorClaim.Role(rawValue: row[2]) else {
      return nil
    }
    return IndicatorClaim(
      Indicator(kind: kind, value: row[1]), role: role, malware: row[3], firstSeen: time(row[4]),
      lastSeen: time(row[5]),
      isOnline: row[6], confidence: row[7], reference: row[8], extra: StoredClaim.extra(row[9]),
      origin: Origin(source: sources[row[10]] ?? "?", date: Timestamp(seconds: row[11])))
  }
}
