import GRDB
import Mothlight

/// Opens cases, adds to them and opens them again, as host-days are written.
final class CaseWriter {
  private let db: Database
  private let rules: CaseRules
  private let time: Timestamp
  private let newest: Prepared
  private let addDay: Prepared
  private let addHost: Prepared
  private let addBotnet: Prepared

  init(_ db: Database, rules: CaseRules, at time: Timestamp) throws {
    self.db = db
    self.rules = rules
    self.time = time
    newest = try Prepared(
      db,
      "SELECT number, state, verdict, first, last, cleaned FROM case_file WHERE owner = ? ORDER BY number DESC LIMIT ?")
    addDay = try Prepared(db, "INSERT OR IGNORE INTO case_day VALUES (?, ?, ?)")
    addHost = try Prepared(db, "INSERT OR IGNORE INTO case_host VALUES (?, ?)")
    addBotnet = try Prepared(db, "INSERT OR IGNORE INTO case_botnet VALUES (?, ?)")
  }

  /// Closed cases of one owner that are looked at; an owner with more has them looked at from the newest back.
  private static let pastCasesMost = 64

  private struct Known {
    var number: Int64
    var state: Case.State
    var verdict: Verdict
    var first: Int64
    var last: Int64
    var cleaned: Int64?
  }

  /// - Complexity: O(cases of the owner + findings).
  func take(_ day: HostDay) throws {
    guard day.verdict >= rules.verdictLeast else { return }
    let owner = rules.owner(of: day.host)
    var cases: [Known] = []
    try newest.bind(.text(owner), .integer(Self.pastCasesMost)).each { row in
      cases.append(
        Known(
          number: row.integer(0), state: Case.State(rawValue: row.text(1)) ?? .open,
          verdict: Verdict(place: row.integer(2)), first: row.integer(3), last: row.integer(4),
          cleaned: row.optional(5)))
      return true
    }
    if let open = cases.first(where: { $0.state.isOpen }) { return try add(day, to: open) }
    let signs = Self.signs(day)
    for alarm in cases where alarm.state == .falseAlarm {
      if !signs.isEmpty, try isKnown(signs, to: cases.filter { $0.state == .falseAlarm }) { return }
      if signs.isEmpty, try holds(alarm.number, day.host) { return }
    }
    for old in cases where old.state == .cleaned {
      guard try holds(old.number, day.host) || namesAny(old.number, day.botnets) else { continue }
      // What was seen before the cleaning belongs to the same infection.
      if let cleaned = old.cleaned, Self.last(day).nanoseconds > cleaned { try reopen(old, by: day) }
      return try add(day, to: old)
    }
    _ = try open(day, owner, because: day.reason, by: .station)
  }

  /// Opens a case because somebody wants one, whatever the rules say.
  /// - Returns: its number, or that of the open one that holds the host already.
  func open(_ day: HostDay, because reason: String, by actor: Actor) throws -> Int64 {
    let find = try Prepared(
      db,
      """
      SELECT number FROM case_file JOIN case_host ON case_number = number
      WHERE host = ? AND state IN ('open', 'acknowledged') ORDER BY number DESC LIMIT 1
      """)
    if let known = try find.bind(.blob(day.host.octets)).integer() { return known }
    return try open(day, rules.owner(of: day.host), because: reason, by: actor)
  }

  /// What a false alarm is about and what would be news: findings that count as signs, else all.
  static func signs(_ day: HostDay) -> Set<Sign> {
    let strong = day.findings.filter { $0.isConclusive || $0.logOdds >= Judge.bar }
    return Set((strong.isEmpty ? day.findings : strong).map { Sign(detector: $0.detector, subject: $0.subject) })
  }

  struct Sign: Hashable {
    var detector: String
    var subject: String
  }

  private func isKnown(_ signs: Set<Sign>, to alarms: [Known]) throws -> Bool {
    let find = try Prepared(
      db, "SELECT 1 FROM case_sign WHERE case_number = ? AND detector = ? AND subject = ?")
    return try signs.allSatisfy { sign in
      try alarms.contains {
        try find.bind(.integer($0.number), .text(sign.detector), .text(sign.subject)).integer() != nil
      }
    }
  }

  private func holds(_ number: Int64, _ host: IPAddress) throws -> Bool {
    let find = try Prepared(db, "SELECT 1 FROM case_host WHERE case_number = ? AND host = ?")
    return try find.bind(.integer(number), .blob(host.octets)).integer() != nil
  }

  private func namesAny(_ number: Int64, _ botnets: [String]) throws -> Bool {
    let find = try Prepared(db, "SELECT 1 FROM case_botnet WHERE case_number = ? AND name = ?")
    return try botnets.contains { try find.bind(.integer(number), .text($0)).integer() != nil }
  }

  static func first(_ day: HostDay) -> Timestamp { day.findings.map(\.first).min() ?? day.activity.first }
  static func last(_ day: HostDay) -> Timestamp { day.findings.map(\.last).max() ?? day.activity.last }

  private func open(_ day: HostDay, _ owner: String, because reason: String, by actor: Actor) throws -> Int64 {
    let insert = try Prepared(
      db,
      """
      INSERT INTO case_file (owner, state, verdict, opened, changed, first, last) VALUES (?, 'open', ?, ?, ?, ?, ?)
      """)
    let (first, last) = (Self.first(day).nanoseconds, Self.last(day).nanoseconds)
    try insert.bind(
      .text(owner), .integer(day.verdict.place), .integer(time.nanoseconds), .integer(time.nanoseconds),
      .integer(first), .integer(last)
    ).run()
    let number = db.lastInsertedRowID
    try CaseHistory.note(db, number, from: nil, to: .open, reason: reason, by: actor, at: time)
    try AuditTable.add(
      db,
      AuditEntry(
        time: time, actor: actor, action: "case.open", subject: "case \(number)", detail: "\(owner): \(reason)"))
    try connect(day, to: number)
    return number
  }

  private func reopen(_ old: Known, by day: HostDay) throws {
    let reason = "came back after it had been called cleaned: \(day.reason)"
    try CaseHistory.note(db, old.number, from: old.state, to: .open, reason: reason, by: .station, at: time)
    try CaseHistory.settle(db, old.number, state: .open, at: time)
    try AuditTable.add(
      db,
      AuditEntry(
        time: time, actor: .station, action: "case.reopen", subject: "case \(old.number)",
        detail: "\(day.host): \(reason)"))
  }

  private func add(_ day: HostDay, to old: Known) throws {
    let isNew = try connect(day, to: old.number)
    let verdict = max(old.verdict, day.verdict)
    let first = min(old.first, Self.first(day).nanoseconds)
    let last = max(old.last, Self.last(day).nanoseconds)
    guard isNew || verdict != old.verdict || first != old.first || last != old.last else { return }
    try Prepared(db, "UPDATE case_file SET verdict = ?, first = ?, last = ?, changed = ? WHERE number = ?").bind(
      .integer(verdict.place), .integer(first), .integer(last), .integer(time.nanoseconds), .integer(old.number)
    ).run()
  }

  /// - Returns: whether the case did not have this host-day, or did not name one of its botnets.
  @discardableResult
  private func connect(_ day: HostDay, to number: Int64) throws -> Bool {
    try addDay.bind(.integer(number), .integer(day.day), .blob(day.host.octets)).run()
    var isNew = db.changesCount > 0
    if isNew { try addHost.bind(.integer(number), .blob(day.host.octets)).run() }
    for botnet in day.botnets {
      try addBotnet.bind(.integer(number), .text(botnet)).run()
      if db.changesCount > 0 { isNew = true }
    }
    return isNew
  }
}

extension CaseRules {
  /// Whose a host is: the narrowest prefix decides, of equal ones the one that stands first; else the host itself.
  func owner(of host: IPAddress) -> String {
    var best: (name: String, length: Int)?
    for owner in owners {
      for prefix in owner.prefixes where prefix.contains(host) {
        if let known = best, known.length >= prefix.length { continue }
        best = (owner.name, prefix.length)
      }
    }
    return best?.name ?? host.description
  }
}

/// What happened to a case, and what follows from it.
enum CaseHistory {
  static func note(
    _ db: Database, _ number: Int64, from: Case.State?, to: Case.State, reason: String, by actor: Actor,
    at time: Timestamp
  ) throws {
    let insert = try Prepared(
      db,
      """
      INSERT INTO case_change (case_number, time, from_state, to_state, reason, actor, origin)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """)
    try insert.bind(
      .integer(number), .integer(time.nanoseconds), from.map { .text($0.rawValue) } ?? .null, .text(to.rawValue),
      .text(reason), .text(actor.name), .text(actor.origin)
    ).run()
  }

  /// Sets the state and what is told from the standing changes: when it was last cleaned, how often it came back.
  static func settle(_ db: Database, _ number: Int64, state: Case.State, at time: Timestamp) throws {
    let sql = """
      UPDATE case_file SET state = ?1, changed = ?2,
        cleaned = (SELECT MAX(time) FROM case_change WHERE case_number = ?3 AND to_state = 'cleaned' AND is_undone = 0),
        reopened = (SELECT COUNT(*) FROM case_change WHERE case_number = ?3 AND from_state = 'cleaned'
          AND to_state IN ('open', 'acknowledged') AND is_undone = 0)
      WHERE number = ?3
      """
    try Prepared(db, sql).bind(.text(state.rawValue), .integer(time.nanoseconds), .integer(number)).run()
  }
}

/// The audit: rows are only ever added; the schema refuses anything else.
enum AuditTable {
  static func add(_ db: Database, _ entry: AuditEntry) throws {
    let insert = try Prepared(
      db,
      """
      INSERT INTO audit (time, nanoseconds, author, origin, action, subject, detail, reason)
      VALUES (?, ?, ?, ?, ?, ?, ?, '')
      """)
    let second = entry.time.second
    try insert.bind(
      .integer(second), .integer(entry.time.nanoseconds &- (second &* 1_000_000_000)), .text(entry.actor.name),
      .text(entry.actor.origin), .text(entry.action), .text(entry.subject), .text(entry.detail)
    ).run()
  }

  static let select = "SELECT id, time, nanoseconds, author, origin, action, subject, detail, reason FROM audit"

  static func entry(_ row: SQLRow) -> AuditEntry {
    let reason = row.text(8)
    let detail = row.text(7)
    return AuditEntry(
      time: Timestamp(seconds: row.integer(1), nanoseconds: row.integer(2)),
      actor: Actor(row.text(3), origin: row.text(4)), action: row.text(5), subject: row.text(6),
      detail: reason.isEmpty ? detail : "\(detail) (\(reason))")
  }
}
