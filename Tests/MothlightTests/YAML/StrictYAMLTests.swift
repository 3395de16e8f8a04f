import Testing

@testable import Mothlight

@Suite struct StrictYAMLTests {
  private func read(_ text: String) throws -> YAMLNode { try StrictYAML.read(Array(text.utf8)) }

  private func plain(_ node: YAMLNode) -> String {
    switch node.value {
    case .text(let text): "\"\(text)\""
    case .nothing: "-"
    case .list(let items): "[" + items.map(plain).joined(separator: ",") + "]"
    case .map(let entries): "{" + entries.map { "\($0.key):\(plain($0.node))" }.joined(separator: ",") + "}"
    }
  }

  @Test(arguments: [
    ("a: 1\nb: two words # remark\nc:\n", #"{a:"1",b:"two words",c:-}"#),
    (
      "---\na:\n  b:\n    - x\n    - y: 1\n      z: 2\n  c: [p, \"q, r\", {s: t}]\n",
      #"{a:{b:["x",{y:"1",z:"2"}],c:["p","q, r",{s:"t"}]}}"#
    ),
    ("list:\n- a\n- b\n", #"{list:["a","b"]}"#),
    ("- [a,\n   b] # c\n- {k: v,\n   l: w}\n", #"[["a","b"],{k:"v",l:"w"}]"#),
    ("a: 'it''s'\r\nb: \"\\x41\\t\\\\\\\"\"\r\n", "{a:\"it's\",b:\"A\t\\\"\"}"),
    ("a: http://h/x#y\nb: -1\n", #"{a:"http://h/x#y",b:"-1"}"#),
    ("a:\n  # remark\n\n  b: 1\n", #"{a:{b:"1"}}"#),
    ("\"odd key\": 1\n", #"{odd key:"1"}"#),
  ])
  func readsPlainYAML(_ text: String, _ expected: String) throws { #expect(plain(try read(text)) == expected) }

  @Test(arguments: [
    ("", 1, "empty"), ("# nothing\n", 1, "empty"), ("a: 1\na: 2\n", 2, "twice"), ("a: 1\n\tb: 2\n", 2, "tab"),
    ("a: &x 1\n", 1, "anchor"), ("a: 1\nb: *x\n", 2, "alias"), ("a: !!int 1\n", 1, "tag"),
    ("a: |\n  x\n", 1, "several"),
    ("a: 1\n  b: 2\n", 2, "indented"), ("a: [1, 2\n", 2, "does not end"), ("a: {b: 1\n", 2, "does not end"),
    ("a: \"x\n", 1, "quote"), ("a: \"\\q\"\n", 1, "escape"), ("a: \"\\xff\"\n", 1, "beyond"),
    ("a: b: c\n", 1, "quote the text"), ("a: 'x' y\n", 1, "after a value"), ("a: 1\n---\nb: 2\n", 2, "key"),
    ("? a\n: b\n", 1, ""), ("%YAML 1.2\n", 1, ""), ("a: [x?y]\n", 1, "quote the text"),
    ("a: - b\n", 1, "quote the text"),
    ("a: 1\n b: 1\n", 2, "indented"), ("- a\n  - b\n", 2, ""), ("*a: 1\n", 1, ""), ("a: x\u{1}y\n", 1, "control"),
  ])
  func refusesTheRest(_ text: String, _ line: Int, _ word: String) {
    #expect {
      try read(text)
    } throws: { error in
      guard let problem = error as? YAMLNode.Problem else { return false }
      return problem.line == line && problem.message.contains(word)
    }
  }

  @Test func isNotDrownedByNestingSizeOrKeys() {
    let deepFlow = "a: " + String(repeating: "[", count: 100_000)
    let deepMap = (0..<2000).map { String(repeating: " ", count: $0) + "k:\n" }.joined()
    let deepList = String(repeating: "- ", count: 100_000) + "x\n"
    let keys = (0..<5000).map { "k\($0): 1\n" }.joined()
    let items = "a: [" + String(repeating: "x,", count: 100_000) + "]\n"
    let long = "a: " + String(repeating: "x", count: 100_000) + "\n"
    let big = String(repeating: "# remark\n", count: 200_000)
    for text in [deepFlow, deepMap, deepList, keys, items, long, big] {
      #expect(throws: YAMLNode.Problem.self) { try read(text) }
    }
    #expect(throws: YAMLNode.Problem.self) { try StrictYAML.read([0x61, 0x3a, 0x20, 0xff, 0x0a]) }
  }

  /// A billion laughs: refused at the first anchor, so that nothing is ever expanded.
  @Test func aliasesAreRefusedBeforeTheyCost() {
    var text = "a0: &a0 [x, x]\n"
    for n in 1..<60 { text += "a\(n): &a\(n) [*a\(n - 1), *a\(n - 1)]\n" }
    #expect(throws: YAMLNode.Problem(1, "'&' begins an anchor, which is not allowed here; quote the text")) {
      try read(text)
    }
  }

  @Test func damagedFilesNeverTrap() {
    let whole = SignatureFile.builtinText
    var random = WireFixture.Random(state: 11)
    for round in 0..<60 {
      var bytes = round % 3 == 0 ? Array(whole.prefix(Int.random(in: 0...whole.count, using: &random))) : whole
      for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...127, using: &random)
        case 1: bytes.remove(at: at)
        default: bytes.insert(Array("{}[]:#&*!-'\" \n?".utf8).randomElement(using: &random) ?? 0x20, at: at)
        }
      }
      _ = try? SignatureFile(bytes: bytes, path: "x")
    }
    for _ in 0..<5000 {
      let alphabet = Array("ab: -[]{},'\"#\n\\?&*!x0 ".utf8)
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0x20
      }
      _ = try? StrictYAML.read(bytes)
    }
  }
}
