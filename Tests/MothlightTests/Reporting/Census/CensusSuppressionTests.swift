import Testing

@testable import Mothlight

@Suite("Public editions")
struct CensusSuppressionTests {
  /// Small and large cells by chance, with totals that an attacker knows.
  static func report(_ seed: UInt64) -> CensusReport {
    var random = RandomSource(seed: seed, stream: 5)
    let hours = CensusFixture.first...(CensusFixture.first + 71)
    func cell(_ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ most: Double) -> CensusFigure {
      let value = random.pareto(minimum: 0.6, alpha: 0.7, cap: most).rounded()
      return CensusFixture.figure(kind, hours, value, addresses: (value * random.uniform(0.3, 6)).rounded())
    }
    var report = CensusReport(
      botnet: "x", hours: hours, sensors: ["secret-place", "other-place"],
      footprint: CensusFixture.figure(.footprint, hours, 5000, addresses: 20_000))
    let names = CountryNames.all.keys.sorted()
    for _ in 0..<random.int(1, 30) {
      guard let code = random.pick(names), !report.countries.contains(where: { $0.place == .country(code) }) else {
        continue
      }
      report.countries.append(
        CensusPart(place: .country(code), live: cell(.live, hours, 300), footprint: cell(.footprint, hours, 900)))
    }
    for i in 0..<4 {
      report.systems.append(
        CensusPart(
          place: .system(64_496 + UInt32(i)), live: cell(.live, hours, 50), footprint: cell(.footprint, hours, 50)))
    }
    for hour in hours { report.live.append(cell(.live, hour...hour, 400)) }
    for day in 0..<3 {
      let at = hours.lowerBound + UInt32(day) * 24
      report.active.append(cell(.active, at...(at + 23), 900))
      report.stock.append(cell(.stock, at...(at + 23), 900))
    }
    report.others = [cell(.footprint, hours, 100), cell(.live, hours.lowerBound...hours.lowerBound, 5)]
    report.caveats = [CensusCaveat("few_anchors", "AS64496 in Tuvalu has 3 machines.", refuses: nil)]
    report.basis.silentHours = ["secret-place": [hours.lowerBound]]
    return report
  }

  @Test("whoever knows the totals learns of no group below ten")
  func subtraction() {
    for seed in 1...300 as ClosedRange<UInt64> {
      let whole = Self.report(seed)
      let cut = CensusSuppression(whole)
      let seen = cut.report
      let shown = Set(seen.countries.map(\.place))
      let gone = whole.countries.filter { !shown.contains($0.place) }
      #expect(gone.count == cut.hidden.countries)
      check(seen.countries.map(\.footprint), gone.map(\.footprint), seed)
      let quiet = whole.countries.filter { part in
        !seen.countries.contains { $0.place == part.place && $0.live.addresses.isFinite }
      }
      check(seen.countries.map(\.live).filter { $0.addresses.isFinite }, quiet.map(\.live), seed)
      for (before, after) in [(whole.live, seen.live), (whole.active, seen.active), (whole.stock, seen.stock)] {
        let left = Set(after.map(\.hours))
        check(after, before.filter { !left.contains($0.hours) }, seed)
      }
      // A day's stock is its live hours but for a constant.
      let hours = Set(seen.live.map(\.hours.lowerBound))
      for day in seen.stock { #expect(day.hours.allSatisfy(hours.contains), "seed \(seed)") }
      #expect(seen.systems.isEmpty && cut.hidden.networks == 4)
    }
  }

  /// Nothing small is shown, and what is hidden is two cells or more that hold ten or more, or all there is.
  private func check(_ shown: [CensusFigure], _ hidden: [CensusFigure], _ seed: UInt64) {
    #expect(shown.allSatisfy { ($0.machines?.value ?? 0) >= 10 && $0.addresses >= 10 }, "seed \(seed)")
    guard !hidden.isEmpty, !shown.isEmpty else { return }
    #expect(hidden.count >= 2, "seed \(seed)")
    #expect(hidden.reduce(0) { $0 + ($1.machines?.value ?? 0) } >= 10, "seed \(seed)")
    #expect(hidden.reduce(0) { $0 + $1.addresses } >= 10, "seed \(seed)")
  }

  @Test("one small cell takes the next smallest with it")
  func complement() {
    #expect(CensusSuppression.hiddenCells([[100], [9], [12], [50]]) == [1, 2])
    #expect(CensusSuppression.hiddenCells([[100], [50]]) == [])
    #expect(
      CensusSuppression.hiddenCells([[100], [2], [3], [11]]) == [1, 2, 3], "two that hold five are told by their sum")
    #expect(
      CensusSuppression.hiddenCells([[100, 100], [40, 9], [20, 400]]) == [1, 2], "any count may be the small one")
    #expect(CensusSuppression.hiddenCells([[3]]) == [0])
    #expect(CensusSuppression.hiddenCells([[.nan], [40], [50]]) == [0, 1])
    #expect(CensusSuppression.hiddenCells([[30], [40], [50]], and: [2]) == [0, 2])
  }

  @Test("no output names what is hidden", arguments: ["html", "json", "csv", "table"])
  func outputs(_ format: String) throws {
    for seed in 1...12 as ClosedRange<UInt64> {
      let whole = Self.report(seed)
      let edition = CensusHTMLExporterTests.edition(whole, audience: .everybody)
      let text = try CensusHTMLExporterTests.exported(format, edition) { $0.showAll = true }
      let shown = Set(edition.report.countries.map(\.place))
      for part in whole.countries where !shown.contains(part.place) {
        guard case .country(let code) = part.place else { continue }
        switch format {
        case "html":
          // Its tile looks like that of a country without a machine.
          #expect(
            !text.contains("<title>\(CountryNames.name(code)):")
              && !text.contains("scope=\"row\">\(CountryNames.name(code))<"))
        case "json": #expect(!text.contains("\"country\":\"\(code)\""))
        case "csv": #expect(!text.contains(",\(code),"))
        default: #expect(!text.contains("  \(CountryNames.name(code))  "))
        }
      }
      for secret in ["AS64496", "secret-place", "other-place", "Tuvalu has 3"] {
        #expect(!text.contains(secret), "\(secret)")
      }
    }
  }

  @Test("firepower and trend are made from what is shown")
  func derived() throws {
    var whole = CensusFixture.report(days: 35, machines: 900)
    whole.countries[0].footprint.machines = CensusFixture.range(4, 0.1)
    var options = TrendOptions()
    options.countries = whole.countries.prefix(2).compactMap { part in
      guard case .country(let code) = part.place else { return nil }
      return TrendSeries(country: code, firstHour: whole.hours.lowerBound, live: whole.live.map { $0.machines?.value })
    }
    let edition = CensusHTMLExporterTests.edition(whole, trend: options, audience: .everybody)
    let korea = CountryCode("KR")
    #expect(!edition.report.countries.contains { $0.place == .country(korea) })
    #expect(edition.firepower?.parts.contains { $0.country == korea } == false)
    #expect(edition.trend?.countries.contains { $0.country == korea } == false)
    #expect(edition.firepower == CensusHTMLExporterTests.firepower.firepower(of: edition.report))
  }

  @Test("a window of fewer than ten machines publishes nothing", arguments: ["html", "json", "csv", "table"])
  func all(_ format: String) throws {
    let edition = CensusHTMLExporterTests.edition(CensusFixture.report(days: 3, machines: 7), audience: .everybody)
    #expect(edition.hidden.isAll)
    #expect(edition.report.live.isEmpty && edition.report.countries.isEmpty && edition.firepower == nil)
    let text = try CensusHTMLExporterTests.exported(format, edition)
    #expect(!text.contains("8.82") && !text.contains("56.4"))
    if format == "html" { #expect(text.contains("Fewer than ten machines: nothing is published")) }
  }

  @Test("operators see everything")
  func operators() {
    let whole = Self.report(3)
    let edition = CensusHTMLExporterTests.edition(whole)
    #expect(edition.report == whole)
    #expect(edition.hidden == CensusEdition.Hidden())
  }
}
