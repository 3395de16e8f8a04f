import Glibc

/// Sources by address and botnet: open addressing over fixed memory, 32 octets an IPv4 source.
///
/// All botnets of one source are hashed to one place, so that a look-up passes them by: who turns up in many of them is
/// told without a second table. Linear probing with backward-shift deletion, as in `FlowTable`.
/// - Complexity: O(1) expected up to the limit of 7/8 of the slots; 32 octets a slot (40 for IPv6).
final class SourceTable<Key: SourceKey> {
  typealias Entry = SourceEntry<Key>

  private let memory: TallyMemory
  private let entries: UnsafeMutablePointer<Entry>
  let slots: Int
  private let mask: Int
  private let seed: UInt64
  private(set) var count = 0
  /// Sources that found no room.
  private(set) var refused: UInt64 = 0
  /// Botnets of one source beyond `botnetsMost`.
  private(set) var refusedBotnets: UInt64 = 0

  /// Botnets kept apart of one source: a longer run in the table would slow its neighbours down.
  static var botnetsMost: Int { 16 }

  /// - Parameters:
  ///   - sources: slots wanted, rounded up to a power of two.
  ///   - offset: octets in front that the caller keeps for itself.
  init(sources: Int, memory: TallyMemory, offset: Int, seed: UInt64) {
    slots = Self.slots(for: sources)
    mask = slots &- 1
    self.memory = memory
    self.seed = seed
    entries = (memory.base + offset).bindMemory(to: Entry.self, capacity: slots)
    // Not trusted when it comes from a file: an interrupted deletion leaves an entry twice.
    if memory.isReopened { recount() }
  }

  static func slots(for sources: Int) -> Int {
    var slots = 1024
    while slots < sources, slots < 1 << 30 { slots *= 2 }
    return slots
  }

  static func octets(for sources: Int) -> Int { slots(for: sources) * MemoryLayout<Entry>.stride }

  var limit: Int { slots / 8 * 7 }

  private func recount() {
    for i in 0..<slots where entries[i].record.isUsed { count += 1 }
    var i = 0
    while i < slots {
      let entry = entries[i]
      if entry.record.isUsed, find(entry.key, entry.record.botnet) != i {
        remove(i)
      } else {
        i += 1
      }
    }
  }

  @inline(__always)
  func slot(of key: Key) -> Int {
    var x = (UInt64(key) ^ seed) &* 0xd6e8_feb8_6659_fd93
    x ^= x >> 32
    x = x &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: x >> 24) & mask
  }

  /// Asks for the slot, so that the cache has it when `find` comes.
  @inline(__always) func prefetch(_ key: Key) { Prefetch.value(entries + slot(of: key)) }

  @inline(__always)
  func find(_ key: Key, _ botnet: UInt16) -> Int? {
    var i = slot(of: key)
    while entries[i].record.isUsed {
      if entries[i].key == key, entries[i].record.botnet == botnet { return i }
      i = (i &+ 1) & mask
    }
    return nil
  }

  /// The entry's place, made when it is not there; `nil` when there is no room.
  @inline(__always)
  func findOrInsert(_ key: Key, _ botnet: UInt16) -> (index: Int, isNew: Bool)? {
    var i = slot(of: key)
    var botnets = 0
    while entries[i].record.isUsed {
      if entries[i].key == key {
        if entries[i].record.botnet == botnet { return (i, false) }
        botnets &+= 1
      }
      i = (i &+ 1) & mask
    }
    guard count < limit else {
      refused &+= 1
      return nil
    }
    guard botnets < Self.botnetsMost else {
      refusedBotnets &+= 1
      return nil
    }
    var record = SourceRecord()
    record.botnet = botnet
    // The key goes first: a process that ends between the two leaves an empty slot.
    entries[i].key = key
    record.isUsed = true
    entries[i].record = record
    count &+= 1
    return (i, true)
  }

  @inline(__always)
  func record(_ index: Int) -> UnsafeMutablePointer<SourceRecord> {
    UnsafeMutableRawPointer(entries + index).advanced(by: MemoryLayout<Key>.stride)
      .assumingMemoryBound(to: SourceRecord.self)
  }

  func key(_ index: Int) -> Key { entries[index].key }

  /// Calls `body` with every entry of one source.
  func forEach(of key: Key, _ body: (UnsafeMutablePointer<SourceRecord>) -> Void) {
    var i = slot(of: key)
    while entries[i].record.isUsed {
      if entries[i].key == key { body(record(i)) }
      i = (i &+ 1) & mask
    }
  }

  /// Takes an entry out and closes the gap; another one may stand at `index` then.
  func remove(_ index: Int) {
    var hole = index
    var j = index
    while true {
      j = (j &+ 1) & mask
      guard entries[j].record.isUsed else { break }
      let ideal = slot(of: entries[j].key)
      if (j &- ideal) & mask >= (j &- hole) & mask {
        entries[hole] = entries[j]
        hole = j
      }
    }
    entries[hole].record.isUsed = false
    entries[hole].record = SourceRecord()
    count &-= 1
  }

  func isUsed(_ index: Int) -> Bool { entries[index].record.isUsed }
}
