import Testing

@testable import Mothlight

@Suite struct WordSearchTests {
  @Test func wordsAreFoundAnywhereInAnyCase() {
    let search = WordSearch(["bot/", "bot;", "zgrab", "scan"])
    #expect(search.finds(in: "Mozilla/5.0 zGrab/0.x"))
    #expect(search.finds(in: "SomeBot/2.1"))
    #expect(search.finds(in: "scan"))
    #expect(search.finds(in: "a portscan"))
    #expect(!search.finds(in: "robots") && !search.finds(in: "zgra") && !search.finds(in: ""))
    #expect(!WordSearch([]).finds(in: "anything"))
  }

  /// The library's own search says the same.
  @Test func itAgreesWithThePlainSearch() {
    let words = ["ab", "aab", "b;", "caa"]
    let search = WordSearch(words)
    var random = RandomSource(seed: 4)
    for _ in 0..<2000 {
      let letters = Array("abcA;")
      let text = String(
        (0..<Int.random(in: 0...9, using: &random)).map { _ in letters[Int.random(in: 0..<5, using: &random)] })
      #expect(search.finds(in: text) == words.contains { text.lowercased().contains($0) })
    }
  }
}
