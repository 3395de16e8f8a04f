import Testing

@testable import Mothlight

/// The page on the signature language says what the program accepts.
@Suite struct SignaturePageTests {
  private let page = SourceTree.project.text("docs/signatures.md") ?? ""

  @Test func exampleIsAccepted() throws {
    let block = try #require(page.firstRange(of: "```yaml\n"))
    let rest = page[block.upperBound...]
    let end = try #require(rest.firstRange(of: "```"))
    let file = try SignatureFile(bytes: Array(rest[..<end.lowerBound].utf8), path: "docs/signatures.md")
    #expect(file.failures == [])
    #expect(!file.entries.isEmpty)
  }

  @Test func everyWordIsExplained() {
    let words =
      Signature.Evidence.allCases.map(\.rawValue) + Signature.Confidence.allCases.map(\.rawValue)
      + Signature.Direction.allCases.map(\.rawValue) + Signature.Reply.allCases.map(\.rawValue)
      + Signature.PersonalData.allCases.map(\.rawValue) + SignatureFile.Mode.allCases.map(\.rawValue)
      + RequestShape.ValueTest.allCases.map(\.rawValue)
    #expect(PageRules.missing(words, in: page) == [])
  }

  /// The words that the reader names when it meets a stranger are the language.
  @Test(arguments: [
    "signatures: [{id: x, transport: tcp, evidence: weak, confidence: published, family: x, source: x, match: {bytes: [{at: 0, hex: 61}]}, tests: {match: [{hex: 61}], no_match: [{hex: 62}]}, stranger: x}]",
    "signatures: [{id: x, transport: tcp, evidence: weak, confidence: published, family: x, source: x, match: {stranger: x}, tests: x}]",
    "signatures: [{id: x, transport: tcp, evidence: weak, confidence: published, family: x, source: x, match: {http: {method: GET, stranger: x}}, tests: x}]",
    "stranger: x\nsignatures: [x]",
  ])
  func everyKeyIsExplained(_ rest: String) throws {
    let text = "format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-03\n" + rest + "\n"
    let message: String
    do {
      _ = try SignatureFile(bytes: Array(text.utf8), path: "x")
      message = ""
    } catch { message = error.message }
    let start = try #require(message.firstRange(of: "it knows: "), "\(message)")
    let keys = message[start.upperBound...].split(separator: ",").map { String($0.drop { $0 == " " }) }
    #expect(PageRules.missing(keys, in: page) == [])
  }

  @Test func everyFamilyIsListed() throws {
    let families = Set(try SignatureFile.readBuiltin().signatures.map(\.family))
    #expect(families.filter { !page.contains($0) } == [])
  }

  /// The table of published shapes names every row but those from memory that no reference lists, and no other.
  @Test func everyRowIsInTheTable() throws {
    let ids = Set(try SignatureFile.readBuiltin().signatures.map(\.id))
    let start = try #require(page.firstRange(of: "### The published shapes, row by row"))
    let end = try #require(page.firstRange(of: "### Not covered, because"))
    let words = page[start.upperBound..<end.lowerBound].split(separator: "`").map(String.init)
    let named = Set(words.filter { $0.contains("-") && $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
    #expect(named.subtracting(ids) == [])
    #expect(ids.subtracting(named) == ["remcos-plain-hello"])
  }
}
