import Testing

@testable import Mothlight

@Suite("Census page")
struct CensusHTMLExporterTests {
  static let full = edition(CensusFixture.report(days: 35))

  static func edition(
    _ report: CensusReport, trend: TrendOptions? = TrendOptions(), audience: CensusEdition.Audience = .operators
  ) -> CensusEdition {
    CensusEdition(report: report, trend: trend, firepower: firepower, audience: audience, version: "9.9")
  }

  /// Few draws: pictures need a range, not an exact one.
  static let firepower: FirepowerModel = {
    var model = FirepowerModel()
    model.assumptions.draws = 400
    return model
  }()

  static func exported(
    _ format: String, _ edition: CensusEdition, _ change: (inout ExporterSettings) -> Void = { _ in }
  )
    throws -> String
  {
    var settings = ExporterSettings()
    change(&settings)
    var out = ""
    try CensusExporterRoster.make(format, settings).export(edition) { out += $0 }
    return out
  }

  /// What a reader sees: no style sheet, no tags.
  static func words(_ page: String) -> String {
    let body = page.split(separator: "</style>").last.map(String.init) ?? page
    return body.split(separator: "<").compactMap { part in
      part.firstIndex(of: ">").map { part[part.index(after: $0)...] }
    }
    .joined(separator: " ")
  }

  @Test("nothing is loaded from anywhere and nothing runs")
  func selfContained() throws {
    let page = try Self.exported("html", Self.full)
    #expect(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""))
    for word in [
      "http:", "https:", "src=", "@import", "url(", "<link", "<iframe", "<object", "<script", "onload", "javascript:",
    ] {
      #expect(!page.contains(word), "\(word)")
    }
    for part in page.split(separator: "href=\"").dropFirst() { #expect(part.first == "#") }
  }

  @Test("tags are balanced, ids are unique, labels lead somewhere", arguments: [0, 1, 2, 3])
  func wellFormed(_ variant: Int) throws {
    let editions = [
      Self.full, Self.edition(CensusFixture.report(days: 5, refused: true)),
      Self.edition(CensusFixture.report(days: 9, machines: 700), trend: nil, audience: .everybody),
      Self.edition(CensusFixture.report(days: 3, machines: 5), audience: .everybody),
    ]
    let page = try Self.exported("html", editions[variant])
    let void: Set<Substring> = ["meta", "br", "wbr", "!DOCTYPE"]
    var open: [Substring] = []
    var ids: [Substring] = []
    for part in page.split(separator: "<") {
      guard let end = part.firstIndex(of: ">") else { continue }
      let tag = part[..<end]
      let name = tag.prefix { $0 != " " && $0 != "/" && $0 != ">" }
      if let id = tag.split(separator: " id=\"").dropFirst().first { ids.append(id.prefix { $0 != "\"" }) }
      if tag.first == "/" {
        #expect(open.popLast() == tag.dropFirst())
      } else if tag.last != "/", !void.contains(name) {
        open.append(name)
      }
    }
    #expect(open.isEmpty)
    #expect(Set(ids).count == ids.count)
    for mark in ["href=\"#", "aria-labelledby=\""] {
      for part in page.split(separator: mark).dropFirst() {
        for id in part.prefix(while: { $0 != "\"" }).split(separator: " ") { #expect(ids.contains(id), "\(id)") }
      }
    }
    // Every drawing has a name.
    for svg in page.split(separator: "<svg").dropFirst() where !svg.hasPrefix(" class=\"moth\"") {
      let tag = svg.prefix { $0 != ">" }
      #expect(tag.contains("aria-labelledby=") || tag.contains("aria-hidden="))
    }
  }

  @Test("the answer, addresses beside it, and every figure's window, grade, sensors and drops")
  func content() throws {
    let page = try Self.exported("html", Self.full)
    #expect(page.contains("machines are live in a typical hour</h1>"))
    #expect(page.contains("different machines (95 %: 205,000–265,000) used 1.49 million addresses, 6.4 times as many."))
    #expect(page.contains("South Korea is number 4 by addresses and number 1 by machines."))
    let figures = page.split(separator: "<figure>").count - 1
    #expect(figures == 6)
    let provenance =
      "2010-03-01 00:00 – 2010-04-04 24:00 UTC (35 days) · grade B (addresses) · sensors madrid, ottawa · dropped: invalid 812,004, hosting 90,331, one shot 12,099 of 41,203,118 rows"
    #expect(page.split(separator: provenance).count - 1 >= figures + 2)
    #expect(page.contains("45 hours of silent sensors masked, not read as clean-up"))
    #expect(page.contains("Were the 1,491,840 addresses machines"))
    #expect(page.contains("A flag, not a proof"))
    #expect(page.contains("It does not say that any network or country would fail"))
    #expect(page.contains("doi 10.14722/ndss.2023.24002"))
    for caveat in Self.full.report.caveats { #expect(page.contains(caveat.text)) }
  }

  @Test("a refused footprint says why, and at most how many")
  func refused() throws {
    let page = try Self.exported("html", Self.edition(CensusFixture.report(days: 14, refused: true)))
    #expect(page.contains("is not stated: Only 2 networks have stable addresses"))
    #expect(page.contains("At most there were 1.49 million."))
    #expect(page.contains("<b class=\"none\">not stated</b><p>at most 1.49 million</p>"))
    #expect(page.contains("No trend yet: 14 days; four weeks are needed."))
    #expect(page.contains("By mean live machines."))
    // What sensors alone would say of the footprint is marked, what identities say is not.
    #expect(page.contains("<td>214,000 <small>refused</small></td>") && page.contains("<td>231,000</td>"))
    #expect(page.contains("to be compared, not to be quoted"))
    #expect(try !Self.exported("html", Self.full).contains("refused</small>"))
  }

  @Test(
    "when not even live can be told, addresses stand there as addresses", arguments: ["html", "table", "json", "csv"])
  func nothingKnown(_ format: String) throws {
    var report = CensusFixture.report(days: 3, refused: true)
    for i in report.live.indices { report.live[i].machines = nil }
    for i in report.active.indices { report.active[i].machines = nil }
    for i in report.stock.indices { report.stock[i].machines = nil }
    for i in report.countries.indices { report.countries[i].live.machines = nil }
    report.others.append(CensusFixture.figure(.live, report.hours, 212, addresses: 250))
    report.caveats = [
      CensusCaveat("sharing_unknown", "nobody can tell", refuses: .live),
      CensusCaveat("sharing_unknown", "as above", refuses: .footprint),
    ]
    let edition = Self.edition(report)
    #expect(edition.firepower == nil && edition.trend?.fit == nil)
    let text = try Self.exported(format, edition)
    if format == "html" {
      #expect(text.contains("How many machines are live cannot be told"))
      #expect(text.contains("<td>212 <small>refused</small></td>"))
      #expect(text.contains("is not stated: Nobody can tell. At most there were 1.49 million."))
      #expect(text.contains("Nobody can tell.</bdi> <small>(not stated: live, footprint)</small>"))
      #expect(text.contains("<b class=\"none\">not stated</b>"))
      #expect(text.contains("No trend: no hour has a live estimate."))
    }
    if format == "table" {
      #expect(text.contains("! Nobody can tell. (not stated: live, footprint)"))
      #expect(text.contains("not stated"))
    }
  }

  @Test("the word that says nothing is never printed", arguments: ["html", "json", "csv", "table"])
  func size(_ format: String) throws {
    for report in [CensusFixture.report(days: 29), CensusFixture.report(days: 3, refused: true)] {
      let text = try Self.exported(format, Self.edition(report))
      let words = (format == "html" ? Self.words(text) : text).lowercased()
      #expect(!words.contains("size"))
      #expect(words.contains("addresses"))
    }
  }

  @Test("hostile names stay text", arguments: ["html", "json", "csv", "table"])
  func hostile(_ format: String) throws {
    let evil = "<script>alert(1)</script>\"'&\u{1b}[31m\u{202e}x\n</title>"
    var report = CensusFixture.report(days: 3)
    report.botnet = evil
    report.sensors = [evil, "b,c"]
    report.caveats = [CensusCaveat(evil, evil, refuses: .footprint)]
    report.basis.dropped = [evil: 7]
    report.basis.silentHours = [evil: [CensusFixture.first]]
    var table = UplinkTable.builtin
    table.rows[0].source = evil
    let edition = CensusEdition(
      report: report, trend: TrendOptions(),
      firepower: FirepowerModel(uplinks: table, assumptions: Self.firepower.assumptions),
      version: evil)
    let text = try Self.exported(format, edition)
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isHidden($0) })
    if format == "html" {
      #expect(!text.contains("<script") && !text.contains("alert(1)</"))
      #expect(
        text.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\x1b[31m\\u{202e}x\\x0a&lt;/title&gt;"))
    }
    if format == "csv" {
      #expect(!text.contains("alert"))
      #expect(
        text.split(separator: "\n").allSatisfy { line in
          if case .success(let fields) = CSVLine.fields(line.utf8) { fields.count == 9 } else { false }
        })
    }
  }

  @Test("a damaged report is drawn without a trap", arguments: ["html", "json", "csv", "table"])
  func damaged(_ format: String) throws {
    var report = CensusFixture.report(days: 3)
    report.hours = 0...(.max)
    report.live[0].machines = CensusRange(low: .nan, value: .infinity, high: -1)
    report.live[1].machines = CensusRange(low: 5, value: 0, high: 0)
    report.live[2].addresses = .nan
    report.live[3].hours = (.max)...(.max)
    report.footprint.machines = CensusRange(low: 0, value: 1e300, high: .nan)
    report.footprint.addresses = -1
    report.countries[0].footprint.machines?.value = .nan
    report.countries[1].place = .country(.unknown)
    report.countries[2].place = .country(CountryCode(raw: 0x0102))
    report.systems[0].footprint.machines = CensusRange(low: 0, value: 1e-300, high: 0)
    report.systems[1].place = .system(0)
    report.basis.visibility = .nan
    report.basis.silentHours = ["a": [0, .max]]
    #expect(try !Self.exported(format, Self.edition(report)).isEmpty)
    #expect(try !Self.exported(format, Self.edition(report, audience: .everybody)).isEmpty)
    var empty = CensusReport(
      botnet: "", hours: 0...0, sensors: [],
      footprint: CensusFigure(kind: .footprint, hours: 0...0, machines: nil, addresses: 0, grade: .addresses))
    #expect(try !Self.exported(format, Self.edition(empty)).isEmpty)
    empty.live = [CensusFigure(kind: .live, hours: 0...0, machines: nil, addresses: 0, grade: .addresses)]
    #expect(try !Self.exported(format, Self.edition(empty)).isEmpty)
  }

  @Test("equal input gives equal bytes", arguments: ["html", "json", "csv", "table"])
  func stable(_ format: String) throws {
    let report = CensusFixture.report(days: 29)
    #expect(try Self.exported(format, Self.edition(report)) == Self.exported(format, Self.edition(report)))
  }
}

@Suite("Chart parts")
struct ChartTests {
  @Test("every tile is a known country, once, and the grid is whole")
  func tiles() {
    let codes = WorldTiles.all.map(\.country)
    #expect(Set(codes).count == codes.count)
    #expect(codes.count == 208)
    #expect(codes.allSatisfy { CountryNames.all[$0] != nil })
    #expect(WorldTiles.all.allSatisfy { $0.column < WorldTiles.columns && $0.row < WorldTiles.rows })
    #expect(CountryNames.name(CountryCode("GB")) == "United Kingdom")
    #expect(CountryNames.name(CountryCode("ZZ")) == "ZZ")
  }

  @Test("neighbours on the map lie the right way round")
  func geography() throws {
    func tile(_ code: String) throws -> WorldTiles.Tile {
      try #require(WorldTiles.all.first { $0.country == CountryCode(code) })
    }
    for (west, east) in [
      ("US", "GB"), ("PT", "ES"), ("FR", "DE"), ("IR", "IN"), ("CN", "JP"), ("BR", "NG"), ("MA", "EG"),
    ] {
      #expect(try tile(west).column < tile(east).column, "\(west) \(east)")
    }
    for (north, south) in [
      ("CA", "US"), ("US", "MX"), ("NO", "DE"), ("DE", "IT"), ("EG", "ZA"), ("CN", "ID"), ("CO", "AR"),
    ] {
      #expect(try tile(north).row < tile(south).row, "\(north) \(south)")
    }
  }

  @Test("ticks are round and cover")
  func ticks() {
    #expect(ChartScale.ticks(to: 62_000, about: 3) == [0, 25_000, 50_000, 75_000])
    #expect(ChartScale.ticks(to: 7, about: 4) == [0, 2, 4, 6, 8])
    #expect(ChartScale.ticks(to: .nan) == [0, 1])
    #expect(ChartScale.decades(0.05...2000) == [0.1, 1, 10, 100, 1000])
    let scale = ChartScale(.logarithmic, 1...100, onto: 0, 10)
    #expect(scale(10) == 5 && scale(1e9) == 10 && scale(-1) == 0 && scale(.nan) == 0)
  }

  @Test("weeks begin on Monday")
  func calendar() {
    #expect(CensusWords.hourOfWeek(CensusFixture.first) == 0)
    #expect(CensusWords.hourOfWeek(CensusFixture.first + 167) == 167)
    let time = TimeScale(CensusFixture.first...(CensusFixture.first + 24 * 70 - 1), onto: 0, 840)
    #expect(time.ticks.map(\.label).prefix(3) == ["1 Mar", "8 Mar", "15 Mar"])
    #expect(TimeScale(0...23, onto: 0, 840).ticks.map(\.label).prefix(3) == ["1 Jan", "03:00", "06:00"])
  }

  @Test(
    "machines have three telling digits",
    arguments: [
      (0.0, "0"), (7.25, "7.3"), (28, "28"), (1234, "1,230"), (61_449, "61,400"), (999_499, "999,000"),
      (999_500, "1.00 million"), (13_000_000, "13.0 million"), (.nan, "–"), (-1, "–"),
    ])
  func machines(_ count: Double, _ text: String) { #expect(CensusWords.machines(count) == text) }
}
