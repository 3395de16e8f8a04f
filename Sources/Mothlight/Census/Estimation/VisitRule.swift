/// Tells visitors from machines by how they come: sandboxes, people who try the protocol, poisoners with fresh
/// identities.
struct VisitRule: Sendable {
  /// Check-ins in one hour below which a source seen in three hours or fewer is no machine: a machine that is on for
  /// a whole hour shows its rate. 0: the rate is not known or too low.
  var briefBelow = 0.0
  /// Whether nearly every live machine shows in every hour, so that hours apart are visits and not misses.
  var seesAll = false

  static let hoursMost = 3

  func isBrief(_ entry: CensusTable.Tags.Entry, _ words: [UInt64]) -> Bool {
    Double(entry.peak) < briefBelow && entry.count(words) <= Self.hoursMost
  }

  /// One hour; or, where all is seen, up to three hours none of which follows another.
  func isIsolated(_ entry: CensusTable.Tags.Entry, _ words: [UInt64]) -> Bool {
    let hours = entry.count(words)
    return hours == 1 || seesAll && hours <= Self.hoursMost && entry.stretches(words) == hours
  }
}

extension CensusTable.Tags.Entry {
  /// Uninterrupted runs of hours.
  func stretches(_ words: [UInt64]) -> Int {
    var sum = 0
    var carry: UInt64 = 0
    for i in 0..<Int(wordCount) {
      let bits = words[start + i]
      sum += (bits & ~(bits << 1 | carry)).nonzeroBitCount
      carry = bits >> 63
    }
    return sum
  }
}
