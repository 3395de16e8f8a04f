import Testing

/// Each threat of docs/threat-model.md names tests that show its answer; a test that was renamed or removed shows nothing.
@Suite struct ThreatModelTests {
  @Test func namedTestsExist() throws {
    let tree = SourceTree.project
    let page = try #require(tree.text("docs/threat-model.md"))
    let named = ThreatModelRules.tests(in: page)
    #expect(named.count > 40)
    let sources = tree.swift(below: "Tests").map(\.text)
    #expect(ThreatModelRules.missing(named, from: sources) == [])
  }

  @Test func everyThreatHasATest() throws {
    let page = try #require(SourceTree.project.text("docs/threat-model.md"))
    let threats = ThreatModelRules.threats(in: page)
    #expect(threats.count > 25)
    #expect(threats.filter { ThreatModelRules.tests(in: $0).isEmpty }.map { $0.prefix(60) } == [])
  }

  @Test func rulesCatchWhatTheyShould() {
    let page = "| T1 | a | b | `ASuite.aTest`, `ASuite.other` |\n| T2 | c | `code` | none |\n| x | y |\n"
    #expect(ThreatModelRules.tests(in: page) == ["ASuite.aTest", "ASuite.other"])
    #expect(ThreatModelRules.threats(in: page).count == 2)
    let source = "@Suite struct ASuite {\n  @Test(arguments: [1])\n  func aTest(_ n: Int) {}\n  func other() {}\n}\n"
    #expect(
      ThreatModelRules.missing(["ASuite.aTest", "ASuite.gone", "BSuite.aTest"], from: [source]) == [
        "ASuite.gone", "BSuite.aTest",
      ])
  }
}

enum ThreatModelRules {
  /// Rows of the tables of threats: their first cell is T and a number.
  static func threats(in page: String) -> [String] {
    page.lines.filter { line in
      line.hasPrefix("| T") && line.dropFirst(3).first?.isNumber == true
    }.map(String.init)
  }

  /// `Suite.test` between backticks, where the suite's name ends in `Tests` or `Suite`.
  static func tests(in page: String) -> [String] {
    page.split(separator: "`").filter { word in
      let parts = word.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 2 && (parts[0].hasSuffix("Tests") || parts[0].hasSuffix("Suite"))
        && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber } }
    }.map(String.init)
  }

  /// Those whose suite and function stand in no one file.
  static func missing(_ tests: [String], from sources: [String]) -> [String] {
    tests.filter { test in
      let parts = test.split(separator: ".")
      return !sources.contains { $0.contains("struct \(parts[0]) ") && $0.contains("func \(parts[1])(") }
    }
  }
}
