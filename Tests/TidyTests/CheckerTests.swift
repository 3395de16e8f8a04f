import Foundation
import Mothlight
import Testing

/// A rule that cannot fail shows nothing: each is held against text that breaks it, and against text that only looks so.
@Suite struct CheckerTests {
  @Test func codeOnlyBlanksStringsAndComments() {
    let text = ##"""
      let a = "try! \(b as! C) \" // x" // as! D
      /* try! /* inner */ still */ let e = #"raw " try! \#(f) "#
      let g = """
        as! "quoted"
        """; let h = 1
      """##
    let code = SwiftCode.only(text)
    #expect(code.lines.count == text.lines.count)
    #expect(code.utf8.count == text.utf8.count)
    #expect(code.contains("b as! C"))
    #expect(!code.contains("try!"))
    #expect(!code.contains("as! D") && !code.contains("quoted"))
    #expect(code.contains("let e =") && code.contains(" f ") && code.contains("; let h = 1"))
  }

  private func function(_ head: String, lines: Int) -> String {
    "struct S {\n  \(head) {\n" + String(repeating: "    work()\n", count: lines - 2) + "  }\n}\n"
  }

  @Test(arguments: [
    "func f()", "public init?(_ x: Int)", "@inlinable static func f<T>(_ x: T) -> T", "subscript(i: Int) -> Int",
  ])
  func longFunctionIsFound(_ head: String) {
    #expect(SwiftRules.longFunctions(function(head, lines: 70)) == [])
    #expect(SwiftRules.longFunctions(function(head, lines: 71)) == ["line 2: 71 lines"])
  }

  @Test func signaturesOverSeveralLinesCount() {
    let text = "func f(\n  a: Int = { 1 }()\n)\n  throws -> Int\n{\n  1\n}\n"
    #expect(SwiftRules.longFunctions(text, most: 6) == ["line 1: 7 lines"])
    #expect(SwiftRules.longFunctions(text, most: 7) == [])
  }

  @Test func requirementsAndCallsAreNoFunctions() {
    let text =
      "protocol P {\n  func f() -> Int\n  init(a: Int)\n  var x: Int { get }\n}\nlet y = S.init(1)\nself.init(2)\n"
    #expect(SwiftRules.longFunctions(text, most: 0) == [])
    #expect(!SwiftRules.beginsFunction("    self.init(bytes)"))
    #expect(!SwiftRules.beginsFunction("    initialise(bytes)"))
  }

  @Test(arguments: [
    "let x = try! f()", "y = z as! Int", "  fatalError(\"no\")", "// TO" + "DO: later", "/* FIX" + "ME */",
  ])
  func trapIsFound(_ line: String) {
    #expect(SwiftRules.traps("let a = 1\n\(line)\n").count == 1)
  }

  @Test func trapsInWordsAreNone() {
    #expect(SwiftRules.traps("// never try! here\nlet a = \"as! fatalError(\"\nmyfatalError(1)\n") == [])
  }

  @Test(arguments: ["final class C: @unchecked Sendable {}", "nonisolated(unsafe) var x = 1"])
  func promiseWithoutAReasonIsFound(_ line: String) {
    #expect(SwiftRules.unexplainedPromises("let a = 1\n\(line)\n").count == 1)
    #expect(SwiftRules.unexplainedPromises("  // Written before any task starts.\n  \(line)\n") == [])
    #expect(SwiftRules.unexplainedPromises("\(line)  // read-only\n") == [])
    #expect(SwiftRules.unexplainedPromises("let text = \"\(line)\"\n") == [])
  }

  @Test func importsAreFound() {
    let text =
      "import Foundation\n@testable import Mothlight\nimport struct Crypto.SHA256\n// import NIO\npublic import Glibc\n"
    #expect(SwiftRules.imports(text) == ["Foundation", "Mothlight", "Crypto", "Glibc"])
  }

  @Test(arguments: [
    "import NIOCore", "import FoundationNetworking", "let s = socket(2, 1, 0)",
    "Glibc.connect(s, a, n)\nconnect(s, a, n)",
    "sendto(s, b, 1, 0, a, n)", "URLSession.shared",
  ])
  func networkUseIsFound(_ text: String) {
    #expect(!SwiftRules.networkUse("let a = 1\n\(text)\n").isEmpty)
  }

  @Test func ownFunctionsAndWordsAreNoNetworkUse() {
    #expect(SwiftRules.networkUse("func connect(_ host: Int) {}\nconnect(1)\n") == [])
    #expect(SwiftRules.networkUse("// socket(\nlet a = \"URLSession\"\nlet b = websocket(1)\n") == [])
  }

  @Test func undocumentedConstantIsFound() {
    #expect(SwiftRules.undocumentedConstants("  /// Why.\n  public static let a = 1\n") == [])
    #expect(
      SwiftRules.undocumentedConstants("  /// Why.\n  public static let a = 1\n  public static let b = 2\n").count == 1)
  }

  @Test func absolutePathIsFound() {
    for root in ["work", "tmp", "root"] {
      #expect(SwiftRules.absolutePaths("a\nopen(\"/\(root)/x\")\n") == ["line 2: /\(root)/"])
    }
    #expect(SwiftRules.absolutePaths("/" + "tmp/mothlight-test-XXXXXX") == [])
    #expect(SwiftRules.absolutePaths("/" + "tmp/mothlight-a /" + "tmp/b").count == 1)
    #expect(SwiftRules.absolutePaths("frame/" + "work/x https://example.org/" + "work.html") == [])
  }

  @Test func silentTableIsFound() {
    let bounds = "enum Bound {\n  static let rows = 1 << 16\n  static let few = 16\n  static let seconds = 3600.0\n}\n"
    let silent = "guard rows.count < Bound.rows else { return }\nif few.count < Bound.few { few.insert(1) }\n"
    #expect(BoundRules.silentTables([bounds, silent]) == ["line 1: rows without a count"])
    let counted = "guard rows.count < Bound.rows else {\n  refused &+= 1\n  return\n}\n"
    #expect(BoundRules.silentTables([bounds + counted]) == [])
    #expect(BoundRules.silentTables([bounds, "// rows.count < Bound.rows\nif n < Bound.rowsOfOne { }\n"]) == [])
    #expect(BoundRules.bounds("  private static let a: Int = 4_096\n").map(\.value) == [4096])
  }

  @Test func incompleteCardIsFound() {
    let card = DetectorCard(
      name: "x", title: "", family: .dns, reads: [],
      knobs: [.init("k", .infinity, unit: "", "word"), .init("k", 1, unit: "s", "two words")],
      references: [""], knownFalsePositives: [])
    #expect(
      CardRules.gaps(in: card) == [
        "no title", "does not say what it reads", "no reference", "no known false positive", "k: no unit",
        "k: no sentence",
        "k: no finite default", "two knobs of one name",
      ])
  }

  @Test func incompletePageIsFound() {
    let card = DetectorCard(
      name: "x", title: "X", family: .dns, reads: [.dns], knobs: [.init("some_knob", 1, unit: "s", "a knob")],
      references: ["r"], knownFalsePositives: ["f"])
    #expect(
      PageRules.gaps(in: "# y\nsome_knob", for: card) == [
        "knob `some_knob`", "title", "## Known false positives", "## References",
      ])
    #expect(
      PageRules.gaps(in: "# x\n`some_knob`\n\n## Known false positives\nf\n\n## References\nr\n", for: card) == [])
  }

  @Test func brokenLinksAreFound() {
    let page = "[a](one.md) ![b](../img/two.png) [c](https://example.org) [d](#here) [e](three.md#there)"
    #expect(PageRules.localLinks(in: page) == ["one.md", "../img/two.png", "three.md"])
    #expect(PageRules.resolve("../img/two.png", from: "docs/detectors") == "docs/img/two.png")
  }

  @Test func treeLeavesBuiltThingsOut() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "mothlight-tidy-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in [
      ("Sources/A/a.swift", "a"), (".build/b.swift", "b"), (".ci/run", "c"), ("demo/d.md", "d"), ("e.bin", "e\u{0}"),
      ("README.md", "f"),
    ] {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let tree = SourceTree(root: root.path(percentEncoded: false))
    #expect(tree.files.map(\.path) == [".ci/run", "README.md", "Sources/A/a.swift"])
    #expect(tree.swift(below: "Sources").map(\.folder) == ["Sources/A"])
    #expect(tree.folders(below: "Sources") == ["A"])
    #expect(tree.files[2].stem == "a" && tree.pages.count == 1)
  }
}
