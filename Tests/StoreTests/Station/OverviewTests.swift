import Mothlight
import Testing

@testable import MothlightStore

@Suite struct OverviewTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  @Test func theFirstPage() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep(
        [
          StationFixture.plain("10.0.0.1", day: today - 2, verdict: .suspicious, score: 1),
          StationFixture.plain("10.0.0.1", day: today, verdict: .infected, score: 2),
          StationFixture.plain("10.0.0.2", day: today, verdict: .suspicious, score: 9),
          StationFixture.plain("10.0.0.3", day: today, verdict: .noSign),
          StationFixture.plain("10.0.0.4", day: today, verdict: .notEnoughData),
        ], run: "a", at: now)
      let overview = try await store.overview(day: today, days: 3)
      #expect(
        overview.days == [
          Overview.Day(day: today - 2, hosts: [.suspicious: 1], new: 1),
          Overview.Day(day: today - 1, hosts: [:], new: 0),
          Overview.Day(
            day: today, hosts: [.infected: 1, .suspicious: 1, .noSign: 1, .notEnoughData: 1], new: 1),
        ])
      #expect(overview.flagged.map(\.host.description) == ["10.0.0.1", "10.0.0.2"])
      #expect(overview.flagged.map(\.firstFlaggedDay) == [today - 2, today])
      #expect(overview.openCases == 1)
    }
  }

  @Test func aDayThatComesLateMakesOthersOld() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.1", day: today)], run: "a", at: now)
      for least in [0, 1] { #expect(try await store.overview(day: today, days: least).days.map(\.new) == [1]) }
      #expect(try await store.overview(day: today, days: 30).days.map(\.day) == Array(today - 29...today))
      try await store.keep([StationFixture.plain("10.0.0.1", day: today - 3)], run: "b", at: now)
      #expect(try await store.overview(day: today, days: 4).days.map(\.new) == [1, 0, 0, 0])
      try await store.keep([StationFixture.plain("10.0.0.1", day: today - 3, verdict: .noSign)], run: "b", at: now)
      #expect(try await store.overview(day: today, days: 4).days.map(\.new) == [0, 0, 0, 1])
    }
  }

  @Test func botnetsCountMachinesOnce() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep(
        [
          StationFixture.plain("10.0.0.1", day: today - 1, botnet: "Zeus", hours: 2...3),
          StationFixture.plain("10.0.0.1", day: today, botnet: "Zeus", hours: 4...5),
          StationFixture.plain("10.0.0.2", day: today, botnet: "Zeus", hours: 6...9),
          StationFixture.plain("10.0.0.3", day: today, botnet: "Mirai"),
        ], run: "a", at: now)
      let both = try await store.botnets(today - 1...today, limit: 10)
      #expect(both.map(\.name) == ["Zeus", "Mirai"])
      #expect(both.map(\.hosts) == [2, 1])
      #expect(both.map(\.findings) == [3, 1])
      #expect(both[0].byDay == [today - 1: 1, today: 2])
      #expect(both[0].first == StationFixture.time(today - 1, hour: 2))
      #expect(both[0].last == StationFixture.time(today, hour: 9))
      #expect(try await store.botnets(today - 1...today - 1, limit: 10).map(\.hosts) == [1])
      #expect(try await store.botnets(today - 90...today, limit: 10).map(\.hosts) == [2, 1])
      #expect(try await store.botnets(today - 1...today, limit: 1).count == 1)
    }
  }

  @Test(arguments: [true, false])
  func searchFindsEachKind(_ fullText: Bool) async throws {
    try await StationFixture.withStore(fullText: fullText) { store, _ in
      let day = StationFixture.plain("10.1.2.3", day: today, botnet: "Zeus", subject: "198.51.100.7 port 8443")
      let nameless = StationFixture.hostDay(
        "10.1.2.4", day: today,
        findings: [
          StationFixture.finding(
            StationFixture.address("10.1.2.4"), day: today, subject: "203.0.113.77 port 6667", peerName: nil)
        ])
      try await store.keep([day, nameless], run: "a", at: now)
      func keys(_ text: String) async throws -> [String] {
        try await store.search(text, limit: 20).map { "\($0.kind.rawValue) \($0.key)" }
      }
      #expect(try await keys("10.1.2.3") == ["host 10.1.2.3", "case 1"])
      #expect(try await keys("10.1.") == ["host 10.1.2.3", "host 10.1.2.4", "case 2", "case 1"])
      #expect(try await keys("10.1.2.0/24") == ["host 10.1.2.3", "host 10.1.2.4"])
      #expect(try await keys("zeu") == ["botnet Zeus"])
      #expect(try await keys("case 2") == ["case 2"])
      #expect(try await keys("#1") == ["case 1"])
      #expect(try await keys("EVIL.ex") == ["name evil.example"])
      #expect(try await keys("8443") == ["name evil.example"])
      #expect(try await keys("6667") == ["peer 203.0.113.77"])
      #expect(try await keys(day.findings[0].id) == ["finding \(day.findings[0].id)"])
      #expect(try await keys("   ").isEmpty)
      #expect(try await keys("\" OR * NEAR(\u{0}").isEmpty)
      #expect(try await store.search("10.", limit: 1).count == 1)
    }
  }
}
