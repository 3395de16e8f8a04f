/// Open-addressing table of open flows: 8-byte slots (32-bit tag, 32-bit index) over a pool of entries.
///
/// Linear probing with backward-shift deletion, so there are no tombstones and a long run does not slow down.
/// - Complexity: O(1) expected per look-up; 192 bytes a flow at most, pool and slots doubled on growth.
struct FlowTable: ~Copyable {
  private var slotMemory: TableMemory
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotMask: Int
  private let entryMemory: TableMemory
  private(set) var entries: UnsafeMutablePointer<FlowEntry>
  private var capacity: Int
  private(set) var used = 0
  private var free: [UInt32] = []
  private(set) var count = 0
  let limit: Int

  /// - Parameter limit: most flows held at a time; beyond it the caller evicts.
  init(limit: Int) {
    self.limit = limit
    capacity = min(limit, 1 << 12)
    var slotCount = 64
    while slotCount < capacity * 4 { slotCount *= 2 }
    slotMask = slotCount - 1
    entryMemory = TableMemory(octets: capacity * MemoryLayout<FlowEntry>.stride)
    entries = entryMemory.base.bindMemory(to: FlowEntry.self, capacity: capacity)
    slotMemory = TableMemory(octets: slotCount * MemoryLayout<UInt64>.stride)
    slots = slotMemory.base.bindMemory(to: UInt64.self, capacity: slotCount)
  }

  var isFull: Bool { count >= limit }

  /// New in each table, so that nobody can choose flows that share a slot. Nothing that is reported depends on it.
  private let seed = UInt64.random(in: .min ... .max)

  @inline(__always)
  func hash(_ low: IPAddress, _ high: IPAddress, _ lowPort: UInt16, _ highPort: UInt16, _ transport: Transport)
    -> UInt32
  {
    var x = seed ^ low.low ^ (low.high &* 0x9e37_79b9_7f4a_7c15)
    x = (x ^ (x >> 32)) &* 0xd6e8_feb8_6659_fd93
    x ^= high.low &* 0xbf58_476d_1ce4_e5b9 ^ (high.high &* 0x94d0_49bb_1331_11eb)
    x ^= UInt64(lowPort) << 40 | UInt64(highPort) << 16 | UInt64(transport.rawValue)
    x = (x ^ (x >> 29)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 32)) &* 0x94d0_49bb_1331_11eb
    return UInt32(truncatingIfNeeded: x >> 32)
  }

  /// Asks for the slot, so that the cache has it when `find` comes.
  @inline(__always) func prefetchSlot(_ tag: UInt32) { Prefetch.value(slots + (Int(tag) & slotMask)) }

  /// Asks for the entry that the slot seems to point to: reads the slot, so ask for that some time before.
  @inline(__always) func prefetchEntry(_ tag: UInt32) {
    if let entry = likelyEntry(tag) { Prefetch.value(entry) }
  }

  /// The entry that the slot seems to point to, which may be another's.
  @inline(__always) func likelyEntry(_ tag: UInt32) -> UnsafeMutablePointer<FlowEntry>? {
    let index = Int(UInt32(truncatingIfNeeded: slots[Int(tag) & slotMask])) &- 1
    return index >= 0 ? entries + index : nil
  }

  @inline(__always)
  func find(_ key: Meter.Key) -> Int? {
    var i = Int(key.tag) & slotMask
    while true {
      let slot = slots[i]
      if slot == 0 { return nil }
      if UInt32(truncatingIfNeeded: slot >> 32) == key.tag {
        let index = Int(UInt32(truncatingIfNeeded: slot)) &- 1
        let e = entries + index
        if e.pointee.low == key.low, e.pointee.high == key.high, e.pointee.lowPort == key.lowPort,
          e.pointee.highPort == key.highPort, e.pointee.transport == key.transport
        {
          return index
        }
      }
      i = (i &+ 1) & slotMask
    }
  }

  /// Adds an entry whose key is not in the table. The caller has made room (`isFull` is false).
  mutating func insert(_ tag: UInt32, _ entry: FlowEntry) -> Int {
    if count >= capacity { grow() }
    let index: Int
    if let reused = free.popLast() {
      index = Int(reused)
    } else {
      index = used
      used += 1
    }
    (entries + index).initialize(to: entry)
    entries[index].tag = tag
    place(tag, UInt32(truncatingIfNeeded: index &+ 1))
    count += 1
    return index
  }

  private func place(_ tag: UInt32, _ indexPlusOne: UInt32) {
    var i = Int(tag) & slotMask
    while slots[i] != 0 { i = (i &+ 1) & slotMask }
    slots[i] = UInt64(tag) << 32 | UInt64(indexPlusOne)
  }

  mutating func remove(_ index: Int) {
    let tag = entries[index].tag
    let wanted = UInt64(tag) << 32 | UInt64(UInt32(truncatingIfNeeded: index &+ 1))
    var i = Int(tag) & slotMask
    while slots[i] != wanted {
      if slots[i] == 0 { return }
      i = (i &+ 1) & slotMask
    }
    var hole = i
    var j = i
    while true {
      j = (j &+ 1) & slotMask
      let slot = slots[j]
      if slot == 0 { break }
      let ideal = Int(UInt32(truncatingIfNeeded: slot >> 32)) & slotMask
      if (j &- ideal) & slotMask >= (j &- hole) & slotMask {
        slots[hole] = slot
        hole = j
      }
    }
    slots[hole] = 0
    entries[index].flags = []
    free.append(UInt32(truncatingIfNeeded: index))
    count -= 1
  }

  private mutating func grow() {
    let newCapacity = min(limit, capacity * 2)
    entryMemory.grow(to: newCapacity * MemoryLayout<FlowEntry>.stride)
    entries = entryMemory.base.bindMemory(to: FlowEntry.self, capacity: newCapacity)
    capacity = newCapacity
    let (oldMemory, oldSlots, oldCount) = (slotMemory, slots, slotMask + 1)
    var slotCount = 64
    while slotCount < newCapacity * 2 { slotCount *= 2 }
    slotMask = slotCount - 1
    slotMemory = TableMemory(octets: slotCount * MemoryLayout<UInt64>.stride)
    slots = slotMemory.base.bindMemory(to: UInt64.self, capacity: slotCount)
    for i in 0..<oldCount where oldSlots[i] != 0 {
      place(UInt32(truncatingIfNeeded: oldSlots[i] >> 32), UInt32(truncatingIfNeeded: oldSlots[i]))
    }
    withExtendedLifetime(oldMemory) {}
  }
}
