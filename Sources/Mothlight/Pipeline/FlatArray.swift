import Glibc

/// An array of plain values that grows by `realloc`: a large one is moved by the page table, not octet by octet, and its fresh
/// pages come zeroed from the system.
///
/// Half of a growing table's cost is the copying and clearing of its earlier sizes otherwise, and its peak is half as high again.
/// Value semantics as an array's: written to when shared, it is copied first.
/// - Complexity: as `Array`.
struct FlatArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Unchecked because of the pointer: the memory belongs to `owner`, which no two arrays that write share.
  private var owner: Owner
  private var base: UnsafeMutablePointer<Element>
  private(set) var count: Int

  private final class Owner {
    var base: UnsafeMutablePointer<Element>
    var capacity: Int

    init(capacity: Int) {
      guard let raw = calloc(Swift.max(1, capacity), MemoryLayout<Element>.stride) else {
        // Out of memory is not survivable here and not something from outside: every table is bounded by `Limits`.
        preconditionFailure("no memory for \(capacity) entries of \(MemoryLayout<Element>.stride) octets")
      }
      self.capacity = Swift.max(1, capacity)
      base = raw.bindMemory(to: Element.self, capacity: self.capacity)
      advise()
    }

    deinit { free(base) }

    func grow(to capacity: Int) {
      let octets = capacity * MemoryLayout<Element>.stride
      guard let raw = realloc(base, octets) else {
        preconditionFailure("no memory for \(capacity) entries of \(MemoryLayout<Element>.stride) octets")
      }
      base = raw.bindMemory(to: Element.self, capacity: capacity)
      self.capacity = capacity
      advise()
    }

    private func advise() {
      HugePages.advise(UnsafeMutableRawBufferPointer(start: base, count: capacity * MemoryLayout<Element>.stride))
    }
  }

  init() { self.init(capacity: 64, count: 0) }

  /// `count` entries of zero octets, to be written in no order.
  init(zeros count: Int) {
    self.init(capacity: count, count: count)
    HugePages.populate(UnsafeMutableRawBufferPointer(start: base, count: count * MemoryLayout<Element>.stride))
  }

  private init(capacity: Int, count: Int) {
    owner = Owner(capacity: capacity)
    base = owner.base
    self.count = count
  }

  /// Asks for entry `i`, or its first octets. An index of no entry does no harm.
  @inline(__always) func prefetch(_ i: Int, octets: Int = MemoryLayout<Element>.size) {
    Prefetch.octets(octets, at: base + i)
  }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == owner.capacity || !isKnownUniquelyReferenced(&owner) { makeRoom() }
    (base + count).initialize(to: element)
    count &+= 1
  }

  private mutating func makeRoom() {
    if !isKnownUniquelyReferenced(&owner) { copy() }
    if count == owner.capacity { owner.grow(to: count * 2) }
    base = owner.base
  }

  private mutating func copy() {
    let other = Owner(capacity: owner.capacity)
    other.base.update(from: base, count: count)
    owner = other
    base = other.base
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
