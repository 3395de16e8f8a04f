import Foundation
import Testing

@testable import Mothlight

@Suite struct ReportAnonymiserTests {
  private static let key = [UInt8](0..<32)

  /// A report in which addresses of ours stand in every field and sentence that can hold one.
  private func report() -> Report {
    var report = ReportFixture.report(quietHosts: 5)
    report.home.append(Prefix(ReportFixture.address("10.9.0.0"), length: 16))
    let inside = "10.9.8.7"
    report.hosts[0].reason += " It probed \(inside), \(inside):445 and fd00:1::7."
    report.hosts[0].caveats = ["\(inside)/32 is a gateway"]
    report.hosts[0].findings[0].summary += " (through \(inside).)"
    report.hosts[0].findings[0].evidence[0].note = "relay [\(inside)]"
    report.hosts[0].activity.topPeers.append(
      PeerActivity(
        address: ReportFixture.address(inside), name: "nas.lan", port: 445, transport: .tcp, flows: 1, octets: 1))
    report.hosts[0].activity.topNames.append(("7.8.9.10.in-addr.arpa", 1, 0))
    report.hosts[0].activity.topNames.append(("wpad", 1, 1))
    report.warnings.append("host \(inside) was late")
    report.inputs[0].path = "/captures/\(inside).pcap"
    report.inputs[0].firstUnparsed = "row 3: \(inside) admin"
    return report
  }

  private func exported(_ report: Report, _ format: String, _ settings: ExporterSettings) throws -> String {
    var settings = settings
    settings.showAll = true
    settings.showHidden = true
    settings.exchange.reporter = ExchangeSettings.Reporter("CERT Example <abuse@cert.example>")
    var text = ""
    try ExporterRoster.make(format, settings).export(report) { text += $0 }
    return text
  }

  @Test(arguments: ReportAnonymiser.Method.allCases, ExporterRoster.cards.map(\.name))
  func noAddressOfOursIsLeftInAnyFormat(_ method: ReportAnonymiser.Method, _ format: String) throws {
    var report = report()
    let before = try exported(report, format, ExporterSettings())
    var settings = ExporterSettings()
    var anonymiser = try ReportAnonymiser(method, key: Self.key)
    anonymiser.anonymise(&report, &settings)
    if format == "xarf", method == .cryptoPAn {
      #expect(throws: ConfigurationError.self) { try exported(report, format, settings) }
      return
    }
    let after = try exported(report, format, settings)
    if format == "intelmq" { #expect(!after.contains("\"source.ip\"")) }
    let wanted = ["147.32.84", "10.9.8.7", "7.8.9.10", "fd00:1", "2001:db8:1234", "nas.lan", "wpad", "147.32.0.0"]
    if format == "json" { #expect(wanted.allSatisfy { before.contains($0) }) }
    #expect(wanted.filter { after.contains($0) } == [])
    // What is outside stays.
    if before.contains("60.190.222.139") { #expect(after.contains("60.190.222.139")) }
    if before.contains("host-") || method == .cryptoPAn { return }
    if format != "shadowserver", format != "shadowserver-http" { #expect(after.contains("host-")) }
  }

  @Test func theSameMachineHasTheSameNameEverywhere() throws {
    var report = report()
    var settings = ExporterSettings()
    settings.explain = ReportFixture.bot
    var anonymiser = try ReportAnonymiser(.pseudonyms, key: Self.key)
    anonymiser.anonymise(&report, &settings)
    let name = Pseudonyms(key: Self.key).standIn(for: ReportFixture.bot).description
    #expect(name.hasPrefix("host-") && name.utf8.count == 13)
    #expect(settings.explain?.description == name)
    let entry = try #require(report.hosts.first { $0.host.description == name })
    #expect(entry.findings.allSatisfy { $0.host == entry.host && $0.evidence.allSatisfy { $0.source == entry.host } })
    #expect(report.home.isEmpty && report.isAnonymised && report.tlp == .green)
    let other = Pseudonyms(key: [UInt8](1..<33)).standIn(for: ReportFixture.bot)
    #expect(other.description != name)
  }

  @Test func identifiersDoNotLeadBack() throws {
    let plain = report()
    var report = plain
    var settings = ExporterSettings()
    var anonymiser = try ReportAnonymiser(.cryptoPAn, key: Self.key)
    anonymiser.anonymise(&report, &settings)
    let ids = Set(plain.hosts.flatMap(\.findings).map(\.id))
    let flows = Set(plain.hosts.flatMap(\.findings).flatMap(\.evidence).map(\.communityID))
    #expect(report.hosts.flatMap(\.findings).allSatisfy { !ids.contains($0.id) })
    #expect(report.hosts.flatMap(\.findings).flatMap(\.evidence).allSatisfy { !flows.contains($0.communityID) })
  }

  @Test func nobodyPassesForAStandIn() throws {
    var report = report()
    let forged = IPAddress(standIn: 5)
    report.hosts[0].findings[0].peer = forged
    var settings = ExporterSettings()
    var anonymiser = try ReportAnonymiser(.pseudonyms, key: Self.key)
    anonymiser.anonymise(&report, &settings)
    #expect(report.hosts.flatMap(\.findings).allSatisfy { $0.peer != forged })
  }

  @Test(arguments: [
    ("to 10.0.0.1.", "to X."), ("10.0.0.1:80", "X:80"), ("x10.0.0.1y", "xXy"), ("a 10.0.0.256", "a 10.0.0.256"),
    ("fd00::1 and ::ffff", "X and ::ffff"), ("[fd00::1]:443", "[X]:443"),
    ("9.9.9.9, 10.1.2.3-10.1.2.4", "9.9.9.9, X-X"),
    ("beef.example at 12:30:05", "beef.example at 12:30:05"), ("no address", "no address"), ("", ""),
    ("source:10.0.0.1/32", "source:X/32"), ("pair:10.0.0.1>9.9.9.9", "pair:X>9.9.9.9"),
    ("face:10.0.0.1:80", "face:X:80"),
    ("2600:fd00::1", "2600:fd00::1"), ("a:b:c:", "a:b:c:"),
  ])
  func addressesInSentences(_ text: String, _ wanted: String) {
    let x = IPAddress(standIn: 0)
    let out = AddressText.replacing(in: text) { $0.isPrivate ? x : $0 }
    #expect(out == wanted.replacingOccurrences(of: "X", with: x.description))
  }
}

@Suite struct SecretFileTests {
  @Test func aKeyIsMadeOnceAndKept() throws {
    let path = NSTemporaryDirectory() + "secret-\(UInt64.random(in: .min ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try SecretFile.open(path, octets: 32)
    let second = try SecretFile.open(path, octets: 32)
    #expect(first.isNew && !second.isNew && first.octets == second.octets && first.octets.count == 32)
    #expect(throws: ConfigurationError.self) { try SecretFile.open(path, octets: 16) }
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(throws: ConfigurationError.self) { try SecretFile.open(path, octets: 32) }
  }
}
