import Foundation
import Testing

@testable import Mothlight

func exported(_ format: String, _ report: Report, _ change: (inout ExporterSettings) -> Void = { _ in }) throws
  -> String
{
  var settings = ExporterSettings()
  change(&settings)
  var out = ""
  try ExporterRoster.make(format, settings).export(report) { out += $0 }
  return out
}

@Suite("json and ndjson outputs")
struct JSONExporterTests {
  private typealias Object = [String: Any]

  private func parse(_ text: some StringProtocol) throws -> Object {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
  }

  @Test("json carries the report's values")
  func document() throws {
    let root = try parse(exported("json", ReportFixture.report()))
    #expect(root["schema_version"] as? String == Report.schemaVersion)
    #expect(root["hosts"] as? Int == 35)
    #expect(root["infected"] as? Int == 1)
    #expect(root["suspicious"] as? Int == 1)
    #expect(root["no_sign"] as? Int == 30)
    #expect(root["not_enough_data"] as? Int == 3)
    #expect(root["hidden_count"] as? Int == 1)
    #expect((root["hidden"] as? [Object])?.isEmpty == true)
    #expect(root["first"] as? String == "2011-08-10T09:43:20.000000Z")
    #expect((root["counters"] as? Object)?["evicted_flows"] as? Int == 12)
    #expect(root["family_bar"] is NSNull)
    let inputs = try #require(root["inputs"] as? [Object])
    #expect(inputs[0]["first_unparsed"] as? String == "packet 1277: \(ReportFixture.hostile)")
    #expect((inputs[0]["skipped"] as? Object)?["not_ip"] as? Int == 36_000)
    #expect(inputs[1]["error_code"] as? String == "empty")
    let days = try #require(root["host_days"] as? [Object])
    #expect(days.count == 35)
    #expect(days[0]["host"] as? String == "147.32.84.165")
    #expect(days[0]["verdict"] as? String == "infected")
    #expect(days[1]["host"] as? String == "2001:db8:1234:5678:9abc:def0:1234:5678")
    let families = try #require(days[0]["families"] as? [Object])
    #expect(families.map { $0["family"] as? String } == ["timing", "dns", "peer"])
    let activity = try #require(days[0]["activity"] as? Object)
    #expect((activity["bins"] as? [Int])?.count == 96)
    #expect((activity["top_names"] as? [Object])?.first?["name"] as? String == ReportFixture.hostile)
  }

  @Test("findings carry measures, series and evidence with its origin")
  func findings() throws {
    let root = try parse(exported("json", ReportFixture.report()))
    let day = try #require((root["host_days"] as? [Object])?.first)
    let finding = try #require((day["findings"] as? [Object])?.first)
    #expect(finding["id"] as? String == ReportFixture.beacon(ReportFixture.bot).id)
    #expect(finding["detector_version"] as? Int == 2)
    #expect(finding["log_odds"] as? Double == 5.24)
    #expect(finding["hidden_by"] is NSNull)
    let measures = try #require(finding["measures"] as? [Object])
    #expect(measures[2]["comparison"] as? String == "at_most")
    #expect(measures[2]["is_met"] as? Bool == true)
    #expect(measures[4]["threshold"] is NSNull)
    #expect(measures[5]["value"] is NSNull)
    #expect((finding["series"] as? [Int])?[33] == 68)
    let evidence = try #require((finding["evidence"] as? [Object])?.first)
    #expect(evidence["record"] as? Int == 1200)
    #expect((evidence["path"] as? String)?.hasPrefix("/data/captures/botnet-") == true)
    #expect((evidence["community_id"] as? String)?.hasPrefix("1:") == true)
    #expect(evidence["time"] as? String == "2011-08-10T09:46:53.123456Z")
  }

  @Test("every ndjson line is an object with its type, in order")
  func lines() throws {
    let text = try exported("ndjson", ReportFixture.report()) { $0.showHidden = true }
    #expect(text.hasSuffix("\n"))
    let lines = try text.split(separator: "\n").map { try parse($0) }
    let types = lines.map { $0["type"] as? String ?? "" }
    #expect(types.prefix(8) == ["run", "input", "input", "host_day", "finding", "finding", "host_day", "finding"])
    #expect(types.last == "hidden_finding")
    #expect(lines.count == 1 + 2 + 35 + 3 + 1)
    #expect(lines[3]["finding_ids"] as? [String] == [lines[4], lines[5]].compactMap { $0["id"] as? String })
    #expect(lines[4]["host"] as? String == "147.32.84.165")
    #expect(lines[4]["day"] as? String == "2011-08-10")
    #expect((lines.last?["hidden_by"] as? String)?.hasPrefix("peer 60.190") == true)
  }

  @Test("equal reports give equal bytes, without control bytes", arguments: ["json", "ndjson"])
  func determinism(format: String) throws {
    let once = try exported(format, ReportFixture.report())
    let again = try exported(format, ReportFixture.report())
    #expect(Array(once.utf8) == Array(again.utf8))
    #expect(once.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isHidden($0) })
  }

  @Test("explain leaves one host", arguments: ["json", "ndjson"])
  func explain(format: String) throws {
    let text = try exported(format, ReportFixture.report()) { $0.explain = ReportFixture.odd }
    #expect(text.contains(ReportFixture.odd.description))
    #expect(!text.contains("\"host\":\"147.32.84.165\""))
  }

  @Test("every key and every fixed word is in the data dictionary")
  func dictionary() throws {
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let page = try String(contentsOf: root.appending(path: "docs/data-dictionary.md"), encoding: .utf8)
    var keys = Set<String>()
    func collect(_ value: Any) {
      if let object = value as? Object {
        for (key, inner) in object {
          keys.insert(key)
          // Keys of these two are data.
          if key != "counters", key != "skipped" { collect(inner) }
        }
      } else if let list = value as? [Any] {
        list.forEach(collect)
      }
    }
    var report = ReportFixture.report()
    report.state = StateSummary()
    report.state?.evicted = ["expired_pairs": 1]
    collect(try parse(exported("json", report) { $0.showHidden = true }))
    for line in try exported("ndjson", report, { $0.showHidden = true }).split(separator: "\n") {
      collect(try parse(line))
    }
    #expect(keys.count > 60)
    let words =
      keys.sorted() + Anomalies.names + Verdict.allCases.map(\.rawValue) + EvidenceFamily.allCases.map(\.rawValue)
      + ConnectionState.allCases.map { ReportWords.name($0) }
    for word in words {
      #expect(page.contains("`\(word)`"), "\(word) is missing from docs/data-dictionary.md")
    }
    #expect(page.contains("Schema version **\(Report.schemaVersion)**"))
  }

  @Test("the roster names every format and refuses others")
  func roster() throws {
    let names = ["table", "json", "ndjson", "html", "shadowserver", "shadowserver-http", "intelmq", "xarf"]
    #expect(ExporterRoster.cards.map(\.name) == names)
    #expect(throws: ConfigurationError("no output format 'xml'; there is: \(names.joined(separator: ", "))")) {
      try ExporterRoster.make("xml", ExporterSettings())
    }
  }
}
