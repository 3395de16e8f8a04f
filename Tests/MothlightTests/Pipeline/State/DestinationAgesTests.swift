import Testing

@testable import Mothlight

@Suite struct DestinationAgesTests {
  private let peer = IPAddress(v4: 0xc633_6401)
  private let host = IPAddress(v4: 0xc0a8_0a01)

  private func finding(_ family: EvidenceFamily, day: Int, odds: Double = 4, name: String? = nil) -> Finding {
    let time = Timestamp(seconds: StateFixture.start + Int64(day) * 86_400)
    return Finding(
      card: ReportFixture.card("beacon", family), host: host, subject: "x", summary: "called x", first: time,
      last: time,
      logOdds: odds, measures: [], evidence: [], refutedBy: "nothing", peer: peer, peerName: name)
  }

  private func state(days: Int, used: Int, accused: UInt32 = 0, name: String? = nil) -> RollingState {
    var state = RollingState()
    state.runs = UInt32(days)
    state.first = UInt32(StateFixture.start)
    state.last = state.first + UInt32(days) * 86_400
    state.days = .max
    let seen = Acquaintance(
      first: state.first, last: state.last, days: used >= 64 ? .max : (1 << UInt64(used)) - 1, users: 1,
      accused: accused)
    state.destinations = [RememberedDestination(address: peer, seen: seen)]
    if let name { state.names = [RememberedName(text: name, seen: seen)] }
    return state
  }

  private func weighed(_ finding: Finding, _ state: RollingState) -> Finding {
    DestinationAges(before: state, after: state, []).weighed(finding)
  }

  @Test func whatIsOldAndUsedWeighsLess() {
    let old = weighed(finding(.timing, day: 41), state(days: 41, used: 30))
    #expect(old.logOdds == 2.5)
    #expect(old.summary == "called x; first seen here 41 days ago, and used since without anything else against it")
    #expect(old.measures.first { $0.name == "known_for" }?.value == 41)
    #expect(weighed(finding(.peer, day: 41), state(days: 41, used: 30)).logOdds == 2.5)
    // Neither content nor the DNS is less telling for its age, nor what was hardly used.
    #expect(weighed(finding(.payload, day: 41), state(days: 41, used: 30)).logOdds == 4)
    #expect(weighed(finding(.dns, day: 41), state(days: 41, used: 30)).logOdds == 4)
    #expect(weighed(finding(.timing, day: 41), state(days: 41, used: 9)).logOdds == 4)
    #expect(weighed(finding(.timing, day: 29), state(days: 29, used: 29)).logOdds == 4)
  }

  /// An alarm does not fade because nobody acted on it.
  @Test func whatWasAccusedKeepsItsWeight() {
    let time = UInt32(StateFixture.start) + 12 * 86_400
    #expect(weighed(finding(.timing, day: 41), state(days: 41, used: 30, accused: time)).logOdds == 4)
    var kept = state(days: 41, used: 30)
    let entry = HostDay(
      host: host, day: 0, verdict: .suspicious, score: 0, families: [], findings: [finding(.timing, day: 5)],
      reason: "",
      botnets: [], activity: HostActivity())
    kept.accuse([entry])
    #expect(kept.destinations[0].seen.accused == UInt32(StateFixture.start) + 5 * 86_400)
    #expect(weighed(finding(.timing, day: 41), kept).logOdds == 4)
  }

  /// With a name the name's age counts: an old address may serve a new one.
  @Test func aNewNameAtAnOldAddressIsNotOld() {
    let kept = state(days: 41, used: 30)
    #expect(weighed(finding(.timing, day: 41, name: "new.example"), kept).logOdds == 4)
    let known = state(days: 41, used: 30, name: "old.example")
    #expect(weighed(finding(.timing, day: 41, name: "old.example"), known).logOdds == 2.5)
  }

  @Test func whatIsNewWeighsALittleMoreOnceTheStateReachesBack() {
    var kept = state(days: 41, used: 30)
    kept.destinations = []
    let new = weighed(finding(.timing, day: 41), kept)
    #expect(new.logOdds == 4.5)
    #expect(new.summary == "called x; new here")
    kept.first += 20 * 86_400
    #expect(weighed(finding(.timing, day: 41), kept).logOdds == 4)
    kept.first -= 20 * 86_400
    kept.days = 0xff
    #expect(weighed(finding(.timing, day: 41), kept).logOdds == 4)
    #expect(weighed(finding(.timing, day: 1), RollingState()).measures.isEmpty)
  }

  @Test func countersScaleAndSubtract() {
    var counts = PairCounts()
    counts.starts = 1000
    counts.failed = 500
    counts.octetsOut = .max
    let scaled = counts.scaled(toStarts: 64)
    #expect(scaled.starts == 64 && scaled.failed == 32 && scaled.octetsOut == UInt64.max / 1000 * 64 + 39)
    var less = counts
    less.subtract(counts)
    #expect(less.isNothing)
    counts.add(counts)
    #expect(counts.octetsOut == .max && counts.starts == 2000)
    var sizes = Pair.Moments()
    for value in [100, 110, 90, 105] as [Float] { sizes.add(value) }
    var first = Pair.Moments()
    for value in [100, 110] as [Float] { first.add(value) }
    var second = Pair.Moments()
    for value in [90, 105] as [Float] { second.add(value) }
    first.add(second)
    #expect(abs(first.dispersion - sizes.dispersion) < 1e-6)
    first.subtract(second)
    #expect(abs(first.mean - 105) < 1e-3 && first.count == 2)
  }
}
