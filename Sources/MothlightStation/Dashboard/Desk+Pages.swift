import HTTPTypes
import Mothlight

/// Pages from what store, board and shelves say.
extension Desk {
  /// Rows of a page of a list.
  static let rowsMost = 50
  static let days = ShownDay.days

  func latestDay() async throws(StoreError) -> Int { try await ShownDay.latest(in: store, at: clock()) }

  func health() async -> StationHealth {
    let health = StationHealth(
      version: version, pipeline: board.pipeline, sources: board.sources, store: await store.condition())
    return veil?.covered(health) ?? health
  }

  private func cursor(_ ask: Ask) -> Cursor? { ask.query["after"].map { Cursor($0) } }

  func today(_ ask: Ask) async throws -> String {
    let first = try await ShownDay.first(in: store, at: clock())
    var day = first.day
    let text = ask.query["day"]
    if let text {
      guard let asked = HostChoice.day(text) else { throw Failure(.badRequest, "That is no day; write 2026-03-02.") }
      day = asked
    }
    return TodayPage(
      frame: frame(ask), day: day, first: first.day, young: text == nil ? first.young : nil,
      overview: try await store.overview(day: day, days: Self.days),
      botnets: try await store.botnets(day - Self.days + 1...day, limit: 12),
      statistics: try await store.caseStatistics(), health: await health(), census: await census?.edition()
    ).page
  }

  func hosts(_ ask: Ask) async throws -> String {
    let latest = try await latestDay()
    let choice = HostChoice(ask.query, latest: latest, isVeiled: veil != nil)
    let rows = try await store.hostDays(choice.query, after: cursor(ask), limit: Self.rowsMost)
    return HostsPage(frame: frame(ask), choice: choice, rows: rows, latest: latest).page
  }

  func host(_ ask: Ask, _ text: String) async throws -> String {
    var named = HostName.address(text)
    if veil == nil, let host = await privacy.host(text) { named = host }
    guard let host = named else { throw Failure(.notFound, "This is no address of a machine.") }
    let history = try await store.history(of: host)
    guard let newest = history.first else {
      throw Failure(.notFound, "Nothing is kept of \(host).")
    }
    let asked = ask.query["day"].flatMap { HostChoice.day($0) }
    let entry = try await StoreCalls.hostDay(store, host, day: asked ?? newest.day)
    var query = CaseQuery()
    query.host = host
    let cases = try await store.cases(query, after: nil, limit: 10).rows
    let rules = try await store.allowRules()
    let covering = (entry?.findings ?? []).map { finding in
      rules.first { AllowList(rules: [$0.rule]).rule(for: finding) != nil }
    }
    let left = await leftOut(of: host, day: asked ?? newest.day)
    return HostPage(
      frame: frame(ask), host: host, history: history, entry: entry?.bounded, cases: cases,
      network: veil == nil ? networks?.records(of: [host]).first ?? nil : nil, covering: covering,
      pseudonym: privacy.pseudonym(of: host), leftOut: left
    ).page
  }

  /// What was kept out of the verdict on one host's day, under its name where addresses are not shown.
  private func leftOut(of host: IPAddress, day: Int) async -> LeftOut.Part {
    guard let veil, let veiled = store as? VeiledStore else { return board.leftOut.of(host, day: day) }
    guard let real = await veiled.host(named: host) else { return LeftOut.Part() }
    var part = board.leftOut.of(real, day: day)
    part.shown = part.shown.map(veil.covered)
    return part
  }

  func findings(_ ask: Ask) async throws -> String {
    let latest = try await latestDay()
    let choice = FindingChoice(ask.query, latest: latest, isVeiled: veil != nil)
    let found = try await store.findings(choice.query, after: cursor(ask), limit: Self.rowsMost)
    return FindingsPage(frame: frame(ask), choice: choice, found: found, latest: latest).page
  }

  func finding(_ ask: Ask, _ id: String) async throws -> String {
    guard var item = try await StoreCalls.finding(store, id: id) else {
      throw Failure(.notFound, "There is no such finding.")
    }
    item.finding = item.finding.bounded
    return FindingPage(frame: frame(ask), item: item).page
  }

  func botnets(_ ask: Ask) async throws -> String {
    let day = try await latestDay()
    var summaries: [BotnetSummary]?
    if let registry {
      let text = ask.query["q"]
      summaries = if let text { try await registry.botnets(matching: text, limit: 50) } else { [] }
    }
    return BotnetsPage(
      frame: frame(ask, least: RegistryMarking.contents), day: day,
      activities: try await store.botnets(day - Self.days + 1...day, limit: 200),
      summaries: summaries, census: await census?.edition()
    ).page
  }

  func botnet(_ ask: Ask, _ name: String) async throws -> String {
    let day = try await latestDay()
    let activities = try await store.botnets(day - Self.days + 1...day, limit: 2000)
    let botnet = try await StoreCalls.botnet(registry, name)
    let activity = activities.first { $0.name == name } ?? activities.first { $0.name == botnet?.name }
    let edition = await editions().first { $0.report.botnet.lowercased() == name.lowercased() }
    guard activity != nil || botnet != nil || edition != nil else {
      throw Failure(.notFound, "Neither findings nor the registry know a botnet of this name.")
    }
    var query = HostDayQuery()
    query.days = day - Self.days + 1...day
    query.botnet = activity?.name ?? name
    query.order = .newest
    let hosts = activity == nil ? [] : try await store.hostDays(query, after: nil, limit: 25).rows
    return BotnetPage(
      frame: frame(ask, least: RegistryMarking.contents), name: botnet?.name ?? name, day: day, activity: activity,
      hosts: hosts, botnet: botnet,
      census: edition
    ).page
  }

  // MARK: Networks

  /// The newest findings of the last days, and where their peers are.
  private func networkTable() async throws(StoreError) -> (table: NetworkTable, findings: [StoredFinding]) {
    let day = try await latestDay()
    var query = FindingQuery()
    query.days = day - Self.days + 1...day
    let found = try await store.findings(query, after: nil, limit: NetworkTable.findingsRead).rows
    return (NetworkTable(found, networks, await census?.edition()), found)
  }

  func networks(_ ask: Ask) async throws -> String {
    let edition = await census?.edition()
    return NetworksPage(
      frame: frame(ask), table: try await networkTable().table, origin: networks?.origin, hasCensus: edition != nil
    ).page
  }

  func network(_ ask: Ask, _ text: String) async throws -> String {
    guard let key = NetworkKey(text) else {
      throw Failure(.notFound, "Networks are named as AS64500, countries as DE.")
    }
    let (table, findings) = try await networkTable()
    guard let share = table.shares[key] else { throw Failure(.notFound, "Nothing is known here of \(key.text).") }
    let peers = Array(Set(findings.compactMap(\.finding.peer)))
    let records = networks?.records(of: peers) ?? []
    let inside = Set(zip(peers, records).filter { key.holds($0.1) }.map(\.0))
    let here = findings.filter { $0.finding.peer.map(inside.contains) ?? false }
    return NetworkPage(frame: frame(ask), share: share, findings: here).page
  }

  // MARK: Cases, rules, sensors and the rest

  func cases(_ ask: Ask) async throws -> String {
    let choice = CaseChoice(ask.query)
    return CasesPage(
      frame: frame(ask), rows: try await store.cases(choice.query, after: cursor(ask), limit: Self.rowsMost),
      statistics: try await store.caseStatistics(), choice: choice
    ).page
  }

  func `case`(_ ask: Ask, _ text: String) async throws -> String {
    guard let number = Int64(text), let record = try await StoreCalls.case(store, number) else {
      throw Failure(.notFound, "There is no such case.")
    }
    return CasePage(frame: frame(ask), record: record).page
  }

  func allow(_ ask: Ask) async throws -> String {
    AllowPage(frame: frame(ask), rules: try await store.allowRules()).page
  }

  func sensors(_ ask: Ask) async -> String { SensorsPage(frame: frame(ask), health: await health()).page }

  private func editions() async -> [CensusEdition] { await census?.editions() ?? [] }

  func censusPage(_ ask: Ask) async -> String {
    let all = await editions()
    let asked = ask.query["botnet"]
    var edition = all.first { $0.report.botnet == asked }
    if edition == nil { edition = await census?.edition() }
    return CensusPage(frame: frame(ask, least: .amber), edition: edition, botnets: all.map(\.report.botnet)).page
  }

  func search(_ ask: Ask) async throws -> String {
    let text = String((ask.query["q"] ?? "").prefix(200))
    var asked = text
    if veil == nil, let host = await privacy.host(text) { asked = host.description }
    let hits = text.isEmpty ? [] : try await store.search(asked, limit: SearchPage.hitsMost)
    let rows = text.isEmpty ? [] : try await registry?.botnets(matching: text, limit: 20) ?? []
    return SearchPage(frame: frame(ask), text: text, hits: hits, registry: rows).page
  }

  func audit(_ ask: Ask) async throws -> String {
    AuditPage(frame: frame(ask), rows: try await store.audit(after: cursor(ask), limit: Self.rowsMost)).page
  }
}

extension NetworkKey {
  func holds(_ record: NetworkRecord?) -> Bool {
    switch self {
    case .system(let number): record?.system == number
    case .country(let code): record?.country.map { CountryCode($0) } == code
    }
  }
}

extension Finding {
  /// With texts cut to what a page can show; detectors bound them already, a store may have been written by others.
  var bounded: Finding {
    var copy = self
    copy.summary = VisibleText.clipped(summary, to: Parts.textColumns)
    copy.refutedBy = VisibleText.clipped(refutedBy, to: Parts.textColumns)
    copy.botnet = botnet.map { VisibleText.clipped($0, to: Parts.nameColumns) }
    copy.peerName = peerName.map { VisibleText.clipped($0, to: 255) }
    copy.measures = Array(measures.prefix(40))
    copy.suppressions = Array(suppressions.prefix(20))
    copy.evidence = evidence.prefix(Limits.evidenceFlowsPerFinding).map { flow in
      var flow = flow
      flow.note = VisibleText.clipped(flow.note, to: Parts.textColumns)
      return flow
    }
    return copy
  }
}

extension HostDay {
  /// Findings of one host-day that a page shows.
  private static var findingsShown: Int { 60 }

  var bounded: HostDay {
    var copy = self
    copy.findings = findings.prefix(Self.findingsShown).map(\.bounded)
    return copy
  }
}
