import Glibc

/// Millions of names, exact, each with the number of its order: open addressing over one block of names.
///
/// A slot has 8 octets: 16 bits of the hash, so that a miss rarely touches a name; 16 bits of order and kind; 32 bits of
/// place. At three slots for two names, and two octets beside each name, this makes 14 octets and the name as on the wire:
/// 37 octets for one of 21 letters, 185 MB for five millions of them.
///
/// Written while it is built, never after it: `Sendable` through that.
// Built by one thread before anybody else sees it; no method changes it afterwards.
final class NameSet: @unchecked Sendable {
  enum Kind: UInt16 {
    /// The name is a zone.
    case zone = 0
    /// Every name one label below it is a zone.
    case parent = 0x8000
  }

  enum Bound {
    /// Orders told apart: 15 bits of a slot.
    static let orders = 1 << 15
    /// Octets of names: a place has 32 bits.
    static let octets = Int(UInt32.max)
    /// Labels of a zone: a bit each in the mask of what to look for.
    static let labels = 30
  }

  private let slots: UnsafeMutablePointer<UInt64>
  private let slotCount: Int
  private let names: UnsafeMutablePointer<UInt8>
  /// Bit k: there is a zone (or a parent) of k labels.
  let zoneLabels: UInt32
  let parentLabels: UInt32
  /// Names, each once per order.
  let count: Int
  /// Octets held, slots and names.
  let memory: Int

  /// Takes the names of `list`; names given twice by one order are taken once.
  init(_ list: consuming NameList) {
    let list = list
    // Three slots for two names.
    let slotCount = max(16, list.count &+ list.count / 2)
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    // A comparison may look as far as the longest name reaches, also from the last one.
    let room = list.octets.count &+ DomainName.Bound.octets
    let names = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
    names.initialize(repeating: 0, count: room)
    list.octets.withUnsafeBufferPointer { if let base = $0.baseAddress { names.update(from: base, count: $0.count) } }
    (self.slots, self.slotCount, self.names) = (slots, slotCount, names)
    var (zones, parents, kept): (UInt32, UInt32, Int) = (0, 0, 0)
    var at = 0
    while at < list.octets.count {
      // An entry: order and kind, two octets, then the name.
      let tag = UInt16(names[at]) << 8 | UInt16(names[at &+ 1])
      let name = names + at + 2
      let (length, labels) = Self.extent(name)
      if Self.insert(name, tag, at: at &+ 2, slots, slotCount, names) {
        kept &+= 1
        if tag & Kind.parent.rawValue == 0 { zones |= 1 << UInt32(labels) } else { parents |= 1 << UInt32(labels) }
      }
      at &+= length &+ 2
    }
    (zoneLabels, parentLabels, count) = (zones, parents, kept)
    memory = slotCount &* 8 &+ list.octets.count
  }

  deinit {
    slots.deallocate()
    names.deallocate()
  }

  static func extent(_ name: UnsafePointer<UInt8>) -> (octets: Int, labels: Int) {
    var (at, labels) = (0, 0)
    while name[at] != 0 {
      at &+= Int(name[at]) &+ 1
      labels &+= 1
    }
    return (at &+ 1, labels)
  }

  /// `false` when this order has given the name already.
  private static func insert(
    _ name: UnsafePointer<UInt8>, _ tag: UInt16, at place: Int, _ slots: UnsafeMutablePointer<UInt64>, _ slotCount: Int,
    _ names: UnsafePointer<UInt8>
  ) -> Bool {
    let hash = NameHash.of(name)
    var slot = Self.slot(hash, slotCount)
    let entry = (hash & 0xffff) << 48 | UInt64(tag) << 32 | UInt64(UInt32(truncatingIfNeeded: place))
    while slots[slot] != 0 {
      if slots[slot] >> 32 == entry >> 32, Self.equal(names + Int(UInt32(truncatingIfNeeded: slots[slot])), name) {
        return false
      }
      slot = slot &+ 1 == slotCount ? 0 : slot &+ 1
    }
    slots[slot] = entry
    return true
  }

  @inline(__always)
  private static func slot(_ hash: UInt64, _ slotCount: Int) -> Int {
    Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(truncatingIfNeeded: slotCount)).high)
  }

  private static func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>) -> Bool {
    let (length, _) = extent(b)
    return memcmp(a, b, length) == 0
  }

  /// The first order for which `isServed` holds that has this name as `kind`; `nil` when there is none.
  /// - Parameters:
  ///   - name: `length` octets in lower case with the root's, of which `hash` is the `NameHash`.
  /// - Complexity: O(1) expected; at three slots for two names an absent name costs some two to four slots.
  @inline(__always)
  func order(
    of name: UnsafePointer<UInt8>, length: Int, hash: UInt64, as kind: Kind, where isServed: (Int) -> Bool
  ) -> Int? {
    var slot = Self.slot(hash, slotCount)
    let print = hash & 0xffff
    while true {
      let entry = slots[slot]
      if entry == 0 { return nil }
      if entry >> 48 == print, UInt16(truncatingIfNeeded: entry >> 32) & 0x8000 == kind.rawValue,
        memcmp(names + Int(UInt32(truncatingIfNeeded: entry)), name, length) == 0
      {
        let order = Int(entry >> 32 & 0x7fff)
        if isServed(order) { return order }
      }
      slot = slot &+ 1 == slotCount ? 0 : slot &+ 1
    }
  }
}

extension NameSet {
  /// Goes over all names in the order of the files.
  func visit(_ body: (_ name: UnsafePointer<UInt8>, _ order: Int, _ kind: Kind) -> Void) {
    for slot in 0..<slotCount where slots[slot] != 0 {
      let entry = slots[slot]
      let kind: Kind = entry >> 47 & 1 == 0 ? .zone : .parent
      body(names + Int(UInt32(truncatingIfNeeded: entry)), Int(entry >> 32 & 0x7fff), kind)
    }
  }
}
