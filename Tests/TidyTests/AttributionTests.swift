import Testing

@testable import Mothlight

/// A family is named from a name, a list or a payload signature; behaviour alone names nothing.
@Suite struct AttributionTests {
  private static let namers = ["IndicatorDetector", "MariposaDetector", "PayloadRuleDetector"]
  private let detection = SourceTree.project.swift(below: "Sources/Mothlight/Detection")

  @Test func onlyNamersSetABotnet() {
    let naming = detection.filter { !AttributionRules.botnetArguments(in: $0.text).isEmpty }.map(\.stem)
    #expect(naming.sorted() == Self.namers)
  }

  /// What a behaviour detector says to people holds no family's name; its references may.
  @Test func behaviourIsDescribedWithoutNames() {
    let families = Set((SignatureFile.builtin?.signatures ?? []).map(\.family)).union(["Bashlite", "Mozi", "Simda"])
    #expect(families.count > 15)
    let found = detection.filter { !Self.namers.contains($0.stem) }.flatMap { file in
      AttributionRules.sentences(in: file.text, naming: families).map { "\(file.path): \($0)" }
    }
    #expect(found == [])
    for card in DetectorRoster.all.map({ $0.card }) where card.name != "mariposa-checkin" {
      #expect(families.filter { card.title.contains($0) } == [])
    }
  }

  @Test func rulesCatchWhatTheyShould() {
    #expect(AttributionRules.botnetArguments(in: "Finding(\n  botnet: \"Mirai\", x)").count == 1)
    #expect(AttributionRules.botnetArguments(in: "finding.botnet = \"Mirai\"").count == 1)
    #expect(AttributionRules.botnetArguments(in: "if finding.botnet == nil {}").isEmpty)
    #expect(AttributionRules.sentences(in: "summary: \"looks like Mirai\",", naming: ["Mirai"]).count == 1)
    let reference = "references: [\n  \"Understanding the Mirai Botnet, USENIX Security 2017\"\n],"
    #expect(AttributionRules.sentences(in: reference, naming: ["Mirai"]).isEmpty)
    #expect(AttributionRules.sentences(in: "/// Mirai does it", naming: ["Mirai"]).isEmpty)
  }
}

/// What says a family's name.
enum AttributionRules {
  /// Lines of code that give a finding a botnet.
  static func botnetArguments(in text: String) -> [Substring] {
    SwiftCode.only(text).lines.filter { line in
      line.contains("botnet: ") && !line.contains("let botnet") && !line.contains("var botnet")
        || line.contains(".botnet = ")
    }
  }

  /// Lines with a name in a text literal, but for those of a card's references.
  static func sentences(in text: String, naming families: Set<String>) -> [Substring] {
    var isReference = false
    return text.lines.filter { line in
      if line.contains("references: [") { isReference = true }
      defer { if isReference, line.contains("]") { isReference = false } }
      let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
      guard !isReference, let open = code.firstIndex(of: "\"") else { return false }
      return families.contains { code[open...].contains($0) }
    }
  }
}
