/// How long our hosts have known the other end of a finding, and how many of them use it, over all runs.
///
/// What a network has used for a month without anything against it is hardly a new bot's server. It only takes weight off
/// timing and the kind of peer, and never off a destination that stood in a verdict: an alarm does not fade because
/// nobody acted on it.
struct DestinationAges: Sendable {
  /// Days after which a destination is old, and of those the days on which it was used.
  static let daysOld = 30
  static let daysUsed = 10
  /// Days up to which it is new, once the state reaches back `daysOld` days.
  static let daysNew = 7
  /// Days with records that the state must have before "new" means anything.
  static let daysOfState = 15
  static let oldDiscount = 1.5
  static let newSurcharge = 0.5

  private let before: RollingState
  /// Peers and names with evidence of another kind against them in this run.
  private var contradicted: Set<IPAddress> = []
  private var contradictedNames: Set<String> = []
  /// Over the kept time: hosts that began anything, and users of the peers and names in question.
  private(set) var hosts = 0
  private(set) var byPeer: [IPAddress: UInt32] = [:]
  private(set) var byName: [String: UInt32] = [:]

  /// - Parameters:
  ///   - before: the state as the run found it.
  ///   - after: the same with what the run saw.
  init(before: RollingState, after: RollingState, _ shards: [Shard]) {
    self.before = before
    for shard in shards {
      for finding in shard.findings {
        if let peer = finding.peer { byPeer[peer] = 0 }
        if let name = finding.peerName { byName[name] = 0 }
        guard finding.isConclusive || finding.logOdds >= 1, finding.family != .timing, finding.family != .peer else {
          continue
        }
        if let peer = finding.peer { contradicted.insert(peer) }
        if let name = finding.peerName { contradictedNames.insert(name) }
      }
    }
    hosts = after.hosts.count { $0.outboundFlows >= 10 }
    countUsers(after)
  }

  private mutating func countUsers(_ state: RollingState) {
    var inQuestion = [String?](repeating: nil, count: state.names.count)
    for name in byName.keys { if let place = state.name(name) { inQuestion[place] = name } }
    var lastUser: [String: UInt32] = [:]
    for i in state.pairs.indices {
      let pair = state.pairs[i]
      let isSamePeer = i > 0 && state.pairs[i - 1].host == pair.host && state.pairs[i - 1].peer == pair.peer
      if !isSamePeer, let users = byPeer[pair.peer] { byPeer[pair.peer] = users + 1 }
      guard pair.name < inQuestion.count, let name = inQuestion[Int(pair.name)], lastUser[name] != pair.host else {
        continue
      }
      lastUser[name] = pair.host
      byName[name, default: 0] += 1
    }
  }

  /// Adds the age to a finding about one peer and moves its weight by it.
  func weighed(_ finding: Finding) -> Finding {
    guard !before.isEmpty, finding.peer != nil || finding.peerName != nil, finding.family != .fanOut else {
      return finding
    }
    let now = finding.last.keptSeconds
    let address = finding.peer.flatMap { before.destination($0) }.map { before.destinations[$0].seen }
    let name = finding.peerName.flatMap { before.name($0) }.map { before.names[$0].seen }
    // An old address may serve a new name, so with a name the name's age counts; new is what is new in both.
    let known = finding.peerName == nil ? address : name
    let days = Self.days(known?.first, now)
    let newest = max(days, Self.days(address?.first, now), Self.days(name?.first, now))
    let reach = Self.days(before.first, now)
    var weighed = finding
    weighed.measures.append(Measure("known_for", Double(days), "d"))
    let movable = !finding.isConclusive && (finding.family == .timing || finding.family == .peer)
    if days >= Self.daysOld {
      weighed.summary += "; first seen here \(days) days ago"
      if movable, let known, known.days.nonzeroBitCount >= Self.daysUsed, !isAccused(address, name, now),
        !isContradicted(finding)
      {
        weighed.lower(
          .age, by: Self.oldDiscount, because: "first seen here \(days) days ago, and used since without harm")
        weighed.summary += ", and used since without anything else against it"
      }
    } else if reach >= Self.daysOld, before.daysWithRecords >= Self.daysOfState, newest <= Self.daysNew {
      weighed.summary += newest == 0 ? "; new here" : "; first seen here \(Phrase.count(newest, "day")) ago"
      if movable, weighed.logOdds > 1 { weighed.logOdds += Self.newSurcharge }
    } else if days >= 1 {
      weighed.summary += "; first seen here \(Phrase.count(days, "day")) ago"
    }
    return weighed
  }

  private static func days(_ first: UInt32?, _ now: UInt32) -> Int {
    guard let first, first < now else { return 0 }
    return Int((now - first) / 86_400)
  }

  private func isAccused(_ address: Acquaintance?, _ name: Acquaintance?, _ now: UInt32) -> Bool {
    [address, name].contains { seen in
      guard let accused = seen?.accused, accused > 0 else { return false }
      return accused.saturatingAdd(UInt32(RollingState.daysKept * 86_400)) >= now
    }
  }

  private func isContradicted(_ finding: Finding) -> Bool {
    finding.peer.map { contradicted.contains($0) } == true
      || finding.peerName.map { contradictedNames.contains($0) } == true
  }
}

extension RollingState {
  /// Remembers which destinations stood in a verdict, so that age never speaks for them.
  mutating func accuse(_ days: [HostDay]) {
    for day in days where day.verdict >= .suspicious {
      for finding in day.findings where finding.isConclusive || finding.logOdds >= Judge.bar {
        let time = finding.last.keptSeconds
        if let place = finding.peer.flatMap({ destination($0) }) {
          destinations[place].seen.accused = max(destinations[place].seen.accused, time)
        }
        if let place = finding.peerName.flatMap({ name($0) }) {
          names[place].seen.accused = max(names[place].seen.accused, time)
        }
      }
    }
  }
}
