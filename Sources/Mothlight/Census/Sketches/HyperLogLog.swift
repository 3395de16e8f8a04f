/// Counts distinct hashes in bounded memory, with a relative standard error of 1.04/√m for m = 2^precision registers.
///
/// HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, AofA 2007, doi 10.46298/dmtcs.3545) with 8-bit registers over 64-bit hashes and the
/// estimator without tables of Ertl (2017, arXiv 1702.01284). While few registers are used they are kept as a sorted table; both forms
/// hold the same registers, so accuracy does not change. The content depends on the set of hashes alone: order, repetition and how it
/// was merged leave no trace, and equal sets are equal sketches.
///
/// | precision | error (1 σ) | dense octets | sparse up to |
/// |---|---|---|---|
/// | 10 | 3.25 % | 1,024 | 96 registers |
/// | 12 | 1.63 % | 4,096 | 384 registers |
/// | 14 | 0.81 % | 16,384 | 1,536 registers |
public struct HyperLogLog: Sendable, Hashable {
  public static let precisions = 4...18

  /// log2 of the number of registers.
  public let precision: UInt8
  /// log2 of the home slots of the sparse table.
  private var slotsLog: UInt8 = 0
  /// Registers in use, while sparse.
  private var used: UInt32 = 0
  /// Of the secret under which the hashes were made; 0 for hashes that need none.
  public let keyID: UInt64
  /// Sparse: `index << 6 | rank` at `index >> (precision - slotsLog)` or behind, ascending; 0: free.
  private var slots: [UInt32] = []
  /// Dense: one octet a register; empty while sparse.
  private var registers: [UInt8] = []

  /// - Parameter precision: clamped to 4...18.
  public init(precision: Int = 12, keyID: UInt64 = 0) {
    self.precision = UInt8(min(max(precision, Self.precisions.lowerBound), Self.precisions.upperBound))
    self.keyID = keyID
  }

  public var registerCount: Int { 1 << Int(precision) }
  /// 1.04/√m: one standard deviation of estimate over truth.
  public var relativeError: Double { 1.04 / Double(registerCount).squareRoot() }
  /// Above this many used registers the sketch is dense: the sparse table then has m/8 slots, half of the dense form's octets.
  var sparseMost: Int { max(1, registerCount * 3 / 32) }
  public var isSparse: Bool { registers.isEmpty }
  public var isEmpty: Bool { registers.isEmpty && used == 0 }
  /// Memory beyond the value itself.
  public var octets: Int {
    (slots.isEmpty ? 0 : 32 + slots.capacity * 4) + (registers.isEmpty ? 0 : 32 + registers.capacity)
  }

  /// - Parameter hash: 64 well-mixed bits, such as `TagKeys.unit(of:)`.
  /// - Complexity: O(1).
  public mutating func insert(_ hash: UInt64) {
    let p = UInt64(precision)
    let index = Int(truncatingIfNeeded: hash >> (64 &- p))
    // A bit behind the last one ends the count of zeros.
    let rank = UInt8(truncatingIfNeeded: (hash << p | 1 << (p &- 1)).leadingZeroBitCount) &+ 1
    if registers.isEmpty {
      insertSparse(UInt32(truncatingIfNeeded: index) << 6 | UInt32(rank))
    } else if registers[index] < rank {
      registers[index] = rank
    }
  }

  /// All of them.
  @inlinable
  public mutating func insert(contentsOf hashes: some Sequence<UInt64>) {
    for hash in hashes { insert(hash) }
  }

  /// Keeps the slots sorted, so that their layout depends on the set only (ordered linear probing: Amble and Knuth 1974, doi
  /// 10.1093/comjnl/17.2.135; here the order of the keys is also that of their home slots).
  private mutating func insertSparse(_ entry: UInt32) {
    if slots.isEmpty {
      slotsLog = min(3, precision)
      slots = [UInt32](repeating: 0, count: 1 << Int(slotsLog))
    }
    let index = entry >> 6
    var at = Int(index >> UInt32(precision &- slotsLog))
    while at < slots.count, slots[at] != 0, slots[at] >> 6 < index { at &+= 1 }
    if at < slots.count, slots[at] != 0, slots[at] >> 6 == index {
      if slots[at] < entry { slots[at] = entry }
      return
    }
    guard Int(used) < sparseMost else {
      becomeDense()
      set(Int(index), UInt8(entry & 63))
      return
    }
    used += 1
    if Int(used) * 4 > 3 << Int(slotsLog), slotsLog < precision {
      grow(with: entry)
      return
    }
    var carry = entry
    while at < slots.count, slots[at] != 0 {
      swap(&slots[at], &carry)
      at &+= 1
    }
    if at < slots.count { slots[at] = carry } else { slots.append(carry) }
  }

  private mutating func grow(with entry: UInt32) {
    var entries = slots.filter { $0 != 0 }
    entries.insert(entry, at: entries.firstIndex { $0 > entry } ?? entries.count)
    slotsLog += 1
    slots = [UInt32](repeating: 0, count: 1 << Int(slotsLog))
    var free = 0
    for entry in entries {
      free = max(free, Int((entry >> 6) >> UInt32(precision &- slotsLog)))
      if free < slots.count { slots[free] = entry } else { slots.append(entry) }
      free += 1
    }
  }

  private mutating func becomeDense() {
    registers = [UInt8](repeating: 0, count: registerCount)
    for entry in slots where entry != 0 { registers[Int(entry >> 6)] = UInt8(entry & 63) }
    slots = []
    slotsLog = 0
    used = 0
  }

  /// Raises one register.
  mutating func set(_ index: Int, _ rank: UInt8) {
    if registers.isEmpty {
      insertSparse(UInt32(index) << 6 | UInt32(rank))
    } else if registers[index] < rank {
      registers[index] = rank
    }
  }

  /// Calls `body` with each used register, lowest index first.
  /// - Complexity: O(m) when dense, else O(registers in use).
  func forEachRegister(_ body: (_ index: Int, _ rank: UInt8) -> Void) {
    if registers.isEmpty {
      for entry in slots where entry != 0 { body(Int(entry >> 6), UInt8(entry & 63)) }
    } else {
      for index in registers.indices where registers[index] != 0 { body(index, registers[index]) }
    }
  }

  /// Makes this the sketch of both sets: the greater of each register.
  /// - Complexity: O(m), or O(registers in use) when both are sparse.
  /// - Throws: `differentPrecision`, `differentKeys`; nothing is changed then.
  public mutating func merge(_ other: HyperLogLog) throws(SketchError) {
    guard precision == other.precision else { throw .differentPrecision(Int(precision), Int(other.precision)) }
    guard keyID == other.keyID else { throw .differentKeys }
    formUnion(other)
  }

  /// `merge` for sketches that are known to belong together; does nothing for others.
  mutating func formUnion(_ other: HyperLogLog) {
    guard precision == other.precision, keyID == other.keyID else { return }
    if other.isSparse {
      if isEmpty { self = other } else { other.forEachRegister { set($0, $1) } }
      return
    }
    if isSparse {
      let mine = slots
      self = other
      for entry in mine where entry != 0 { set(Int(entry >> 6), UInt8(entry & 63)) }
      return
    }
    registers.withUnsafeMutableBufferPointer { own in
      other.registers.withUnsafeBufferPointer { others in
        for i in 0..<min(own.count, others.count) { own[i] = max(own[i], others[i]) }
      }
    }
  }

  /// How many registers hold each rank.
  /// - Complexity: O(m) when dense.
  var rankCounts: [Int] {
    var counts = [Int](repeating: 0, count: 66 - Int(precision))
    if registers.isEmpty {
      counts[0] = registerCount - Int(used)
      for entry in slots where entry != 0 { counts[min(Int(entry & 63), counts.count - 1)] += 1 }
    } else {
      for rank in registers { counts[min(Int(rank), counts.count - 1)] += 1 }
    }
    return counts
  }
}
