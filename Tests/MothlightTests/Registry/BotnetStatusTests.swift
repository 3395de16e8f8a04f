import Testing

@testable import Mothlight

@Suite struct BotnetStatusTests {
  private static let now = Timestamp(seconds: 1_780_000_000)

  private static func ago(_ days: Double) -> Timestamp { now.advanced(bySeconds: -days * 86_400) }

  private static func server(_ days: Double, _ source: String = "abuse.ch/feodo") -> BotnetEvidence {
    BotnetEvidence(kind: .server, source: source, first: ago(days + 10), last: ago(days), life: ago(days))
  }
  private static let page = BotnetEvidence(kind: .publication, source: "misp/galaxy/botnet")

  private func status(_ evidence: [BotnetEvidence], _ takedowns: [TakedownRecord] = [], expiry: Int = 30)
    -> BotnetStatus
  {
    BotnetStatus(evidence: evidence, takedowns: takedowns, at: Self.now, expiryDays: expiry)
  }

  private func takedown(_ days: Double, _ outcome: TakedownRecord.Outcome) -> TakedownRecord {
    TakedownRecord(day: Self.ago(days).day, by: "x", outcome: outcome, origin: Origin(source: "x", date: Self.now))
  }

  @Test func twoKindsOfTwoPublishersConfirm() {
    let print = BotnetEvidence(kind: .print, source: "abuse.ch/sslbl")
    #expect(status([]) == .candidate)
    #expect(status([Self.server(1)]) == .candidate)
    #expect(status([Self.server(1), Self.server(1, "other/list")]) == .candidate)
    // Two lists of one house are one word.
    #expect(status([Self.server(1), print]) == .candidate)
    #expect(status([Self.server(1), Self.page]) == .confirmed)
    #expect(status([print, Self.page]) == .dormant)
  }

  @Test(arguments: [
    (4.9, 5, BotnetStatus.confirmed), (5.1, 5, .dormant), (9.9, 10, .confirmed), (29.0, 10, .dormant),
    (29.9, 30, .confirmed), (30.1, 30, .dormant), (364, 30, .dormant), (366, 30, .dead),
  ])
  func theExpiryDecides(_ days: Double, _ expiry: Int, _ expected: BotnetStatus) {
    #expect(status([Self.server(days), Self.page], expiry: expiry) == expected)
  }

  @Test func aTakedownHoldsUntilSomethingLives() {
    let both = [Self.server(20), Self.page]
    #expect(status(both, [takedown(10, .sinkholed)]) == .sinkholed)
    #expect(status(both, [takedown(10, .dead)]) == .dead)
    #expect(status(both, [takedown(10, .disrupted)]) == .confirmed)
    #expect(status(both, [takedown(25, .sinkholed)]) == .confirmed)
    #expect(status(both, [takedown(-3, .dead)]) == .confirmed, "a day in the future")
    // Machines go on calling a sinkhole; that is no sign of the botnet's life, but what is dead has no machines.
    let machines = BotnetEvidence(kind: .machines, source: "mothlight/census", first: Self.ago(9), life: Self.ago(1))
    #expect(status(both + [machines], [takedown(10, .sinkholed)]) == .sinkholed)
    #expect(status(both + [machines], [takedown(10, .dead)]) == .confirmed)
  }

  @Test func theStandingOfAnEarlierDayKnowsNothingLater() {
    #expect(BotnetStatus.lastLife([Self.server(1)], at: Self.ago(5)) == Self.ago(5))
    #expect(BotnetStatus.lastLife([Self.server(1)], at: Self.ago(12)) == nil)
  }
}

@Suite struct ActivityCurveTests {
  private static let now = Timestamp(seconds: 1_780_000_000)

  private static func row(_ lives: [(String, Double)], _ kind: Botnet.Kind = .botnet) -> ActivityCurve.Row {
    ActivityCurve.Row(
      kind: kind,
      evidence: lives.map { source, days in
        BotnetEvidence(kind: .server, source: source, life: now.advanced(bySeconds: -days * 86_400))
      })
  }

  @Test func countsGrowWithTheExpiry() {
    let rows = [
      Self.row([("a/1", 0.5)]), Self.row([("a/1", 4.5), ("b", 8)]), Self.row([("b", 20)], .family),
      Self.row([("c", 61)]), Self.row([]),
    ]
    let lives = [0.5, 4.5, 20, 61].map { Self.now.advanced(bySeconds: -$0 * 86_400) }
    let curve = ActivityCurve(rows: rows, serverLives: lives, at: Self.now)
    #expect(curve.points.map(\.expiryDays) == Array(1...60))
    #expect([1, 4, 5, 10, 19, 20, 60].map { curve.points[$0 - 1].total } == [1, 1, 2, 2, 2, 3, 3])
    #expect([1, 5, 20, 60].map { curve.points[$0 - 1].servers } == [1, 2, 3, 3])
    #expect(curve.points[59].active == [.botnet: 2, .family: 1])
    #expect(curve.points[4].publishers == 1)
    #expect(curve.points[4].lowerBound == nil)
    #expect((curve.points[9].seenOnce, curve.points[9].seenTwice) == (1, 1))
  }

  /// By hand: S = 20, f1 = 10, f2 = 5, m = 3: 20 + 2/3 · 10 · 9 / (2 · 6) = 25.
  @Test func chaoByHand() throws {
    let bound = try #require(ActivityCurve.chao(seen: 20, once: 10, twice: 5, occasions: 3))
    #expect(abs(bound.value - 25) < 1e-9)
    // Variance 5 · (4/3 + 32/9 + 16/9) = 33.33; K = exp(1.96 √ln(1 + 33.33/25)) = 6.0749.
    #expect(abs(bound.low - (20 + 5 / 6.0749)) < 0.01)
    #expect(abs(bound.high - (20 + 5 * 6.0749)) < 0.01)
  }

  @Test func chaoAtTheEdges() {
    #expect(ActivityCurve.chao(seen: 5, once: 5, twice: 0, occasions: 1) == nil)
    #expect(ActivityCurve.chao(seen: 0, once: 0, twice: 0, occasions: 4) == nil)
    #expect(ActivityCurve.chao(seen: 5, once: 0, twice: 5, occasions: 2) == CensusRange(low: 5, value: 5, high: 5))
    for once in 0...30 {
      for twice in 0...10 where once + twice > 0 {
        guard let bound = ActivityCurve.chao(seen: once + twice, once: once, twice: twice, occasions: 4) else {
          Issue.record("no bound")
          continue
        }
        #expect(bound.low >= Double(once + twice) && bound.low <= bound.value && bound.value <= bound.high)
        #expect(bound.high.isFinite)
      }
    }
  }

  /// 2,000 botnets, four lists that see each with its own chance: the bound stays below the truth and above what is seen.
  @Test func theBoundIsBelowTheTruth() throws {
    var state: UInt64 = 11
    func chance(_ p: Double) -> Bool {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53) < p
    }
    let rows = (0..<2000).map { _ in
      Self.row(["a", "b", "c", "d"].filter { _ in chance(0.2) }.map { ($0, 1) })
    }
    let point = ActivityCurve(rows: rows, serverLives: [], at: Self.now).points[29]
    let bound = try #require(point.lowerBound)
    #expect(point.total < 1300)
    // Equal chances: the bound is near the truth.
    #expect(bound.value > 1800 && bound.value < 2200)
    #expect(bound.low > Double(point.total))
  }
}
