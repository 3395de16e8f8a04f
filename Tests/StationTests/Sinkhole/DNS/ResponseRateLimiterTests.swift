import Mothlight
import Testing

@testable import MothlightStation

@Suite struct ResponseRateLimiterTests {
  private func v4(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private func admitted(_ limiter: inout ResponseRateLimiter, _ source: IPAddress, _ count: Int, at ms: Int64) -> Int {
    (0..<count).count { _ in limiter.decide(source, .answer, millisecond: ms) == .send }
  }

  @Test func twoSecondsWorthAtOnceThenTheRate() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 100), seed: 1)
    let source = try v4("203.0.113.5")
    #expect(admitted(&limiter, source, 1000, at: 0) == 200)
    #expect(admitted(&limiter, source, 1000, at: 100) == 10)
    #expect(admitted(&limiter, source, 1000, at: 1100) == 100)
    #expect(admitted(&limiter, source, 1000, at: 3_600_000) == 200)
  }

  @Test func networksShareABucketAndKindsDoNot() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 10), seed: 1)
    #expect(admitted(&limiter, try v4("203.0.113.5"), 100, at: 0) == 20)
    #expect(admitted(&limiter, try v4("203.0.113.250"), 100, at: 0) == 0)
    #expect(admitted(&limiter, try v4("203.0.114.5"), 100, at: 0) == 20)
    #expect(limiter.decide(try v4("203.0.113.5"), .negative, millisecond: 0) == .send)
    #expect(admitted(&limiter, try v4("2001:db8:0:1::1"), 100, at: 0) == 20)
    #expect(admitted(&limiter, try v4("2001:db8:0:ff::1"), 100, at: 0) == 0, "the same /56")
    #expect(admitted(&limiter, try v4("2001:db8:0:100::1"), 100, at: 0) == 20)
  }

  @Test(arguments: [(0, 0), (1, 80), (2, 40), (4, 20)])
  func slips(_ slip: Int, _ expected: Int) throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 10, slip: slip), seed: 1)
    let source = try v4("203.0.113.5")
    let decisions = (0..<100).map { _ in limiter.decide(source, .answer, millisecond: 0) }
    #expect(decisions.count { $0 == .send } == 20)
    #expect(decisions.count { $0 == .slip } == expected)
  }

  @Test func zeroIsNoLimit() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 0), seed: 1)
    #expect(admitted(&limiter, try v4("203.0.113.5"), 5000, at: 0) == 5000)
  }

  /// A flood from forged addresses does not free the one network that is aimed at.
  @Test func targetStaysLimitedAmongManyNetworks() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 10), seed: 1)
    let target = try v4("203.0.113.5")
    var sent = 0
    for i in 0..<200_000 {
      if i % 10 == 0, limiter.decide(target, .answer, millisecond: Int64(i / 200)) == .send { sent += 1 }
      _ = limiter.decide(IPAddress(v4: UInt32(i) &* 2_654_435_761), .answer, millisecond: Int64(i / 200))
    }
    #expect(sent <= 35, "20 at once and 10 a second for one second")
    #expect(limiter.evictions == 0, "nobody else reached the limit")
  }

  @Test func limitedNetworksThatMakeRoomAreCounted() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 1), seed: 1)
    for i in 0..<100_000 { _ = admitted(&limiter, IPAddress(v4: UInt32(i) << 8), 3, at: 0) }
    #expect(limiter.evictions > 30_000)
  }

  /// The clock of milliseconds wraps every 49 days.
  @Test func clockMayWrap() throws {
    var limiter = ResponseRateLimiter(.init(perSecond: 10), seed: 1)
    let source = try v4("203.0.113.5")
    #expect(admitted(&limiter, source, 100, at: Int64(UInt32.max)) == 20)
    #expect(admitted(&limiter, source, 100, at: Int64(UInt32.max) + 500) == 5)
  }
}
