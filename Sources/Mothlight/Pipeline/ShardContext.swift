/// What a shard knows that its detectors may ask: who a host number is, what a peer was called, how a pair behaves.
public struct ShardContext: Sendable {
  /// What was seen of each host, by host number.
  public internal(set) var hosts: [HostRecord] = []
  /// Pairs of our hosts with services; the memory that pair detectors share.
  public internal(set) var pairs = PairTable()
  /// Flow records were sampled by the exporter, so gaps and counts mean little.
  public internal(set) var isSampled = false
  /// All records of a source carry the same time: nothing about timing can be said.
  public internal(set) var hasUsableTime = true
  var names: [NameKey: String] = [:]
  /// TLS hellos and servers by users: of the shard while it reads, of the whole network when detectors conclude.
  public internal(set) var hellos = HelloCensus()

  /// HTTP proxies by user: what goes through one is told by the name asked for, not by its address.
  var proxies: Set<ProxyKey> = []
  /// Names that a host reached through a proxy, for prevalence.
  var proxiedNames: Set<ProxiedName> = []

  struct ProxyKey: Hashable {
    var host: UInt32
    var peer: IPAddress
    var port: UInt16
  }
  struct ProxiedName: Hashable {
    var host: UInt32
    var name: String
  }
  /// (host, proxy) pairs of a shard, 40 B each, and (host, name) pairs behind them, about 100 B each.
  static let proxiesMost = 1 << 16
  static let proxiedNamesMost = 1 << 17
  /// Proxies and names behind them that found no room.
  var proxiesRefused: UInt64 = 0
  /// Names of peers that found no room.
  var namesRefused: UInt64 = 0

  struct NameKey: Hashable {
    var host: UInt32
    var peer: IPAddress

    /// Mixed before, so that the hasher has one word to take in: this is looked up for every pair.
    func hash(into hasher: inout Hasher) { hasher.combine(peer.mixed ^ UInt64(host) << 32) }
  }

  /// Names remembered per host; beyond it the oldest stay and new ones are counted.
  static let namesPerHost: UInt32 = 16_384

  public init() {}

  /// Conversations of a pair that show what a finding says.
  public func samples(of pair: Pair) -> [Flow] { pairs.samples(of: pair, from: address(of: pair.host)) }

  /// The same; the pair as one record where no conversation was kept.
  func shown(of pair: Pair) -> [Flow] {
    let kept = samples(of: pair)
    return kept.isEmpty ? [asFlow(pair)] : kept
  }

  /// The pair as one record.
  func asFlow(_ pair: Pair) -> Flow { pairs.asFlow(pair, of: address(of: pair.host)) }

  public func address(of host: UInt32) -> IPAddress {
    Int(host) < hosts.count ? hosts[Int(host)].address : .unspecified
  }

  /// The name that `host` last knew `peer` by, from DNS answers, SNI or Host headers.
  public func name(of peer: IPAddress, knownTo host: UInt32) -> String? {
    names[NameKey(host: host, peer: peer)]
  }

  /// Whether `host` used this service as an HTTP proxy.
  public func isProxy(_ peer: IPAddress, _ port: UInt16, of host: UInt32) -> Bool {
    !proxies.isEmpty && proxies.contains(ProxyKey(host: host, peer: peer, port: port))
  }

  mutating func rememberProxy(_ exchange: HTTPExchange, of host: UInt32) {
    let proxy = ProxyKey(host: host, peer: exchange.ends.server, port: exchange.ends.serverPort)
    if proxies.count < Self.proxiesMost {
      proxies.insert(proxy)
    } else if !proxies.contains(proxy) {
      proxiesRefused &+= 1
    }
    guard let name = exchange.host.map({ ProxiedName(host: host, name: $0) }) else { return }
    if proxiedNames.count < Self.proxiedNamesMost {
      proxiedNames.insert(name)
    } else if !proxiedNames.contains(name) {
      proxiesRefused &+= 1
    }
  }

  mutating func remember(_ name: String, of peer: IPAddress, for host: UInt32) {
    guard Int(host) < hosts.count, !name.isEmpty else { return }
    let key = NameKey(host: host, peer: peer)
    if let place = names.index(forKey: key) {
      if names.values[place] != name { names.values[place] = name }
    } else if hosts[Int(host)].namesKnown < Self.namesPerHost {
      names[key] = name
      hosts[Int(host)].namesKnown += 1
    } else {
      namesRefused &+= 1
    }
  }
}

/// One of our hosts over the whole run.
public struct HostRecord: Sendable {
  public var address: IPAddress
  public var dnsLookups: UInt32 = 0
  public var namesKnown: UInt32 = 0
  /// Distinct peers outside, first contacts counted.
  public var peers: UInt32 = 0
  public var outboundFlows: UInt64 = 0
  /// Flows in which packets went both ways.
  public var answeredFlows: UInt64 = 0
  /// Services on odd ports at addresses that it never looked up: many of them make a peer-to-peer host.
  public var strangers: UInt32 = 0
  /// Services on file-sharing ports that it tried.
  public var fileSharingPeers: UInt32 = 0
  /// Answered connections that others opened to this host's port 25: a mail server.
  public var mailReceived: UInt32 = 0
  /// Connections of others to its port 25 in which it sent anything: all that a sample shows of a mail server.
  public var mailAnswered: UInt32 = 0
  /// Answered DNS queries that others sent to it: a resolver.
  public var lookupsServed: UInt32 = 0
  /// Distinct machines inside that it began connections to.
  public var insidePeers = 0
  /// Of these, machines with which it keeps time.
  public var insideTimers = 0
  /// Services that it tries on most machines inside, if that makes a survey: see `InsideSurvey`.
  public var servicesSurveyed = 0
  /// Answered connections that outsiders opened to it on low ports.
  public var clientsServed: UInt32 = 0
  var platforms: PlatformSet = []
  /// Agent texts already looked at, by hash.
  var agentsSeen: Set<Int> = []
  /// What it is in its network; known when the input has ended.
  public internal(set) var roles: [HostRole] = []
  /// Names asked and failures, for the report; bounded by `namesCounted`.
  var lookupsByName: [String: (asked: UInt32, failed: UInt32)] = [:]
  /// One record per UTC day, in order of first sight; filled in when the input has ended.
  public internal(set) var days: [(day: Int, activity: HostActivity)] = []
  /// Where the shard counts its days.
  var tallies: [Int] = []
  /// What earlier runs knew of it.
  var earlier = EarlierHost()

  static let namesCounted = 4096
  static let agentsMost = 64

  mutating func note(agent: String) {
    guard agentsSeen.count < Self.agentsMost, agentsSeen.insert(agent.hashValue).inserted else { return }
    platforms.formUnion(PlatformSet(browserAgent: agent))
  }

  mutating func count(_ name: String, failed: UInt32) {
    if let place = lookupsByName.index(forKey: name) {
      lookupsByName.values[place].asked &+= 1
      lookupsByName.values[place].failed &+= failed
    } else if lookupsByName.count < Self.namesCounted {
      lookupsByName[name] = (1, failed)
    }
  }

  init(_ address: IPAddress) { self.address = address }

  /// Strangers above which a host is taken for peer-to-peer: one of them that is dead or quiet says nothing then.
  public static let strangersOfPeerToPeer: UInt32 = 40
  public var looksPeerToPeer: Bool { strangers > Self.strangersOfPeerToPeer || fileSharingPeers >= 2 }

  /// It spoke, and no host of the whole run was ever answered: that nothing answers says nothing about it.
  public internal(set) var isSeenOneSided = false

  /// Whether a missing name means anything: enough of this host's look-ups were seen.
  public var hasVisibleLookups: Bool { dnsLookups >= 10 }

  /// Seconds between its first and last record: unrelated inputs of another year do not stretch it.
  public var secondsWatched: Double {
    guard let first = days.map(\.activity.first).min(), let last = days.map(\.activity.last).max(), last > first else {
      return 0
    }
    return last.seconds(since: min(first, earlier.watchedSince))
  }

  /// Hours (UTC, since the epoch) in which the host was seen.
  public var hoursOnline: Int {
    days.reduce(earlier.hours) { sum, day in
      sum + (0..<24).count { hour in day.activity.bins[(hour * 4)..<(hour * 4 + 4)].contains { $0 > 0 } }
    }
  }
}
