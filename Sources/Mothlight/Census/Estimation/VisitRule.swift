/// How often a source was seen when it was hardly seen: 1, 2 or 3 hours, and anything.
struct FewHours: Sendable {
  private(set) var one = 0.0
  private(set) var two = 0.0
  private(set) var three = 0.0
  private(set) var all = 0.0

  mutating func count(_ hours: Int) {
    all += 1
    switch hours {
    case 1: one += 1
    case 2: two += 1
    case 3: three += 1
    default: break
    }
  }

  mutating func add(_ other: FewHours) {
    one += other.one
    two += other.two
    three += other.three
    all += other.all
  }

  /// Singletons that the pattern of recurrence supports: at most 2 f2² / (3 f3) (Chiu and Chao 2016, doi
  /// 10.7717/peerj.1634). Only a clear excess is taken off, for short visits of real machines look a little like it.
  ///
  /// - Parameter least: share of all below which an excess is left.
  func supported(least: Double) -> Double {
    guard one > 0, three > 0 else { return one }
    let supported = min(one, 2 * two * two / (3 * three))
    return one > 1.5 * supported && one - supported > least * all ? supported : one
  }

  /// Never seen (Chao 1984), for `ones` singletons.
  func unseen(_ ones: Double) -> Double { two > 0 ? ones * ones / (2 * two) : 0 }
}

/// Tells visitors from machines by how they come: sandboxes, people who try the protocol, poisoners with fresh identities.
struct VisitRule: Sendable {
  /// Check-ins in one hour below which a source seen in three hours or fewer is no machine: a machine that is on for a whole
  /// hour shows its rate. 0: the rate is not known or too low.
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
