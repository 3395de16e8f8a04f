import Mothlight

/// A store for tests of what stands on one: the contract's meaning, in memory, by going over everything.
actor MemoryStore: Store {
  private struct Key: Hashable {
    let host: IPAddress
    let day: Int
  }
  private var days: [Key: (hostDay: HostDay, run: String)] = [:]
  /// Verdicts of these tests only get worse.
  private var firstFlagged: [IPAddress: Int] = [:]
  private var recorded: [String: Timestamp] = [:]
  private var records: [Int64: CaseRecord] = [:]
  private var rules: [StoredAllowRule] = []
  private var ended: Set<Int64> = []
  private var entries: [AuditEntry] = []
  private var numbers: Int64 = 0
  private var current = StoreCondition(state: .ready, octets: 1 << 20, findings: 0, hostDays: 0)
  private let caseRules: CaseRules
  /// Thrown by every call when set.
  private var trouble: StoreError?

  init(caseRules: CaseRules = CaseRules()) { self.caseRules = caseRules }

  func fail(with error: StoreError?) { trouble = error }
  func set(_ condition: StoreCondition) { current = condition }

  private func check() throws(StoreError) {
    if let trouble { throw trouble }
    // As the real one, whose writer asks for it.
    if Task.isCancelled { throw StoreError(.busy, "the task was cancelled; nothing was written") }
  }

  // MARK: Host-days

  func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) throws(StoreError) {
    try check()
    for var entry in hostDays {
      let key = Key(host: entry.host, day: entry.day)
      if let old = days[key], old.run != run {
        let ids = Set(entry.findings.map(\.id))
        entry.findings += old.hostDay.findings.filter { !ids.contains($0.id) }
        entry.verdict = max(entry.verdict, old.hostDay.verdict)
      }
      days[key] = (entry, run)
      if entry.verdict >= .suspicious {
        firstFlagged[entry.host] = min(firstFlagged[entry.host] ?? entry.day, entry.day)
      }
      for finding in entry.findings { recorded[finding.id] = recorded[finding.id] ?? time }
      if entry.verdict >= caseRules.verdictLeast { keepCase(entry, at: time) }
    }
  }

  private func keepCase(_ entry: HostDay, at time: Timestamp) {
    let stored = entry.findings.map { StoredFinding(id: $0.id, finding: $0, recorded: recorded[$0.id] ?? time) }
    let owner = owner(of: entry.host)
    if var record = records.values.first(where: { $0.summary.owner == owner && $0.summary.state != .falseAlarm }) {
      if record.summary.state == .cleaned, entry.activity.last > record.summary.changed {
        record.changes.append(
          CaseRecord.Change(time: time, from: .cleaned, to: .open, reason: "seen again", actor: .station))
        record.summary.state = .open
        record.summary.reopened += 1
        record.summary.changed = time
      }
      let known = Set(record.findings.map(\.id))
      record.findings += stored.filter { !known.contains($0.id) }
      record.summary.hosts = Array(Set(record.summary.hosts + [entry.host])).sorted()
      record.summary.botnets = Array(Set(record.summary.botnets + entry.botnets)).sorted()
      record.summary.verdict = max(record.summary.verdict, entry.verdict)
      record.summary.last = max(record.summary.last, entry.activity.last)
      records[record.summary.number] = record
    } else {
      _ = open(entry, stored, owner, reason: "opened by rule", by: .station, at: time)
    }
  }

  private func open(
    _ entry: HostDay, _ stored: [StoredFinding], _ owner: String, reason: String, by actor: Actor, at time: Timestamp
  ) -> CaseRecord {
    numbers += 1
    let summary = Case(
      number: numbers, owner: owner, hosts: [entry.host], botnets: entry.botnets, state: .open, verdict: entry.verdict,
      opened: time, changed: time, first: entry.activity.first, last: entry.activity.last, reopened: 0)
    let record = CaseRecord(
      summary: summary, findings: stored,
      changes: [CaseRecord.Change(time: time, from: nil, to: .open, reason: reason, actor: actor)], suggestions: [])
    records[numbers] = record
    return record
  }

  private func owner(of host: IPAddress) -> String {
    let holders = caseRules.owners.flatMap { owner in owner.prefixes.map { (owner.name, $0) } }
    return holders.filter { $0.1.contains(host) }.max { $0.1.length < $1.1.length }?.0 ?? host.description
  }

  private func row(_ entry: HostDay) -> HostDayRow {
    HostDayRow(
      host: entry.host, day: entry.day, verdict: entry.verdict, score: entry.score, botnets: entry.botnets,
      reason: entry.reason, roles: entry.roles, findings: entry.findings.count, first: entry.activity.first,
      last: entry.activity.last, flows: entry.activity.flows, firstFlaggedDay: firstFlagged[entry.host])
  }

  func hostDays(_ query: HostDayQuery, after: Cursor?, limit: Int) throws(StoreError) -> Page<HostDayRow> {
    try check()
    let found = days.values.map { row($0.hostDay) }.filter { row in
      row.verdict >= query.verdictLeast && (query.days?.contains(row.day) ?? true)
        && (query.botnet.map { row.botnets.contains($0) } ?? true) && (query.within?.contains(row.host) ?? true)
        && (!query.isNewOnly || row.firstFlaggedDay == row.day)
    }
    let sorted = found.sorted { a, b in
      switch query.order {
      case .verdict where a.verdict != b.verdict: a.verdict > b.verdict
      case .verdict where a.score != b.score: a.score > b.score
      case .newest where a.day != b.day: a.day > b.day
      default: a.host != b.host ? a.host < b.host : a.day > b.day
      }
    }
    return page(sorted, after, limit)
  }

  /// Cursors are places in a list here.
  private func page<Row: Sendable>(_ rows: [Row], _ after: Cursor?, _ limit: Int) -> Page<Row> {
    let start = max(0, min(rows.count, after.flatMap { Int($0.text) } ?? 0))
    let end = min(rows.count, start + max(1, limit))
    return Page(rows: Array(rows[start..<end]), next: end < rows.count ? Cursor(String(end)) : nil)
  }

  func hostDay(_ host: IPAddress, day: Int) throws(StoreError) -> HostDay? {
    try check()
    return days[Key(host: host, day: day)]?.hostDay
  }

  func history(of host: IPAddress) throws(StoreError) -> [HostDayRow] {
    try check()
    return days.values.filter { $0.hostDay.host == host }.map { row($0.hostDay) }.sorted { $0.day > $1.day }
  }

  // MARK: Findings

  private var stored: [StoredFinding] {
    days.values.flatMap { $0.hostDay.findings }
      .map { StoredFinding(id: $0.id, finding: $0, recorded: recorded[$0.id] ?? $0.last) }
      .sorted { ($1.finding.last, $0.id) < ($0.finding.last, $1.id) }
  }

  func findings(_ query: FindingQuery, after: Cursor?, limit: Int) throws(StoreError) -> Page<StoredFinding> {
    try check()
    let found = stored.filter { item in
      let f = item.finding
      let text = query.text.map { $0.lowercased() }
      return (query.days?.contains(f.first.day) ?? true) && (query.host.map { $0 == f.host } ?? true)
        && (query.within?.contains(f.host) ?? true) && (query.detector.map { $0 == f.detector } ?? true)
        && (query.family.map { $0 == f.family } ?? true) && (query.botnet.map { $0 == f.botnet } ?? true)
        && (text.map { f.subject.lowercased().contains($0) || (f.peerName ?? "").lowercased().contains($0) } ?? true)
    }
    return page(found, after, limit)
  }

  func finding(id: String) throws(StoreError) -> StoredFinding? {
    try check()
    return stored.first { $0.id == id }
  }

  func overview(day: Int, days count: Int) throws(StoreError) -> Overview {
    try check()
    let all = days.values.map { row($0.hostDay) }
    let list = (day - count + 1...day).map { day in
      let rows = all.filter { $0.day == day }
      return Overview.Day(
        day: day, hosts: Dictionary(grouping: rows, by: \.verdict).mapValues(\.count),
        new: rows.count { $0.verdict >= .suspicious && $0.firstFlaggedDay == day })
    }
    let flagged = all.filter { $0.day == day && $0.verdict >= .suspicious }
      .sorted { ($1.verdict, $1.score, $0.host) < ($0.verdict, $0.score, $1.host) }
    return Overview(
      days: list, flagged: Array(flagged.prefix(50)), openCases: records.values.count { $0.summary.state.isOpen })
  }

  func botnets(_ range: ClosedRange<Int>, limit: Int) throws(StoreError) -> [BotnetActivity] {
    try check()
    let named = stored.filter { range.contains($0.finding.first.day) && $0.finding.botnet != nil }
    let groups = Dictionary(grouping: named) { $0.finding.botnet ?? "" }
    let list = groups.map { name, items in
      let byDay = Dictionary(grouping: items) { $0.finding.first.day }
      return BotnetActivity(
        name: name, hosts: Set(items.map(\.finding.host)).count, findings: items.count,
        first: items.map(\.finding.first).min() ?? .distantFuture,
        last: items.map(\.finding.last).max() ?? .distantPast,
        byDay: byDay.mapValues { Set($0.map(\.finding.host)).count })
    }
    return Array(list.sorted { ($1.hosts, $0.name) < ($0.hosts, $1.name) }.prefix(limit))
  }

  func search(_ text: String, limit: Int) throws(StoreError) -> [SearchHit] {
    try check()
    let wanted = text.lowercased()
    var hits: [SearchHit] = []
    for host in Set(days.keys.map(\.host)).sorted() where host.description.contains(wanted) {
      hits.append(SearchHit(kind: .host, key: host.description, title: host.description, detail: "a host of ours"))
    }
    for item in stored {
      let f = item.finding
      if let botnet = f.botnet, botnet.lowercased().contains(wanted) {
        hits.append(SearchHit(kind: .botnet, key: botnet, title: botnet, detail: "a botnet that findings name"))
      }
      if let name = f.peerName, name.lowercased().contains(wanted) {
        hits.append(SearchHit(kind: .name, key: name, title: name, detail: "asked for by \(f.host)"))
      }
      if f.summary.lowercased().contains(wanted) {
        hits.append(SearchHit(kind: .finding, key: item.id, title: f.summary, detail: f.detector))
      }
    }
    var seen: Set<SearchHit> = []
    return Array(hits.filter { seen.insert($0).inserted }.prefix(limit))
  }

  // MARK: Cases

  func cases(_ query: CaseQuery, after: Cursor?, limit: Int) throws(StoreError) -> Page<Case> {
    try check()
    let found = records.values.map(\.summary).filter { item in
      (query.states.isEmpty || query.states.contains(item.state)) && (query.owner.map { $0 == item.owner } ?? true)
        && (query.host.map { item.hosts.contains($0) } ?? true)
    }
    return page(found.sorted { $0.number > $1.number }, after, limit)
  }

  func `case`(_ number: Int64) throws(StoreError) -> CaseRecord? {
    try check()
    return records[number]
  }

  private func record(_ number: Int64) throws(StoreError) -> CaseRecord {
    try check()
    guard let record = records[number] else { throw StoreError(.unknown, "there is no case \(number)") }
    return record
  }

  func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    throws(StoreError) -> CaseRecord
  {
    var record = try record(number)
    guard record.summary.state != state else {
      throw StoreError(.refused, "case \(number) is \(state.rawValue) already")
    }
    record.changes.append(
      CaseRecord.Change(time: time, from: record.summary.state, to: state, reason: reason, actor: actor))
    record.summary.state = state
    record.summary.changed = time
    record.suggestions = state == .falseAlarm ? Self.suggestions(record.findings) : []
    records[number] = record
    entries.append(
      AuditEntry(time: time, actor: actor, action: "case.change", subject: "case \(number)", detail: reason))
    return record
  }

  private static func suggestions(_ findings: [StoredFinding]) -> [AllowList.Rule] {
    findings.prefix(3).compactMap { item in
      item.finding.peer.map { .pair(Prefix(item.finding.host, length: 128), Prefix($0, length: 128)) }
    }
  }

  func undo(_ number: Int64, by actor: Actor, at time: Timestamp) throws(StoreError) -> CaseRecord {
    var record = try record(number)
    guard let at = record.changes.lastIndex(where: { !$0.isUndone && $0.from != nil }),
      let before = record.changes[at].from
    else { throw StoreError(.refused, "there is nothing to undo in case \(number)") }
    record.changes[at].isUndone = true
    record.summary.state = before
    record.summary.changed = time
    record.suggestions = []
    records[number] = record
    entries.append(AuditEntry(time: time, actor: actor, action: "case.undo", subject: "case \(number)"))
    return record
  }

  func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    throws(StoreError) -> CaseRecord
  {
    try check()
    guard let entry = days[Key(host: host, day: day)]?.hostDay else {
      throw StoreError(.unknown, "nothing is kept of \(host) on \(Timestamp.describe(day: day))")
    }
    if let known = records.values.first(where: { $0.summary.state.isOpen && $0.summary.hosts.contains(host) }) {
      return known
    }
    let stored = entry.findings.map { StoredFinding(id: $0.id, finding: $0, recorded: recorded[$0.id] ?? time) }
    entries.append(
      AuditEntry(time: time, actor: actor, action: "case.open", subject: host.description, detail: reason))
    return open(entry, stored, owner(of: host), reason: reason, by: actor, at: time)
  }

  func caseStatistics() throws(StoreError) -> CaseStatistics {
    try check()
    let states = Dictionary(grouping: records.values, by: \.summary.state).mapValues(\.count)
    let hours = records.values.filter { $0.summary.state == .cleaned }
      .map { $0.summary.changed.seconds(since: $0.summary.opened) / 3600 }.sorted()
    return CaseStatistics(
      byState: states, cleaned: hours.count, hoursMedian: hours.isEmpty ? nil : hours[hours.count / 2],
      hours90: hours.isEmpty ? nil : hours[hours.count * 9 / 10],
      cameBack: records.values.count { $0.summary.reopened > 0 })
  }

  // MARK: Allow rules and audit

  func allowRules() throws(StoreError) -> [StoredAllowRule] {
    try check()
    return rules.filter { !ended.contains($0.number) }
  }

  func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    throws(StoreError) -> StoredAllowRule
  {
    try check()
    numbers += 1
    let stored = StoredAllowRule(number: numbers, rule: rule, reason: reason, actor: actor, added: time)
    rules.append(stored)
    entries.append(
      AuditEntry(time: time, actor: actor, action: "allow.add", subject: rule.description, detail: reason))
    return stored
  }

  func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) throws(StoreError) -> Bool {
    try check()
    guard rules.contains(where: { $0.number == number }) else {
      throw StoreError(.unknown, "there is no allow rule \(number)")
    }
    entries.append(AuditEntry(time: time, actor: actor, action: "allow.end", subject: "rule \(number)"))
    return ended.insert(number).inserted
  }

  func record(_ entry: AuditEntry) throws(StoreError) {
    try check()
    entries.append(entry)
  }

  func audit(after: Cursor?, limit: Int) throws(StoreError) -> Page<AuditEntry> {
    try check()
    return page(entries.reversed(), after, limit)
  }

  func condition() -> StoreCondition {
    var condition = current
    condition.findings = UInt64(stored.count)
    condition.hostDays = UInt64(days.count)
    condition.oldestDay = days.keys.map(\.day).min()
    return condition
  }
}
