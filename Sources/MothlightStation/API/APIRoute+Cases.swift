import HTTPTypes
import Mothlight

extension APIRoute {
  private static let number = APIParameter.path("number", .integer(1...Int(Int32.max)), "The case's number.")
  private static let reason = Field(name: "reason", kind: .text(1000), meaning: "Why; stands in the audit.")

  static let changing: [APIRoute] = [
    APIRoute(
      name: "listCases", method: .get, path: "/cases", summary: "Cases, those that changed last first.",
      least: .viewer,
      parameters: [
        .query("state", .word(Case.State.allCases.map(\.rawValue)), "In this state."),
        .query("owner", .text(200), "Of this owner."), .query("host", .address, "About this host."),
      ] + APIParameter.paging, answer: .rows("Case"), serve: cases),
    APIRoute(
      name: "getCaseStatistics", method: .get, path: "/case-statistics", summary: "How quickly machines get clean.",
      least: .viewer, parameters: [], answer: .one("CaseStatistics"),
      serve: { _, desk in
        let statistics = try await desk.store.caseStatistics()
        return .object { $0.caseStatistics(statistics) }
      }),
    APIRoute(
      name: "getCase", method: .get, path: "/cases/{number}", summary: "One case, its findings and its past.",
      least: .viewer, parameters: [number], answer: .one("CaseRecord"), problems: [404], serve: caseNumbered),
    APIRoute(
      name: "openCase", method: .post, path: "/cases",
      summary: "Opens a case about a host by hand, or gives the one that is open already.", least: .analyst,
      parameters: [],
      body: [
        Field(name: "host", kind: .address, meaning: "The host."),
        Field(name: "day", kind: .day, meaning: "UTC day whose findings it is about."), reason,
      ], answer: .made("CaseRecord"), problems: [404, 409], serve: openCase),
    APIRoute(
      name: "changeCase", method: .post, path: "/cases/{number}/state", summary: "Moves a case to another state.",
      least: .analyst, parameters: [number],
      body: [
        Field(name: "state", kind: .word(Case.State.allCases.map(\.rawValue)), meaning: "The new state."), reason,
      ], answer: .one("CaseRecord"), problems: [404, 409], serve: change),
    APIRoute(
      name: "undoCaseChange", method: .post, path: "/cases/{number}/undo",
      summary: "Takes the latest change of a case back.", least: .analyst, parameters: [number],
      answer: .one("CaseRecord"), problems: [404, 409], serve: undo),
    APIRoute(
      name: "listAllowRules", method: .get, path: "/allow-rules", summary: "Allow rules that hold, oldest first.",
      least: .viewer,
      parameters: [.query("limit", .integer(1...APIParameter.limitMost), "Rows, all when absent.")],
      answer: .rows("AllowRule"),
      serve: { _, desk in
        .rows(APIRows(whole: { try await desk.store.allowRules() }) { $0.allowRule($1) })
      }),
    APIRoute(
      name: "addAllowRule", method: .post, path: "/allow-rules",
      summary: "Keeps what a rule covers out of verdicts.", least: .analyst, parameters: [],
      body: [
        Field(
          name: "rule", kind: .text(500),
          meaning: "source:, destination: or name: and a value, or pair:SOURCE>DESTINATION."), reason,
      ], answer: .made("AllowRule"), problems: [409], serve: addRule),
    APIRoute(
      name: "endAllowRule", method: .delete, path: "/allow-rules/{number}",
      summary: "Ends a rule; ending it twice is no error.", least: .analyst,
      parameters: [.path("number", .integer(1...Int(Int32.max)), "The rule's number.")], answer: .one("Ended"),
      problems: [404], serve: endRule),
  ]

  // MARK: Handlers

  private static let cases: Handler = { request, desk in
    var query = CaseQuery()
    if let state = request.text("state").flatMap({ Case.State(rawValue: $0) }) { query.states = [state] }
    query.owner = request.text("owner")
    query.host = await desk.host("host", request)
    let asked = query
    return .rows(
      APIRows { cursor, limit in
        try await desk.store.cases(asked, after: cursor, limit: limit)
      } write: {
        $0.caseSummary($1)
      })
  }

  // Not optimised: Swift 6.3.1 crashes while it splits the specialised form of this function.
  @inline(never) @_optimize(none)
  private static func found(_ request: APIRequest, _ desk: APIDesk) async throws -> CaseRecord {
    guard let number = request.integer("number") else { throw APIProblem.missing("case of this number") }
    let record = try await StoreCalls.case(desk.store, Int64(number))
    guard let record else { throw APIProblem.missing("case of this number") }
    return record
  }

  private static let caseNumbered: Handler = { request, desk in
    let record = try await found(request, desk)
    return .object { $0.caseRecord(record) }
  }

  private static let openCase: Handler = { request, desk in
    var named = request.body["host"].flatMap { HostName.address($0) }
    if desk.veil == nil, let host = await desk.privacy.host(request.body["host"] ?? "") { named = host }
    guard let host = named, let day = request.body["day"].flatMap({ CivilDay.parse($0) }),
      try await StoreCalls.hostDay(desk.store, host, day: day) != nil
    else { throw APIProblem.missing("record of this host on this day") }
    let record = try await desk.store.openCase(
      host, day: day, reason: request.body["reason"] ?? "", by: request.actor, at: request.time)
    desk.board.publish(.caseChanged(record.summary.number))
    return .made(place: "\(prefix)/cases/\(record.summary.number)") { $0.caseRecord(record) }
  }

  private static let change: Handler = { request, desk in
    let number = try await found(request, desk).summary.number
    guard let state = request.body["state"].flatMap({ Case.State(rawValue: $0) }) else {
      throw APIProblem(.badRequest, .body, "'state' is missing")
    }
    let record = try await desk.store.change(
      number, to: state, reason: request.body["reason"] ?? "", by: request.actor, at: request.time)
    desk.board.publish(.caseChanged(number))
    return .object { $0.caseRecord(record) }
  }

  private static let undo: Handler = { request, desk in
    let number = try await found(request, desk).summary.number
    let record = try await desk.store.undo(number, by: request.actor, at: request.time)
    desk.board.publish(.caseChanged(number))
    return .object { $0.caseRecord(record) }
  }

  private static let addRule: Handler = { request, desk in
    let rule: AllowList.Rule
    do { rule = try await desk.privacy.rule(request.body["rule"] ?? "", request.role) } catch let error
      as ConfigurationError
    {
      throw APIProblem(.badRequest, .body, error.message)
    }
    let stored = try await desk.store.addAllowRule(
      rule, reason: request.body["reason"] ?? "", by: request.actor, at: request.time)
    return .made(place: "\(prefix)/allow-rules/\(stored.number)") { $0.allowRule(stored) }
  }

  private static let endRule: Handler = { request, desk in
    let number = Int64(request.integer("number") ?? 0)
    let hasEnded: Bool
    do throws(StoreError) {
      hasEnded = try await desk.store.endAllowRule(number, by: request.actor, at: request.time)
    } catch {
      guard error.code == .unknown || error.code == .absent else { throw error }
      throw APIProblem.missing("allow rule of this number")
    }
    return .object { json in
      json.pair("number", Int(number))
      json.pair("has_ended", hasEnded)
    }
  }
}
