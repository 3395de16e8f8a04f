import Glibc

/// Moments at which enough members of a crowd began together, and how many of them chance makes.
struct JointMoments {
  struct Moment {
    /// Hundredths of a second since the epoch: the earliest start.
    var time: Int64
    /// Bit i: member i took part.
    var members: UInt32
  }

  /// Non-overlapping windows with starts of `least` members or more; at most 32 members are looked at.
  static func find(_ onsets: [[Int64]], window: Int64, least: Int) -> [Moment] {
    var merged: [(time: Int64, member: Int)] = []
    for (member, times) in onsets.prefix(32).enumerated() { merged += times.map { ($0, member) } }
    merged.sort { ($0.time, $0.member) < ($1.time, $1.member) }
    var moments: [Moment] = []
    var i = 0
    while i < merged.count {
      var members: UInt32 = 0
      var j = i
      while j < merged.count, merged[j].time - merged[i].time <= window {
        members |= 1 << UInt32(merged[j].member)
        j += 1
      }
      if members.nonzeroBitCount >= least {
        moments.append(Moment(time: merged[i].time, members: members))
        i = j
      } else {
        i += 1
      }
    }
    return moments
  }

  /// Without those that stand at one second of the minute: schedulers do, operators do not.
  ///
  /// An arc of 6 s is a tenth of the minute; by chance four of five random moments fall into one in 2 % of cases.
  static func withoutClockwork(_ moments: [Moment]) -> [Moment] {
    let minute: Int64 = 6000
    let arc: Int64 = 600
    var rest = moments
    for _ in 0..<4 {
      let phases = rest.map { (($0.time % minute) + minute) % minute }
      let counted = phases.map { from in phases.count { ($0 - from + minute) % minute <= arc } }
      guard let most = counted.max(), most >= max(4, (moments.count + 1) / 2), let best = counted.firstIndex(of: most)
      else { break }
      let from = phases[best]
      rest = rest.filter { (($0.time % minute) + 2 * minute - from) % minute > arc }
    }
    return rest
  }

  /// Whether most gaps are one, two or three times the median gap: timers in step, as after a common start.
  static func keepTime(_ moments: [Moment]) -> Bool {
    let gaps = zip(moments.dropFirst(), moments).map { Double($0.time - $1.time) }
    guard gaps.count >= 3 else { return false }
    let sorted = gaps.sorted()
    let median = sorted[sorted.count / 2]
    guard median > 0 else { return true }
    let fitting = gaps.count { gap in (1...3).contains { abs(gap / (Double($0) * median) - 1) <= 0.05 } }
    return Double(fitting) >= 0.6 * Double(gaps.count)
  }

  /// What shifting every member's whole series by itself leaves: each keeps its rhythm, rate and hours, and only what they
  /// have in common is lost. Seeded by the crowd, so the same input gives the same answer.
  static func byChance(
    _ onsets: [[Int64]], window: Int64, least: Int, shiftLeast: Int64, shiftMost: Int64, seed: UInt64
  ) -> (mean: Double, most: Int) {
    let rounds = 64
    var state = seed
    var sum = 0
    var most = 0
    for _ in 0..<rounds {
      let shifted = onsets.map { times in
        state = mix64(state &+ 0x9e37_79b9_7f4a_7c15)
        let reach = UInt64(max(1, shiftMost - shiftLeast))
        let shift = shiftLeast + Int64(truncatingIfNeeded: (state >> 1) % reach)
        return times.map { state & 1 == 0 ? $0 + shift : $0 - shift }
      }
      let count = find(shifted, window: window, least: least).count
      sum += count
      most = max(most, count)
    }
    return (Double(sum + 1) / Double(rounds), most)
  }

  /// −ln P(X ≥ `count`) for a Poisson variable: the Chernoff bound, so never more than the truth.
  static func surprise(_ count: Int, mean: Double) -> Double {
    let k = Double(count)
    guard k > mean, mean > 0 else { return 0 }
    return k * log(k / mean) - k + mean
  }
}
