import Mothlight

/// The objects that answers are made of. A test holds each against what `JSONWriter` writes.
extension APISchema {
  static let components: [(name: String, schema: APISchema)] = [
    ("HostRow", .object(hostRow)), ("HostHistory", hostHistory), ("HostDay", .object(hostDay)),
    ("Finding", .object(finding)), ("StoredFinding", .object(finding + [.init("recorded", .time)])),
    ("BotnetActivity", .object(botnetActivity)), ("Botnet", botnet), ("Case", .object(caseSummary)),
    ("CaseRecord", .object(caseRecord)), ("CaseStatistics", caseStatistics), ("AllowRule", allowRule),
    ("AuditEntry", auditEntry), ("SearchHit", searchHit), ("Overview", overview), ("Source", source),
    ("StationHealth", stationHealth), ("Census", .document), ("Document", .document), ("Ended", ended),
    ("Problem", problem),
  ]

  private static let verdict = APISchema.word(Verdict.allCases.map(\.rawValue))
  private static let strings = APISchema.list(.string)
  private static let counts = APISchema.map(.integer)

  private static let hostRow: [Member] = [
    .init("host", .string), .init("day", .day), .init("verdict", verdict), .init("score", .number),
    .init("reason", .string), .init("botnets", strings), .init("roles", strings), .init("finding_count", .integer),
    .init("first", .orNull(.time)), .init("last", .orNull(.time)), .init("flows", .integer),
    .init("first_flagged", .orNull(.day)),
  ]

  private static let hostHistory = APISchema.object([
    .init("host", .string), .init("days", .list(.reference("HostRow"))),
  ])

  private static let hostDay: [Member] = [
    .init("host", .string), .init("day", .day), .init("verdict", verdict), .init("score", .number),
    .init("reason", .string), .init("botnets", strings),
    .init(
      "families",
      .list(.object([.init("family", .word(EvidenceFamily.allCases.map(\.rawValue))), .init("log_odds", .number)]))),
    .init("roles", strings), .init("caveats", strings),
    .init(
      "story",
      .list(
        .object([
          .init("time", .orNull(.time)), .init("stage", .string), .init("detector", .string), .init("text", .string),
        ]))), .init("activity", activity), .init("findings", .list(.reference("Finding"))),
  ]

  private static let activity = APISchema.object([
    .init("first", .orNull(.time)), .init("last", .orNull(.time)), .init("flows", .integer),
    .init("outbound_flows", .integer), .init("answered_flows", .integer), .init("octets_out", .integer),
    .init("octets_in", .integer), .init("dns_lookups", .integer), .init("peers", .integer),
    .init("bins", .list(.integer)),
    .init(
      "top_peers",
      .list(
        .object([
          .init("address", .string), .init("name", .orNull(.string)), .init("port", .integer),
          .init("transport", .string), .init("flows", .integer), .init("octets", .integer),
        ]))),
    .init(
      "top_names",
      .list(.object([.init("name", .string), .init("lookups", .integer), .init("failed", .integer)]))),
  ])

  private static let finding: [Member] = [
    .init("id", .string), .init("host", .string), .init("day", .day), .init("detector", .string),
    .init("detector_version", .integer), .init("family", .word(EvidenceFamily.allCases.map(\.rawValue))),
    .init("botnet", .orNull(.string)), .init("subject", .string), .init("summary", .string),
    .init("first", .orNull(.time)), .init("last", .orNull(.time)), .init("log_odds", .orNull(.number)),
    .init("is_conclusive", .boolean), .init("peer", .orNull(.string)), .init("peer_name", .orNull(.string)),
    .init("refuted_by", .string), .init("hidden_by", .orNull(.string)),
    .init(
      "suppressions",
      .list(.object([.init("kind", .string), .init("nats", .number), .init("because", .string)]))),
    .init("measures", .list(measure)), .init("series_name", .orNull(.string)), .init("series", .list(.number)),
    .init("evidence", .list(evidence)),
  ]

  private static let measure = APISchema.object([
    .init("name", .string), .init("value", .orNull(.number)), .init("unit", .string),
    .init("threshold", .orNull(.number)), .init("comparison", .orNull(.word(["at_least", "at_most"]))),
    .init("is_met", .orNull(.boolean)),
  ])

  private static let evidence = APISchema.object([
    .init("time", .orNull(.time)), .init("source", .string), .init("source_port", .integer),
    .init("destination", .string), .init("destination_port", .integer), .init("transport", .string),
    .init("octets", .integer), .init("state", .string), .init("community_id", .string), .init("note", .string),
    .init("input", .integer), .init("path", .orNull(.string)), .init("record", .integer),
  ])

  private static let botnetActivity: [Member] = [
    .init("botnet", .string), .init("hosts", .integer), .init("finding_count", .integer),
    .init("first", .orNull(.time)), .init("last", .orNull(.time)),
    .init("by_day", .list(.object([.init("day", .day), .init("hosts", .integer)]))),
  ]

  private static let botnet = APISchema.object([
    .init("botnet", .string), .init("activity", .orNull(.reference("BotnetActivity"))),
    .init("registry", .orNull(.document)),
  ])

  private static let caseState = APISchema.word(Case.State.allCases.map(\.rawValue))

  private static let caseSummary: [Member] = [
    .init("case", .integer), .init("owner", .string), .init("hosts", strings), .init("botnets", strings),
    .init("state", caseState), .init("verdict", verdict), .init("opened", .time), .init("changed", .time),
    .init("first", .orNull(.time)), .init("last", .orNull(.time)), .init("reopened", .integer),
  ]

  private static let caseRecord: [Member] =
    caseSummary + [
      .init("findings", .list(.reference("StoredFinding"))),
      .init(
        "changes",
        .list(
          .object([
            .init("time", .time), .init("from", .orNull(caseState)), .init("to", caseState), .init("reason", .string),
            .init("actor", .string), .init("is_undone", .boolean),
          ]))), .init("suggested_rules", strings),
    ]

  private static let caseStatistics = APISchema.object([
    .init("by_state", .object(Case.State.allCases.map { Member($0.rawValue, .integer) })), .init("cleaned", .integer),
    .init("hours_to_clean_median", .orNull(.number)), .init("hours_to_clean_p90", .orNull(.number)),
    .init("came_back", .integer),
  ])

  private static let allowRule = APISchema.object([
    .init("number", .integer), .init("rule", .string), .init("reason", .string), .init("actor", .string),
    .init("added", .time),
  ])

  private static let ended = APISchema.object([.init("number", .integer), .init("has_ended", .boolean)])

  private static let auditEntry = APISchema.object([
    .init("time", .time), .init("actor", .string), .init("origin", .string), .init("action", .string),
    .init("subject", .string), .init("detail", .string),
  ])

  private static let searchHit = APISchema.object([
    .init("kind", .word(["host", "peer", "name", "botnet", "case", "finding"])), .init("key", .string),
    .init("title", .string), .init("detail", .string),
  ])

  private static let overview = APISchema.object([
    .init(
      "days",
      .list(
        .object(
          [.init("day", .day)] + Verdict.allCases.map { Member($0.rawValue, .integer) } + [.init("new", .integer)]))),
    .init("flagged", .list(.reference("HostRow"))), .init("open_cases", .integer),
  ])

  private static let source = APISchema.object([
    .init("name", .string), .init("kind", .string), .init("place", .string),
    .init("state", .word(SourceHealth.State.allCases.map(\.rawValue))), .init("since", .time),
    .init("octets", .integer), .init("records", .integer), .init("used", .integer), .init("skipped", counts),
    .init("unparsed", .integer), .init("dropped", counts), .init("newest", .orNull(.time)),
    .init("is_sampled", .boolean), .init("restarts", .integer), .init("retry_at", .orNull(.time)),
    .init("trouble", .orNull(.string)), .init("details", .map(.string)),
  ])

  private static let stationHealth = APISchema.object([
    .init("version", .string),
    .init(
      "pipeline",
      .object([
        .init("started", .orNull(.time)), .init("observations", .integer), .init("observations_per_second", .number),
        .init("hosts", .integer), .init("pairs", .integer), .init("newest", .orNull(.time)),
        .init("judged", .orNull(.time)), .init("judging_seconds", .number), .init("home", strings),
        .init("home_was_given", .boolean), .init("is_learning", .boolean), .init("counters", counts),
        .init("warnings", strings),
      ])), .init("sources", .list(.reference("Source"))),
    .init(
      "store",
      .object([
        .init("state", .word(["ready", "full", "read_only"])), .init("reason", .orNull(.string)),
        .init("octets", .integer), .init("finding_count", .integer), .init("host_days", .integer),
        .init("oldest_day", .orNull(.day)),
      ])),
  ])

  /// RFC 9457.
  private static let problem = APISchema.object([
    .init("type", .text(format: "uri", pattern: nil)), .init("title", .string), .init("status", .bounded(400...599)),
    .init("detail", .string),
  ])
}
