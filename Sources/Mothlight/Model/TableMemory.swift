import CMemory
import Glibc

/// Memory of one growing table: zeroed, and from a megabyte on a mapping of its own, which grows without being copied.
///
/// `realloc` does not do that. After the first large block is freed, the C library serves blocks of up to 32 MiB from its heap, where
/// each growth copies them into fresh pages (measured: half of all page faults of a run).
final class TableMemory {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var octets: Int
  private var isMapped: Bool

  private static let mappedLeast = 1 << 20
  /// Mappings begin at a huge page: else Linux splits the pages it moves.
  private static let alignment: UInt = 2 << 20

  init(octets: Int) {
    self.octets = Self.rounded(octets)
    isMapped = self.octets >= Self.mappedLeast
    guard let base = isMapped ? Self.map(self.octets) : calloc(1, self.octets) else { Self.exhausted(octets) }
    self.base = base
    if isMapped { HugePages.advise(UnsafeMutableRawBufferPointer(start: base, count: self.octets)) }
  }

  deinit {
    if isMapped { munmap(base, octets) } else { free(base) }
  }

  /// Makes it longer; what is new is zero.
  func grow(to wanted: Int) {
    let longer = Self.rounded(wanted)
    guard longer > octets else { return }
    if isMapped {
      if cmemory_extend(base, octets, longer) == 0 {
        guard let target = Self.map(longer), cmemory_move(base, octets, target, longer) != 0 else {
          Self.exhausted(longer)
        }
        base = target
      }
    } else if longer >= Self.mappedLeast {
      guard let target = Self.map(longer) else { Self.exhausted(longer) }
      target.copyMemory(from: base, byteCount: octets)
      free(base)
      base = target
      isMapped = true
    } else {
      guard let moved = realloc(base, longer) else { Self.exhausted(longer) }
      memset(moved + octets, 0, longer - octets)
      base = moved
    }
    octets = longer
    if isMapped { HugePages.advise(UnsafeMutableRawBufferPointer(start: base, count: octets)) }
  }

  private static func rounded(_ octets: Int) -> Int {
    octets < mappedLeast ? max(1, octets) : (octets + HugePages.pageOctets - 1) & ~(HugePages.pageOctets - 1)
  }

  /// Fresh pages from a huge page's border on.
  private static func map(_ octets: Int) -> UnsafeMutableRawPointer? {
    let room = octets + Int(alignment)
    guard let raw = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), raw != MAP_FAILED
    else { return nil }
    let skipped = Int((0 &- UInt(bitPattern: raw)) & (alignment - 1))
    if skipped > 0 { munmap(raw, skipped) }
    let rest = room - skipped - octets
    if rest > 0 { munmap(raw + skipped + octets, rest) }
    return raw + skipped
  }

  /// Out of memory is not survivable here and not something from outside: every table is bounded by `Limits`.
  private static func exhausted(_ octets: Int) -> Never {
    preconditionFailure("no memory for a table of \(octets) octets")
  }
}
