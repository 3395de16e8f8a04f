import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct RetentionTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  private func count(_ store: StationStore, _ table: String) throws -> Int {
    try store.file.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? 0 }
  }

  @Test func detailGoesAndSumsStay() async throws {
    try await StationFixture.withStore { store, _ in
      for day in [today - 40, today - 35, today - 10, today] {
        try await store.keep(
          [
            StationFixture.plain("10.0.0.1", day: day, botnet: "Zeus", subject: "of \(day) port 1"),
            StationFixture.plain("10.0.0.2", day: day, verdict: .noSign),
          ], run: "\(day)", at: StationFixture.time(day, hour: 23))
      }
      let before = try await store.overview(day: today, days: 60)
      let pruned = try await store.prune(Retention(detailDays: 30), at: now)
      #expect(pruned.days == 2)
      #expect(pruned.findings == 4)
      let after = try await store.overview(day: today, days: 60)
      #expect(after.days == before.days)
      var query = HostDayQuery()
      #expect(Set(try await store.hostDays(query, after: nil, limit: 100).rows.map(\.day)) == [today - 10, today])
      #expect(try await store.hostDay(StationFixture.address("10.0.0.1"), day: today - 40) == nil)
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 100).rows.count == 4)
      let botnets = try await store.botnets(today - 60...today, limit: 5)
      #expect(botnets.map(\.byDay) == [[today - 40: 1, today - 35: 1, today - 10: 1, today: 1]])
      #expect(await store.condition().hostDays == 4)
      #expect(await store.condition().oldestDay == today - 10)
      for table in ["host_day", "snapshot", "finding"] { #expect(try count(store, table) == 4, "\(table)") }
      #expect(try count(store, "botnet_host_day") == 2)
      // What only those days were about is forgotten, in the index of texts too.
      #expect(try await store.search("of \(today - 40)", limit: 5).isEmpty)
      #expect(try await store.search("of \(today)", limit: 5).count == 1)
      #expect(try await store.prune(Retention(detailDays: 30), at: now).days == 0)
      query.isNewOnly = true
      query.verdictLeast = .suspicious
      #expect(try await store.hostDays(query, after: nil, limit: 100).rows.isEmpty)
      #expect(try store.file.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
    }
  }

  /// What was written lately stays, however old the traffic is: an old capture is not thrown away on arrival.
  @Test func anOldCaptureIsKeptFromWhenItWasRead() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.1", day: 14_000)], run: "a", at: now)
      #expect(try await store.prune(Retention(detailDays: 30), at: now.advanced(bySeconds: 86_400 * 29)).days == 0)
      #expect(try await store.prune(Retention(detailDays: 30), at: now.advanced(bySeconds: 86_400 * 32)).days == 1)
      #expect(try await store.overview(day: 14_000, days: 0).days.map(\.hosts) == [[.infected: 1]])
    }
  }

  @Test func aCaseKeepsWhatItRestsOn() async throws {
    try await StationFixture.withStore { store, _ in
      let old = StationFixture.plain("10.0.0.1", day: today - 50, botnet: "Zeus")
      try await store.keep([old], run: "a", at: StationFixture.time(today - 50))
      let before = try #require(try await store.case(1))
      _ = try await store.prune(Retention(), at: now)
      #expect(try count(store, "finding") == 0)
      let after = try #require(try await store.case(1))
      #expect(after.findings == before.findings)
      #expect(after.summary == before.summary)
      let alarm = try await store.change(1, to: .falseAlarm, reason: "ours", by: StationFixture.ada, at: now)
      #expect(!alarm.suggestions.isEmpty)
      // Its signs are known although the findings' day is gone.
      try await store.keep([StationFixture.plain("10.0.0.1", day: today)], run: "b", at: now)
      #expect(try await store.cases(CaseQuery(), after: nil, limit: 9).rows.count == 1)
    }
  }

  /// A finding over midnight is shown by its later day when the earlier one is gone.
  @Test func whatReachesOverMidnightStaysListed() async throws {
    try await StationFixture.withStore { store, _ in
      let day = today - 31
      let long = StationFixture.finding(StationFixture.address("10.0.0.5"), day: day, hours: 20...30)
      for (place, at) in [(day, day), (day + 1, today)] {
        try await store.keep(
          [StationFixture.hostDay("10.0.0.5", day: place, findings: [long])], run: "a", at: StationFixture.time(at))
      }
      #expect(try await store.prune(Retention(), at: now).days == 1)
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 9).rows.map(\.finding) == [long])
    }
  }

  @Test func writersGoOnMeanwhile() async throws {
    let (now, today) = (self.now, self.today)
    try await StationFixture.withStore { store, _ in
      let old = (0..<400).map {
        StationFixture.plain("10.0.\($0 / 200).\($0 % 200)", day: today - 60, verdict: .suspicious)
      }
      for n in 0..<16 {
        try await store.keep(
          old.map { day in
            var day = day
            day.day -= n
            return day
          }, run: "a", at: StationFixture.time(today - 60))
      }
      async let pruned = store.prune(Retention(), at: now)
      for n in 0..<20 {
        try await store.keep([StationFixture.plain("10.9.0.\(n)", day: today)], run: "b", at: now)
      }
      #expect(try await pruned.findings == 6400)
      #expect(try count(store, "finding") == 20)
      #expect(
        try KeepTests.differences(store).filter {
          !$0.hasPrefix("day_total") && !$0.hasPrefix("new") && !$0.hasPrefix("botnet_day")
        } == [])
    }
  }

  @Test func oldSumsGoWhenAsked() async throws {
    try await StationFixture.withStore { store, _ in
      for back in [500, 100, 0] {
        try await store.keep(
          [StationFixture.plain("10.0.0.1", day: today - back, botnet: "Zeus")], run: "a",
          at: StationFixture.time(today - back))
      }
      _ = try await store.prune(Retention(detailDays: 30, sumDays: 365), at: now)
      #expect(
        try await store.botnets(today - 600...today, limit: 5).map { $0.byDay.keys.sorted() } == [[today - 100, today]])
      #expect(try await store.overview(day: today, days: 600).days.filter { !$0.hosts.isEmpty }.count == 2)
    }
  }

  /// Room of removed days is given back to the file system.
  @Test func theFileShrinks() async throws {
    try await StationFixture.withStore { store, _ in
      let host = StationFixture.address("10.0.0.1")
      for n in 0..<20 {
        let days = (0..<300).map { k in
          StationFixture.hostDay(
            "10.0.\(n).\(k % 250)", day: today - 90, verdict: .suspicious,
            findings: (0..<6).map { StationFixture.finding(host, day: today - 90, subject: "s\(n) \(k) \($0)") })
        }
        try await store.keep(days, run: "\(n)", at: StationFixture.time(today - 90))
      }
      let before = try store.file.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
      _ = try await store.prune(Retention(), at: now)
      let after = try store.file.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
      #expect(before > 3000, "too small a store to tell")
      #expect(after < before / 2)
    }
  }
}
