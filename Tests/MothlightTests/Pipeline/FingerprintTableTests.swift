import Testing

@testable import Mothlight

@Suite struct FingerprintTableTests {
  @Test func keepsWhatWasEnteredFirst() {
    var table = FingerprintTable<UInt32>(limit: 5000)
    for n in 0..<5000 { #expect(table.find(mix64(UInt64(n)), orInsert: UInt32(n)) == nil) }
    for n in 0..<5000 {
      #expect(table.find(mix64(UInt64(n)), orInsert: 0) == UInt32(n))
      #expect(table.peek(mix64(UInt64(n))) == UInt32(n))
    }
    #expect(table.peek(mix64(5000)) == nil && table.count == 5000)
    #expect(table.find(mix64(5000), orInsert: 1) == nil && table.count == 5000 && table.refused == 1)
  }

  /// Fingerprints can be computed backwards, so whoever chooses addresses chooses them.
  @Test(arguments: [0, 20, 43]) func chosenKeysDoNotLineUp(shift: UInt64) {
    var table = FingerprintTable<UInt32>(limit: 20_000)
    for n in 1...20_000 { _ = table.find(UInt64(n) << shift, orInsert: 0) }
    #expect(table.count == 20_000)
    #expect(table.longestSearch < 2000)
  }

  /// Growth moves every member within the same memory: none is lost, whether it lies where it belongs, after others or around the end.
  @Test(arguments: [1, 2, 3]) func membersOutliveGrowth(run: UInt64) {
    var table = FingerprintTable<UInt32>(limit: 1 << 20)
    var set = FingerprintSet(limit: 1 << 20)
    var held: [UInt64: UInt32] = [:]
    var size = 512
    for n in 0..<150_000 {
      // Some in clusters: whole numbers that follow each other.
      let key = n % 3 == 0 ? UInt64(n) : mix64(UInt64(n) ^ run << 40)
      #expect(table.find(key, orInsert: UInt32(n)) == held[key == 0 ? 1 : key])
      #expect(set.insert(key) == (held[key == 0 ? 1 : key] == nil))
      if held[key == 0 ? 1 : key] == nil { held[key == 0 ? 1 : key] = UInt32(n) }
      guard held.count == size + 1 else { continue }
      size *= 2
      #expect(held.allSatisfy { table.peek($0.key) == $0.value && set.contains($0.key) })
    }
    #expect(table.count == held.count && set.count == held.count)
    #expect(held.allSatisfy { table.peek($0.key) == $0.value && set.contains($0.key) })
    #expect((0..<10_000).allSatisfy { !set.contains(mix64(UInt64($0) ^ 77 << 40)) })
  }

  @Test func aFullSetTakesNoMore() {
    var set = FingerprintSet(limit: 3)
    #expect([1, 2, 2, 3, 4].map { set.insert($0) } == [true, true, false, true, false])
    #expect(set.count == 3 && set.refused == 1 && !set.contains(4))
  }
}
