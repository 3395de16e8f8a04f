import Mothlight
import Testing

@testable import MothlightStore

@Suite struct CaseTests {
  private let now = StationFixture.now
  private let today = StationFixture.today
  private let ada = StationFixture.ada

  private func rules(_ owners: [(String, [String])]) -> CaseRules {
    CaseRules(owners: owners.map { CaseRules.Owner(name: $0.0, prefixes: $0.1.compactMap { Prefix($0) }) })
  }

  private func list(_ store: StationStore) async throws -> [Case] {
    try await store.cases(CaseQuery(), after: nil, limit: 100).rows
  }

  @Test func aCaseHoldsTheHostsOfOneOwner() async throws {
    let rules = rules([
      ("campus", ["10.0.0.0/8"]), ("library", ["10.1.0.0/16", "2001:db8::/32"]), ("other", ["10.1.0.0/16"]),
    ])
    try await StationFixture.withStore(rules: rules) { store, _ in
      try await store.keep(
        [
          StationFixture.plain("10.1.0.1", day: today, botnet: "Zeus"), StationFixture.plain("10.2.0.1", day: today),
          StationFixture.plain("2001:db8::1", day: today), StationFixture.plain("192.0.2.1", day: today),
          StationFixture.plain("192.0.2.2", day: today, verdict: .suspicious),
        ], run: "a", at: now)
      let cases = try await list(store)
      #expect(cases.map(\.owner) == ["192.0.2.1", "campus", "library"])
      #expect(cases[2].hosts.map(\.description) == ["10.1.0.1", "2001:db8::1"])
      #expect(cases[2].botnets == ["Zeus"])
      #expect(cases.allSatisfy { $0.state == .open && $0.reopened == 0 && $0.opened == now })
      let record = try #require(try await store.case(cases[2].number))
      #expect(record.findings.count == 2)
      #expect(record.changes.map(\.to) == [.open])
      #expect(record.changes.map(\.actor) == [.station])
      #expect(record.suggestions.isEmpty)
      // The next day of a known host adds to its case.
      try await store.keep([StationFixture.plain("10.1.0.1", day: today + 1)], run: "b", at: now.advanced(bySeconds: 9))
      #expect(try await list(store).count == 3)
      #expect(try await store.case(cases[2].number)?.findings.count == 3)
      #expect(try await store.case(cases[2].number)?.summary.last == StationFixture.time(today + 1, hour: 13))
      #expect(try await store.overview(day: today, days: 0).openCases == 3)
    }
  }

  @Test func anybodyMayOpenACaseByHand() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.7", day: today, verdict: .suspicious)], run: "a", at: now)
      let host = try #require(IPAddress("10.0.0.7"))
      #expect(try await list(store).isEmpty)
      let record = try await store.openCase(host, day: today, reason: "a student's laptop", by: ada, at: now)
      #expect(record.summary.hosts == [host] && record.summary.state == .open && record.summary.verdict == .suspicious)
      #expect(record.changes.map(\.actor) == [ada] && record.changes.map(\.reason) == ["a student's laptop"])
      #expect(record.findings.count == 1)
      // A second wish leads to the same case; what was never seen makes none.
      #expect(try await store.openCase(host, day: today, reason: "again", by: ada, at: now).summary.number == 1)
      await #expect(throws: StoreError(.refused, "")) {
        _ = try await store.openCase(host, day: today - 9, reason: "?", by: ada, at: now)
      }
      #expect(try await list(store).count == 1)
      #expect(
        try await store.audit(after: nil, limit: 10).rows.contains { $0.action == "case.open" && $0.actor == ada })
    }
  }

  @Test func whatComesBackIsOpenedAgain() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.1", day: today)], run: "a", at: now)
      let cleaned = StationFixture.time(today, hour: 20)
      _ = try await store.change(1, to: .cleaned, reason: "reinstalled", by: ada, at: cleaned)
      // The same evidence judged again, and evidence from before the cleaning, are the old infection.
      try await store.keep(
        [StationFixture.plain("10.0.0.1", day: today)], run: "b", at: cleaned.advanced(bySeconds: 60))
      try await store.keep(
        [StationFixture.plain("10.0.0.1", day: today - 1)], run: "b", at: cleaned.advanced(bySeconds: 61))
      #expect(try await list(store).map(\.state) == [.cleaned])
      #expect(try await store.case(1)?.findings.count == 2)
      let back = StationFixture.time(today + 3)
      try await store.keep([StationFixture.plain("10.0.0.1", day: today + 3)], run: "c", at: back)
      let record = try #require(try await store.case(1))
      #expect(record.summary.state == .open)
      #expect(record.summary.reopened == 1)
      #expect(record.changes.map(\.to) == [.open, .cleaned, .open])
      #expect(try await list(store).count == 1)
      // Another machine of nobody's owner is a case of its own.
      try await store.keep([StationFixture.plain("10.0.0.2", day: today + 3)], run: "c", at: back)
      #expect(try await list(store).count == 2)
    }
  }

  @Test func aFalseAlarmStaysShutForWhatItWasAbout() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.1", day: today)], run: "a", at: now)
      let record = try await store.change(1, to: .falseAlarm, reason: "our monitoring", by: ada, at: now)
      #expect(
        record.suggestions.map(\.description) == [
          "pair:10.0.0.1/32>198.51.100.7/32", "name:evil.example", "destination:198.51.100.7/32", "source:10.0.0.1/32",
        ])
      // Each of them would have kept the finding out.
      for rule in record.suggestions {
        #expect(record.findings.allSatisfy { AllowList(rules: [rule]).rule(for: $0.finding) == rule })
      }
      try await store.keep([StationFixture.plain("10.0.0.1", day: today + 1)], run: "b", at: now)
      #expect(try await list(store).map(\.state) == [.falseAlarm])
      try await store.keep(
        [StationFixture.plain("10.0.0.1", day: today + 2, detector: "nxdomain-burst")], run: "c", at: now)
      #expect(try await list(store).map(\.state) == [.open, .falseAlarm])
      // Taken back, it is an open case again, and knows nothing of alarms.
      _ = try await store.change(2, to: .cleaned, reason: "done", by: ada, at: StationFixture.time(today + 2, hour: 23))
      let undone = try await store.undo(1, by: ada, at: now)
      #expect(undone.summary.state == .open)
      #expect(undone.suggestions.isEmpty)
    }
  }

  @Test func changesCanBeTakenBackAndStayInTheAudit() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep([StationFixture.plain("10.0.0.1", day: today)], run: "a", at: now)
      _ = try await store.change(1, to: .acknowledged, reason: "looking", by: ada, at: now.advanced(bySeconds: 1.5))
      _ = try await store.change(1, to: .cleaned, reason: "clean", by: ada, at: now.advanced(bySeconds: 3600))
      await #expect(throws: StoreError(.refused, "")) {
        try await store.change(1, to: .cleaned, reason: "again", by: ada, at: now)
      }
      await #expect(throws: StoreError(.refused, "")) {
        try await store.change(9, to: .cleaned, reason: "none", by: ada, at: now)
      }
      #expect(try await store.caseStatistics().cleaned == 1)
      var record = try await store.undo(1, by: ada, at: now.advanced(bySeconds: 4000))
      #expect(record.summary.state == .acknowledged)
      #expect(record.changes.map(\.isUndone) == [false, false, true])
      #expect(try await store.caseStatistics().cleaned == 0)
      record = try await store.undo(1, by: ada, at: now.advanced(bySeconds: 4001))
      #expect(record.summary.state == .open)
      // The opening is no change that somebody made.
      await #expect(throws: StoreError(.refused, "")) { try await store.undo(1, by: ada, at: now) }
      let audit = try await store.audit(after: nil, limit: 100).rows
      #expect(audit.map(\.action) == ["case.undo", "case.undo", "case.change", "case.change", "case.open"])
      #expect(audit.map(\.actor) == [ada, ada, ada, ada, .station])
      #expect(audit[3].time == now.advanced(bySeconds: 1.5))
      #expect(audit[3].detail == "open to acknowledged: looking")
    }
  }

  @Test func statisticsTellHowLongItTook() async throws {
    try await StationFixture.withStore { store, _ in
      for n in 1...11 {
        try await store.keep([StationFixture.plain("10.0.0.\(n)", day: today)], run: "a", at: now)
        guard n <= 10 else { continue }
        _ = try await store.change(
          Int64(n), to: .cleaned, reason: "clean", by: ada, at: now.advanced(bySeconds: Double(n) * 3600))
      }
      try await store.keep(
        [StationFixture.plain("10.0.0.1", day: today + 2)], run: "b", at: StationFixture.time(today + 2))
      let statistics = try await store.caseStatistics()
      #expect(statistics.byState == [.open: 2, .cleaned: 9])
      #expect(statistics.cleaned == 10)
      #expect(statistics.hoursMedian.map { abs($0 - 5.5) < 1e-6 } == true)
      #expect(statistics.hours90.map { abs($0 - 9.1) < 1e-6 } == true)
      #expect(statistics.cameBack == 1)
    }
  }

  @Test func casesAreFiltered() async throws {
    try await StationFixture.withStore { store, _ in
      try await store.keep((1...9).map { StationFixture.plain("10.0.0.\($0)", day: today) }, run: "a", at: now)
      _ = try await store.change(3, to: .acknowledged, reason: "", by: ada, at: now)
      func numbers(_ change: (inout CaseQuery) -> Void) async throws -> [Int64] {
        var query = CaseQuery()
        change(&query)
        var all: [Int64] = []
        var cursor: Mothlight.Cursor?
        repeat {
          let page = try await store.cases(query, after: cursor, limit: 4)
          all += page.rows.map(\.number)
          cursor = page.next
        } while cursor != nil
        return all
      }
      #expect(try await numbers { _ in } == Array((1...9).reversed()))
      #expect(try await numbers { $0.states = [.acknowledged] } == [3])
      #expect(try await numbers { $0.states = [.open, .acknowledged] }.count == 9)
      #expect(try await numbers { $0.owner = "10.0.0.4" } == [4])
      #expect(try await numbers { $0.host = StationFixture.address("10.0.0.5") } == [5])
      #expect(try await store.case(99) == nil)
    }
  }
}
