import Testing

@testable import MothlightStation

@Suite("Settings of the heap")
struct HeapTests {
  @Test("They take hold with glibc, and are not compiled away")
  func theyTakeHold() {
    #expect(Heap.keepFreedBlocks())
    #expect(Heap.giveBackFreedBlocks())
    #expect(Heap.giveBackHoles())
  }
}
