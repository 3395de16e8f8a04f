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

  /// By moment: machines that began something at the moment, and on average around it.
  struct Activity {
    var others: Set<IPAddress> = []
    var members: Set<IPAddress> = []
    var controlOthers = 0.0
    var controlMembers = 0.0
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
    let members = crowds.map { Set($0.members.map(\.host)) }
    let own = crowds.map { crowd in
      Set(crowd.members.flatMap { m in m.pairs.map { Place(context: m.context, pair: $0) } })
    }
    var activity = [Activity](repeating: Activity(), count: moments.count)
    var seenAround = Set<Seen>()
    for (c, context) in network.enumerated() {
      for p in context.pairs.busy.lazy.map(Int.init) {
        let pair = context.pairs.pairs[p]
        guard pair.starts >= 4, !pair.isInside else { continue }
        let host = context.address(of: pair.host)
        for time in context.pairs.startTimes(of: pair) {
          for index in indices(of: time, in: windows) {
            let window = windows[index]
            let crowd = moments[window.slot].crowd
            let isMember = members[crowd].contains(host)
            if isMember, own[crowd].contains(Place(context: c, pair: p)) { continue }
            if !window.control {
              if isMember {
                activity[window.slot].members.insert(host)
              } else {
                activity[window.slot].others.insert(host)
              }
            } else if seenAround.insert(Seen(window: index, host: host)).inserted {
              let share = 1 / Double(controls.count)
              if isMember {
                activity[window.slot].controlMembers += share
              } else {
                activity[window.slot].controlOthers += share
              }
            }
          }
        }
      }
    }
    return activity
  }

  private struct Place: Hashable {
    var context: Int
    var pair: Int
  }
  private struct Seen: Hashable {
    var window: Int
    var host: IPAddress
  }

  /// Windows that hold `time`, by bisection.
  private static func indices(of time: Int64, in windows: [Window]) -> Range<Int> {
    let length = before + after
    func firstIndex(from least: Int64) -> Int {
      var low = 0
      var high = windows.count
      while low < high {
        let middle = (low + high) / 2
        if windows[middle].from < least { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let low = firstIndex(from: time - length)
    return low..<max(low, firstIndex(from: time + 1))
  }
}
