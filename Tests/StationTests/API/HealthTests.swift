import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct HealthTests {
  @Test func metricsAreInThePrometheusFormat() async throws {
    try await LiveStation.run { station async throws in
      _ = try await station.get("/api/v1/nothing")
      _ = try await station.get("/api/v1/hosts")
      let reply = try await station.get("/metrics", as: nil)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      for line in [
        "mothlight_info{version=\"1.2.3\"} 1",
        "mothlight_source_records_total{source=\"eth0\",kind=\"interface\"} 1000",
        "mothlight_source_dropped_total{source=\"eth0\",reason=\"kernel\"} 7",
        "mothlight_source_state{source=\"eth0\",state=\"running\"} 1", "mothlight_store_state{state=\"ready\"} 1",
        "mothlight_source_lag_seconds{source=\"eth0\"} 2", "mothlight_http_requests_total{status=\"200\"} 1",
        "mothlight_http_requests_total{status=\"404\"} 1", "mothlight_http_request_seconds_count 2",
        "mothlight_uptime_seconds 3600",
      ] { #expect(reply.body.contains(line + "\n"), "\(line)") }
      for part in ["used", "free", "store"] {
        let name = "mothlight_memory_octets{part=\"\(part)\"} "
        let line = reply.body.split(separator: "\n").first { $0.hasPrefix(name) }
        #expect((line?.split(separator: " ").last).flatMap { UInt64($0) } != nil, "\(part)")
      }
      #expect(PrometheusCheck.complaints(reply.body) == [])
    }
  }

  @Test func theCheckCanFail() {
    #expect(PrometheusCheck.complaints("# HELP a b\n# TYPE a counter\na 1\n") == [])
    for wrong in [
      "a 1\n", "# HELP a b\n# TYPE a counter\na x\n", "# HELP a b\n# TYPE a counter\na{b=\"c\nd\"} 1\n",
      "# HELP a b\n# TYPE a counter\na 1\na 2\n", "# HELP a b\n# TYPE a counter\na 1",
    ] { #expect(!PrometheusCheck.complaints(wrong).isEmpty) }
  }

  @Test func aliveIsKnownToAllAndReadyTellsWhyNot() async throws {
    try await LiveStation.run { station async throws in
      #expect(try await station.get("/healthz", as: nil).body == "ok\n")
      #expect(try await station.get("/readyz", as: nil).body == "ready\n")
      await station.live.store.set(
        StoreCondition(state: .full, reason: "the disk is full", octets: 0, findings: 0, hostDays: 0))
      let full = try await station.get("/readyz", as: nil)
      #expect(full.status == 503 && full.body == "store: the disk is full\n")
      await station.live.store.set(StoreCondition(state: .ready, octets: 0, findings: 0, hostDays: 0))
      let meter = SourceMeter(name: "spool", kind: "spool", place: "x", at: LiveStation.now)
      meter.update { $0.trouble = "no such\u{1b}[2J folder" }
      meter.enter(.waiting, at: LiveStation.now)
      station.live.board.add(meter)
      let waiting = try await station.get("/readyz", as: nil)
      #expect(
        waiting.status == 503 && waiting.body.hasPrefix("source spool: waiting: no such")
          && !waiting.body.contains("\u{1b}"))
      #expect(try await station.get("/healthz", as: nil).status == 200, "alive all the same")
    }
  }

  /// From elsewhere only with a token; the test cannot come from elsewhere, so a wrong token stands for it.
  @Test func wrongTokensSeeNoMetrics() async throws {
    try await LiveStation.run { station async throws in
      for target in ["/metrics", "/readyz"] {
        #expect(try await station.get(target, as: .viewer).status == 200)
        let reply = try await station.get(target, as: nil, headers: ["Authorization": "Bearer x"])
        #expect(reply.status == 401 && !reply.body.contains("mothlight_"))
      }
    }
  }
}

/// The text format 0.0.4 of Prometheus, as far as a line can be wrong.
enum PrometheusCheck {
  static func complaints(_ text: String) -> [String] {
    var complaints: [String] = text.hasSuffix("\n") ? [] : ["no line end at the end"]
    var types: [String: String] = [:]
    var seen: Set<Substring> = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("# TYPE ") {
        if words.count != 4 || types.updateValue(String(words[3]), forKey: String(words[2])) != nil {
          complaints.append("\(line)")
        }
        continue
      }
      if line.hasPrefix("# HELP ") { continue }
      guard let space = line.lastIndex(of: " "), Double(line[line.index(after: space)...]) != nil else {
        complaints.append("\(line)")
        continue
      }
      let series = line[..<space]
      if !seen.insert(series).inserted { complaints.append("twice: \(series)") }
      let name = series.prefix { $0 != "{" }
      let family = ["_bucket", "_sum", "_count"].reduce(String(name)) {
        $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0
      }
      if types[String(name)] == nil, types[family] == nil { complaints.append("no type: \(name)") }
      if series.contains("{"), !series.hasSuffix("\"}") { complaints.append("labels: \(series)") }
    }
    return complaints
  }
}
