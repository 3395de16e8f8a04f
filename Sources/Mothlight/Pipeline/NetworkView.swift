/// What only the whole network tells: how many of our hosts know a peer or a name.
struct NetworkView {
  private var hosts = 0
  private var byPeer: [IPAddress: UInt32] = [:]
  private var byName: [String: UInt32] = [:]
  private var byDomain: [String: UInt32] = [:]

  private struct Known: Hashable {
    var host: UInt32
    var name: String
  }

  /// Hosts below which "rare here" means nothing.
  private static let hostsLeast = 10

  /// What findings are about. Nothing else is ever asked for, and a network knows a hundred times as much.
  private struct Wanted: Sendable {
    var peers: Set<IPAddress> = []
    var names: Set<String> = []
    /// Names that findings about the DNS are about.
    var asked: Set<Substring> = []
    /// Registered domains that timers are about: a vendor's devices each have a name of their own.
    var domains: Set<Substring> = []

    init(_ shards: [Shard]) {
      for shard in shards {
        // In place: a copy of a finding counts a dozen references.
        for i in shard.findings.indices {
          if let peer = shard.findings[i].peer { peers.insert(peer) }
          guard let name = shard.findings[i].peerName else { continue }
          names.insert(name)
          let family = shard.findings[i].family
          if family == .dns { asked.insert(name[...]) }
          if family == .timing, shard.findings[i].logOdds > 1,
            let domain = PublicSuffix.builtin.registeredDomain(name)
          {
            domains.insert(domain[...])
          }
        }
      }
    }
  }

  /// Users in one shard, whose hosts are in no other.
  private struct Users: Sendable {
    var ofName: [String: UInt32] = [:]
    var ofDomain: [String: UInt32] = [:]
    var asking: [String: UInt32] = [:]

    init(of wanted: Wanted, in shard: Shard) {
      if !wanted.names.isEmpty { countNames(wanted, shard) }
      if !wanted.asked.isEmpty { countAskers(wanted, shard) }
      if !wanted.domains.isEmpty { countDomains(wanted, shard) }
    }

    private mutating func countNames(_ wanted: Wanted, _ shard: Shard) {
      var seen: Set<Known> = []
      for (key, name) in shard.context.names where wanted.names.contains(name) {
        if seen.insert(Known(host: key.host, name: name)).inserted { ofName[name, default: 0] += 1 }
      }
      for proxied in shard.context.proxiedNames where wanted.names.contains(proxied.name) {
        if seen.insert(Known(host: proxied.host, name: proxied.name)).inserted { ofName[proxied.name, default: 0] += 1 }
      }
    }

    /// Hosts that know any name of a domain.
    private mutating func countDomains(_ wanted: Wanted, _ shard: Shard) {
      var seen: Set<Known> = []
      for (key, name) in shard.context.names {
        var rest = Substring(name)
        while let dot = rest.utf8.firstIndex(of: 0x2e) {
          if wanted.domains.contains(rest), seen.insert(Known(host: key.host, name: String(rest))).inserted {
            ofDomain[String(rest), default: 0] += 1
          }
          rest = rest[rest.utf8.index(after: dot)...]
        }
      }
    }

    /// Hosts that asked for a name or for names below it.
    private mutating func countAskers(_ wanted: Wanted, _ shard: Shard) {
      for h in shard.context.hosts.indices {
        var asked: Set<Substring> = []
        for name in shard.context.hosts[h].lookupsByName.keys {
          var rest = Substring(name)
          while true {
            if wanted.asked.contains(rest) { asked.insert(rest) }
            guard let dot = rest.utf8.firstIndex(of: 0x2e) else { break }
            rest = rest[rest.utf8.index(after: dot)...]
          }
        }
        for name in asked { asking[String(name), default: 0] += 1 }
      }
    }
  }

  /// - Parameter ages: counts hosts over the kept time instead of the run's.
  init(_ shards: [Shard], over ages: DestinationAges? = nil) {
    defer { if let ages { widen(ages) } }
    for shard in shards { hosts += shard.context.hosts.count { $0.outboundFlows >= 10 } }
    let wanted = Wanted(shards)
    for peer in wanted.peers { byPeer[peer] = shards.reduce(0) { $0 + $1.users(of: peer) } }
    guard hosts >= Self.hostsLeast else { return }
    var asking: [String: UInt32] = [:]
    for users in SideBySide.map(shards.count, { Users(of: wanted, in: shards[$0]) }) {
      byName.merge(users.ofName, uniquingKeysWith: +)
      byDomain.merge(users.ofDomain, uniquingKeysWith: +)
      asking.merge(users.asking, uniquingKeysWith: +)
    }
    byName.merge(asking, uniquingKeysWith: max)
  }

  private mutating func widen(_ ages: DestinationAges) {
    hosts = max(hosts, ages.hosts)
    byPeer.merge(ages.byPeer) { max($0, $1) }
    byName.merge(ages.byName) { max($0, $1) }
  }

  private func hostsOfDomain(_ finding: Finding) -> UInt32 {
    finding.peerName.flatMap(PublicSuffix.builtin.registeredDomain).flatMap { byDomain[$0] } ?? 0
  }

  /// Adds prevalence to a finding about one peer and moves its weight by it.
  func weighed(_ finding: Finding) -> Finding {
    // A server behind a proxy has a name only.
    guard finding.peer != nil || finding.peerName != nil, hosts >= Self.hostsLeast, !finding.isConclusive,
      finding.family != .list, finding.family != .fanOut
    else { return finding }
    let users = max(1, finding.peer.flatMap { byPeer[$0] } ?? 1, finding.peerName.flatMap { byName[$0] } ?? 0)
    let share = min(1, Double(users) / Double(hosts))
    var weighed = finding
    weighed.measures.append(Measure("prevalence", share, "share of \(hosts) hosts"))
    if users >= 3, share >= 0.25 {
      weighed.lower(.prevalence, by: 3, because: "\(users) of \(hosts) machines here use it")
      weighed.summary += "; \(users) of \(hosts) machines here use it"
    } else if users <= 1, hostsOfDomain(finding) <= 1, finding.family == .timing, weighed.logOdds > 1,
      finding.last.seconds(since: finding.first) >= 3600, finding.peerName != nil
    {
      weighed.logOdds += 1
      weighed.summary += "; no other of \(hosts) machines here does"
    }
    return weighed
  }
}
