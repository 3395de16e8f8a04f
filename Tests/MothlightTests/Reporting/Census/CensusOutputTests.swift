import Testing

@testable import Mothlight

@Suite("Census as JSON, CSV and table")
struct CensusOutputTests {
  private func exported(_ format: String, _ report: CensusReport, _ change: (inout ExporterSettings) -> Void = { _ in })
    throws -> String
  {
    try CensusHTMLExporterTests.exported(format, CensusHTMLExporterTests.edition(report), change)
  }

  @Test("every field of the JSON is in docs/census-data.md's order and snake_case")
  func json() throws {
    let text = try exported("json", CensusFixture.report(days: 29))
    var keys: [Substring] = []
    for line in text.split(separator: "\n") where line.hasPrefix(" \"") {
      keys.append(line.dropFirst(2).prefix { $0 != "\"" })
    }
    #expect(
      keys == [
        "schema_version", "version", "tlp", "botnet", "window", "sensors", "audience", "hidden", "footprint",
        "live_typical",
        "live_peak", "live_last", "live", "active", "stock", "countries", "networks", "others", "caveats", "basis",
        "trend",
        "firepower",
      ])
    #expect(text.contains("\"schema_version\":\"1.1\""))
    #expect(
      text.contains(
        #""window":{"first":"2010-03-01T00:00:00.000000Z","end":"2010-03-30T00:00:00.000000Z","hours":696}"#))
    #expect(text.contains(#""machines":{"low":205128,"value":233100,"high":265267.8}"#))
    #expect(text.contains(#""inflation":6.4,"grade":"B""#) || text.contains("\"inflation\":6.4,\n  \"grade\":\"B\""))
    #expect(text.contains(#""silent_hours":{}"#))
    #expect(text.contains("\"is_world_row\":true"))
    // Brackets pair up outside of strings.
    var depth = 0
    var isText = false
    var before: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if scalar == "\"", before != "\\" { isText.toggle() }
      if !isText, scalar == "{" || scalar == "[" { depth += 1 }
      if !isText, scalar == "}" || scalar == "]" { depth -= 1 }
      before = scalar
    }
    #expect(depth == 0 && !isText)
  }

  @Test("a refused number is null, with what holds at most")
  func nulls() throws {
    let text = try exported("json", CensusFixture.report(days: 3, refused: true))
    let flat = text.split(whereSeparator: { $0 == "\n" || $0 == " " }).joined()
    #expect(flat.contains(#""machines":null,"at_most":1491840,"addresses":1491840,"inflation":null,"grade":"B""#))
    #expect(flat.contains(#""refuses":"footprint""#))
    #expect(flat.contains(#""refusal":"notrendyet:3days;fourweeksareneeded""#))
  }

  @Test("the CSV holds every series once, under one header")
  func csv() throws {
    let report = CensusFixture.report(days: 35)
    let lines = try exported("csv", report).split(separator: "\n")
    #expect(lines.first == "series,at,place,low,value,high,addresses,grade,tlp")
    func count(_ series: String) -> Int { lines.count { $0.hasPrefix(series + ",") } }
    #expect(count("live") == report.live.count)
    #expect(count("active") == 35 && count("stock") == 35)
    #expect(count("footprint") == 1)
    #expect(count("live_country") == report.countries.count && count("footprint_country") == report.countries.count)
    #expect(count("live_network") == report.systems.count)
    #expect(count("other_footprint") == 3)
    #expect(count("trend_fitted") == 35 && count("trend_level") < 35)
    #expect(count("firepower_peak_gbit_s") == 1 && count("attack_gbit_s") == PublishedAttack.known.count)
    #expect(lines.contains { $0.hasPrefix("live,2010-03-01T00:00Z,,") })
    #expect(lines.contains("footprint,2010-03-01T00:00Z/2010-04-05T00:00Z,,205128,233100,265267.8,1491840,B,AMBER"))
    #expect(Set(lines.map(String.init)).count == lines.count)
  }

  @Test("the table fits its terminal, and colours only on request", arguments: [40, 80, 120])
  func table(_ width: Int) throws {
    let plain = try exported("table", CensusFixture.report(days: 29)) { $0.width = width }
    #expect(plain.split(separator: "\n").allSatisfy { VisibleText.width(String($0)) <= width })
    #expect(!plain.contains("\u{1b}"))
    let colour = try exported("table", CensusFixture.report(days: 29)) {
      $0.width = width
      $0.colour = true
    }
    #expect(colour.contains("\u{1b}[1m"))
    for heading in ["HOW MANY MACHINES", "BEFORE YOU QUOTE IT", "TREND", "FIREPOWER", "WHAT IT RESTS ON"] {
      #expect(plain.contains(heading))
    }
  }

  @Test("the table has the numbers with their intervals, addresses and grade")
  func rows() throws {
    let text = try exported("table", CensusFixture.report(days: 29))
    let footprint = try #require(text.split(separator: "\n").first { $0.hasPrefix("  footprint ") })
    #expect(
      footprint.split(separator: " ") == ["footprint", "233,000", "205,000–265,000", "1.49", "million", "×6.4", "B"])
    #expect(text.contains("21 more countries; --all lists them."))
    let all = try exported("table", CensusFixture.report(days: 29)) { $0.showAll = true }
    #expect(all.contains("AS64533") && !all.contains("--all lists"))
    let refused = try exported("table", CensusFixture.report(days: 3, refused: true))
    let row = try #require(refused.split(separator: "\n").first { $0.hasPrefix("  footprint ") })
    #expect(
      row.split(separator: " ") == [
        "footprint", "not", "stated", "≤", "1.49", "million", "1.49", "million", "–", "B",
      ])
    #expect(refused.contains("(not stated: footprint)"))
  }

  @Test("formats have names")
  func roster() throws {
    #expect(CensusExporterRoster.cards.map(\.name) == ["table", "json", "csv", "html"])
    #expect(throws: ConfigurationError("no output format 'x'; there is: table, json, csv, html")) {
      try CensusExporterRoster.make("x", ExporterSettings())
    }
  }
}
