import Mothlight

/// Rows of the API, with the words of docs/data-dictionary.md and docs/api.md. Each writes the members of one object.
extension JSONWriter {
  mutating func hostRow(_ row: HostDayRow) {
    pair("host", row.host)
    pair("day", Timestamp.describe(day: row.day))
    pair("verdict", row.verdict.rawValue)
    pair("score", row.score)
    pair("reason", row.reason)
    list("botnets", row.botnets)
    list("roles", row.roles.map(\.rawValue))
    pair("finding_count", row.findings)
    pair("first", row.first)
    pair("last", row.last)
    pair("flows", row.flows)
    pair("first_flagged", row.firstFlaggedDay.map { Timestamp.describe(day: $0) })
  }

  mutating func hostDay(_ day: HostDay) {
    hostFields(day)
    list("findings", day.findings) { json, finding in
      json.findingFields(finding, day: day.day, hiddenBy: nil, inputs: [])
    }
  }

  mutating func storedFinding(_ stored: StoredFinding) {
    findingFields(stored.finding, day: stored.finding.first.day, hiddenBy: nil, inputs: [])
    pair("recorded", stored.recorded)
  }

  mutating func botnetActivity(_ activity: BotnetActivity) {
    pair("botnet", activity.name)
    pair("hosts", activity.hosts)
    pair("finding_count", activity.findings)
    pair("first", activity.first)
    pair("last", activity.last)
    list("by_day", activity.byDay.sorted { $0.key < $1.key }) { json, item in
      json.pair("day", Timestamp.describe(day: item.key))
      json.pair("hosts", item.value)
    }
  }

  mutating func caseSummary(_ item: Case) {
    pair("case", Int(item.number))
    pair("owner", item.owner)
    list("hosts", item.hosts.map(\.description))
    list("botnets", item.botnets)
    pair("state", item.state.rawValue)
    pair("verdict", item.verdict.rawValue)
    pair("opened", item.opened)
    pair("changed", item.changed)
    pair("first", item.first)
    pair("last", item.last)
    pair("reopened", item.reopened)
  }

  mutating func caseRecord(_ record: CaseRecord) {
    caseSummary(record.summary)
    list("findings", record.findings) { json, finding in json.storedFinding(finding) }
    list("changes", record.changes) { json, change in
      json.pair("time", change.time)
      json.pair("from", change.from?.rawValue)
      json.pair("to", change.to.rawValue)
      json.pair("reason", change.reason)
      json.pair("actor", change.actor.name)
      json.pair("is_undone", change.isUndone)
    }
    list("suggested_rules", record.suggestions.map(\.description))
  }

  mutating func caseStatistics(_ statistics: CaseStatistics) {
    key("by_state")
    beginObject()
    for state in Case.State.allCases {
      key(text: state.rawValue)
      value(statistics.byState[state] ?? 0)
    }
    endObject()
    pair("cleaned", statistics.cleaned)
    pair("hours_to_clean_median", statistics.hoursMedian)
    pair("hours_to_clean_p90", statistics.hours90)
    pair("came_back", statistics.cameBack)
  }

  mutating func allowRule(_ rule: StoredAllowRule) {
    pair("number", Int(rule.number))
    pair("rule", rule.rule.description)
    pair("reason", rule.reason)
    pair("actor", rule.actor.name)
    pair("added", rule.added)
  }

  mutating func auditEntry(_ entry: AuditEntry) {
    pair("time", entry.time)
    pair("actor", entry.actor.name)
    pair("origin", entry.actor.origin)
    pair("action", entry.action)
    pair("subject", entry.subject)
    pair("detail", entry.detail)
  }

  mutating func searchHit(_ hit: SearchHit) {
    pair("kind", hit.kind.rawValue)
    pair("key", hit.key)
    pair("title", hit.title)
    pair("detail", hit.detail)
  }

  mutating func overview(_ overview: Overview) {
    list("days", overview.days) { json, day in
      json.pair("day", Timestamp.describe(day: day.day))
      for verdict in Verdict.allCases {
        json.key(text: verdict.rawValue)
        json.value(day.hosts[verdict] ?? 0)
      }
      json.pair("new", day.new)
    }
    list("flagged", overview.flagged) { json, row in json.hostRow(row) }
    pair("open_cases", overview.openCases)
  }

  // MARK: Health

  mutating func sourceHealth(_ source: SourceHealth) {
    pair("name", source.name)
    pair("kind", source.kind)
    pair("place", source.place)
    pair("state", source.state.rawValue)
    pair("since", source.since)
    pair("octets", source.octets)
    pair("records", source.records)
    pair("used", source.used)
    key("skipped")
    counts(source.skipped)
    pair("unparsed", source.unparsed)
    key("dropped")
    counts(source.dropped)
    pair("newest", source.newest)
    pair("is_sampled", source.isSampled)
    pair("restarts", source.restarts)
    pair("retry_at", source.retryAt)
    pair("trouble", source.trouble)
    key("details")
    beginObject()
    for (name, text) in source.details.sorted(by: { $0.key < $1.key }) {
      key(text: name)
      value(text)
    }
    endObject()
  }

  mutating func stationHealth(_ health: StationHealth) {
    pair("version", health.version)
    key("pipeline")
    beginObject()
    pipelineHealth(health.pipeline)
    endObject()
    list("sources", health.sources) { json, source in json.sourceHealth(source) }
    key("store")
    beginObject()
    storeCondition(health.store)
    endObject()
  }

  private mutating func pipelineHealth(_ pipeline: PipelineHealth) {
    pair("started", pipeline.started)
    pair("observations", pipeline.observations)
    pair("observations_per_second", pipeline.observationsPerSecond)
    pair("hosts", pipeline.hosts)
    pair("pairs", pipeline.pairs)
    pair("newest", pipeline.newest)
    pair("judged", pipeline.judged)
    pair("judging_seconds", pipeline.judgingSeconds)
    list("home", pipeline.home.map(\.description))
    pair("home_was_given", pipeline.homeWasGiven)
    pair("is_learning", pipeline.isLearning)
    key("counters")
    counts(pipeline.counters)
    list("warnings", pipeline.warnings)
  }

  private mutating func storeCondition(_ store: StoreCondition) {
    pair("state", store.state.rawValue)
    pair("reason", store.reason)
    pair("octets", store.octets)
    pair("finding_count", store.findings)
    pair("host_days", store.hostDays)
    pair("oldest_day", store.oldestDay.map { Timestamp.describe(day: $0) })
  }
}
