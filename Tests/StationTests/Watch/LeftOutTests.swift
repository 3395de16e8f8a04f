import Mothlight
import Testing

@testable import MothlightStation

/// What allow rules keep out of verdicts can be looked at.
@Suite struct LeftOutTests {
  private static func hidden(_ host: IPAddress, _ n: Int, day: Int = LiveStation.today) -> HiddenFinding {
    HiddenFinding(finding: LiveStation.finding(host, subject: "peer \(n)", day: day), rule: "source:192.0.2.10/32")
  }

  @Test func isBoundedAndCountsTheRest() throws {
    let other = try #require(IPAddress("192.0.2.11"))
    let many =
      (0..<30).map { Self.hidden(LiveStation.bot, $0) } + [Self.hidden(other, 1), Self.hidden(other, 2, day: 5)]
    let left = LeftOut(many)
    let part = left.of(LiveStation.bot, day: LiveStation.today)
    #expect(part.count == 30 && part.shown.count == LeftOut.perHostMost)
    #expect(left.of(other, day: LiveStation.today).count == 1 && left.of(other, day: 5).count == 1)
    #expect(left.of(other, day: 6).count == 0)
    let all = LeftOut((0..<6000).map { Self.hidden(IPAddress(v4: UInt32($0)), 0) })
    #expect(
      (0..<6000).reduce(0) { $0 + all.of(IPAddress(v4: UInt32($1)), day: LiveStation.today).shown.count }
        == LeftOut.most)
    #expect(all.of(IPAddress(v4: 5999), day: LiveStation.today).count == 1)
  }

  @Test func theHostsPageSaysHowManyAndShowsThem() async throws {
    try await LiveStation.run(readers: .viewers) { station in
      func page(as name: String, _ host: String) async throws -> String {
        let cookie = try #require(try await station.logIn(name).cookie)
        return try await station.live.get("/hosts/\(host)", headers: ["Cookie": "mothlight=\(cookie)"]).body
      }
      #expect(try await !page(as: "anna", "192.0.2.10").contains("kept out of the verdict"))
      station.live.board.leftOut = LeftOut((0..<22).map { Self.hidden(LiveStation.bot, $0) })
      let shown = try await page(as: "anna", "192.0.2.10")
      #expect(shown.contains("22 findings were kept out of the verdict") && shown.contains("2 more are not listed"))
      #expect(shown.contains("called peer 19 every 300 s") && shown.contains("source:192.0.2.10/32"))
      let items = try await station.get("/api/v1/hosts").json()["items"] as? [[String: Any]]
      let name = try #require(items?.first?["host"] as? String)
      let covered = try await page(as: "vera", name)
      #expect(covered.contains("22 findings were kept out of the verdict") && !covered.contains("192.0.2.10"))
    }
  }
}
