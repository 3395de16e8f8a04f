import Mothlight
import Testing

@testable import MothlightStation

/// Right after midnight the first page shows the day that can be told of.
@Suite struct YoungDayTests {
  private static let day = 20_000

  private static func overview(_ today: [Verdict: Int], _ yesterday: [Verdict: Int]) -> Overview {
    Overview(
      days: [
        Overview.Day(day: day - 1, hosts: yesterday, new: 0), Overview.Day(day: day, hosts: today, new: 0),
      ], flagged: [], openCases: 0)
  }

  private static func young(
    _ today: [Verdict: Int], _ yesterday: [Verdict: Int] = [.noSign: 100, .infected: 2], hours: Double = 0.5
  ) -> YoungDay? {
    YoungDay(overview(today, yesterday), at: Timestamp(seconds: Int64(day) * 86_400 + Int64(hours * 3600)))
  }

  @Test func aDayIsYoungUntilItHasEnough() throws {
    let young = try #require(Self.young([.noSign: 10, .notEnoughData: 90]))
    #expect(young.judged == 10 && young.before == 102 && young.seconds == 1800)
    #expect(Self.young([:]) != nil && Self.young([.noSign: 50]) != nil)
    #expect(Self.young([.noSign: 51]) == nil && Self.young([.noSign: 50, .infected: 1]) == nil)
    // A quiet day stands for itself in the end, and the first day of all from its beginning.
    #expect(Self.young([.noSign: 10], hours: 5.9) != nil && Self.young([.noSign: 10], hours: 6) == nil)
    #expect(Self.young([.noSign: 10], [:]) == nil && Self.young([.noSign: 10], [.notEnoughData: 90]) == nil)
    // Of an old capture the last day is shown, whatever there is of it.
    #expect(Self.young([.noSign: 10], hours: 30) == nil)
  }

  @Test func theFirstPageShowsYesterdayAndSaysSo() async throws {
    let store = MemoryStore()
    let host = try #require(IPAddress("192.0.2.10"))
    for n in 0..<10 {
      let quiet = IPAddress(v4: 0xc000_0200 + 50 + UInt32(n))
      try await store.keep([LiveStation.hostDay(quiet, .noSign, [], day: Self.day - 1)], run: "y", at: LiveStation.now)
    }
    let bad = LiveStation.finding(host, subject: "x", day: Self.day - 1)
    try await store.keep(
      [LiveStation.hostDay(host, .infected, [bad], day: Self.day - 1)], run: "y", at: LiveStation.now)
    try await store.keep([LiveStation.hostDay(host, .notEnoughData, [], day: Self.day)], run: "t", at: LiveStation.now)
    let clock = Timestamp(seconds: Int64(Self.day) * 86_400 + 1200)
    let (yesterday, today) = Timestamp.describe(days: Self.day)
    try await LiveDashboard.run(store: store, clock: clock) { live async throws in
      let first = try await live.get("/").body
      #expect(first.contains("1 machine is infected") && first.contains("so this is yesterday"))
      #expect(first.contains("The new day is 20 min old and 0 of "))
      #expect(first.contains("href=\"/?day=\(today)\"") && first.contains("day=\(yesterday)&amp;verdict=infected"))
      let asked = try await live.get("/?day=\(today)").body
      #expect(asked.contains("Too little was seen today") && !asked.contains("so this is yesterday"))
    }
    try await LiveDashboard.run(store: store, clock: clock.advanced(bySeconds: 6 * 3600)) { live async throws in
      #expect(try await live.get("/").body.contains("Too little was seen today"))
    }
  }
}

extension Timestamp {
  fileprivate static func describe(days day: Int) -> (String, String) { (describe(day: day - 1), describe(day: day)) }
}
