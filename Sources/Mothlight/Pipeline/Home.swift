/// Which addresses are ours. Given by the operator or learned from the beginning of the traffic.
public struct Home: Sendable, Equatable {
  public private(set) var prefixes: [Prefix]
  public private(set) var wasGiven: Bool
  /// RFC 1918, shared and unique local addresses count as ours unless the operator named the home network.
  private let includesPrivate: Bool

  /// - Parameter prefixes: the operator's home network; nothing else is ours then.
  public init(given prefixes: [Prefix]) {
    self.prefixes = prefixes
    wasGiven = true
    includesPrivate = false
  }

  init(learned prefixes: [Prefix], private includesPrivate: Bool) {
    self.prefixes = prefixes
    wasGiven = false
    self.includesPrivate = includesPrivate
  }

  public func contains(_ address: IPAddress) -> Bool {
    if includesPrivate, address.isPrivate, !address.isBroadcast { return true }
    for prefix in prefixes where prefix.contains(address) { return true }
    return false
  }

  /// Where an exchange from `source` to `destination` stands; `true` second when ours is the destination.
  @inline(__always)
  func orient(_ source: IPAddress, _ destination: IPAddress) -> (Orientation, hostIsDestination: Bool) {
    let sourceIsOurs = contains(source)
    let destinationIsOurs = contains(destination)
    if sourceIsOurs { return (destinationIsOurs ? .inside : destination.isUnicastHost ? .outbound : .foreign, false) }
    return destinationIsOurs && source.isUnicastHost ? (.inbound, true) : (.foreign, false)
  }

  /// All prefixes that are ours, private space included where it counts.
  public var prefixesShown: [Prefix] { descriptions }

  var descriptions: [Prefix] {
    (includesPrivate ? Self.privatePrefixes : []) + prefixes
  }

  static let privatePrefixes = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].compactMap
  { Prefix($0) }
}

/// Learns the home network from the first observations of a run.
///
/// Private space is ours when at least 5 % of the exchanges touch it. What remains is covered by the /24s or /16s (IPv6:
/// /48s) that take part in at least half of the remaining exchanges, greedily, at most four; a tie goes to the prefix whose
/// members talk to more different peers, then to the one that begins.
struct HomeLearner {
  /// Exchanges looked at before the decision; a few seconds of a busy network, all of a small capture.
  static let exchangesLearned = 20_000
  private static let prefixesMost = 4

  private var total = 0
  private var touchingPrivate = 0
  private var publicPairs: [(source: IPAddress, destination: IPAddress)] = []

  /// Exchanges of link-local and group addresses decide nothing, but must not be held for ever.
  private static let observationsMost = 160_000
  private var observations = 0

  var isComplete: Bool { total >= Self.exchangesLearned || observations >= Self.observationsMost }

  mutating func observe(_ observation: Observation) {
    guard !isComplete else { return }
    observations += 1
    guard case .flow(let flow) = observation.event else {
      if let ends = observation.ends { add(ends.client, ends.server) }
      return
    }
    add(flow.source, flow.destination)
  }

  private mutating func add(_ source: IPAddress, _ destination: IPAddress) {
    guard source.isUnicastHost, !source.isLinkLocal, !destination.isLinkLocal, !destination.isUnspecified else {
      return
    }
    total += 1
    if source.isPrivate || (destination.isPrivate && destination.isUnicastHost) {
      touchingPrivate += 1
    } else {
      publicPairs.append((source, destination))
    }
  }

  func learn() -> Home {
    let usesPrivate = touchingPrivate > 0 && touchingPrivate * 20 >= total
    var remaining = publicPairs
    var prefixes: [Prefix] = []
    while prefixes.count < Self.prefixesMost, remaining.count * 10 >= total, !remaining.isEmpty {
      guard let best = Self.mostActive(in: remaining), best.exchanges * 2 >= remaining.count else { break }
      // A minority beside a private network is a server farm of others, not ours, unless nearly all of it is one network.
      if usesPrivate, best.exchanges * 10 < remaining.count * 9 || remaining.count * 4 < total { break }
      prefixes.append(best.prefix)
      remaining.removeAll { best.prefix.contains($0.source) || best.prefix.contains($0.destination) }
    }
    return Home(learned: prefixes, private: usesPrivate || prefixes.isEmpty)
  }

  private static func mostActive(in pairs: [(source: IPAddress, destination: IPAddress)]) -> (
    prefix: Prefix, exchanges: Int
  )? {
    struct Tally {
      var exchanges = 0
      var begun = 0
      var peers: Set<IPAddress> = []
    }
    var tallies: [Prefix: Tally] = [:]
    for pair in pairs {
      let a = wide(pair.source)
      let b = wide(pair.destination)
      tallies[a, default: Tally()].exchanges += 1
      tallies[a, default: Tally()].begun += 1
      tallies[a, default: Tally()].peers.insert(pair.destination)
      guard pair.destination.isUnicastHost, a != b else { continue }
      tallies[b, default: Tally()].exchanges += 1
      tallies[b, default: Tally()].peers.insert(pair.source)
    }
    let best = tallies.max { x, y in
      if x.value.exchanges != y.value.exchanges { return x.value.exchanges < y.value.exchanges }
      if x.value.peers.count != y.value.peers.count { return x.value.peers.count < y.value.peers.count }
      if x.value.begun != y.value.begun { return x.value.begun < y.value.begun }
      return y.key.address < x.key.address
    }
    guard let best else { return nil }
    return (narrowed(best.key, pairs), best.value.exchanges)
  }

  private static func wide(_ address: IPAddress) -> Prefix { Prefix(address, length: address.isV4 ? 16 : 48) }

  /// The /24 that carries at least 95 % of the /16's exchanges, else the /16.
  private static func narrowed(_ prefix: Prefix, _ pairs: [(source: IPAddress, destination: IPAddress)]) -> Prefix {
    guard prefix.address.isV4 else { return prefix }
    var counts: [Prefix: Int] = [:]
    var total = 0
    for pair in pairs {
      let sides = [pair.source, pair.destination].filter { prefix.contains($0) }
      guard !sides.isEmpty else { continue }
      total += 1
      for narrow in Set(sides.map { Prefix($0, length: 24) }) { counts[narrow, default: 0] += 1 }
    }
    guard let best = counts.max(by: { ($0.value, $1.key.address) < ($1.value, $0.key.address) }) else { return prefix }
    return best.value * 20 >= total * 19 ? best.key : prefix
  }
}

extension Observation {
  /// Client and server of an application event; `nil` for flows, which carry their own.
  var ends: Endpoints? {
    switch event {
    case .flow: nil
    case .dns(let e): e.ends
    case .tls(let e): e.ends
    case .http(let e): e.ends
    case .ssh(let e): e.ends
    case .payload(let e): e.ends
    case .irc(let e): e.ends
    }
  }
}
