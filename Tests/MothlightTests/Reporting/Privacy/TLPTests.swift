import Testing

@testable import Mothlight

@Suite struct TLPTests {
  @Test func theOrderIsThatOfTheStandard() {
    #expect(TLP.allCases.sorted() == [.clear, .green, .amber, .amberStrict, .red])
    #expect(TLP.derived(from: [.green, .red, .amber]) == .red)
    #expect(TLP.derived(from: []) == .clear)
  }

  @Test(arguments: [
    ("TLP:AMBER", TLP.amber), ("amber", .amber), ("tlp:amber+strict", .amberStrict), ("Clear", .clear), ("RED", .red),
  ])
  func wordsAreRead(_ text: String, _ tlp: TLP) { #expect(TLP(text) == tlp) }

  @Test(arguments: ["WHITE", "TLP:", "amber strict", "AMBER+", "tlp:amber:red", ""])
  func otherWordsAreNot(_ text: String) { #expect(TLP(text) == nil) }

  private func settings(_ tlp: TLP?) -> ExporterSettings {
    var settings = ExporterSettings()
    settings.tlp = tlp
    settings.exchange.reporter = ExchangeSettings.Reporter("CERT Example <abuse@cert.example>")
    return settings
  }

  /// No format lets an AMBER row out as CLEAR or GREEN.
  @Test(arguments: ExporterRoster.cards.map(\.name))
  func amberDoesNotLeaveAsLess(_ format: String) throws {
    let report = ReportFixture.report()
    #expect(report.tlp == .amber)
    for tlp in [TLP.clear, .green] {
      var text = ""
      #expect(throws: ConfigurationError.self) {
        try ExporterRoster.make(format, settings(tlp)).export(report) { text += $0 }
      }
      #expect(text.isEmpty)
    }
    for tlp in [nil, TLP.amber, .red] {
      #expect(throws: Never.self) { try ExporterRoster.make(format, settings(tlp)).export(report) { _ in } }
    }
  }

  @Test(arguments: ["table", "json", "ndjson", "html", "intelmq", "xarf"])
  func everyFormatIsMarked(_ format: String) throws {
    var text = ""
    try ExporterRoster.make(format, settings(.red)).export(ReportFixture.report()) { text += $0 }
    #expect(text.uppercased().contains("RED"))
    if format == "ndjson" {
      let lines = text.split(separator: "\n")
      #expect(lines.count > 5 && lines.allSatisfy { $0.contains("\"tlp\":\"RED\"") })
    }
  }

  @Test func aRowIsHeldBackByItsOwnMarking() throws {
    let entry = try #require(ReportFixture.report().hosts.first)
    let event = try #require(ExchangeEvent(entry, isAnonymised: false))
    #expect(throws: ConfigurationError.self) { try ExchangeEvents.check(event, .clear) }
    #expect(throws: Never.self) { try ExchangeEvents.check(event, .amber) }
  }

  @Test(arguments: CensusExporterRoster.cards.map(\.name))
  func aCensusIsMarkedByItsAudience(_ format: String) throws {
    for (audience, least) in [(CensusEdition.Audience.operators, TLP.amber), (.everybody, .clear)] {
      let edition = CensusEdition(report: CensusFixture.report(), audience: audience, version: "9.9")
      #expect(edition.tlp == least)
      var text = ""
      try CensusExporterRoster.make(format, settings(nil)).export(edition) { text += $0 }
      #expect(text.contains(least.rawValue))
      guard audience == .operators else { continue }
      #expect(throws: ConfigurationError.self) {
        try CensusExporterRoster.make(format, settings(.clear)).export(edition) { _ in }
      }
    }
  }

  @Test func theRegistryIsMarked() throws {
    let time = Timestamp(seconds: 1_780_000_000)
    var json = RegistryJSON(at: time)
    #expect(json.search([]).contains("\"tlp\":\"AMBER\""))
    var page = RegistryPage(width: 100, colour: false, at: time, tlp: .red)
    #expect(page.list([], of: 0, expiryDays: 5).hasPrefix("TLP:RED\n"))
    #expect(RegistryCSV.header.hasSuffix(",tlp\r\n"))
    #expect(try RegistryMarking.marking(nil) == .amber && RegistryMarking.marking(.amberStrict) == .amberStrict)
    #expect(throws: ConfigurationError.self) { try RegistryMarking.marking(.green) }
  }
}
