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
  private static let crowdsAtOnce = 512
  private static let buckets = 1 << 20

  /// Rare services with enough users, in order of key.
  static func all(in network: [ShardContext], hosts: Int, _ bounds: Bounds) -> [Crowd] {
    let usersMost = min(bounds.usersMost, Int(Double(hosts) * bounds.userShareMost))
    guard usersMost >= bounds.groupLeast else { return [] }
    // Most services have one user: a saturating count in a megabyte spares them a table.
    var counts = [UInt8](repeating: 0, count: buckets)
    for part in SideBySide.map(network.count, { Self.counts(network[$0]) }) {
      for i in counts.indices { counts[i] = UInt8(clamping: UInt16(counts[i]) + UInt16(part[i])) }
    }
    let least = UInt8(clamping: bounds.groupLeast)
    let kept = SideBySide.map(network.count) { [counts] in Self.shared(network[$0], counts, least: least) }
    var groups: [UInt64: Group] = [:]
    for (c, part) in kept.enumerated() {
      for use in part { groups[use.key, default: Group(kind: use.kind)].pairs.append((c, use.pair)) }
    }
    groups = groups.filter { $0.value.pairs.count >= bounds.groupLeast }
    guard !groups.isEmpty else { return [] }
    let all = groups.keys.sorted()
    var places = FingerprintTable<UInt32>(limit: all.count)
    for (n, key) in all.enumerated() { _ = places.find(key, orInsert: UInt32(truncatingIfNeeded: n)) }
    var users = [Int](repeating: 0, count: all.count)
    for part in SideBySide.map(network.count, { [places] in Self.countUsers(of: places, network[$0]) }) {
      for (place, count) in part { users[place] += count }
    }
    let rare = all.indices.filter { users[$0] <= usersMost }.map { all[$0] }
    var crowds: [Crowd] = []
    for first in stride(from: 0, to: rare.count, by: crowdsAtOnce) where crowds.count < crowdsMost {
      let keys = Array(rare[first..<min(first + crowdsAtOnce, rare.count)])
      let gathered = SideBySide.map(keys.count, threads: network.count) { [groups] number -> Crowd? in
        guard let group = groups[keys[number]] else { return nil }
        return Crowd(
          key: keys[number], kind: group.kind, members: gather(group.pairs, network, quiet: bounds.quiet))
      }
      crowds += gathered.compactMap { $0 }.filter { $0.members.count >= bounds.groupLeast }
    }
    return Array(crowds.prefix(crowdsMost))
  }

  /// Who may belong together.
  private struct Group {
    var kind: Kind
    var pairs: [(context: Int, pair: Int)] = []
  }

  private struct Use {
    var key: UInt64
    var kind: Kind
    var pair: Int
  }

  private static func bucket(_ key: UInt64) -> Int { Int(key & UInt64(buckets - 1)) }

  /// By bucket: uses of all its services.
  private static func counts(_ context: ShardContext) -> [UInt8] {
    var counts = [UInt8](repeating: 0, count: buckets)
    forEachKey(context) { key, _, _ in
      let bucket = bucket(key)
      if counts[bucket] < .max { counts[bucket] += 1 }
    }
    return counts
  }

  /// Uses of services that several may have.
  private static func shared(_ context: ShardContext, _ counts: [UInt8], least: UInt8) -> [Use] {
    var uses: [Use] = []
    forEachKey(context) { key, kind, pair in
      if counts[bucket(key)] >= least { uses.append(Use(key: key, kind: kind, pair: pair)) }
    }
    return uses
  }

  /// Everyday services keep time together by nature, and swarms meet by chance.
  private static func isEligible(_ pair: Pair, _ context: ShardContext) -> Bool {
    guard !pair.isInside, pair.starts >= 4, pair.isOurs, pair.transport.hasPorts,
      KnownService.byPort(pair.port, pair.transport) == nil, !KnownService.isFileSharing(pair.port)
    else { return false }
    return !context.hosts[Int(pair.host)].looksPeerToPeer
  }

  private static func forEachKey(_ context: ShardContext, _ body: (_ key: UInt64, _ kind: Kind, _ pair: Int) -> Void) {
    for p in context.pairs.busy.lazy.map(Int.init) {
      let pair = context.pairs.pairs[p]
      guard isEligible(pair, context) else { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      if let name, KnownService.byName(name) != nil { continue }
      forEachKey(of: pair, name) { body($0, $1, p) }
    }
  }

  /// By address; by name, behind which addresses change; by port and size shape, for strangers on odd ports.
  private static func forEachKey(of pair: Pair, _ name: String?, _ body: (_ key: UInt64, _ kind: Kind) -> Void) {
    let port = UInt64(pair.port) << 8 | UInt64(pair.transport.rawValue)
    body(mix64(pair.peer.mixed ^ mix64(port)), .address)
    if let name {
      body(mix64(fingerprint(name) ^ mix64(port | 1 << 32)), .name)
    } else if !KnownService.isCommonPort(pair.port, pair.transport), pair.isSteady {
      let sizes = UInt64(sizeBin(pair.sizesOut)) << 40 | UInt64(sizeBin(pair.sizesIn)) << 48
      body(mix64(sizes | port | 1 << 33), .shape)
    }
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

  /// By place of a service: hosts of this shard that used it at all, however seldom.
  private static func countUsers(of places: FingerprintTable<UInt32>, _ context: ShardContext) -> [Int: Int] {
    var users: [Int: Set<UInt32>] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where !pairs[i].isInside && pairs[i].transport.hasPorts {
      let pair = pairs[i]
      forEachKey(of: pair, context.name(of: pair.peer, knownTo: pair.host)) { key, _ in
        if let place = places.peek(key) { users[Int(place), default: []].insert(pair.host) }
      }
    }
    return users.mapValues(\.count)
  }

  private static func gather(
    _ pairs: [(context: Int, pair: Int)], _ network: [ShardContext], quiet: Int64
  ) -> [Member] {
    var byHost: [IPAddress: (context: Int, pairs: [Int])] = [:]
    for item in pairs {
      let host = network[item.context].host(ofPair: item.pair)
      byHost[host, default: (item.context, [])].pairs.append(item.pair)
    }
    return byHost.keys.sorted().compactMap { host in
      guard let found = byHost[host] else { return nil }
      let (pairs, times) = network[found.context].starts(ofPairs: found.pairs)
      return Member(host: host, context: found.context, pairs: pairs, onsets: onsets(times, quiet: quiet))
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

// Asked of a context where it stands: several threads look at each, and a copy counts references to all its tables.
extension ShardContext {
  fileprivate func host(ofPair place: Int) -> IPAddress { address(of: pairs.pairs[place].host) }

  /// The pairs, most starts first, and the starts of the first eight, sorted.
  fileprivate func starts(ofPairs places: [Int]) -> (pairs: [Int], times: [Int64]) {
    let all = pairs.pairs
    let sorted = places.map { (place: $0, starts: all[$0].starts) }.sorted {
      ($1.starts, $0.place) < ($0.starts, $1.place)
    }
    let times = sorted.prefix(8).flatMap { pairs.startTimes(of: all[$0.place]) }.sorted()
    return (sorted.map(\.place), times)
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
