/// An array of plain values whose memory grows without being copied.
///
/// Half of a growing table's cost is the copying and clearing of its earlier sizes otherwise, and its peak is half as high again.
/// Value semantics as an array's: written to when shared, it is copied first.
/// - Complexity: as `Array`.
struct FlatArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Unchecked because of the pointer: the memory belongs to `owner`, which no two arrays that write share.
  private var owner: TableMemory
  private var base: UnsafeMutablePointer<Element>
  private var capacity: Int
  private(set) var count: Int

  init() { self.init(capacity: 64, count: 0) }

  /// `count` entries of zero octets, to be written in no order.
  init(zeros count: Int) {
    self.init(capacity: count, count: count)
    populate(from: 0)
  }

  private init(capacity: Int, count: Int) {
    self.capacity = Swift.max(1, capacity)
    owner = TableMemory(octets: self.capacity * MemoryLayout<Element>.stride)
    base = owner.base.bindMemory(to: Element.self, capacity: self.capacity)
    self.count = count
  }

  /// Asks for entry `i`, or its first octets. An index of no entry does no harm.
  @inline(__always) func prefetch(_ i: Int, octets: Int = MemoryLayout<Element>.size) {
    Prefetch.octets(octets, at: base + i)
  }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == capacity || !isKnownUniquelyReferenced(&owner) { makeRoom() }
    (base + count).initialize(to: element)
    count &+= 1
  }

  /// As many entries of zero octets again, to be written in no order. Entries are never taken away, so what lies behind them is zero.
  mutating func doubleWithZeros() {
    if !isKnownUniquelyReferenced(&owner) { copy() }
    if count * 2 > capacity { grow(to: count * 2) }
    let old = count
    count *= 2
    populate(from: old)
  }

  /// All entries, to be changed in place: one look at who shares them for many changes.
  @inline(__always)
  mutating func change<Result>(_ body: (UnsafeMutableBufferPointer<Element>) -> Result) -> Result {
    if !isKnownUniquelyReferenced(&owner) { copy() }
    return body(UnsafeMutableBufferPointer(start: base, count: count))
  }

  private mutating func makeRoom() {
    if !isKnownUniquelyReferenced(&owner) { copy() }
    if count == capacity { grow(to: count * 2) }
  }

  private mutating func grow(to wanted: Int) {
    owner.grow(to: wanted * MemoryLayout<Element>.stride)
    capacity = wanted
    base = owner.base.bindMemory(to: Element.self, capacity: wanted)
  }

  private mutating func copy() {
    let other = TableMemory(octets: capacity * MemoryLayout<Element>.stride)
    other.base.copyMemory(from: base, byteCount: count * MemoryLayout<Element>.stride)
    owner = other
    base = other.base.bindMemory(to: Element.self, capacity: capacity)
  }

  private func populate(from first: Int) {
    HugePages.populate(
      UnsafeMutableRawBufferPointer(start: base + first, count: (count - first) * MemoryLayout<Element>.stride))
  }
}

extension FlatArray: RandomAccessCollection, MutableCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(i: Int) -> Element {
    // Not `get`, which copies the whole element to look at one field.
    @inline(__always) _read {
      precondition(i >= 0 && i < count, "index out of range")
      yield base[i]
    }
    @inline(__always) _modify {
      precondition(i >= 0 && i < count, "index out of range")
      if !isKnownUniquelyReferenced(&owner) { copy() }
      yield &base[i]
    }
  }
}

extension FlatArray: ExpressibleByArrayLiteral {
  init(arrayLiteral elements: Element...) {
    self.init()
    for element in elements { append(element) }
  }
}
