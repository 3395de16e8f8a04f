/// Machines that use one rare service, or like services, with their starts: what `synchrony` tests for acting together.
struct Crowd {
  struct Member {
    var host: IPAddress
    var context: Int
    /// Its pairs with the service, most starts first.
    var pairs: [Int]
    /// Hundredths of a second since the epoch, sorted; each after a silence.
    var onsets: [Int64]
  }
  var key: UInt64
  var kind: Kind
  var members: [Member]

  enum Kind: UInt8 {
    case address, name, shape
  }
}

extension Crowd {
  /// How rare a service must be, and from when on a start counts.
  struct Bounds {
    var groupLeast: Int
    var usersMost: Int
    var userShareMost: Double
    var quiet: Int64
  }

  /// Crowds examined in one run; an office has some hundreds of services that few use.
  private static let crowdsMost = 4096
  private static let buckets = 1 << 20

  /// Rare services with enough users, in order of key.
  static func all(in network: [ShardContext], hosts: Int, _ bounds: Bounds) -> [Crowd] {
    let usersMost = min(bounds.usersMost, Int(Double(hosts) * bounds.userShareMost))
    guard usersMost >= bounds.groupLeast else { return [] }
    // Most services have one user: a saturating count in a megabyte spares them a table.
    var counts = [UInt8](repeating: 0, count: buckets)
    forEachKey(network) { key, _, _, _ in
      let bucket = Int(key & UInt64(buckets - 1))
      if counts[bucket] < .max { counts[bucket] += 1 }
    }
    var members: [UInt64: (kind: Kind, pairs: [(context: Int, pair: Int)])] = [:]
    forEachKey(network) { key, kind, c, p in
      guard counts[Int(key & UInt64(buckets - 1))] >= UInt8(clamping: bounds.groupLeast) else { return }
      members[key, default: (kind, [])].pairs.append((c, p))
    }
    members = members.filter { $0.value.pairs.count >= bounds.groupLeast }
    guard !members.isEmpty else { return [] }
    let users = countUsers(of: members, network)
    var crowds: [Crowd] = []
    for key in members.keys.sorted() where crowds.count < crowdsMost {
      guard let group = members[key], (users[key] ?? 0) <= usersMost else { continue }
      let crowd = Crowd(
        key: key, kind: group.kind, members: gather(group.pairs, network, quiet: bounds.quiet))
      if crowd.members.count >= bounds.groupLeast { crowds.append(crowd) }
    }
    return crowds
  }

  /// Everyday services keep time together by nature, and swarms meet by chance.
  private static func isEligible(_ pair: Pair, _ context: ShardContext) -> Bool {
    guard !pair.isInside, pair.starts >= 4, pair.isOurs, pair.transport.hasPorts,
      KnownService.byPort(pair.port, pair.transport) == nil, !KnownService.isFileSharing(pair.port)
    else { return false }
    return !context.hosts[Int(pair.host)].looksPeerToPeer
  }

  private static func forEachKey(
    _ network: [ShardContext], _ body: (_ key: UInt64, _ kind: Kind, _ context: Int, _ pair: Int) -> Void
  ) {
    for (c, context) in network.enumerated() {
      for p in context.pairs.busy.lazy.map(Int.init) {
        let pair = context.pairs.pairs[p]
        guard isEligible(pair, context) else { continue }
        let name = context.name(of: pair.peer, knownTo: pair.host)
        if let name, KnownService.byName(name) != nil { continue }
        for (key, kind) in keys(pair, name) { body(key, kind, c, p) }
      }
    }
  }

  /// By address; by name, behind which addresses change; by port and size shape, for strangers on odd ports.
  private static func keys(_ pair: Pair, _ name: String?) -> [(UInt64, Kind)] {
    let port = UInt64(pair.port) << 8 | UInt64(pair.transport.rawValue)
    var keys = [(mix64(pair.peer.mixed ^ mix64(port)), Kind.address)]
    if let name {
      keys.append((mix64(fingerprint(name) ^ mix64(port | 1 << 32)), .name))
    } else if !KnownService.isCommonPort(pair.port, pair.transport), pair.isSteady {
      keys.append(
        (mix64(UInt64(sizeBin(pair.sizesOut)) << 40 | UInt64(sizeBin(pair.sizesIn)) << 48 | port | 1 << 33), .shape))
    }
    return keys
  }

  /// FNV-1a over the octets of the name.
  private static func fingerprint(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// Half octaves.
  private static func sizeBin(_ sizes: Pair.Moments) -> UInt8 {
    guard sizes.mean >= 1 else { return 0 }
    let exponent = sizes.mean.exponent
    return UInt8(clamping: 1 + 2 * Int(exponent) + (sizes.mean.significand >= 1.414 ? 1 : 0))
  }

  /// Hosts that used the service at all, however seldom.
  private static func countUsers(
    of groups: [UInt64: (kind: Kind, pairs: [(context: Int, pair: Int)])], _ network: [ShardContext]
  ) -> [UInt64: Int] {
    var users: [UInt64: Set<IPAddress>] = [:]
    for context in network {
      for pair in context.pairs.pairs where !pair.isInside && pair.transport.hasPorts {
        let name = context.name(of: pair.peer, knownTo: pair.host)
        for (key, _) in keys(pair, name) where groups[key] != nil {
          users[key, default: []].insert(context.address(of: pair.host))
        }
      }
    }
    return users.mapValues(\.count)
  }

  private static func gather(
    _ pairs: [(context: Int, pair: Int)], _ network: [ShardContext], quiet: Int64
  ) -> [Member] {
    var byHost: [IPAddress: (context: Int, pairs: [Int])] = [:]
    for item in pairs {
      let context = network[item.context]
      let host = context.address(of: context.pairs.pairs[item.pair].host)
      byHost[host, default: (item.context, [])].pairs.append(item.pair)
    }
    return byHost.keys.sorted().compactMap { host in
      guard let found = byHost[host] else { return nil }
      let table = network[found.context].pairs
      let sorted = found.pairs.sorted { (table.pairs[$1].starts, $0) < (table.pairs[$0].starts, $1) }
      let times = sorted.prefix(8).flatMap { table.startTimes(of: table.pairs[$0]) }.sorted()
      return Member(host: host, context: found.context, pairs: sorted, onsets: onsets(times, quiet: quiet))
    }
  }

  /// The first start of each burst, so that a burst is one act.
  private static func onsets(_ times: [Int64], quiet: Int64) -> [Int64] {
    var onsets: [Int64] = []
    var before = Int64.min / 2
    for time in times {
      if time - before >= quiet { onsets.append(time) }
      before = time
    }
    return onsets
  }
}

extension PairTable {
  /// Start times kept of `pair`, hundredths of a second since the epoch, in no order; the first three are never kept.
  func startTimes(of pair: Pair) -> [Int64] {
    guard let detail = detail(of: pair) else { return [] }
    let zero = Int64(Timestamp.floorDivide(detail.zero.nanoseconds, 10_000_000))
    return detail.ticks.map { zero &+ Int64($0) }
  }
}

extension Pair {
  /// Its conversations are all of one size, both ways.
  var isSteady: Bool { sizesOut.count >= 3 && sizesOut.dispersion <= 0.2 && sizesIn.dispersion <= 0.2 }
}
