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

  @Test func whatIsHandedOutIsCounted() throws {
    let before = try #require(Heap.octets())
    let block = UnsafeMutableRawPointer.allocate(byteCount: 512 << 20, alignment: 8)
    let after = try #require(Heap.octets())
    block.deallocate()
    // Other tests allocate and free beside it, but not as much as this.
    #expect(after.used > before.used + (256 << 20))
  }
}
