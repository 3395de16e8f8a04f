import Testing

@testable import Mothlight

@Suite struct BotTimingTests {
  @Test func equalGapsAreATimer() {
    #expect(BotTiming.isAlike(300, previous: 310, published: nil))
    #expect(BotTiming.isAlike(610, previous: 300, published: nil), "one lost on the way")
    #expect(!BotTiming.isAlike(300, previous: 0, published: nil), "one gap is no timer")
    #expect(!BotTiming.isAlike(300, previous: 430, published: nil))
    #expect(!BotTiming.isAlike(3, previous: 3, published: nil), "a burst")
  }

  @Test func aPublishedIntervalNeedsOneGap() {
    #expect(BotTiming.isAlike(245, previous: 0, published: 240))
    #expect(BotTiming.isAlike(480, previous: 0, published: 240))
    #expect(!BotTiming.isAlike(120, previous: 0, published: 240))
    #expect(!BotTiming.isAlike(65_535, previous: 0, published: 240), "out of range, saturated")
  }
}
