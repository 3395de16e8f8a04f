import Testing

@testable import Mothlight

@Suite struct EvaluationTests {
  typealias F = EvaluationFixture

  @Test(arguments: [
    (Truth.infected, Verdict.infected, TruthOutcome.found), (.infected, .suspicious, .weaker),
    (.infected, .noSign, .missed), (.infected, .notEnoughData, .missed), (.suspicious, .infected, .found),
    (.suspicious, .suspicious, .found), (.suspicious, .noSign, .missed), (.clean, .infected, .falseAlarm),
    (.clean, .suspicious, .suspiciousClean), (.clean, .noSign, .clear), (.clean, .notEnoughData, .unjudged),
  ])
  func outcomeOfANamedHost(truth: Truth, said: Verdict, outcome: TruthOutcome) {
    let report = F.report([F.day("10.0.0.9", .infected), F.day("10.0.0.1", said)])
    let row = F.evaluated(F.row("10.0.0.1", truth), report)
    #expect(row?.outcome == outcome)
    #expect(row?.said == said)
    #expect(row?.why.isEmpty == outcome.isMet)
  }

  @Test func aHostNeverSeenIsMissedOrUnjudged() {
    let report = F.report([F.day("10.0.0.9", .infected)])
    let missed = F.evaluated(F.row("10.0.0.1", .infected), report)
    #expect(missed?.outcome == .missed)
    #expect(missed?.said == nil)
    #expect(missed?.why.first?.contains("the home network learned is 10.0.0.0/8") == true)
    #expect(F.evaluated(F.row("10.0.0.1", .clean), report)?.outcome == .unjudged)
  }

  @Test func aRowWithoutHostMeansAnyOrEvery() {
    let report = F.report([F.day("10.0.0.2", .suspicious), F.day("10.0.0.1", .noSign)])
    #expect(F.evaluated(F.row(nil, .suspicious), report)?.saidOf == F.address("10.0.0.2"))
    #expect(F.evaluated(F.row(nil, .infected), report)?.outcome == .weaker)
    let clean = F.evaluated(F.row(nil, .clean), report)
    #expect(clean?.outcome == .suspiciousClean)
    #expect(clean?.hostDays.judged == 2)
  }

  /// A row without host speaks only of hosts that no other row of the input names.
  @Test func namedHostsAreTakenOut() {
    var evaluation = Evaluation(truthName: "t")
    evaluation.add(
      path: "x", rows: [F.row("10.0.0.2", .infected), F.row(nil, .clean)],
      report: F.report([F.day("10.0.0.2", .infected), F.day("10.0.0.1", .noSign)]))
    #expect(evaluation.rows.map(\.outcome) == [.found, .clear])
    #expect(!evaluation.hasGrossError)
  }

  @Test func flaggedHostsWithoutTruthAreShown() {
    var evaluation = Evaluation(truthName: "t")
    evaluation.add(
      path: "x", rows: [F.row("10.0.0.1", .clean)],
      report: F.report([
        F.day("10.0.0.3", .infected), F.day("10.0.0.2", .suspicious), F.day("10.0.0.1", .noSign),
        F.day("10.0.0.4", .noSign),
      ]))
    #expect(evaluation.inputs[0].flaggedBesides.map(\.host) == ["10.0.0.3", "10.0.0.2"].map(F.address))
    #expect(evaluation.rows[0].outcome == .clear)
  }

  @Test func aNameThatTheNoteForbids() {
    let report = F.report([F.day("10.0.0.1", .infected, botnets: ["Mirai"])])
    let note = "scan must be found, botnet must not be named"
    #expect(F.evaluated(F.row("10.0.0.1", .suspicious, note: note), report)?.outcome == .misnamed)
    #expect(F.evaluated(F.row("10.0.0.1", .suspicious), report)?.outcome == .found)
    let unnamed = F.report([F.day("10.0.0.1", .suspicious)])
    #expect(F.evaluated(F.row("10.0.0.1", .suspicious, note: note), unnamed)?.outcome == .found)
  }

  @Test func refusalsNeedAMessageAndNoScore() {
    let refused = F.report([], error: SourceError(.noUsableTime, "x: records carry no time"))
    #expect(F.evaluated(F.row(nil, .notEnoughData), refused)?.outcome == .answered)
    #expect(F.evaluated(F.row(nil, .error), refused)?.message == "x: records carry no time")
    let partly = F.report([F.day("10.0.0.1", .noSign)], warnings: ["ends inside a packet"])
    #expect(F.evaluated(F.row(nil, .error), partly)?.outcome == .answered)
    #expect(F.evaluated(F.row(nil, .notEnoughData), partly)?.outcome == .unanswered, "a clean bill is a score")
    let scored = F.report([F.day("10.0.0.1", .suspicious)], warnings: ["ends inside a packet"])
    #expect(F.evaluated(F.row(nil, .error), scored)?.outcome == .unanswered)
    let silent = F.evaluated(F.row(nil, .error), F.report([]))
    #expect(silent?.outcome == .unanswered)
    #expect(silent?.why.first == "The input gave neither an error nor a warning.")
  }

  /// Exit status 1 is for these two alone.
  @Test(arguments: [
    (Truth.infected, Verdict.noSign, true), (.infected, .suspicious, false), (.suspicious, .noSign, false),
    (.clean, .infected, true), (.clean, .suspicious, false),
  ])
  func grossErrors(truth: Truth, said: Verdict, isGross: Bool) {
    var evaluation = Evaluation(truthName: "t")
    evaluation.add(path: "x", rows: [F.row("10.0.0.1", truth)], report: F.report([F.day("10.0.0.1", said)]))
    #expect(evaluation.hasGrossError == isGross)
  }

  // MARK: Time to detection

  @Test func infectedNeedsTheSecondFamily() {
    let findings = [
      F.finding("10.0.0.1", .timing, 4, from: 0, to: 600), F.finding("10.0.0.1", .timing, 5, from: 10, to: 50),
      F.finding("10.0.0.1", .dns, 3.4, from: 0, to: 300), F.finding("10.0.0.1", .peer, 3.3, from: 0, to: 60),
    ]
    let report = F.report([F.day("10.0.0.1", .infected, findings)])
    #expect(F.evaluated(F.row("10.0.0.1", .infected), report)?.secondsToDetection == 300)
    let suspicious = F.report([F.day("10.0.0.1", .suspicious, [findings[0], findings[3]])])
    #expect(F.evaluated(F.row("10.0.0.1", .infected), suspicious)?.secondsToDetection == 600)
  }

  @Test func anExactMatchSufficesAtOnce() {
    let findings = [
      F.finding("10.0.0.1", .payload, 6.9, from: 20, to: 21, isConclusive: true, botnet: "X"),
      F.finding("10.0.0.1", .timing, 4, from: 0, to: 10), F.finding("10.0.0.1", .dns, 4, from: 0, to: 30),
    ]
    let days = [
      F.day("10.0.0.1", .infected, findings), F.day("10.0.0.1", .suspicious, [findings[1]], day: F.start.day + 1),
    ]
    #expect(F.evaluated(F.row("10.0.0.1", .infected), F.report(days))?.secondsToDetection == 21)
    #expect(
      F.evaluated(F.row("10.0.0.1", .infected), F.report([F.day("10.0.0.1", .noSign)]))?.secondsToDetection == nil)
  }

  // MARK: Reasons

  @Test func reasonsShowNumbersAgainstThresholds() {
    let finding = F.finding(
      "10.0.0.1", .timing, 2.1, from: 0, to: 60,
      measures: [Measure("gap_spread", 0.31, "", atMost: 0.15), Measure("contacts", 30, "", atLeast: 12)])
    var activity = HostActivity()
    activity.flows = 100
    activity.outboundFlows = 40
    activity.octetsOut = 5000
    let report = F.report([F.day("10.0.0.1", .noSign, [finding], reason: "Only weak hints.", activity: activity)])
    let why = F.evaluated(F.row("10.0.0.1", .infected, note: "a note"), report)?.why ?? []
    #expect(why.contains("Verdict on 10.0.0.1: Only weak hints."))
    #expect(
      why.contains {
        $0.contains("+2.10 where +3.40 is the bar") && $0.contains("gap spread 0.31 (at most 0.15: not met)")
      })
    #expect(why.contains { $0.contains("contacts 30 (at least 12)") })
    #expect(why.contains { $0.hasPrefix("One-sided view") })
    #expect(why.last == "The truth's own note: a note")
  }

  /// What kept findings out is told as what it was: no rule is named where none was given.
  @Test func whatKeptFindingsOutIsSaid() {
    var report = F.report([F.day("10.0.0.1", .noSign)])
    func why() -> [String] { F.evaluated(F.row("10.0.0.1", .infected), report)?.why ?? [] }
    #expect(!why().contains { $0.contains("kept out") })
    let finding = F.finding("10.0.0.1", .timing, 0, from: 0, to: 60)
    report.hidden = ["prevalence: 7 machines do", "prevalence: 9 machines do", "known_service: a clock"].map {
      HiddenFinding(finding: finding, rule: $0)
    }
    #expect(
      why().contains("3 findings kept out of the verdict: 2 as what many machines here do, 1 as a known service."))
    report.hidden = [HiddenFinding(finding: finding, rule: AllowList.Rule.name("a.example").description)]
    #expect(why().contains("1 finding kept out of the verdict: 1 by allow rules."))
    report.hidden = [HiddenFinding(finding: F.finding("10.0.0.2", .timing, 0, from: 0, to: 60), rule: "name:a")]
    #expect(!why().contains { $0.contains("kept out") })
  }

  @Test func aVictimIsSaidToBeOne() {
    var activity = HostActivity()
    activity.flows = 5000
    activity.outboundFlows = 2
    activity.answeredFlows = 900
    activity.octetsOut = 90_000
    func why() -> [String] {
      F.evaluated(F.row(nil, .suspicious), F.report([F.day("10.0.0.1", .noSign, activity: activity)]))?.why ?? []
    }
    #expect(why().contains { $0.hasPrefix("Seen from the victim: 4,998 of its 5,000 flows") })
    activity.octetsOut = 0
    activity.octetsIn = 1_200_000
    activity.outboundFlows = 4000
    #expect(why().contains { $0.hasPrefix("Seen from the victim: 1.20 MB that others sent to it") })
    activity.octetsOut = 90_000
    #expect(!why().contains { $0.hasPrefix("Seen from the victim") })
  }

  @Test func anInnerProxyIsSaidToBeOne() {
    var activity = HostActivity()
    activity.flows = 132
    activity.octetsOut = 90_000
    activity.topPeers = [
      PeerActivity(address: F.address("10.0.0.8"), name: nil, port: 3128, transport: .tcp, flows: 120, octets: 90_000)
    ]
    let why =
      F.evaluated(F.row(nil, .suspicious), F.report([F.day("10.0.0.1", .noSign, activity: activity)]))?.why ?? []
    #expect(
      why.contains { $0.hasPrefix("It talks to the inside: 120 of its flows") && $0.contains("10.0.0.8 port 3128") })
    #expect(!why.contains { $0.hasPrefix("Seen from the victim") })
    activity.topPeers[0].port = 53
    let resolver = F.evaluated(F.row(nil, .suspicious), F.report([F.day("10.0.0.1", .noSign, activity: activity)]))
    #expect(resolver?.why.contains { $0.hasPrefix("It talks to the inside") } == false)
  }

  @Test func aFalseAlarmShowsWhatDecidedIt() {
    let findings = [F.finding("10.0.0.1", .timing, 4, from: 0, to: 9), F.finding("10.0.0.1", .dns, 1, from: 0, to: 9)]
    let why = F.evaluated(F.row("10.0.0.1", .clean), F.report([F.day("10.0.0.1", .suspicious, findings)]))?.why ?? []
    #expect(why.count { $0.contains("made-up, ") } == 1)
    #expect(why.contains { $0.hasPrefix("made-up, timing, +4.00") })
  }
}
