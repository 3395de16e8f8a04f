import Mothlight
import Testing

/// One thing is one file and one line in a roster: neither may be without the other.
@Suite struct RosterTests {
  private let tree = SourceTree.project

  private func types(in folder: String, endingIn suffix: String) -> [String] {
    tree.swift(below: folder).map(\.stem).filter { $0.hasSuffix(suffix) && $0 != suffix }.sorted()
  }

  @Test func everyDetectorIsInTheRoster() {
    let inFiles = types(in: "Sources/Mothlight/Detection", endingIn: "Detector").filter { $0 != "NetworkDetector" }
    let inRoster = DetectorRoster.all.map { "\($0)" } + DetectorRoster.network.map { "\($0)" }
    #expect(inFiles == inRoster.sorted())
    #expect(Set(inRoster).count == inRoster.count)
  }

  /// What runs per host says so, and what sees the whole network too.
  @Test func scopesAreTold() {
    #expect(DetectorRoster.all.allSatisfy { $0.card.scope == .perHost })
    #expect(DetectorRoster.network.allSatisfy { $0.card.scope == .whole })
  }

  @Test func everyExporterIsInTheRoster() {
    let inFiles = types(in: "Sources/Mothlight/Reporting", endingIn: "Exporter")
    let inRoster = ExporterRoster.all.map { "\($0)" } + CensusExporterRoster.all.map { "\($0)" }
    #expect(inFiles == inRoster.sorted())
    #expect(Set(inRoster).count == inRoster.count)
  }

  @Test func namesAreUnique() {
    #expect(Set(DetectorRoster.cards.map(\.name)).count == DetectorRoster.cards.count)
    #expect(Set(ExporterRoster.cards.map(\.name)).count == ExporterRoster.cards.count)
    #expect(Set(CensusExporterRoster.cards.map(\.name)).count == CensusExporterRoster.cards.count)
  }

  @Test(arguments: DetectorRoster.cards)
  func cardIsComplete(_ card: DetectorCard) {
    #expect(CardRules.gaps(in: card) == [])
  }
}

/// What a card must tell.
enum CardRules {
  static func gaps(in card: DetectorCard) -> [String] {
    var gaps: [String] = []
    if card.title.isEmpty { gaps.append("no title") }
    if card.reads.isEmpty { gaps.append("does not say what it reads") }
    if card.references.allSatisfy(\.isEmpty) { gaps.append("no reference") }
    if card.knownFalsePositives.allSatisfy(\.isEmpty) { gaps.append("no known false positive") }
    for knob in card.knobs {
      if knob.unit.isEmpty { gaps.append("\(knob.name): no unit") }
      if knob.meaning.split(separator: " ").count < 2 { gaps.append("\(knob.name): no sentence") }
      if !knob.value.isFinite { gaps.append("\(knob.name): no finite default") }
    }
    if Set(card.knobs.map(\.name)).count != card.knobs.count { gaps.append("two knobs of one name") }
    return gaps
  }
}
