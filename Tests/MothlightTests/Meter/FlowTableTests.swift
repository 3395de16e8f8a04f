import Testing

@testable import Mothlight

@Suite struct FlowTableTests {
  private func entry(_ n: Int) -> FlowEntry {
    var e = FlowEntry()
    e.low = IPAddress(v4: UInt32(n))
    e.high = IPAddress(v4: UInt32(n) &+ 0x0100_0000)
    e.lowPort = UInt16(truncatingIfNeeded: n)
    e.transport = .udp
    e.flags = [.live]
    e.record = UInt64(n)
    return e
  }

  private func key(_ e: FlowEntry, _ table: borrowing FlowTable) -> Meter.Key {
    Meter.Key(
      low: e.low, high: e.high, lowPort: e.lowPort, highPort: e.highPort, transport: e.transport, isLow: true,
      tag: table.hash(e.low, e.high, e.lowPort, e.highPort, e.transport))
  }

  /// Random insertions and removals agree with a dictionary, through several growths.
  @Test(arguments: [UInt64(1), 2, 3])
  func behavesAsADictionary(seed: UInt64) {
    var random = SeededGenerator(seed)
    var table = FlowTable(limit: 50_000)
    var model: [Int: Int] = [:]
    for _ in 0..<60_000 {
      let n = Int(random.next() % 20_000)
      let e = entry(n)
      let place = key(e, table)
      let found = table.find(place)
      #expect((found != nil) == (model[n] != nil))
      if let found {
        #expect(table.entries[found].record == UInt64(n))
        if random.next() % 2 == 0 {
          table.remove(found)
          model[n] = nil
        }
      } else {
        model[n] = table.insert(place.tag, e)
      }
    }
    #expect(table.count == model.count)
    for (n, index) in model {
      let e = entry(n)
      let found = table.find(key(e, table))
      #expect(found == index)
    }
  }

  /// The meter reaches the two sides as neighbours at the front of an entry.
  @Test func sidesLieWhereTheMeterLooks() {
    #expect(MemoryLayout<FlowEntry>.offset(of: \.lowSide) == 0)
    #expect(MemoryLayout<FlowEntry>.offset(of: \.highSide) == MemoryLayout<FlowEntry.Side>.stride)
    #expect(MemoryLayout<FlowEntry>.stride <= 192)
  }
}
