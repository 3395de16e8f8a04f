import Testing

@testable import Mothlight

@Suite struct LinearPatternTests {
  private func matches(_ pattern: String, _ text: String) throws -> Bool {
    try LinearPattern(pattern).matches(text.utf8)
  }

  @Test(arguments: [
    ("^a+b$", ["ab", "aaab"], ["b", "abc", "xab", ""]),
    ("a.c", ["abc", "xxabcxx", "a\nc"], ["ac", ""]),
    ("^(?:ab|c)*$", ["", "ab", "cab", "abab"], ["a", "abx"]),
    ("^[a-c-]{2,3}$", ["a-", "cab"], ["a", "abcd", "ad"]),
    ("^[^/]+/$", ["x/"], ["/", "x//"]),
    ("^\\d{3}\\.\\w$", ["123.a", "000._"], ["12.a", "123xa", "123.-"]),
    ("x{0,2}y$", ["y", "xxxy"], ["x"]),
    ("^a{2,}$", ["aa", "aaaaa"], ["a", ""]),
    ("^(a|)b?$", ["", "a", "ab", "b"], ["ba"]),
    ("\\$$", ["5$"], ["5"]),
    ("^\\x41[\\x30-\\x39]", ["A7"], ["B7"]),
    ("^((a{2}){2}){2}$", ["aaaaaaaa"], ["aaaaaaa", "aaaaaaaaa"]),
  ])
  func decides(_ pattern: String, _ yes: [String], _ no: [String]) throws {
    for text in yes { #expect(try matches(pattern, text), "\(pattern) should match '\(text)'") }
    for text in no { #expect(try !matches(pattern, text), "\(pattern) should not match '\(text)'") }
  }

  @Test(arguments: [
    "", "^$", "(a", "a)", "[a", "[]", "a**", "a{2", "a{3,2}", "a{999}", "*a", "a|b$", "^a|b", "a^b", "a$b", "(?=a)",
    "(?i)a",
    "\\", "\\1", "\\b", "\\x4", "[b-a]", "a{0}", "(((((((((((((((((a)))))))))))))))))", "a{200}b{200}",
    "((((a{99}){99}){99}){99})", "(((((){255}){255}){255}){255})", "[[:alpha:]]", "a+?",
  ])
  func refuses(_ pattern: String) { #expect(throws: LinearPattern.Refusal.self) { try LinearPattern(pattern) } }

  /// Patterns that send a backtracking matcher into exponential time.
  @Test func isLinearOnHostileText() throws {
    let text = String(repeating: "a", count: 4096) + "!"
    for pattern in ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(a|aa)+$", "^(.*a){12}b$"] {
      #expect(try !matches(pattern, text))
    }
  }

  /// Held against a matcher that simply tries everything, on short random texts.
  @Test func agreesWithTheDefinition() throws {
    var random = WireFixture.Random(state: 3)
    let patterns = ["^(ab?)*c$", "^a*(b|ca)+$", "^(a|b){2,4}c?$", "^[ab]+c[^a]*$", "^(?:a(?:b|c)+)?c*$"]
    for source in patterns {
      let linear = try LinearPattern(source)
      let regex = try Regex(source)
      for _ in 0..<300 {
        let text = String(
          (0..<Int.random(in: 0...8, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
        #expect(linear.matches(text.utf8) == (text.firstMatch(of: regex) != nil), "\(source) on '\(text)'")
      }
    }
  }

  @Test func countsTheBitsThatItFixes() throws {
    #expect(try LinearPattern("^JOIN &virtu( .*)?$").leastBits == 88)
    #expect(try LinearPattern("^a*$").leastBits == 0)
    #expect(try LinearPattern("^(ab|c)[\\x00-\\x7f]$").leastBits == 9)
  }
}
