import Testing

@testable import Mothlight

@Suite struct BotnetNameTests {
  @Test(arguments: [
    ("Hide 'N Seek", "hidenseek"), ("hide-n-seek", "hidenseek"), ("HideNSeek", "hidenseek"), ("3ve", "3ve"),
    ("Dark.IoT", "darkiot"), ("Café Bot", "cafebot"), ("Łódź", "lodz"), ("ботнет-1", "ботнет1"), ("--", "--"), ("", ""),
  ])
  func namesFold(_ text: String, _ folded: String) { #expect(BotnetName.folded(text) == folded) }

  @Test func foldingTwiceIsFoldingOnce() {
    for text in ["Hide 'N Seek", "Café Bot", "ÀÉÎÕÜ", "İstanbul", "--"] {
      #expect(BotnetName.folded(BotnetName.folded(text)) == BotnetName.folded(text))
    }
  }

  /// RFC 9562 version 5; equal for names that are one, and equal on every machine.
  @Test func idsAreStable() {
    let id = BotnetName.id(of: "Hide 'N Seek")
    #expect(id == BotnetName.id(of: "HIDENSEEK"))
    #expect(id != BotnetName.id(of: "HIDENSEEL"))
    #expect(BotnetName.uuid(id) == id)
    #expect(Array(id)[14] == "5")
    #expect("89ab".contains(Array(id)[19]))
  }

  @Test func uuidsAreChecked() {
    #expect(BotnetName.uuid("A91732F4-164A-11E8-924A-FFD4097EB03F") == "a91732f4-164a-11e8-924a-ffd4097eb03f")
    for text in [
      "", "a91732f4164a11e8924affd4097eb03f", "g91732f4-164a-11e8-924a-ffd4097eb03f", "a91732f4-164a-11e8-924a",
    ] {
      #expect(BotnetName.uuid(text) == nil)
    }
  }
}

@Suite struct NameDistanceTests {
  /// The plain recursion, for comparison: distance to every prefix, the least of them.
  private func plain(_ query: [UInt8], _ name: [UInt8]) -> Int {
    (0...name.count).map { length in
      let text = Array(name.prefix(length))
      var d = Array(repeating: Array(repeating: 0, count: text.count + 1), count: query.count + 1)
      for i in 0...query.count { d[i][0] = i }
      for j in 0...text.count { d[0][j] = j }
      for i in stride(from: 1, through: query.count, by: 1) {
        for j in stride(from: 1, through: text.count, by: 1) {
          let cost = query[i - 1] == text[j - 1] ? 0 : 1
          d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost)
          if i > 1, j > 1, query[i - 1] == text[j - 2], query[i - 2] == text[j - 1] {
            d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
          }
        }
      }
      return d[query.count][text.count]
    }.min() ?? query.count
  }

  @Test func agreesWithThePlainRecursion() {
    var state: UInt64 = 7
    func next(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33 % below
    }
    for _ in 0..<2000 {
      let query = (0..<(1 + next(10))).map { _ in UInt8(97 + next(3)) }
      let name = (0..<next(14)).map { _ in UInt8(97 + next(3)) }
      var distance = NameDistance(String(decoding: query, as: UTF8.self))
      let found = distance.toPrefix(of: String(decoding: name, as: UTF8.self))
      let expected = plain(query, name)
      #expect(found == (expected <= distance.most ? expected : nil), "\(query) \(name)")
    }
  }

  @Test func errorsAllowedGrowWithTheLength() {
    #expect(["abc", "abcd", "abcdefg", "abcdefgh"].map { NameDistance($0).most } == [0, 1, 1, 2])
  }
}
