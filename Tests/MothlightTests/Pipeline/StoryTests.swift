import Testing

@testable import Mothlight

@Suite struct StoryTests {
  private static let stages: [String: DetectorCard.Stage] = [
    "inbound-attempts": .touched, "program-download": .fetched, "beacon": .calledHome, "nxdomain-burst": .calledHome,
    "scan-out": .attackedOut,
  ]

  private func finding(_ detector: String, _ family: EvidenceFamily, at seconds: Int64, _ odds: Double) -> Finding {
    let card = DetectorCard(
      name: detector, title: "", family: family, reads: [.flow], knobs: [], references: [], knownFalsePositives: [])
    return Finding(
      card: card, host: IPAddress(v4: 0x0a00_0001), subject: detector, summary: "did \(detector)",
      first: Timestamp(seconds: seconds), last: Timestamp(seconds: seconds + 60), logOdds: odds, measures: [],
      evidence: [], refutedBy: "")
  }

  @Test func orderOfDifferentKindsCounts() {
    let story = Story(
      [
        finding("scan-out", .fanOut, at: 20_000, 5), finding("beacon", .timing, at: 10_000, 2.6),
        finding("inbound-attempts", .fanOut, at: 5000, 0),
      ], stages: Self.stages)
    #expect(story.steps.map(\.stage) == [.touched, .calledHome, .attackedOut])
    #expect(story.bonus == Story.orderBonus + Story.furtherBonus)
    #expect(story.steps[1].sentence == "it called home: did beacon")
  }

  @Test func theWrongOrderIsToldButDoesNotCount() {
    let story = Story(
      [finding("scan-out", .fanOut, at: 1000, 5), finding("beacon", .timing, at: 10_000, 2.6)], stages: Self.stages)
    #expect(story.steps.map(\.stage) == [.attackedOut, .calledHome])
    #expect(story.bonus == 0)
    // Within the tolerance records may be stamped the other way round.
    let close = Story(
      [finding("scan-out", .fanOut, at: 9500, 5), finding("beacon", .timing, at: 10_000, 2.6)], stages: Self.stages)
    #expect(close.bonus == Story.orderBonus)
  }

  @Test func weakStepsOneKindOrOneStageTellNothing() {
    #expect(
      Story(
        [finding("scan-out", .fanOut, at: 2000, 5), finding("beacon", .timing, at: 1000, 1.9)], stages: Self.stages
      ).steps.isEmpty)
    #expect(
      Story(
        [finding("nxdomain-burst", .dns, at: 2000, 5), finding("beacon", .timing, at: 1000, 5)], stages: Self.stages
      ).steps.isEmpty)
    let sameFamily = Story(
      [finding("program-download", .payload, at: 1000, 3), finding("beacon", .payload, at: 2000, 3)],
      stages: Self.stages)
    #expect(sameFamily.steps.count == 2 && sameFamily.bonus == 0)
  }

  @Test func doesNotDependOnTheOrderOfFindings() {
    let all = [
      finding("scan-out", .fanOut, at: 20_000, 5), finding("beacon", .timing, at: 10_000, 2.6),
      finding("nxdomain-burst", .dns, at: 11_000, 2.6), finding("program-download", .payload, at: 9000, 2.2),
    ]
    let told = Story(all, stages: Self.stages).steps
    #expect(told.map(\.stage) == [.fetched, .calledHome, .attackedOut])
    #expect(Story(all.reversed(), stages: Self.stages).steps == told)
  }
}
