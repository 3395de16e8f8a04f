import Testing

@testable import Mothlight

@Suite struct FingerprintTableTests {
  @Test func keepsWhatWasEnteredFirst() {
    var table = FingerprintTable(limit: 5000)
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
    var table = FingerprintTable(limit: 20_000)
    for n in 1...20_000 { _ = table.find(UInt64(n) << shift, orInsert: 0) }
    #expect(table.count == 20_000)
    #expect(table.longestSearch < 2000)
  }
}
