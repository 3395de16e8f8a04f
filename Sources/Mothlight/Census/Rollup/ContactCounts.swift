/// How often a source had how many check-ins within one hour: what one machine's hour looks like shows as the lowest mode.
///
/// Exact up to 1,023; what is above counts at 1,024. 8 KiB for each sensor.
struct ContactCounts: Sendable, Hashable {
  static let most = 1024
  private(set) var counts: [UInt64] = []

  @inline(__always)
  mutating func add(_ contacts: UInt32) {
    if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.most + 1) }
    counts[Int(min(contacts, UInt32(Self.most)))] &+= 1
  }

  /// Of two states of one sensor the greater numbers stand.
  mutating func merge(_ other: ContactCounts) {
    guard !counts.isEmpty else {
      counts = other.counts
      return
    }
    for (at, count) in other.counts.enumerated() { counts[at] = max(counts[at], count) }
  }

  func encode(into out: inout SpoolOctets) {
    let used = counts.indices.filter { counts[$0] > 0 }
    out.number(UInt64(used.count))
    for at in used {
      out.number(UInt64(at))
      out.number(counts[at])
    }
  }

  init() {}

  init(_ cursor: inout SpoolCursor) throws(SketchError) {
    for _ in 0..<(try cursor.needNumber("a histogram of check-ins", most: UInt64(Self.most + 1))) {
      let at = try Int(cursor.needNumber("a number of check-ins", most: UInt64(Self.most)))
      let count = try cursor.needNumber("a count of rows")
      if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.most + 1) }
      counts[at] = count
    }
  }
}
