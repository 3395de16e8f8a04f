import Testing

@testable import Mothlight

@Suite("Firepower")
struct FirepowerTests {
  /// Percent of Mariposa's addresses by country (Panda Security 2010, in census.md section 1); the rest is not known.
  static let mariposa: [(String, Double)] = [
    ("IN", 19.14), ("MX", 12.85), ("BR", 7.74), ("KR", 7.24), ("CO", 4.94), ("RU", 3.14), ("EG", 2.99), ("MY", 2.86),
    ("UA", 2.69), ("PK", 2.55), ("PE", 2.42), ("IR", 2.07), ("SA", 1.85), ("CL", 1.74), ("KZ", 1.38), ("AE", 1.15),
    ("MA", 1.13), ("AR", 1.10), ("US", 1.05),
  ]

  /// So many machines, of which 20–40 % are live in the peak hour.
  static func report(_ machines: ClosedRange<Double>, addresses: Double? = nil) -> CensusReport {
    let hour: UInt32 = 350_000  // December 2009
    let middle = (machines.lowerBound + machines.upperBound) / 2
    let live = CensusRange(low: 0.2 * machines.lowerBound, value: 0.3 * middle, high: 0.4 * machines.upperBound)
    var report = CensusReport(
      botnet: "mariposa", hours: hour...hour, sensors: ["a"],
      footprint: CensusFigure(
        kind: .footprint, hours: hour...hour,
        machines: CensusRange(low: machines.lowerBound, value: middle, high: machines.upperBound),
        addresses: addresses ?? middle, grade: .addresses))
    report.live = [
      CensusFigure(kind: .live, hours: hour...hour, machines: live, addresses: live.value, grade: .addresses)
    ]
    for (country, share) in mariposa {
      let figure = CensusFixture.figure(.live, hour...hour, live.value * share / 100, addresses: 1)
      report.countries.append(
        CensusPart(place: .country(CountryCode(country)), live: figure, footprint: report.footprint))
    }
    return report
  }

  /// The facts fix shares, live fraction, s, participation, and the uplinks of Korea, the USA and the world. Cap, the other
  /// uplinks and the doubt of each are ours, so the rows are met within 12 %.
  @Test(
    "the published Mariposa rows come out",
    arguments: [
      (150_000.0...200_000.0, 10.0, 28.0, 72.0), (1e6...1e6, 58, 160, 410), (13e6...13e6, 775, 2111, 5280),
    ])
  func rows(_ machines: ClosedRange<Double>, _ low: Double, _ middle: Double, _ high: Double) throws {
    let f = try #require(FirepowerModel().firepower(of: Self.report(machines)))
    #expect(f.year == 2009)
    #expect(f.draws == 20_000)
    #expect(abs(f.peak.rate.low / low - 1) < 0.12)
    #expect(abs(f.peak.rate.middle / middle - 1) < 0.12)
    #expect(abs(f.peak.rate.high / high - 1) < 0.12)
  }

  @Test("Korea has a fourteenth of the machines and more than half of their uplink")
  func korea() throws {
    let f = try #require(FirepowerModel().firepower(of: Self.report(1e6...1e6)))
    let korea = try #require(f.parts.first)
    #expect(korea.country == CountryCode("KR"))
    #expect(abs(korea.liveShare - 0.0724) < 1e-4)
    #expect(abs(korea.uplinkShare - 0.59) < 0.03)
    #expect(!korea.isWorldRow && !korea.uplink.isAssumption)
    // A fifth of the machines are in no named country: the world's row, and said so.
    let rest = try #require(f.parts.first { $0.country == nil })
    #expect(rest.isWorldRow)
    #expect(abs(rest.liveShare - 0.1997) < 1e-3)
    #expect(f.assumptionTexts.contains { $0.contains("19.97 % of the live machines take the world's mean of 2010") })
    #expect(f.assumptionTexts.contains { $0.hasPrefix("Assumed, not measured: the uplinks of IN, ") })
  }

  @Test("thirteen million machines are flagged, a million addresses of few machines too, an honest count is not")
  func plausibility() throws {
    let literal = try #require(FirepowerModel().firepower(of: Self.report(13e6...13e6)))
    let flag = try #require(literal.flags.first)
    #expect(flag.subject == .peak)
    #expect(flag.record.year == 2010 && flag.record.gigabitsPerSecond == 100)
    #expect(flag.text.contains("A flag, not a proof: a botnet need not fire with everything."))
    let honest = try #require(FirepowerModel().firepower(of: Self.report(150_000...200_000)))
    #expect(honest.flags.isEmpty)
    #expect(honest.addressesTaken == nil)
    let inflated = try #require(FirepowerModel().firepower(of: Self.report(150_000...200_000, addresses: 13e6)))
    #expect(inflated.flags.map(\.subject) == [.addresses])
    #expect((inflated.addressesTaken?.middle ?? 0) > 1500)
    #expect(inflated.peak.rate == honest.peak.rate, "addresses never change the range")
  }

  @Test("the footprint is never used")
  func footprint() throws {
    var report = Self.report(1e6...1e6)
    let before = try #require(FirepowerModel().firepower(of: report))
    report.footprint.machines = CensusRange(low: 1, value: 1e9, high: 1e12)
    let after = try #require(FirepowerModel().firepower(of: report))
    #expect(before.peak == after.peak && before.typical == after.typical)
    report.footprint.machines = nil
    #expect(FirepowerModel().firepower(of: report)?.peak == before.peak)
    report.live = report.live.map {
      CensusFigure(kind: .live, hours: $0.hours, machines: nil, addresses: 9, grade: .addresses)
    }
    #expect(FirepowerModel().firepower(of: report) == nil)
  }

  @Test("same seed, same range; another seed, nearly the same")
  func draws() throws {
    let report = Self.report(1e6...1e6)
    let a = try #require(FirepowerModel(seed: 1).firepower(of: report))
    #expect(a == FirepowerModel(seed: 1).firepower(of: report))
    let b = try #require(FirepowerModel(seed: 2).firepower(of: report))
    #expect(a.peak.rate != b.peak.rate)
    #expect(abs(a.peak.rate.middle / b.peak.rate.middle - 1) < 0.03)
  }

  @Test("a wider live interval gives a wider range")
  func doubt() throws {
    var report = Self.report(1e6...1e6)
    let before = try #require(FirepowerModel().firepower(of: report))
    report.live[0].machines = CensusRange(low: 30_000, value: 300_000, high: 3_000_000)
    let after = try #require(FirepowerModel().firepower(of: report))
    #expect(after.peak.rate.low < before.peak.rate.low * 0.6)
    #expect(after.peak.rate.high > before.peak.rate.high * 1.6)
    #expect(abs(after.peak.rate.middle / before.peak.rate.middle - 1) < 0.05)
  }

  @Test("numbers that are none do not trap")
  func damaged() {
    var report = Self.report(1e6...1e6)
    for range in [
      CensusRange(low: .nan, value: 1, high: .nan), CensusRange(low: 5, value: 1, high: -1),
      CensusRange(low: 0, value: .infinity, high: 1), CensusRange(low: -9, value: -5, high: -1),
    ] {
      report.live[0].machines = range
      let f = FirepowerModel().firepower(of: report)
      #expect(f == nil || (f?.peak.rate.low ?? .nan) >= 0)
    }
    #expect(FirepowerModel(uplinks: UplinkTable(rows: [])).firepower(of: Self.report(1e6...1e6)) == nil)
  }
}

@Suite("Uplink table")
struct UplinkTableTests {
  @Test("the built-in table has a source or a mark for every row, and goes out and in as text")
  func builtin() throws {
    let table = UplinkTable.builtin
    #expect(table.rows.allSatisfy { !$0.source.isEmpty })
    #expect(table.rows.count { $0.isAssumption } == 17)
    #expect(try UplinkTable(csv: table.csv, name: "x").rows == table.rows)
  }

  @Test("a row serves years near it; else the world's nearest stands in")
  func nearest() {
    let table = UplinkTable.builtin
    #expect(table.own(CountryCode("KR"), year: 2009)?.megabitsPerSecond == 18.04)
    #expect(table.own(CountryCode("KR"), year: 2012)?.megabitsPerSecond == 40.06)
    #expect(table.own(CountryCode("KR"), year: 2026) == nil)
    #expect(table.own(CountryCode("DE"), year: 2010) == nil)
    #expect(table.world(year: 2026)?.year == 2020)
    #expect(table.world(year: 1999)?.year == 2010)
  }

  @Test(
    "a bad file is told by line",
    arguments: [
      ("a,b\n", "x.csv:1: the first line must be: country,year,mbit_s,source,assumption"),
      ("country,year,mbit_s,source,assumption\nXYZ,2010,1,s,no\n", "x.csv:2: 'XYZ' is no country"),
      ("country,year,mbit_s,source,assumption\nDE,10,1,s,no\n", "x.csv:2: '10' is no year"),
      ("country,year,mbit_s,source,assumption\nDE,2010,-1,s,no\n", "x.csv:2: '-1' is no uplink"),
      ("country,year,mbit_s,source,assumption\nDE,2010,nan,s,no\n", "x.csv:2: 'nan' is no uplink"),
      ("country,year,mbit_s,source,assumption\nDE,2010,1,,no\n", "x.csv:2: a row without a source"),
      ("country,year,mbit_s,source,assumption\nDE,2010,1,s,maybe\n", "x.csv:2: assumption is 'maybe'"),
      ("country,year,mbit_s,source,assumption\nDE,2010,1,s\n", "x.csv:2: 4 fields"),
      ("country,year,mbit_s,source,assumption\nDE,2010,1,\"s,no\n", "x.csv:2: field 4: its quote is never closed"),
      (
        "country,year,mbit_s,source,assumption\nDE,2010,1,s,no\nde,2010,2,s,no\n", "x.csv:3: DE 2010 stands there twice"
      ),
      ("country,year,mbit_s,source,assumption\nDE,2010,1,s,no\n", "x.csv: no row for world"),
      ("", "x.csv: no row for world"),
    ])
  func mistakes(_ text: String, _ message: String) {
    let error = #expect(throws: ConfigurationError.self) { try UplinkTable(csv: text, name: "x.csv") }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "no error")")
  }

  @Test("an own table is used, and says what it assumes")
  func own() throws {
    let text =
      "# mine\r\ncountry,year,mbit_s,source,assumption\r\nworld,2009,1,\"me, today\",yes\r\nKR,2009,1,me,no\r\n"
    let table = try UplinkTable(csv: text, name: "x")
    let f = try #require(FirepowerModel(uplinks: table).firepower(of: FirepowerTests.report(1e6...1e6)))
    #expect(abs((f.parts.first { $0.country == CountryCode("KR") }?.uplinkShare ?? 0) - 0.0724) < 1e-4)
    #expect(f.assumptionTexts.contains { $0.contains("1 Mbit/s, an assumption") })
  }

  @Test("the record of a year is that year's or a later one, never an earlier one while a later is known")
  func records() {
    #expect(PublishedAttack.record(for: 2009)?.year == 2010)
    #expect(PublishedAttack.record(for: 2014)?.year == 2016)
    #expect(PublishedAttack.record(for: 2016)?.gigabitsPerSecond == 1000, "Dyn was reported, not confirmed")
    #expect(PublishedAttack.record(for: 2030)?.year == 2025)
  }
}
