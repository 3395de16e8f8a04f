import HTTPTypes
import Mothlight

extension APIRoute {
  static let all = reading + changing

  private static let host = APIParameter.path("address", .address, "The host.")
  private static let botnet = APIParameter.path("name", .text(200), "A published name, percent-encoded.")

  static let reading: [APIRoute] = [
    APIRoute(
      name: "getOverview", method: .get, path: "/overview", summary: "One day and those before it, in numbers.",
      least: .viewer,
      parameters: [
        .query("day", .day, "UTC day; the one that the first page shows when absent."),
        .query("days", .integer(1...366), "How many days end with it; \(ShownDay.days) when absent."),
      ], answer: .one("Overview"), serve: overview),
    APIRoute(
      name: "listHosts", method: .get, path: "/hosts", summary: "Hosts by day: verdict, score and reason.",
      least: .viewer,
      parameters: APIParameter.days + [
        .query("verdict", .word(Verdict.allCases.map(\.rawValue)), "At least this verdict."),
        .query("botnet", .text(200), "Named botnet."),
        .query("prefix", .prefix, "Hosts inside this network."),
        .query("new", .flag, "Only hosts that no earlier kept day flagged."),
        .query("order", .word(HostDayQuery.Order.allCases.map(\.rawValue)), "Worst first when absent."),
      ] + APIParameter.paging, answer: .rows("HostRow"), serve: hosts),
    APIRoute(
      name: "getHost", method: .get, path: "/hosts/{address}", summary: "All kept days of one host, newest first.",
      least: .viewer, parameters: [host], answer: .one("HostHistory"), problems: [404], serve: history),
    APIRoute(
      name: "getHostDay", method: .get, path: "/hosts/{address}/days/{date}",
      summary: "One host on one day: activity, story, findings with their evidence.", least: .viewer,
      parameters: [host, .path("date", .day, "UTC day.")], answer: .one("HostDay"), problems: [404], serve: hostDay),
    APIRoute(
      name: "listFindings", method: .get, path: "/findings", summary: "Findings, newest first.", least: .viewer,
      parameters: APIParameter.days + [
        .query("host", .address, "About this host."), .query("prefix", .prefix, "About hosts in this network."),
        .query("detector", .text(64), "By this detector."),
        .query("family", .word(EvidenceFamily.allCases.map(\.rawValue)), "Of this family of evidence."),
        .query("botnet", .text(200), "Of this named botnet."),
        .query("text", .text(200), "Part of the peer's name or of the subject."),
      ] + APIParameter.paging, answer: .rows("StoredFinding"), serve: findings),
    APIRoute(
      name: "getFinding", method: .get, path: "/findings/{id}", summary: "One finding.", least: .viewer,
      parameters: [.path("id", .findingID, "As in `id` of a finding.")], answer: .one("StoredFinding"),
      problems: [404], serve: finding),
    APIRoute(
      name: "listBotnets", method: .get, path: "/botnets",
      summary: "Botnets that findings name, most hosts first; 30 days to the newest kept one when none are given.",
      least: .viewer,
      parameters: APIParameter.days + [
        .query("limit", .integer(1...APIParameter.limitMost), "Rows, \(APIParameter.limitDefault) when absent.")
      ], answer: .rows("BotnetActivity"), serve: botnets),
    APIRoute(
      name: "getBotnet", method: .get, path: "/botnets/{name}",
      summary: "One botnet: what our hosts show of it, and what the registry says.", least: .viewer,
      parameters: [botnet], answer: .one("Botnet"), problems: [404], serve: botnetNamed),
    APIRoute(
      name: "listSensors", method: .get, path: "/sensors",
      summary: "Sources, pipeline and store: what was read, skipped and lost.", least: .viewer, parameters: [],
      answer: .one("StationHealth"), serve: sensors),
    APIRoute(
      name: "getCensus", method: .get, path: "/census",
      summary: "The latest census of the sinkhole; fields as in docs/census-data.md.", least: .viewer, parameters: [],
      answer: .one("Census"), problems: [404], serve: census),
    APIRoute(
      name: "search", method: .get, path: "/search", summary: "Hosts, names, botnets and cases that a text is part of.",
      least: .viewer,
      parameters: [
        .query("q", .text(200), "The text.", isRequired: true),
        .query("limit", .integer(1...200), "Hits, 50 when absent."),
      ], answer: .rows("SearchHit"), serve: search),
    APIRoute(
      name: "listAudit", method: .get, path: "/audit", summary: "Who changed what, newest first.", least: .admin,
      parameters: APIParameter.paging, answer: .rows("AuditEntry"), serve: audit),
    APIRoute(
      name: "getOpenAPI", method: .get, path: "/openapi.json", summary: "This document.", least: .viewer,
      parameters: [], answer: .one("Document"),
      serve: { _, desk in .document(OpenAPIDocument(version: desk.version).text) }),
  ]

  // MARK: Handlers

  private static let overview: Handler = { request, desk in
    let day: Int
    if let asked = request.day("day") {
      day = asked
    } else {
      day = try await ShownDay.first(in: desk.store, at: request.time).day
    }
    let overview = try await desk.store.overview(day: day, days: request.integer("days") ?? ShownDay.days)
    return .object { $0.overview(overview) }
  }

  private static let hosts: Handler = { request, desk in
    var query = HostDayQuery()
    query.days = try request.days()
    if let word = request.text("verdict"), let verdict = Verdict(rawValue: word) { query.verdictLeast = verdict }
    query.botnet = request.text("botnet")
    query.within = try prefix(request, desk)
    query.isNewOnly = request.flag("new")
    if let word = request.text("order"), let order = HostDayQuery.Order(rawValue: word) { query.order = order }
    let asked = query
    return .rows(
      APIRows { cursor, limit in
        try await desk.store.hostDays(asked, after: cursor, limit: limit)
      } write: {
        $0.hostRow($1)
      })
  }

  private static let history: Handler = { request, desk in
    guard let host = await desk.host("address", request) else { throw APIProblem.missing("such host") }
    let rows = try await desk.store.history(of: host)
    guard !rows.isEmpty else { throw APIProblem.missing("record of \(host)") }
    return .object { json in
      json.pair("host", host)
      json.list("days", rows) { $0.hostRow($1) }
    }
  }

  private static let hostDay: Handler = { request, desk in
    guard let host = await desk.host("address", request), let day = request.day("date"),
      let found = try await StoreCalls.hostDay(desk.store, host, day: day)
    else { throw APIProblem.missing("record of this host on this day") }
    return .object { $0.hostDay(found) }
  }

  private static let findings: Handler = { request, desk in
    var query = FindingQuery()
    query.days = try request.days()
    query.host = await desk.host("host", request)
    query.within = try prefix(request, desk)
    query.detector = request.text("detector")
    query.family = request.text("family").flatMap { EvidenceFamily(rawValue: $0) }
    query.botnet = request.text("botnet")
    query.text = request.text("text")
    let asked = query
    return .rows(
      APIRows { cursor, limit in
        try await desk.store.findings(asked, after: cursor, limit: limit)
      } write: {
        $0.storedFinding($1)
      })
  }

  /// - Throws: `APIProblem` 403 where networks of ours are not shown.
  private static func prefix(_ request: APIRequest, _ desk: APIDesk) throws -> Prefix? {
    guard let prefix = request.prefix("prefix") else { return nil }
    guard desk.veil == nil || prefix.address.isStandIn else {
      throw APIProblem(
        .forbidden, .forbidden, "Networks of ours are not shown to this role; name a machine by its pseudonym.")
    }
    return prefix
  }

  private static let finding: Handler = { request, desk in
    let found = try await kept(request, desk)
    return .object { $0.storedFinding(found) }
  }

  // Not optimised: Swift 6.3.1 crashes while it splits the specialised form of this function.
  @inline(never) @_optimize(none)
  private static func kept(_ request: APIRequest, _ desk: APIDesk) async throws -> StoredFinding {
    guard let id = request.text("id") else { throw APIProblem.missing("finding of this id") }
    let found = try await StoreCalls.finding(desk.store, id: id)
    guard let found else { throw APIProblem.missing("finding of this id") }
    return found
  }

  private static let botnets: Handler = { request, desk in
    let latest = try await ShownDay.latest(in: desk.store, at: request.time)
    let last = latest - ShownDay.days + 1...latest
    let range = try request.days(default: last) ?? last
    return .rows(
      APIRows(whole: {
        try await desk.store.botnets(range, limit: request.integer("limit") ?? APIParameter.limitDefault)
      }) { $0.botnetActivity($1) })
  }

  private static let botnetNamed: Handler = { request, desk in
    let name = request.text("name") ?? ""
    let known = try await StoreCalls.botnet(desk.registry, name)
    let names = Set(([name] + [known?.name].compactMap { $0 }).map { $0.lowercased() })
    let today = request.time.day
    let activity = try await desk.store.botnets(0...max(0, today), limit: APIParameter.limitMost)
      .first { names.contains($0.name.lowercased()) }
    guard known != nil || activity != nil else { throw APIProblem.missing("botnet of this name") }
    let tlp = max(RegistryMarking.contents, desk.privacy.tlp ?? .clear)
    var registry = RegistryJSON(at: request.time, tlp: tlp)
    let facts = known.map { registry.show($0) }
    return .object(least: facts == nil ? .clear : tlp) { json in
      json.pair("botnet", known?.name ?? activity?.name)
      json.key("activity")
      if let activity {
        json.beginObject()
        json.botnetActivity(activity)
        json.endObject()
      } else {
        json.null()
      }
      json.key("registry")
      if let facts { json.raw(facts) } else { json.null() }
    }
  }

  private static let sensors: Handler = { _, desk in
    let health = StationHealth(
      version: desk.version, pipeline: desk.board.pipeline, sources: desk.board.sources,
      store: await desk.store.condition())
    let shown = desk.veil?.covered(health) ?? health
    return .object { $0.stationHealth(shown) }
  }

  private static let census: Handler = { _, desk in
    guard let edition = await desk.census?.edition() else {
      throw APIProblem.missing("census: none was made yet, or there is no sinkhole")
    }
    var settings = ExporterSettings()
    settings.tlp = max(.amber, desk.privacy.tlp ?? .clear)
    var text = ""
    try CensusJSONExporter(settings).export(edition) { text += $0 }
    return .document(text)
  }

  private static let search: Handler = { request, desk in
    var asked = request.text("q") ?? ""
    if desk.veil == nil, let host = await desk.privacy.host(asked) { asked = host.description }
    let (text, limit) = (asked, request.integer("limit") ?? 50)
    return .rows(
      APIRows(whole: { try await desk.store.search(text, limit: limit) }) { $0.searchHit($1) })
  }

  private static let audit: Handler = { _, desk in
    .rows(
      APIRows { cursor, limit in
        try await desk.store.audit(after: cursor, limit: limit)
      } write: {
        $0.auditEntry($1)
      })
  }
}
