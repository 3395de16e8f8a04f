import Testing

@testable import Mothlight

@Suite struct FlatArrayTests {
  /// Through the heap, into a mapping of its own, and on in it.
  @Test func keepsItsEntriesWhileItGrows() {
    var array = FlatArray<UInt64>()
    for n in 0..<1_000_000 { array.append(UInt64(n) &* 0x9e37_79b9_7f4a_7c15) }
    #expect(array.count == 1_000_000)
    #expect(array.indices.allSatisfy { array[$0] == UInt64($0) &* 0x9e37_79b9_7f4a_7c15 })
  }

  /// A copy keeps what it had, whichever of the two is written to and however.
  @Test(arguments: [10, 500_000]) func copiesDoNotShareWhatIsWritten(count: Int) {
    var array = FlatArray<UInt64>(zeros: count)
    for i in array.indices { array[i] = UInt64(i) }
    let before = array
    var other = array
    array[1] = 100
    array.append(7)
    other.change { $0[2] = 200 }
    var third = other
    third.doubleWithZeros()
    #expect(before.count == count && before.indices.allSatisfy { before[$0] == UInt64($0) })
    #expect(array.count == count + 1 && array[1] == 100 && array[2] == 2 && array[count] == 7)
    #expect(other.count == count && other[1] == 1 && other[2] == 200)
    #expect(third.count == 2 * count && third[2] == 200 && third[count...].allSatisfy { $0 == 0 })
  }

  @Test func whatIsNewIsZero() {
    var array = FlatArray<UInt8>(zeros: 1)
    while array.count < 8 << 20 {
      let old = array.count
      array.doubleWithZeros()
      #expect(array[old...].allSatisfy { $0 == 0 })
      array.change { for i in $0.indices { $0[i] = 0xff } }
    }
    #expect(array.allSatisfy { $0 == 0xff })
  }
}
