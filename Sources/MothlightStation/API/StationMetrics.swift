import Mothlight

/// The numbers of a station in the text format of Prometheus (version 0.0.4).
struct StationMetrics {
  var health: StationHealth
  var http: HTTPTally.Counts?
  var access: Doorkeeper.Counts?
  var now: Timestamp
  /// Octets handed out, and free octets that stay with the program.
  var heap: (used: UInt64, free: UInt64)?

  private typealias Row = (labels: String, value: String)

  var text: String {
    var out = ""
    station(&out)
    sources(&out)
    pipeline(&out)
    store(&out)
    if let http { Self.http(http, &out) }
    if let access { Self.access(access, &out) }
    return out
  }

  private static func add(_ out: inout String, _ name: String, _ kind: String, _ help: String, _ rows: [Row]) {
    guard !rows.isEmpty else { return }
    out += "# HELP mothlight_\(name) \(help)\n# TYPE mothlight_\(name) \(kind)\n"
    for row in rows { out += "mothlight_\(name)\(row.labels) \(row.value)\n" }
  }

  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "NaN" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  /// Names of sources are the operator's, but reasons and kinds may be anybody's words.
  private static func labels(_ pairs: [(String, String)]) -> String {
    let inside = pairs.map { name, value in
      let text = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
      return "\(name)=\"\(VisibleText.escaped(text))\""
    }
    return "{\(inside.joined(separator: ","))}"
  }

  private func station(_ out: inout String) {
    Self.add(&out, "info", "gauge", "Version of the program.", [(Self.labels([("version", health.version)]), "1")])
    let up = now.seconds(since: health.pipeline.started)
    let parts = heap.map { [("used", $0.used), ("free", $0.free)] } ?? []
    Self.add(
      &out, "memory_octets", "gauge",
      "Memory handed out (used), free but kept (free), and what of the used the store has, mostly caches (store).",
      (parts + [("store", health.store.memoryOctets)]).map { (Self.labels([("part", $0.0)]), String($0.1)) })
    Self.add(&out, "uptime_seconds", "gauge", "Since the station started.", [("", Self.number(max(0, up)))])
  }

  private func sources(_ out: inout String) {
    let all = health.sources
    func each(_ value: (SourceHealth) -> UInt64) -> [Row] {
      all.map { (Self.labels([("source", $0.name), ("kind", $0.kind)]), String(value($0))) }
    }
    func reasons(_ table: (SourceHealth) -> [String: UInt64]) -> [Row] {
      all.flatMap { source in
        table(source).sorted { $0.key < $1.key }
          .map { (Self.labels([("source", source.name), ("reason", $0.key)]), String($0.value)) }
      }
    }
    let states = all.flatMap { source in
      SourceHealth.State.allCases.map { state -> Row in
        (Self.labels([("source", source.name), ("state", state.rawValue)]), source.state == state ? "1" : "0")
      }
    }
    Self.add(&out, "source_state", "gauge", "1 for the state that a source is in.", states)
    Self.add(&out, "source_octets_total", "counter", "Octets read.", each(\.octets))
    Self.add(&out, "source_records_total", "counter", "Packets, rows or flow records read.", each(\.records))
    Self.add(&out, "source_used_total", "counter", "Observations that went on.", each(\.used))
    Self.add(&out, "source_unparsed_total", "counter", "Records that could not be understood.", each(\.unparsed))
    Self.add(&out, "source_restarts_total", "counter", "Times that a source was started again.", each(\.restarts))
    Self.add(&out, "source_skipped_total", "counter", "Records left out on purpose.", reasons(\.skipped))
    Self.add(&out, "source_dropped_total", "counter", "Records lost.", reasons(\.dropped))
    let ages = all.compactMap { source -> Row? in
      source.newest.map {
        (Self.labels([("source", source.name)]), Self.number(max(0, now.seconds(since: $0)).rounded()))
      }
    }
    Self.add(&out, "source_lag_seconds", "gauge", "Age of the newest record.", ages)
  }

  private func pipeline(_ out: inout String) {
    let pipeline = health.pipeline
    Self.add(
      &out, "observations_total", "counter", "Observations judged on.", [("", String(pipeline.observations))])
    Self.add(&out, "hosts", "gauge", "Hosts in memory.", [("", String(pipeline.hosts))])
    Self.add(&out, "pairs", "gauge", "Pairs in memory.", [("", String(pipeline.pairs))])
    Self.add(
      &out, "is_learning", "gauge", "1 while the home network is being learned.",
      [("", pipeline.isLearning ? "1" : "0")])
    Self.add(
      &out, "judging_seconds", "gauge", "How long the last judging took.", [("", Self.number(pipeline.judgingSeconds))])
    if let judged = pipeline.judged {
      Self.add(
        &out, "judged_age_seconds", "gauge", "Since hosts were last judged.",
        [("", Self.number(max(0, now.seconds(since: judged)).rounded()))])
    }
    let counters = pipeline.counters.sorted { $0.key < $1.key }
      .map { (Self.labels([("counter", $0.key)]), String($0.value)) as Row }
    Self.add(&out, "pipeline_total", "counter", "Refused, evicted and suppressed, as in a report.", counters)
  }

  private func store(_ out: inout String) {
    let store = health.store
    let states = [StoreCondition.State.ready, .full, .readOnly].map { state -> Row in
      (Self.labels([("state", state.rawValue)]), store.state == state ? "1" : "0")
    }
    Self.add(&out, "store_state", "gauge", "1 for the state that the store is in.", states)
    Self.add(&out, "store_octets", "gauge", "Size of the store.", [("", String(store.octets))])
    Self.add(&out, "store_findings", "gauge", "Findings kept.", [("", String(store.findings))])
    Self.add(&out, "store_host_days", "gauge", "Host-days kept.", [("", String(store.hostDays))])
  }

  private static func http(_ http: HTTPTally.Counts, _ out: inout String) {
    let rows = http.byStatus.sorted { $0.key < $1.key }.map {
      (labels([("status", String($0.key))]), String($0.value)) as Row
    }
    add(&out, "http_requests_total", "counter", "Answers by status.", rows)
    add(&out, "http_connections", "gauge", "Connections that are open.", [("", String(http.connections))])
    add(
      &out, "http_connections_sent_away_total", "counter", "Connections that were closed to make room for new ones.",
      [("", String(http.sentAway))])
    var sum: UInt64 = 0
    let name = "mothlight_http_request_seconds"
    out += "# HELP \(name) Time until an answer began.\n# TYPE \(name) histogram\n"
    for (count, bound) in zip(http.buckets, HTTPTally.bounds.map { number($0) } + ["+Inf"]) {
      sum &+= count
      out += "\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
    }
    out += "\(name)_sum \(number(http.seconds))\n\(name)_count \(sum)\n"
  }

  private static func access(_ access: Doorkeeper.Counts, _ out: inout String) {
    add(
      &out, "passwords_checked_total", "counter", "Passwords that were checked.",
      [("", String(access.passwordsChecked))])
    add(
      &out, "log_ins_throttled_total", "counter", "Log-ins that came before their delay was over.",
      [("", String(access.throttled))])
    add(
      &out, "log_ins_turned_away_total", "counter", "Log-ins that found too many others waiting.",
      [("", String(access.turnedAway))])
    add(
      &out, "log_in_memory_evicted_total", "counter", "Accounts and addresses whose failures were forgotten for room.",
      [("", String(access.evicted))])
  }
}
