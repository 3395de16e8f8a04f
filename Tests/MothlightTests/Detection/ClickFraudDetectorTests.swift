import Testing

@testable import Mothlight

@Suite struct ClickFraudDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)

  private func ads(_ f: inout ObservationFixture, referer: String?, every seconds: Double = 20) {
    for n in 0..<120 {
      f.web(
        Double(n) * seconds, Self.host, IPAddress(v4: 0xc633_6400 + UInt32(n % 20)),
        "ads.net\(n % 20).example\(n % 20).com",
        "GET", "/click?u=\(n)", agent: ObservationFixture.browser, referer: referer)
    }
  }

  @Test func clicksWithoutPagesAreAWeakSign() throws {
    var f = ObservationFixture()
    ads(&f, referer: nil)
    for size in [1, 512] {
      let found = try f.findings(ClickFraudDetector.self, batch: size)
      try #require(found.count == 1)
      #expect(found[0].logOdds <= 2)
    }
  }

  @Test func advertisementsOfPagesSayNothing() throws {
    var f = ObservationFixture()
    ads(&f, referer: "http://news.example/")
    #expect(try f.findings(ClickFraudDetector.self).isEmpty)
  }

  @Test func feedsAndPagesSayNothing() throws {
    var f = ObservationFixture()
    f.reading(Self.host, sites: 60)
    for n in 0..<200 {
      f.web(
        Double(n) * 60, Self.host, IPAddress(v4: 0xc633_6400), "blog\(n).example\(n).com", "GET", "/feed", agent: "R")
    }
    #expect(try f.findings(ClickFraudDetector.self).isEmpty)
  }

  /// A browser without referrers still loads the pages' own parts.
  @Test func strippedReferrersSayNothing() throws {
    var f = ObservationFixture()
    ads(&f, referer: nil)
    f.reading(Self.host, sites: 20)
    #expect(try f.findings(ClickFraudDetector.self).isEmpty)
  }
}
