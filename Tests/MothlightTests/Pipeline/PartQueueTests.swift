import Synchronization
import Testing

@testable import Mothlight

@Suite struct PartQueueTests {
  /// Gives and takes at uneven speed.
  @Test(arguments: [1, 2, 3, 8]) func partsComeOnceAndInOrder(most: Int) async {
    for seed in 0..<10 as Range<UInt64> {
      let queue = PartQueue<Int>(most: most)
      let given = Atomic(0)
      let taking = Task { () -> (parts: [Int], waited: Int) in
        var lottery = Lottery(seed)
        var parts: [Int] = []
        var waited = 0
        while let part = await queue.next() {
          parts.append(part)
          waited = max(waited, given.load(ordering: .acquiring) - parts.count)
          if Int.random(in: 0..<4, using: &lottery) == 0 { await Task.yield() }
        }
        return (parts, waited)
      }
      var lottery = Lottery(seed &+ 99)
      for part in 0..<2000 {
        await queue.put(part)
        given.wrappingAdd(1, ordering: .releasing)
        if Int.random(in: 0..<6, using: &lottery) == 0 { await Task.yield() }
      }
      queue.finish()
      let (parts, waited) = await taking.value
      #expect(parts == Array(0..<2000))
      #expect(waited <= most)
    }
  }

  @Test func theGiverWaitsUntilThereIsRoom() async {
    let queue = PartQueue<Int>(most: 4)
    let given = Atomic(0)
    let giving = Task {
      for part in 0..<100 {
        await queue.put(part)
        given.wrappingAdd(1, ordering: .releasing)
      }
      queue.finish()
    }
    for _ in 0..<200 where given.load(ordering: .acquiring) < 3 { await Task.yield() }
    for _ in 0..<50 { await Task.yield() }
    #expect(given.load(ordering: .acquiring) <= 3, "the fourth waits")
    var taken = 0
    while await queue.next() != nil { taken += 1 }
    await giving.value
    #expect(taken == 100)
  }

  @Test func whoTakesFromAFinishedQueueIsToldSo() async {
    let queue = PartQueue<Int>(most: 4)
    await queue.put(1)
    queue.finish()
    #expect(await queue.next() == 1)
    #expect(await queue.next() == nil)
    let waiting = PartQueue<Int>(most: 4)
    let taking = Task { await waiting.next() }
    for _ in 0..<20 { await Task.yield() }
    waiting.finish()
    #expect(await taking.value == nil)
  }
}
