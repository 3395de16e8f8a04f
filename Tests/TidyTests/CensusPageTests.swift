import Mothlight
import Testing

/// Every field and series of a census is explained in docs/census-data.md, and every caveat's sentence is a sentence.
@Suite struct CensusPageTests {
  /// Nine weeks of a decline, so that trend, forecast and firepower are there.
  private static let edition: CensusEdition = {
    let hours: ClosedRange<UInt32> = 352_056...(352_056 + 9 * 168 - 1)
    func figure(_ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ value: Double) -> CensusFigure {
      CensusFigure(
        kind: kind, hours: hours, machines: CensusRange(low: value * 0.9, value: value, high: value * 1.1),
        addresses: value * 2, grade: .addresses)
    }
    var report = CensusReport(
      botnet: "b", hours: hours, sensors: ["a_sensor"], footprint: figure(.footprint, hours, 9000))
    var live = 5000.0
    for hour in hours {
      live *= 0.9995
      report.live.append(figure(.live, hour...hour, live + Double(hour * 7919 % 97)))
    }
    report.active = [figure(.active, hours.lowerBound...(hours.lowerBound + 23), 6000)]
    report.stock = [figure(.stock, hours.lowerBound...(hours.lowerBound + 23), 7000)]
    let places: [CensusPart.Place] = [.country(CountryCode("KR")), .system(64_500)]
    let parts = places.map {
      CensusPart(place: $0, live: figure(.live, hours, 900), footprint: figure(.footprint, hours, 2000))
    }
    report.countries = [parts[0]]
    report.systems = [parts[1]]
    report.others = [figure(.footprint, hours, 9000)]
    report.caveats = [CensusCaveat("few_anchors", "few")]
    report.basis.dropped = ["a_reason": 1]
    report.basis.silentHours = ["a_sensor": [hours.lowerBound]]
    var options = TrendOptions()
    options.countries = [
      TrendSeries(
        country: CountryCode("KR"), firstHour: hours.lowerBound, live: report.live.map { $0.machines?.value })
    ]
    return CensusEdition(report: report, trend: options, firepower: FirepowerModel(), version: "0")
  }()

  private func exported(_ exporter: any CensusExporter) throws -> String {
    var out = ""
    try exporter.export(Self.edition) { out += $0 }
    return out
  }

  @Test func fieldsAreExplained() throws {
    let page = try #require(SourceTree.project.text("docs/census-data.md"))
    let text = try exported(CensusJSONExporter(ExporterSettings()))
    #expect(Self.edition.trend?.forecasts.contains { $0.machines != nil } == true, "the fixture shows every part")
    let data: Set<String> = ["a_reason", "a_sensor"]
    let keys = Set(text.split(separator: "\":").compactMap { $0.split(separator: "\"").last.map(String.init) })
      .filter { key in text.contains("\"\(key)\":") && !data.contains(key) }
    #expect(keys.count > 80)
    #expect(PageRules.missing(keys.sorted(), in: page) == [])
  }

  @Test func seriesAreExplained() throws {
    let page = try #require(SourceTree.project.text("docs/census-data.md"))
    let text = try exported(CensusCSVExporter(ExporterSettings()))
    let series = Set(
      text.split(separator: "\n").dropFirst().compactMap { $0.split(separator: ",").first.map(String.init) })
    #expect(series.count > 15)
    #expect(PageRules.missing(series.sorted(), in: page) == [])
  }
}
