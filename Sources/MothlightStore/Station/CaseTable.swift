import GRDB
import Mothlight

/// Rows of cases as values.
struct CaseTable {
  private let db: Database

  /// Hosts of a case that are named; a network may have more.
  private static let hostsMost = 1000
  /// Findings of a case that are given: the newest days' first.
  static let findingsMost = 500
  private static let suggestionsMost = 24

  init(_ db: Database) { self.db = db }

  private static let select = """
    SELECT number, owner, state, verdict, opened, changed, first, last, reopened FROM case_file c
    """

  func list(_ query: CaseQuery, before number: Int64, limit: Int) throws -> [Case] {
    var conditions = "WHERE number < ?"
    var values: [SQLValue] = [.integer(number)]
    if !query.states.isEmpty {
      let states = query.states.map(\.rawValue).sorted()
      conditions += " AND state IN (\(states.map { _ in "?" }.joined(separator: ", ")))"
      values += states.map { .text($0) }
    }
    if let owner = query.owner {
      conditions += " AND owner = ?"
      values.append(.text(owner))
    }
    if let host = query.host {
      conditions += " AND EXISTS (SELECT 1 FROM case_host h WHERE h.host = ? AND h.case_number = c.number)"
      values.append(.blob(host.octets))
    }
    let statement = try Prepared(db, "\(Self.select) \(conditions) ORDER BY number DESC LIMIT ?")
    statement.bind(all: values + [.integer(limit)])
    var rows: [Case] = []
    try statement.each { row in
      rows.append(Self.row(row))
      return true
    }
    return try rows.map(filled)
  }

  func summary(_ number: Int64) throws -> Case? {
    let row = try Prepared(db, "\(Self.select) WHERE number = ?").bind(.integer(number)).first(Self.row)
    return try row.map(filled)
  }

  private static func row(_ row: SQLRow) -> Case {
    Case(
      number: row.integer(0), owner: row.text(1), hosts: [], botnets: [],
      state: Case.State(rawValue: row.text(2)) ?? .open, verdict: Verdict(place: row.integer(3)),
      opened: Timestamp(nanoseconds: row.integer(4)), changed: Timestamp(nanoseconds: row.integer(5)),
      first: Timestamp(nanoseconds: row.integer(6)), last: Timestamp(nanoseconds: row.integer(7)),
      reopened: Int(row.integer(8)))
  }

  private func filled(_ bare: Case) throws -> Case {
    var filled = bare
    let hosts = try Prepared(db, "SELECT host FROM case_host WHERE case_number = ? ORDER BY host LIMIT ?")
    try hosts.bind(.integer(bare.number), .integer(Self.hostsMost)).each { row in
      filled.hosts.append(try row.address(0))
      return true
    }
    let botnets = try Prepared(db, "SELECT name FROM case_botnet WHERE case_number = ? ORDER BY name")
    try botnets.bind(.integer(bare.number)).each { row in
      filled.botnets.append(row.text(0))
      return true
    }
    return filled
  }

  // MARK: One case with all that is known of it

  func record(_ number: Int64) throws -> CaseRecord? {
    guard let summary = try summary(number) else { return nil }
    let findings = try findings(number)
    var changes: [CaseRecord.Change] = []
    let select = try Prepared(
      db,
      """
      SELECT time, from_state, to_state, reason, actor, origin, is_undone FROM case_change WHERE case_number = ?
      ORDER BY id
      """)
    try select.bind(.integer(number)).each { row in
      changes.append(
        CaseRecord.Change(
          time: Timestamp(nanoseconds: row.integer(0)),
          from: row.isNull(1) ? nil : Case.State(rawValue: row.text(1)),
          to: Case.State(rawValue: row.text(2)) ?? .open, reason: row.text(3),
          actor: Actor(row.text(4), origin: row.text(5)), isUndone: row.integer(6) != 0))
      return true
    }
    let rules = summary.state == .falseAlarm ? Self.suggestions(findings.map(\.finding)) : []
    return CaseRecord(summary: summary, findings: findings, changes: changes, suggestions: rules)
  }

  /// Findings of the case's host-days, newest day first, and those that were saved from days that are no longer kept.
  func findings(_ number: Int64) throws -> [StoredFinding] {
    var found: [StoredFinding] = []
    var seen: Set<String> = []
    func take(_ stored: StoredFinding) {
      if seen.insert(stored.id).inserted { found.append(stored) }
    }
    try CaseRows(db).each(of: number) { row in
      take(try FindingList.stored(row))
      return found.count < Self.findingsMost
    }
    let saved = try Prepared(
      db, "SELECT id, recorded, body FROM case_finding WHERE case_number = ? ORDER BY id DESC LIMIT ?")
    try saved.bind(.integer(number), .integer(Self.findingsMost)).each { row in
      take(
        try FindingList.stored(
          FindingList.Found(id: row.integer(0), recorded: row.integer(1), body: row.blob(2))))
      return true
    }
    return Array(found.prefix(Self.findingsMost))
  }

  // MARK: False alarms

  /// Remembers what a false alarm was about, so that only news opens another case.
  func setSigns(_ number: Int64, isFalseAlarm: Bool) throws {
    try Prepared(db, "DELETE FROM case_sign WHERE case_number = ?").bind(.integer(number)).run()
    guard isFalseAlarm else { return }
    let insert = try Prepared(db, "INSERT OR IGNORE INTO case_sign VALUES (?, ?, ?)")
    for stored in try findings(number) {
      try insert.bind(.integer(number), .text(stored.finding.detector), .text(stored.finding.subject)).run()
    }
  }

  /// Rules that would have kept these findings out, narrowest first: one pair, a name, a destination, the host itself.
  static func suggestions(_ findings: [Finding]) -> [AllowList.Rule] {
    func whole(_ address: IPAddress) -> Prefix { Prefix(address, length: 128) }
    let pairs = findings.compactMap { finding in
      finding.peer.map { AllowList.Rule.pair(whole(finding.host), whole($0)) }
    }
    let names = findings.compactMap { finding -> AllowList.Rule? in
      let name = finding.peerName ?? finding.subject
      return isName(name) ? .name(name.lowercased()) : nil
    }
    let peers = findings.compactMap { $0.peer.map { AllowList.Rule.destination(whole($0)) } }
    let hosts = findings.map { AllowList.Rule.source(whole($0.host)) }
    var seen: Set<String> = []
    let unique = (pairs + names + peers + hosts).filter { seen.insert($0.description).inserted }
    return Array(unique.prefix(suggestionsMost))
  }

  private static func isName(_ text: String) -> Bool {
    let allowed = text.utf8.allSatisfy { byte in
      (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x2e
        || byte == 0x5f
    }
    return allowed && text.contains(".") && text.utf8.count <= 253 && IPAddress(text) == nil
  }
}
