/// Tells moments at which the network as a whole began to talk: power back, a line restored, a working day's first minute.
///
/// Around such a moment the machines also start toward other services, and machines outside the crowd do too.
struct CommonEvents {
  /// Hundredths of a second before and after a moment that are looked at.
  private static let before: Int64 = 1000
  private static let after: Int64 = 3000
  /// The same moments shifted: what is usual a little earlier and later.
  private static let controls: [Int64] = [-60_000, -30_000, 30_000, 60_000]
  /// Moments looked at in one run.
  static let momentsMost = 2048
  /// Hosts remembered around moments, 32 to 64 octets each: 268 MB at most. What finds no room is not counted as usual, so that a
  /// moment rather passes for a common event.
  private static let entriesMost = 1 << 22

  /// By moment: machines that began something at the moment, and on average around it.
  struct Activity {
    var others = 0
    var members = 0
    var controlOthers = 0.0
    var controlMembers = 0.0

    fileprivate mutating func add(_ other: Activity) {
      others += other.others
      members += other.members
      controlOthers += other.controlOthers
      controlMembers += other.controlMembers
    }

    fileprivate mutating func add(isMember: Bool, isControl: Bool) {
      let share = 1 / Double(CommonEvents.controls.count)
      switch (isMember, isControl) {
      case (true, false): members += 1
      case (false, false): others += 1
      case (true, true): controlMembers += share
      case (false, true): controlOthers += share
      }
    }
  }

  private struct Window {
    var from: Int64
    var slot: Int
    var control: Bool
  }

  /// Starts toward services other than the crowd's own, around each of the moments.
  static func activity(around moments: [(time: Int64, crowd: Int)], crowds: [Crowd], _ network: [ShardContext])
    -> [Activity]
  {
    var windows: [Window] = []
    for (slot, moment) in moments.enumerated() {
      windows.append(Window(from: moment.time - before, slot: slot, control: false))
      windows += controls.map { Window(from: moment.time - before + $0, slot: slot, control: true) }
    }
    windows.sort { ($0.from, $0.slot) < ($1.from, $1.slot) }
    // Hosts by number: those of the contexts before come first.
    var bases: [UInt64] = []
    for context in network { bases.append((bases.last ?? 0) + UInt64(context.hosts.count)) }
    bases.insert(0, at: 0)
    var members = FingerprintSet(limit: Self.entriesMost)
    for (c, crowd) in crowds.enumerated() {
      for member in crowd.members {
        for p in member.pairs {
          let host = bases[member.context] + UInt64(network[member.context].pairs.pairs[p].host)
          _ = members.insert(key(c, host))
        }
      }
    }
    let own = crowds.map { crowd in
      Set(crowd.members.flatMap { m in m.pairs.map { Place(context: m.context, pair: $0) } })
    }
    // A host is in one shard alone, so that no two of these see the same host at the same moment.
    let parts = SideBySide.map(network.count) { [windows, members, bases] c in
      var activity = [Activity](repeating: Activity(), count: moments.count)
      var seen = FingerprintSet(limit: Self.entriesMost / network.count)
      let context = network[c]
      for p in context.pairs.busy.lazy.map(Int.init) {
        let pair = context.pairs.pairs[p]
        guard pair.starts >= 4, !pair.isInside else { continue }
        let host = bases[c] + UInt64(pair.host)
        for time in context.pairs.startTimes(of: pair) {
          for index in indices(of: time, in: windows) {
            let window = windows[index]
            let crowd = moments[window.slot].crowd
            let isMember = members.contains(key(crowd, host))
            if isMember, own[crowd].contains(Place(context: c, pair: p)) { continue }
            guard seen.insert(key(index, host)) else { continue }
            activity[window.slot].add(isMember: isMember, isControl: window.control)
          }
        }
      }
      return activity
    }
    var activity = [Activity](repeating: Activity(), count: moments.count)
    for part in parts { for slot in activity.indices { activity[slot].add(part[slot]) } }
    return activity
  }

  /// Distinct for each pair of numbers below 2³².
  private static func key(_ number: Int, _ host: UInt64) -> UInt64 {
    mix64(UInt64(truncatingIfNeeded: number &+ 1) << 32 ^ host)
  }

  private struct Place: Hashable {
    var context: Int
    var pair: Int
  }

  /// Windows that hold `time`: bisection to the first, and as many steps as there are.
  private static func indices(of time: Int64, in windows: [Window]) -> Range<Int> {
    let least = time - before - after
    var low = 0
    var end = windows.count
    while low < end {
      let middle = (low + end) / 2
      if windows[middle].from < least { low = middle + 1 } else { end = middle }
    }
    while end < windows.count, windows[end].from <= time { end += 1 }
    return low..<end
  }
}
