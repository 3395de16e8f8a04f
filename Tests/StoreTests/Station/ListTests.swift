import Mothlight
import Testing

@testable import MothlightStore

@Suite struct ListTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  /// 240 host-days of 40 hosts on 6 days, half of them flagged.
  private func fill(_ store: StationStore) async throws -> [HostDay] {
    var days: [HostDay] = []
    for n in 0..<40 {
      for back in 0..<6 {
        let verdict = Verdict.allCases[(n + back) % 4]
        days.append(
          StationFixture.plain(
            "10.\(n % 3).0.\(n)", day: today - back, verdict: verdict, score: Double((n * 7 + back) % 5),
            botnet: n % 5 == 0 ? "Zeus" : nil, subject: "host\(n).example port 80",
            detector: n % 2 == 0 ? "beacon" : "scan"))
      }
    }
    try await store.keep(days, run: "a", at: now)
    return days
  }

  private func all(_ store: StationStore, _ query: HostDayQuery, by limit: Int) async throws -> [HostDayRow] {
    var rows: [HostDayRow] = []
    var cursor: Mothlight.Cursor?
    repeat {
      let page = try await store.hostDays(query, after: cursor, limit: limit)
      #expect(page.rows.count == limit || page.next == nil)
      rows += page.rows
      cursor = page.next
    } while cursor != nil
    return rows
  }

  @Test(arguments: HostDayQuery.Order.allCases, [1, 7, 1000])
  func pagesAreTheWholeListInOrder(_ order: HostDayQuery.Order, _ limit: Int) async throws {
    try await StationFixture.withStore { store, _ in
      let days = try await fill(store)
      var query = HostDayQuery()
      query.order = order
      let rows = try await all(store, query, by: limit)
      let expected = days.sorted { a, b in
        switch order {
        case .newest where a.day != b.day: return a.day > b.day
        case .host: return a.host != b.host ? a.host < b.host : a.day > b.day
        default: break
        }
        if a.verdict != b.verdict { return a.verdict > b.verdict }
        if a.score != b.score { return a.score > b.score }
        return a.host != b.host ? a.host < b.host : a.day > b.day
      }
      #expect(rows.map { "\($0.host) \($0.day)" } == expected.map { "\($0.host) \($0.day)" })
    }
  }

  @Test func filtersAreTheirMeaning() async throws {
    try await StationFixture.withStore { store, _ in
      let days = try await fill(store)
      func expect(_ change: (inout HostDayQuery) -> Void, _ holds: (HostDay) -> Bool) async throws {
        for order in HostDayQuery.Order.allCases {
          var query = HostDayQuery()
          query.order = order
          change(&query)
          let rows = Set(try await all(store, query, by: 9).map { "\($0.host) \($0.day)" })
          #expect(rows == Set(days.filter(holds).map { "\($0.host) \($0.day)" }))
          #expect(!rows.isEmpty)
        }
      }
      let prefix = try #require(Prefix("10.1.0.0/16"))
      let first = Dictionary(grouping: days.filter { $0.verdict >= .suspicious }, by: \.host).mapValues {
        $0.map(\.day).min() ?? 0
      }
      try await expect({ $0.days = today - 2...today - 1 }) { (today - 2...today - 1).contains($0.day) }
      try await expect({ $0.verdictLeast = .suspicious }) { $0.verdict >= .suspicious }
      try await expect({ $0.botnet = "zeus" }) { $0.botnets == ["Zeus"] }
      try await expect({ $0.within = prefix }) { prefix.contains($0.host) }
      try await expect({ $0.isNewOnly = true }) { day in first[day.host].map { $0 >= day.day } ?? true }
      try await expect({
        $0.isNewOnly = true
        $0.verdictLeast = .suspicious
      }) { $0.verdict >= .suspicious && first[$0.host] == $0.day }
      try await expect({
        $0.botnet = "Zeus"
        $0.within = prefix
        $0.verdictLeast = .infected
      }) { $0.botnets == ["Zeus"] && prefix.contains($0.host) && $0.verdict == .infected }
      var none = HostDayQuery()
      none.botnet = "Nobody"
      #expect(try await all(store, none, by: 5).isEmpty)
    }
  }

  /// Rows that come while somebody pages neither repeat nor hide what was there.
  @Test(arguments: HostDayQuery.Order.allCases)
  func pagesAreStableWhileRowsAreAdded(_ order: HostDayQuery.Order) async throws {
    try await StationFixture.withStore { store, _ in
      let days = try await fill(store)
      var query = HostDayQuery()
      query.order = order
      var rows: [HostDayRow] = []
      var cursor: Mothlight.Cursor?
      var n = 0
      repeat {
        let page = try await store.hostDays(query, after: cursor, limit: 11)
        rows += page.rows
        cursor = page.next
        n += 1
        try await store.keep(
          [StationFixture.plain("10.9.0.\(n)", day: today - n % 6, score: Double(n % 5))], run: "b", at: now)
      } while cursor != nil
      let keys = rows.map { "\($0.host) \($0.day)" }
      #expect(Set(keys).count == keys.count)
      #expect(Set(days.map { "\($0.host) \($0.day)" }).isSubset(of: keys))
    }
  }

  @Test func aForeignCursorIsRefused() async throws {
    try await StationFixture.withStore { store, _ in
      for text in ["", "h", "f1.2", "h1.2.3.4", "h1.2.3.4.5.6", "hx!.1.1.1.1", "h1.1.1.1.zzzzzzzzzzzzzz"] {
        await #expect(throws: StoreError(.refused, "")) {
          try await store.hostDays(HostDayQuery(), after: Cursor(text), limit: 5)
        }
      }
      await #expect(throws: StoreError(.refused, "")) {
        try await store.findings(FindingQuery(), after: Cursor("h1.1.1.1.1"), limit: 5)
      }
    }
  }

  @Test(arguments: [true, false])
  func findingsAreFound(_ fullText: Bool) async throws {
    try await StationFixture.withStore(fullText: fullText) { store, _ in
      let days = try await fill(store)
      func expect(_ change: (inout FindingQuery) -> Void, _ holds: (HostDay) -> Bool) async throws {
        var query = FindingQuery()
        change(&query)
        var rows: [StoredFinding] = []
        var cursor: Mothlight.Cursor?
        repeat {
          let page = try await store.findings(query, after: cursor, limit: 7)
          rows += page.rows
          cursor = page.next
        } while cursor != nil
        let expected = days.filter(holds).flatMap(\.findings)
        #expect(Set(rows.map(\.id)) == Set(expected.map(\.id)))
        #expect(rows.count == expected.count)
        #expect(rows.map(\.finding.first.day) == rows.map(\.finding.first.day).sorted(by: >))
      }
      let host = StationFixture.address("10.1.0.4")
      let prefix = try #require(Prefix("10.2.0.0/16"))
      try await expect({ _ in }) { _ in true }
      try await expect({ $0.days = today - 3...today - 2 }) { (today - 3...today - 2).contains($0.day) }
      try await expect({ $0.host = host }) { $0.host == host }
      try await expect({ $0.within = prefix }) { prefix.contains($0.host) }
      try await expect({ $0.detector = "scan" }) { $0.findings[0].detector == "scan" }
      try await expect({ $0.detector = "nobody" }) { _ in false }
      try await expect({ $0.family = .timing }) { _ in true }
      try await expect({ $0.family = .list }) { _ in false }
      try await expect({ $0.botnet = "ZEUS" }) { $0.botnets == ["Zeus"] }
      try await expect({ $0.text = "OST12.exam" }) { $0.findings[0].subject.hasPrefix("host12.") }
      try await expect({ $0.text = "t1" }) { $0.findings[0].subject.hasPrefix("host1") }
      try await expect({ $0.text = "evil" }) { _ in true }
      try await expect({ $0.text = "a\"b'c%_" }) { _ in false }
      try await expect({
        $0.text = "port 80"
        $0.within = prefix
        $0.detector = "beacon"
        $0.days = today - 1...today
      }) { prefix.contains($0.host) && $0.findings[0].detector == "beacon" && $0.day >= today - 1 }
    }
  }

  @Test func historyIsNewestFirst() async throws {
    try await StationFixture.withStore { store, _ in
      let days = try await fill(store)
      let host = StationFixture.address("10.1.0.4")
      let rows = try await store.history(of: host)
      #expect(rows.map(\.day) == (0..<6).map { today - $0 })
      let mine = try #require(days.first { $0.host == host && $0.day == today })
      let row = try #require(rows.first)
      #expect(row.verdict == mine.verdict)
      #expect(row.reason == mine.reason)
      #expect(row.roles == mine.roles)
      #expect(row.findings == 1)
      #expect(row.flows == 1000)
      #expect(row.first == mine.activity.first && row.last == mine.activity.last)
      #expect(row.firstFlaggedDay == days.filter { $0.host == host && $0.verdict >= .suspicious }.map(\.day).min())
    }
  }
}
