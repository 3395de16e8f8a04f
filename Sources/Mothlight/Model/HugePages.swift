import Glibc

/// Asks Linux for 2 MiB pages: a large table that is read at random spends half of its time on page look-ups otherwise (swift.md).
enum HugePages {
  /// `MADV_HUGEPAGE`, which the C importer does not show.
  private static let advice: Int32 = 14
  static let pageOctets = 4096
  /// Below this a table sits in the cache and its pages in the translation buffer.
  static let leastOctets = 4 << 20

  /// `MADV_POPULATE_WRITE` (Linux 5.14).
  private static let populateAdvice: Int32 = 23
  private static let populatedLeast = 256 << 10

  /// To be called before the memory is first touched. Does nothing for small buffers, and it is no error when Linux declines.
  static func advise(_ buffer: UnsafeMutableRawBufferPointer) {
    guard buffer.count >= leastOctets, let base = buffer.baseAddress else { return }
    let start = firstPage(base)
    let skipped = Int(start &- UInt(bitPattern: base))
    madvise(UnsafeMutableRawPointer(bitPattern: start), buffer.count - skipped, advice)
  }

  /// Makes the pages of a fresh buffer that will be written all over, in no order.
  ///
  /// Else each page is read first, which shows a page of zeros that all share, and to take that away again at the first write
  /// the system interrupts every other core that this program runs on.
  static func populate(_ buffer: UnsafeMutableRawBufferPointer) {
    guard buffer.count >= populatedLeast, let base = buffer.baseAddress else { return }
    let start = firstPage(base)
    let end = (UInt(bitPattern: base) &+ UInt(buffer.count)) & ~(UInt(pageOctets) &- 1)
    madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end &- start), populateAdvice)
  }

  private static func firstPage(_ base: UnsafeMutableRawPointer) -> UInt {
    (UInt(bitPattern: base) &+ UInt(pageOctets) &- 1) & ~(UInt(pageOctets) &- 1)
  }
}
