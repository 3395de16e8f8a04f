import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct KeepTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  private func rich(_ host: String = "10.0.0.5", day: Int) -> HostDay {
    let address = StationFixture.address(host)
    return StationFixture.hostDay(
      host, day: day,
      findings: [
        StationFixture.finding(address, day: day, botnet: "Mariposa", logOdds: 6),
        StationFixture.finding(
          address, day: day, detector: "nxdomain-burst", subject: "names", family: .dns, peerName: nil),
        StationFixture.finding(address, day: day, subject: "198.51.100.8 port 80", botnet: "Zeus", logOdds: 2),
      ])
  }

  @Test func everythingComesBack() async throws {
    try await StationFixture.withStore { store, _ in
      let days = [rich(day: today), rich("2001:db8::77", day: today), rich(day: today - 1)]
      try await store.keep(days, run: "a", at: now)
      for day in days {
        let again = try await store.hostDay(day.host, day: day.day)
        #expect(StationFixture.text(again) == StationFixture.text(day))
      }
      #expect(try await store.hostDay(StationFixture.address("10.0.0.6"), day: today) == nil)
      let page = try await store.findings(FindingQuery(), after: nil, limit: 100)
      #expect(page.rows.count == 9)
      #expect(page.rows.allSatisfy { $0.id == $0.finding.id && $0.recorded == now })
      let one = try #require(days[0].findings.first)
      #expect(try await store.finding(id: one.id)?.finding == one)
      #expect(try await store.finding(id: one.id.uppercased())?.finding == one)
      #expect(try await store.finding(id: String(repeating: "0", count: 32)) == nil)
      #expect(try await store.finding(id: "nonsense") == nil)
    }
  }

  /// Every row of every table is the same after a second writing, whatever the moment.
  @Test func twiceIsOnce() async throws {
    try await StationFixture.withStore { store, _ in
      let days = [
        rich(day: today), rich(day: today - 1), StationFixture.plain("10.0.0.7", day: today, verdict: .noSign),
      ]
      try await store.keep(days, run: "a", at: now)
      let before = try LedgerDump.text(store.file)
      try await store.keep(days, run: "a", at: now.advanced(bySeconds: 60))
      // Only the moment of the latest writing moves.
      #expect(try Self.stable(store) == Self.stable(before))
    }
  }

  private static func stable(_ store: StationStore) throws -> String { stable(try LedgerDump.text(store.file)) }
  private static func stable(_ dump: String) -> String {
    dump.split(separator: "\n").filter { !$0.hasPrefix("day_total") }.joined(separator: "\n")
  }

  @Test func aLaterSnapshotReplaces() async throws {
    try await StationFixture.withStore { store, _ in
      let first = rich(day: today)
      try await store.keep([first], run: "a", at: now)
      var second = first
      second.findings[0].last = second.findings[0].last.advanced(bySeconds: 60)
      second.findings.swapAt(0, 2)
      second.findings.remove(at: 1)
      second.botnets = ["Mariposa", "Zeus"]
      second.activity.flows += 5
      second.reason = "another"
      let later = now.advanced(bySeconds: 30)
      try await store.keep([second], run: "a", at: later)
      #expect(StationFixture.text(try await store.hostDay(first.host, day: today)) == StationFixture.text(second))
      let page = try await store.findings(FindingQuery(), after: nil, limit: 10)
      #expect(page.rows.count == 2)
      // What was there before was first written before.
      #expect(page.rows.allSatisfy { $0.recorded == now })
      var third = second
      third.findings = []
      third.botnets = []
      third.verdict = .noSign
      try await store.keep([third], run: "a", at: later)
      #expect(StationFixture.text(try await store.hostDay(first.host, day: today)) == StationFixture.text(third))
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 10).rows.isEmpty)
      #expect(try await store.botnets(today...today, limit: 10).isEmpty)
      #expect(await store.condition().findings == 0)
      #expect(try await store.overview(day: today, days: 0).days.map(\.hosts) == [[.noSign: 1]])
    }
  }

  @Test func anotherRunAdds() async throws {
    try await StationFixture.withStore { store, _ in
      let host = StationFixture.address("10.0.0.5")
      let morning = StationFixture.hostDay(
        "10.0.0.5", day: today, verdict: .infected, score: 5,
        findings: [StationFixture.finding(host, day: today, botnet: "Zeus", logOdds: 6)])
      var afternoon = StationFixture.hostDay(
        "10.0.0.5", day: today, verdict: .suspicious, score: 1,
        findings: [
          StationFixture.finding(host, day: today, botnet: "Zeus", logOdds: 4),
          StationFixture.finding(host, day: today, subject: "port 23", family: .fanOut),
        ])
      afternoon.reason = "less"
      afternoon.caveats = ["afternoon"]
      try await store.keep([morning], run: "a", at: now)
      try await store.keep([afternoon], run: "b", at: now.advanced(bySeconds: 10))
      let both = try #require(try await store.hostDay(host, day: today))
      #expect(both.verdict == .infected)
      #expect(both.score == 5)
      #expect(both.reason == morning.reason)
      #expect(both.findings.map(\.logOdds) == [6, 4])
      #expect(both.findings.map(\.subject) == ["198.51.100.7 port 443", "port 23"])
      #expect(both.activity.flows == 2000)
      #expect(both.activity.octetsIn == .max)
      #expect(both.activity.bins[5] == 1400)
      #expect(both.activity.topPeers.map(\.flows) == [288, 6])
      #expect(both.caveats == morning.caveats + ["afternoon"])
      // One finding has one id: lists show it once, the stronger.
      let listed = try await store.findings(FindingQuery(), after: nil, limit: 10).rows
      #expect(Set(listed.map(\.id)).count == 2 && listed.count == 2)
      #expect(listed.map(\.finding.logOdds).sorted() == [4, 6])
      #expect(try await store.botnets(today...today, limit: 9).map(\.findings) == [1])
      // The judge of the afternoon takes all back: the morning's word stands.
      afternoon.findings = []
      afternoon.botnets = []
      afternoon.verdict = .noSign
      try await store.keep([afternoon], run: "b", at: now.advanced(bySeconds: 20))
      let rest = try #require(try await store.hostDay(host, day: today))
      #expect(rest.verdict == .infected)
      #expect(rest.findings == morning.findings)
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 10).rows.map(\.finding.logOdds) == [6])
    }
  }

  /// A finding over midnight stands in both host-days and is listed once.
  @Test func midnightIsNoSeam() async throws {
    try await StationFixture.withStore { store, _ in
      let host = StationFixture.address("10.0.0.5")
      let long = StationFixture.finding(host, day: today - 1, hours: 20...30)
      let days = [
        StationFixture.hostDay("10.0.0.5", day: today - 1, findings: [long]),
        StationFixture.hostDay("10.0.0.5", day: today, findings: [long]),
      ]
      try await store.keep(days, run: "a", at: now)
      for day in days { #expect(try await store.hostDay(host, day: day.day)?.findings == [long]) }
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 10).rows.map(\.finding) == [long])
      var without = days[0]
      without.findings = []
      try await store.keep([without], run: "a", at: now)
      #expect(try await store.findings(FindingQuery(), after: nil, limit: 10).rows.map(\.finding) == [long])
    }
  }

  /// The sums beside the rows are what counting the rows would give, after whatever happened.
  @Test func sumsAreWhatCountingGives() async throws {
    try await StationFixture.withStore { store, _ in
      var random = SeededRandom(7)
      let botnets: [String?] = ["A", "B", "C", nil]
      for round in 0..<60 {
        var days: [HostDay] = []
        for _ in 0..<6 {
          let host = "10.0.0.\(Int.random(in: 1...8, using: &random))"
          let day = today - Int.random(in: 0...4, using: &random)
          let findings = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            StationFixture.finding(
              StationFixture.address(host), day: day, subject: "s\(Int.random(in: 0...3, using: &random))",
              botnet: botnets[Int.random(in: 0...3, using: &random)], logOdds: Double.random(in: 1...6, using: &random),
              hours: 1...Double.random(in: 2...23, using: &random))
          }
          days.append(
            StationFixture.hostDay(
              host, day: day, verdict: Verdict.allCases[Int.random(in: 0...3, using: &random)], findings: findings))
        }
        try await store.keep(days, run: "run \(round % 3)", at: now.advanced(bySeconds: Double(round)))
      }
      #expect(try Self.differences(store) == [])
      #expect(await store.condition().hostDays > 20)
      for span in 0...4 {
        let range = (today - span)...(today - span / 2)
        let slow = try store.file.read { db in
          try Row.fetchAll(
            db,
            sql: """
              SELECT n.name, COUNT(DISTINCT host) FROM botnet_host_day b JOIN named_botnet n ON n.id = b.botnet
              WHERE day BETWEEN ? AND ? GROUP BY 1 ORDER BY 1
              """, arguments: [range.lowerBound, range.upperBound]
          ).map { "\($0[0] as String) \($0[1] as Int)" }
        }
        let fast = try await store.botnets(range, limit: 10).map { "\($0.name) \($0.hosts)" }.sorted()
        #expect(fast == slow)
      }
    }
  }

  /// Sums that are not what their rows say.
  static func differences(_ store: StationStore) throws -> [String] {
    try store.file.read { db in
      try checks.flatMap { what, sql in try Row.fetchAll(db, sql: sql).map { "\(what): \($0)" } }
    }
  }

  /// Queries that give rows only where a sum and its rows differ.
  static let checks = [
    (
      "day_total",
      """
      SELECT day, not_enough_data, no_sign, suspicious, infected FROM day_total EXCEPT
      SELECT day, SUM(verdict = 0), SUM(verdict = 1), SUM(verdict = 2), SUM(verdict = 3) FROM host_day GROUP BY day
      """
    ),
    (
      "flagged_host",
      """
      SELECT host, first_day, last_day FROM flagged_host EXCEPT
      SELECT host, MIN(day), MAX(day) FROM host_day WHERE verdict >= 2 GROUP BY host
      """
    ),
    (
      "hosts that are missing in flagged_host",
      "SELECT host FROM host_day WHERE verdict >= 2 EXCEPT SELECT host FROM flagged_host"
    ),
    (
      "new",
      """
      SELECT t.day, t.new FROM day_total t WHERE new <> (SELECT COUNT(*) FROM flagged_host f WHERE f.first_day = t.day)
      """
    ),
    (
      "botnet_day",
      """
      SELECT day, botnet, hosts, findings, first, last FROM botnet_day EXCEPT
      SELECT day, botnet, COUNT(*), SUM(findings), MIN(first), MAX(last) FROM botnet_host_day GROUP BY day, botnet
      """
    ),
    (
      "days that are missing in botnet_day",
      "SELECT day, botnet FROM botnet_host_day EXCEPT SELECT day, botnet FROM botnet_day"
    ),
    (
      "one shown row per finding",
      "SELECT mark FROM finding GROUP BY mark HAVING SUM(flags & 1) <> 1"
    ),
    ("findings without a snapshot", "SELECT id FROM finding WHERE snapshot NOT IN (SELECT id FROM snapshot)"),
  ]
}

/// The same numbers in each run.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &+ 0x9e37_79b9_7f4a_7c15
    var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
