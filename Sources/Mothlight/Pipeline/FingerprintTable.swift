/// Set of 64-bit fingerprints, open addressing, bounded.
typealias FingerprintSet = FingerprintTable<NoValue>

/// A value that takes no room.
struct NoValue: BitwiseCopyable, Sendable, FingerprintValue {}

/// What stands beside a fingerprint; all its octets are zero in an empty slot.
protocol FingerprintValue: BitwiseCopyable, Sendable { init() }
extension UInt32: FingerprintValue {}

/// 64-bit fingerprints with a value each, open addressing, bounded.
///
/// Two keys that share a fingerprint are taken for one: at 4 M members the chance of any such pair is below 10⁻⁶.
/// - Complexity: O(1) expected, one cache line; 16 bytes a slot with a number, 8 without, at most half full.
struct FingerprintTable<Value: FingerprintValue>: Sendable {
  /// All zero when empty.
  private struct Slot: BitwiseCopyable {
    var key: UInt64 = 0
    var value = Value()
  }
  private var slots: FlatArray<Slot>
  private(set) var count = 0
  private let multiplier = multiplierOfRun
  /// 64 less the bits of a place.
  private var shift: UInt64
  let limit: Int
  /// Insertions refused because the table was full.
  private(set) var refused: UInt64 = 0

  init(limit: Int) {
    self.limit = limit
    slots = FlatArray(zeros: 1024)
    shift = 54
  }

  /// Where the search for a key begins: multiply-shift hashing (Dietzfelbinger et al. 1997, doi:10.1006/jagm.1997.0873).
  @inline(__always)
  private func start(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* multiplier) &>> shift) }

  /// The value of `fingerprint`, or `nil` after entering it with `value`; `nil` too, and counted, when full.
  @inline(__always)
  mutating func find(_ fingerprint: UInt64, orInsert value: Value) -> Value? {
    let key = fingerprint == 0 ? 1 : fingerprint
    let mask = slots.count &- 1
    var i = start(key)
    while true {
      let slot = slots[i]
      if slot.key == key { return slot.value }
      if slot.key == 0 { break }
      i = (i &+ 1) & mask
    }
    insert(key, value, at: i)
    return nil
  }

  /// Asks for the slot, so that the cache has it when `find` comes: the waits of a batch overlap, a chain of finds waits for each.
  @inline(__always)
  func prefetch(_ fingerprint: UInt64) {
    slots.prefetch(start(fingerprint))
  }

  /// The value of `fingerprint`, if it is there.
  @inline(__always)
  func peek(_ fingerprint: UInt64) -> Value? {
    let key = fingerprint == 0 ? 1 : fingerprint
    let mask = slots.count &- 1
    var i = start(key)
    while slots[i].key != 0 {
      if slots[i].key == key { return slots[i].value }
      i = (i &+ 1) & mask
    }
    return nil
  }

  /// Slots passed on the longest way to a member.
  var longestSearch: Int {
    slots.indices.lazy.filter { self.slots[$0].key != 0 }.map {
      ($0 - self.start(self.slots[$0].key)) & (self.slots.count - 1)
    }
    .max() ?? 0
  }

  private mutating func insert(_ key: UInt64, _ value: Value, at i: Int) {
    guard count < limit else {
      refused &+= 1
      return
    }
    slots[i] = Slot(key: key, value: value)
    count += 1
    if count * 2 > slots.count { grow() }
  }

  /// Twice the room in the same memory: a key's place is the upper bits of its hash, so it moves to about twice the number, and
  /// whoever goes first from the end finds room there.
  private mutating func grow() {
    let old = slots.count
    slots.doubleWithZeros()
    shift -= 1
    let table = (multiplier: multiplier, shift: shift)
    slots.change { slots in
      // Those that would lie before slots still to be emptied: a search must not pass one of them.
      var late: [Slot] = []
      for j in stride(from: old - 1, through: 0, by: -1) where slots[j].key != 0 {
        let slot = slots[j]
        slots[j] = Slot()
        var i = Int(truncatingIfNeeded: (slot.key &* table.multiplier) &>> table.shift)
        if i < j {
          late.append(slot)
          continue
        }
        while i < slots.count, slots[i].key != 0 { i += 1 }
        if i < slots.count { slots[i] = slot } else { late.append(slot) }
      }
      let mask = slots.count &- 1
      for slot in late {
        var i = Int(truncatingIfNeeded: (slot.key &* table.multiplier) &>> table.shift)
        while slots[i].key != 0 { i = (i &+ 1) & mask }
        slots[i] = slot
      }
    }
  }
}

extension FingerprintSet {
  @inline(__always)
  func contains(_ fingerprint: UInt64) -> Bool { peek(fingerprint) != nil }

  /// Enters a fingerprint: whether it was missing, and there was room.
  @inline(__always) @discardableResult
  mutating func insert(_ fingerprint: UInt64) -> Bool {
    let before = count
    return find(fingerprint, orInsert: NoValue()) == nil && count > before
  }
}

/// Odd, and drawn anew by each run: whoever chooses the keys must not be able to line them up. It decides where a key lies and
/// nothing else.
private let multiplierOfRun = UInt64.random(in: .min ... .max) | 1

/// Mixes 64 bits so that every input bit reaches every output bit (Stafford's variant 13 of the MurmurHash3 finaliser).
@inline(__always) func mix64(_ value: UInt64) -> UInt64 {
  var x = value
  x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
  x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
  return x ^ (x >> 31)
}
