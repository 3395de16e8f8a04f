import Testing

@testable import Mothlight

@Suite struct DecayTests {
  private let last = SpoolFixture.start

  private func weight(_ level: EvidenceLevel, days: Double) -> Double {
    Decay.weight(of: level, last: last, asOf: last.advanced(bySeconds: days * 86_400))
  }

  @Test(arguments: [(EvidenceLevel.connected, 5), (.shaped, 5), (.recognised, 10), (.repeated, 30)])
  func lifetimesAreThoseOfTheLevels(_ level: EvidenceLevel, _ days: Int) {
    #expect(Decay.days(of: level) == days)
    #expect(weight(level, days: 0) == 1)
    #expect(weight(level, days: Double(days) / 2) == 0.5)
    #expect(weight(level, days: Double(days) - 0.001) > 0)
    #expect(weight(level, days: Double(days)) == 0)
    #expect(weight(level, days: 4000) == 0)
    #expect(Decay.expiry(of: level, last: last) == last.advanced(bySeconds: Double(days) * 86_400))
  }

  @Test func aClockThatWentBackCostsNothing() {
    #expect(weight(.recognised, days: -3) == 1)
    #expect(Decay.weight(of: .repeated, last: .distantPast, asOf: .distantFuture) == 0)
    #expect(Decay.weight(of: .repeated, last: .distantFuture, asOf: .distantPast) == 1)
  }

  private func sighting(_ host: UInt32, _ level: EvidenceLevel, day: UInt32, rules: UInt32 = 3) -> SpoolRecord {
    .sighting(
      Sighting(
        source: IPAddress(v4: 0xf000_0000 + host), sourcePort: 1024, botnet: "Mariposa",
        hour: UInt32(SpoolFixture.start.hour) + day * 24, firstSecond: 0, lastSecond: 0, count: 1, ports: [3431],
        transport: .udp, level: level, ruleVersion: rules))
  }

  /// Twenty days: one recognised long ago, one five days ago, one repeated at the start, one today.
  private var tally: SinkholeTally {
    var tally = SinkholeTally()
    tally.add(sighting(1, .recognised, day: 0))
    tally.add(sighting(2, .recognised, day: 15))
    tally.add(sighting(3, .repeated, day: 5, rules: 9))
    tally.add(sighting(4, .connected, day: 20))
    tally.add(sighting(3, .recognised, day: 2))
    return tally
  }

  @Test func aSpoolIsWeighedFromItsNewestRecord() throws {
    let summary = tally.summed(networks: nil)
    #expect(summary.asOf == SpoolFixture.start.advanced(bySeconds: 20 * 86_400))
    let counts = summary.botnets[0].sources
    #expect(counts.infected == 3 && counts.expired == 1)
    #expect(counts.weight == 0 + 0.5 + 0.5)
    #expect(counts.expires == SpoolFixture.start.advanced(bySeconds: 35 * 86_400))
    #expect(counts.addressDays == 4)
    #expect(summary.ruleVersions == [3, 9])
  }

  @Test func joinedSpoolsHaveOneNow() throws {
    var early = SinkholeTally()
    early.add(sighting(1, .recognised, day: 0, rules: 7))
    let joined = try #require(SinkholeTally.joined([early, tally])).summed(networks: nil)
    #expect(joined.botnets[0].sources.weight == 1 && joined.ruleVersions == [3, 7, 9])
  }

  @Test(arguments: ["table", "json", "ndjson", "html"])
  func everyFormatTellsAgeAndRules(_ format: String) throws {
    var report = Report(version: "9.9")
    report.sinkhole = tally.summed(networks: nil)
    let text = try exported(format, report) { $0.width = 200 }
    let wanted =
      switch format {
      case "table":
        [
          "by age: 1.0 of 3; 1 past their expiry; the last one expires 2026-04-06", "rules versions 3, 9", "BY AGE",
          "4 addresses counted once a day",
        ]
      case "html": ["by age", "rules versions 3, 9", "address-days"]
      default:
        [
          "\"weight\":1,", "\"sources_expired\":1", "\"expires\":\"2026-04-06T", "\"rule_versions\":[3,9]",
          "\"as_of\":\"2026-03-22T", "\"address_days\":4", "\"identities\":0",
        ]
      }
    for words in wanted { #expect(text.contains(words), "\(words) is not in \(text)") }
  }
}
