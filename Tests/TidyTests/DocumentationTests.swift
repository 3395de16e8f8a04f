import Mothlight
import Testing

/// Pages say what the program says: every name that it can print is explained somewhere.
@Suite struct DocumentationTests {
  private let tree = SourceTree.project

  @Test(arguments: DetectorRoster.cards)
  func detectorHasAPage(_ card: DetectorCard) throws {
    let page = try #require(tree.text("docs/detectors/\(card.name).md"), "docs/detectors/\(card.name).md is missing")
    #expect(PageRules.gaps(in: page, for: card) == [])
  }

  @Test func everyPageHasADetector() {
    let names = Set(DetectorRoster.cards.map { $0.name + ".md" })
    let pages = tree.pages.filter { $0.folder == "docs/detectors" }
    #expect(pages.filter { !names.contains($0.name) }.map(\.path) == [])
  }

  @Test func wordsOfTheOutputAreInTheDictionary() throws {
    let dictionary = try #require(tree.text("docs/data-dictionary.md"))
    let words = Anomalies.names + Verdict.allCases.map(\.rawValue) + EvidenceFamily.allCases.map(\.rawValue)
    #expect(PageRules.missing(words, in: dictionary) == [])
  }

  @Test func verdictsAndFamiliesAreExplained() throws {
    let page = try #require(tree.text("docs/verdicts.md"))
    let words = Verdict.allCases.map(\.rawValue) + EvidenceFamily.allCases.map(\.rawValue)
    #expect(PageRules.missing(words, in: page) == [])
  }

  @Test func outputFormatsAreNamed() throws {
    let readme = try #require(tree.text("README.md"))
    #expect(PageRules.missing(ExporterRoster.cards.map(\.name), in: readme) == [])
  }

  @Test func linksLeadSomewhere() {
    let broken = tree.pages.flatMap { page in
      PageRules.localLinks(in: page.text).filter { !tree.exists(PageRules.resolve($0, from: page.folder)) }
        .map { "\(page.path): \($0)" }
    }
    #expect(broken == [])
  }
}

/// What a page must tell.
enum PageRules {
  static func gaps(in page: String, for card: DetectorCard) -> [String] {
    var gaps = missing(card.knobs.map(\.name), in: page).map { "knob `\($0)`" }
    if !page.hasPrefix("# \(card.name)\n") { gaps.append("title") }
    for section in ["## Known false positives", "## References"] where !page.contains("\n\(section)\n") {
      gaps.append(section)
    }
    return gaps
  }

  /// Words that do not stand between backticks in `page`.
  static func missing(_ words: [String], in page: String) -> [String] { words.filter { !page.contains("`\($0)`") } }

  /// Targets of links and pictures that are no web addresses, without their anchors.
  static func localLinks(in page: String) -> [String] {
    page.split(separator: "](").dropFirst().compactMap { rest in
      guard let end = rest.firstIndex(of: ")") else { return nil }
      let target = rest[..<end].split(separator: "#", omittingEmptySubsequences: false)[0]
      return target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") ? nil : String(target)
    }
  }

  static func resolve(_ link: String, from folder: String) -> String {
    var parts = folder.split(separator: "/")
    for part in link.split(separator: "/") {
      if part == ".." {
        _ = parts.popLast()
      } else if part != "." {
        parts.append(part)
      }
    }
    return parts.joined(separator: "/")
  }
}
