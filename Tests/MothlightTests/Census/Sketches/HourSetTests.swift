import Testing

@testable import Mothlight

@Suite struct HourSetTests {
  /// Everything that the bits answer, beside a plain set.
  @Test(arguments: 0..<40)
  func agreesWithASet(_ seed: UInt64) {
    var random = RandomSource(seed: seed)
    let span = [3, 60, 70, 200, 800][random.int(below: 5)]
    let first = 490_000 + random.int(below: 200)
    let hours = (0..<random.int(1, 80)).map { _ in UInt32(first + random.int(below: span)) }
    let plain = Set(hours)
    let set = HourSet(hours)
    #expect(Array(set) == plain.sorted())
    #expect(set.count == plain.count && set.first == plain.min() && set.last == plain.max() && !set.isEmpty)
    for hour in UInt32(first - 70)..<UInt32(first + span + 70) { #expect(set.contains(hour) == plain.contains(hour)) }
    for lag in [0, 1, 2, 24, 63, 64, 65, 168, 10_000] {
      let both = plain.filter { plain.contains($0 + UInt32(lag)) }
      #expect(set.pairs(lag: lag) == both.count)
      #expect(set.triples(lag: lag) == both.filter { plain.contains($0 + 2 * UInt32(lag)) }.count)
    }
    #expect(set.runs == plain.filter { !plain.contains($0 - 1) }.count)
    let window = UInt32(first + span / 3)...UInt32(first + span / 2)
    #expect(Set(set.clamped(to: window)) == plain.filter { window.contains($0) })
  }

  @Test(arguments: 0..<40)
  func unionsAreOfOneForm(_ seed: UInt64) {
    var random = RandomSource(seed: seed, stream: 9)
    func some() -> [UInt32] {
      let first = 490_000 + random.int(below: 300)
      return (0..<random.int(below: 30)).map { _ in UInt32(first + random.int(below: 300)) }
    }
    let (a, b) = (some(), some())
    let union = HourSet(a).union(HourSet(b))
    #expect(union == HourSet(a + b) && union == HourSet(b).union(HourSet(a)) && union == HourSet((b + a).reversed()))
    #expect(union.union(HourSet(a)) == union)
    #expect(HourSet(a).commonCount(HourSet(b)) == Set(a).intersection(b).count)
  }

  @Test func emptyAndEdges() {
    let none = HourSet()
    #expect(none.isEmpty && none.count == 0 && none.first == nil && none.last == nil && Array(none) == [])
    #expect(none.runs == 0 && none.pairs(lag: 1) == 0 && none.wordCount == 0)
    let last = HourSet([UInt32.max])
    #expect(Array(last) == [UInt32.max] && last.pairs(lag: 1) == 0 && last.pairs(lag: -1) == 0)
    #expect(Array(last.clamped(to: 0...UInt32.max)) == [UInt32.max])
  }

  /// A tag of one day takes no memory of its own; one that stays for 30 days takes 12 words at most.
  @Test func sizeFollowsTheSpan() {
    #expect(HourSet(490_048..<490_072).wordCount == 1)
    #expect(HourSet(490_000..<490_720).wordCount <= 13)
  }

  @Test func damagedFormsAreRefused() {
    #expect(HourSet(base: 7, words: [0, 1]) == nil)
    #expect(HourSet(base: 7, words: [1, 0]) == nil)
    #expect(HourSet(base: 7, words: []) == nil)
    #expect(HourSet(base: 1 << 26, words: [1]) == nil)
    #expect(HourSet(base: (1 << 26) - 1, words: [1, 1]) == nil)
    #expect(HourSet(base: 7, words: [1, 0, 2]) == HourSet([448, 577]))
  }
}
