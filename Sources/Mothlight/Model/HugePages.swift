import Glibc

/// Asks Linux for 2 MiB pages: a large table that is read at random spends half of its time on page look-ups otherwise (swift.md).
enum HugePages {
  /// `MADV_HUGEPAGE`, which the C importer does not show.
  private static let advice: Int32 = 14
  private static let pageOctets: UInt = 4096
  /// Below this a table sits in the cache and its pages in the translation buffer.
  static let leastOctets = 4 << 20

  /// To be called before the memory is first touched. Does nothing for small buffers, and it is no error when Linux declines.
  static func advise(_ buffer: UnsafeMutableRawBufferPointer) {
    guard buffer.count >= leastOctets, let base = buffer.baseAddress else { return }
    let start = (UInt(bitPattern: base) &+ pageOctets &- 1) & ~(pageOctets &- 1)
    let skipped = Int(start &- UInt(bitPattern: base))
    madvise(UnsafeMutableRawPointer(bitPattern: start), buffer.count - skipped, advice)
  }
}
