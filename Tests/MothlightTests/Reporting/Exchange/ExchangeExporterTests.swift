import Foundation
import Testing

@testable import Mothlight

@Suite struct ExchangeExporterTests {
  private func settings(_ change: (inout ExporterSettings) -> Void = { _ in }) -> ExporterSettings {
    var settings = ExporterSettings()
    settings.exchange.reporter = ExchangeSettings.Reporter("CERT Example <abuse@cert.example>")
    change(&settings)
    return settings
  }

  private func exported(_ report: Report, _ format: String, _ settings: ExporterSettings) throws -> String {
    var text = ""
    try ExporterRoster.make(format, settings).export(report) { text += $0 }
    return text
  }

  private final class Notes: @unchecked Sendable { var lines: [String] = [] }  // One thread.

  private func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// As the public schema lists them.
  private static let sinkholeHeader =
    "timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_region,src_city,src_hostname,src_naics,src_sector,"
    + "device_vendor,device_type,device_model,severity,dst_ip,dst_port,dst_asn,dst_geo,dst_region,dst_city,dst_hostname,"
    + "dst_naics,dst_sector,public_source,infection,family,tag,application,version,event_id,ssl_cipher,ssl_servername"
  private static let httpHeader =
    sinkholeHeader.replacingOccurrences(of: ",ssl_cipher,ssl_servername", with: "")
    + ",http_url,http_host,http_agent,forwarded_by,ssl_cipher,http_referer,ssl_servername,machine_name"

  private func rows(_ text: String) -> [[String]] {
    text.split(separator: "\n").map { line in
      line.dropFirst().dropLast().components(separatedBy: "\",\"")
    }
  }

  @Test func shadowserverColumnsAndRows() throws {
    try VictimFixture.withSpool { folder in
      let report = VictimFixture.report(folder, networks: VictimFixture.TwoSystems())
      let text = try exported(report, "shadowserver", settings())
      let table = rows(text)
      #expect(table[0].joined(separator: ",") == Self.sinkholeHeader && table.allSatisfy { $0.count == 33 })
      // Victims 1, 2, 6 and the second day of 1; the request and IPv6 are other reports.
      #expect(table.count == 5)
      let first = Dictionary(uniqueKeysWithValues: zip(table[0], table[1]))
      #expect(
        first["timestamp"] == "2026-03-02 03:50:00" && first["protocol"] == "tcp" && first["src_ip"] == "203.0.113.1")
      #expect(first["src_port"] == "40003" && first["src_asn"] == "64500" && first["src_geo"] == "ES")
      #expect(first["severity"] == "critical" && first["infection"] == "sality" && first["dst_port"] == "80")
      #expect(first["tag"] == "sinkhole;repeated;tlp:amber" && first["public_source"] == "CERT Example")
      let datagram = Dictionary(uniqueKeysWithValues: zip(table[0], table[3]))
      #expect(datagram["protocol"] == "udp" && datagram["severity"] == "medium")
      #expect(datagram["tag"]?.contains("address-unproven") == true)
      #expect(Set(table.dropFirst().map { $0[30] }).count == 4)
      #expect(try exported(report, "shadowserver", settings()) == text, "equal input, equal bytes")
    }
  }

  @Test func requestsHaveAReportOfTheirOwnAndRunNoFormula() throws {
    try VictimFixture.withSpool { folder in
      let text = try exported(VictimFixture.report(folder), "shadowserver-http", settings())
      let table = rows(text)
      #expect(table[0].joined(separator: ",") == Self.httpHeader && table.count == 2)
      let row = Dictionary(uniqueKeysWithValues: zip(table[0], table[1]))
      #expect(row["timestamp"] == "2026-03-02 04:00:17" && row["src_port"] == "55555" && row["dst_ip"] == "192.0.2.80")
      #expect(row["http_url"] == "/?rnd=&id=" && row["http_host"] == "seized.example")
      #expect(row["http_agent"] == "'=HYPERLINK(\"\"x\"\")\\u{202e}")
    }
  }

  @Test func filesAreNamedAsTheirReadersExpect() throws {
    let names = /^\d{4}-\d{2}-\d{2}-([^-]+)-.+\.csv$/
    let intelMQ = /^(?:\d{4}-\d{2}-\d{2}-)?(\w+)(-\w+)*\.csv$/
    try VictimFixture.withSpool { folder in
      let exporter = try #require(
        try ExporterRoster.make("shadowserver", settings()) as? any FileSetExporter)
      var files: [String: String] = [:]
      try exporter.export(VictimFixture.report(folder)) { name, text in files[name, default: ""] += text }
      #expect(
        files.keys.sorted() == [
          "2026-03-02-event4_sinkhole-mothlight.csv", "2026-03-02-event4_sinkhole_http-mothlight.csv",
          "2026-03-02-event6_sinkhole-mothlight.csv", "2026-03-03-event4_sinkhole-mothlight.csv",
        ])
      #expect(files.keys.allSatisfy { $0.wholeMatch(of: names) != nil && $0.wholeMatch(of: intelMQ) != nil })
      #expect(files.values.reduce(0) { $0 + rows($1).count } == 4 + 6)
      #expect(files["2026-03-02-event6_sinkhole-mothlight.csv"]?.contains("\"2001:db8:1:2::aa\"") == true)
    }
  }

  @Test func intelMQEventsCallOnlyWhatIsProvenAnInfection() throws {
    try VictimFixture.withSpool { folder in
      let events = try objects(
        try exported(VictimFixture.report(folder, networks: VictimFixture.TwoSystems()), "intelmq", settings()))
      #expect(events.count == 6)
      let first = events[0]
      #expect(first["time.source"] as? String == "2026-03-02T03:50:00+00:00")
      #expect(first["source.ip"] as? String == "203.0.113.1" && first["source.port"] as? Int == 40_003)
      #expect(first["source.network"] as? String == "203.0.113.0/25" && first["source.asn"] as? Int == 64_500)
      #expect(first["classification.taxonomy"] as? String == "malicious-code")
      #expect(
        first["classification.type"] as? String == "infected-system" && first["malware.name"] as? String == "sality")
      #expect(first["tlp"] as? String == "AMBER" && first["extra.evidence_level"] as? String == "repeated")
      let datagram = try #require(events.first { $0["protocol.transport"] as? String == "udp" })
      #expect(datagram["classification.taxonomy"] as? String == "other")
      #expect(datagram["classification.type"] as? String == "undetermined")
      #expect((datagram["event_description.text"] as? String)?.contains("suspected, not proven") == true)
      let request = try #require(events.first { $0["protocol.application"] as? String == "http" })
      #expect(request["destination.fqdn"] as? String == "seized.example")
      #expect(events.allSatisfy { $0["source.port"] is Int && $0["extra.rule_version"] as? Int != nil })
    }
  }

  @Test func theGuardedWordOfTLPOneIsTaken() {
    #expect(TLP.allCases.map(IntelMQExporter.word) == ["WHITE", "GREEN", "AMBER", "RED", "RED"])
  }

  @Test func xarfReportsHaveWhatTheirSchemaAsksFor() throws {
    try VictimFixture.withSpool { folder in
      let reports = try objects(try exported(VictimFixture.report(folder), "xarf", settings()))
      #expect(reports.count == 6)
      let uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
      let tag = /^[a-z0-9][a-z0-9_+-]*:[a-z0-9][a-z0-9_+-]*$/
      for report in reports {
        #expect(report["xarf_version"] as? String == "4.2.0")
        #expect(report["category"] as? String == "infrastructure" && report["type"] as? String == "botnet")
        #expect((report["report_id"] as? String)?.wholeMatch(of: uuid) != nil)
        for key in ["reporter", "sender"] {
          let party = try #require(report[key] as? [String: String])
          #expect(party == ["org": "CERT Example", "contact": "abuse@cert.example", "domain": "cert.example"])
        }
        #expect(report["source_port"] is Int && report["compromise_evidence"] is String)
        let tags = try #require(report["tags"] as? [String])
        #expect(tags.allSatisfy { $0.wholeMatch(of: tag) != nil } && tags.contains("tlp:amber"))
      }
      #expect(Set(reports.compactMap { $0["report_id"] as? String }).count == 6)
      #expect(
        reports[0]["timestamp"] as? String == "2026-03-02T03:50:00Z" && reports[0]["confidence"] as? Double == 0.95)
      let text = try exported(VictimFixture.report(folder), "xarf", settings())
      #expect(!text.contains("HYPERLINK") && !text.contains("seized.example"))
    }
  }

  @Test func xarfNeedsAReporter() {
    #expect(throws: ConfigurationError.self) { try ExporterRoster.make("xarf", ExporterSettings()) }
    for text in [
      "abuse@cert.example", "<abuse@cert.example>", "X <abuse>", "X <@cert.example>", "X <a@b@c.example>", "X <a@b>",
    ] {
      #expect(ExchangeSettings.Reporter(text) == nil, "\(text)")
    }
  }

  /// Nobody who was only looking is reported, in any format, at any level.
  @Test(arguments: ["shadowserver", "shadowserver-http", "intelmq", "xarf"])
  func visitorsAreNeverThere(_ format: String) throws {
    try VictimFixture.withSpool { folder in
      let all = settings { $0.exchange.choice.leastLevel = .connected }
      let text = try exported(VictimFixture.report(folder), format, all)
      #expect(!text.contains("203.0.113.4"))
    }
  }

  @Test func whatIsLeftOutIsTold() throws {
    let notes = Notes()
    try VictimFixture.withSpool { folder in
      let chosen = settings {
        $0.note = { notes.lines.append($0) }
        $0.exchange.choice.recipient.systems = [64_501]
      }
      _ = try exported(VictimFixture.report(folder, networks: VictimFixture.TwoSystems()), "intelmq", chosen)
    }
    #expect(
      notes.lines == [
        "2 rows of victims, one for each source, botnet and day; 1 of visitors left out; 1 below 'recognised' left out; "
          + "4 in others' networks left out"
      ])
  }

  /// A host of the home network is somebody's customer, too: nobody else is told of it.
  @Test(arguments: ["intelmq", "xarf"])
  func aRecipientIsToldOfItsOwnHostsAlone(_ format: String) throws {
    var report = ReportFixture.report()
    report.hosts[0].host = ReportFixture.address("198.51.100.37")
    /// The number of rows, and what was said of them.
    func told(_ report: Report, _ change: (inout ExchangeSettings) -> Void) throws -> [String] {
      let notes = Notes()
      let chosen = settings {
        $0.note = { notes.lines.append($0) }
        change(&$0.exchange)
      }
      let rows = try objects(try exported(report, format, chosen)).count
      return ["\(rows)"] + notes.lines
    }
    let own = try #require(Prefix("198.51.100.0/24"))
    let foreign = try #require(Prefix("203.0.113.0/24"))
    let leftOut = ["0", "0 rows of infected hosts of the home network; 1 in others' networks left out"]
    let everybody = try told(report) { _ in }
    #expect(everybody == ["1"])
    let owner = try told(report) { $0.choice.recipient.prefixes = [own] }
    #expect(owner == ["1"])
    let stranger = try told(report) { $0.choice.recipient.prefixes = [foreign] }
    #expect(stranger == leftOut)
    // The directory says that the address is of the second of its systems; without one nobody knows.
    for (system, lines) in [(UInt32(64_500), leftOut), (64_501, ["1"])] {
      let answer = try told(report) {
        $0.choice.recipient.systems = [system]
        $0.networks = VictimFixture.TwoSystems()
      }
      #expect(answer == lines)
    }
    let unknown = try told(report) { $0.choice.recipient.systems = [64_501] }
    #expect(unknown == leftOut)
    // A replaced address may lie in a stranger's network by chance.
    report.isAnonymised = true
    let replaced = try told(report) { $0.choice.recipient.prefixes = [own] }
    #expect(replaced.first == "0" && replaced.last?.contains("1 under replaced addresses left out") == true)
  }

  @Test func hostsAreCountedBesideVictims() throws {
    try VictimFixture.withSpool { folder in
      let notes = Notes()
      var report = VictimFixture.report(folder)
      report.hosts = ReportFixture.report().hosts
      let text = try exported(report, "intelmq", settings { $0.note = { notes.lines.append($0) } })
      #expect(try objects(text).count == 7)
      #expect(notes.lines.count == 2 && notes.lines.first?.hasPrefix("6 rows of victims") == true)
      #expect(notes.lines.last == "1 row of infected hosts of the home network")
    }
  }

  @Test(arguments: ["shadowserver", "shadowserver-http"])
  func hostsWithoutAPlaceInTheFormatAreTold(_ format: String) throws {
    let notes = Notes()
    let chosen = settings { $0.note = { notes.lines.append($0) } }
    #expect(rows(try exported(ReportFixture.report(), format, chosen)).count == 1)
    #expect(
      notes.lines == [
        "1 infected host is not in this format: it tells of check-ins at a sinkhole; use intelmq or xarf"
      ])
  }

  @Test func aSystemNeedsANetworksFile() throws {
    var exchange = ExchangeSettings()
    try exchange.checkRecipient()
    exchange.choice.recipient.systems = [64_501, 64_500]
    do throws(ConfigurationError) {
      try exchange.checkRecipient()
      Issue.record("nothing tells whose an address is")
    } catch { #expect(error.message.hasPrefix("--recipient AS64500: ")) }
    exchange.networks = VictimFixture.TwoSystems()
    try exchange.checkRecipient()
  }

  @Test func infectedHostsAreEventsAndOthersNot() throws {
    var report = ReportFixture.report()
    report.hosts[0].host = ReportFixture.address("10.1.2.3")
    let events = try objects(try exported(report, "intelmq", settings()))
    #expect(events.count == 1 && report.hosts[1].verdict == .suspicious)
    #expect(events[0]["source.local_ip"] as? String == "10.1.2.3" && events[0]["source.ip"] == nil)
    #expect(events[0]["destination.ip"] as? String == "60.190.222.139")
    #expect(try objects(try exported(report, "xarf", settings())).count == 1)
    #expect(rows(try exported(report, "shadowserver", settings())).count == 1)
  }
}
