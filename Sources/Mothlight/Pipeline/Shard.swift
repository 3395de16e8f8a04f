/// Some of our hosts with all that is known of them, and one instance of each detector over them.
///
/// A shard sees every observation of its hosts in input order and no other's, so what it finds does not depend on how many
/// shards there are.
struct Shard: Sendable {
  private(set) var context = ShardContext()
  private var hostNumbers = AddressNumbers()
  private var contacts = FingerprintSet(limit: Shard.contactLimit)
  private var detectors: [any Detector]
  /// By detector: what its card asks for. Nearly all observations are flows, so the others get theirs apart.
  private let portions: [Portion]

  private enum Portion {
    case everything
    /// Application events of several kinds.
    case events
    case one(DetectorCard.Input)

    init(_ reads: [DetectorCard.Input]) {
      if reads.contains(.flow) {
        self = .everything
      } else if reads.count == 1, let only = reads.first {
        self = .one(only)
      } else {
        self = .events
      }
    }
  }
  private let home: Home
  private(set) var findings: [Finding] = []
  private var days = FlatArray<DayTally>()
  /// By host: where the day that was seen last is counted. Apart from the records, which are large and cold.
  private var lastDays: [(day: Int, tally: Int)] = []
  /// Answered look-ups of this shard's hosts by the resolver inside that they asked.
  private(set) var lookupsServedInside: [IPAddress: UInt32] = [:]
  /// Counters for the report.
  private(set) var continuations: UInt64 = 0
  private(set) var hostsRefused: UInt64 = 0
  /// Busy pairs whose port is of a service that keeps time by trade, which the timing detectors leave out.
  private(set) var knownServicePairs: UInt64 = 0
  var contactsRefused: UInt64 { contacts.refused }
  /// By detector, what found no room in its own tables.
  var refusedByDetector: [(name: String, refused: UInt64)] {
    detectors.map { (type(of: $0).card.name, $0.refused) }
  }
  /// Number of our hosts that met each outside peer.
  private var prevalence = FlatArray<PeerUsers>()
  private struct PeerUsers: BitwiseCopyable {
    var peer: IPAddress
    var users: UInt32
  }
  private var peerNumbers = FingerprintTable<UInt32>(limit: Shard.prevalenceLimit)
  /// What earlier runs saw, with `--state`.
  private let memory: RollingState?

  /// (host, peer) contacts per shard: 2 M × 16 to 32 B.
  static let contactLimit = 1 << 21
  /// Outside peers whose users are counted: 1 M × 48 B. A host that meets more is scanning, and a scan's targets are nobody's.
  static let prevalenceLimit = 1 << 20
  /// Inside resolvers whose answers are counted, 40 B each: a network has a handful.
  private static let resolversMost = 4096
  /// Days followed per host: more than a year of rolling logs.
  private static let daysMost = 400

  /// - Parameter longSeriesMost: pairs with long series; less than `LongSeries.limit` only to measure what a full table costs.
  init(
    home: Home, detectors: [any Detector], memory: RollingState? = nil, longSeriesMost: Int = LongSeries.limit
  ) {
    self.home = home
    self.detectors = detectors
    portions = detectors.map { Portion(type(of: $0).card.reads) }
    self.memory = memory
    context.pairs.longSeriesMost = longSeriesMost
    if memory != nil { context.pairs.keepsFrom = 2 }
  }

  /// Host whose shard an observation belongs to; `nil` when none of its ends is ours.
  ///
  /// - Parameter observation: looked at where it stands; a copy of it costs more than the look.
  @inline(__always)
  static func hostAddress(
    of observation: inout Observation, home: Home
  ) -> (address: IPAddress, Orientation, isDestination: Bool)? {
    let (source, destination): (IPAddress, IPAddress)
    switch observation.event {
    case .flow(let flow): (source, destination) = (flow.source, flow.destination)
    default:
      guard let ends = observation.ends else { return nil }
      (source, destination) = (ends.client, ends.server)
    }
    let (orientation, hostIsDestination) = home.orient(source, destination)
    if orientation == .foreign {
      // A group address still shows that our host is there and speaking.
      guard home.contains(source) else { return nil }
      return (source, .foreign, false)
    }
    return (hostIsDestination ? destination : source, orientation, hostIsDestination)
  }

  /// The same, and notes in the vantage where our host stands.
  @inline(__always)
  static func locate(_ observation: inout Observation, home: Home) -> IPAddress? {
    guard let (address, orientation, isDestination) = hostAddress(of: &observation, home: home) else { return nil }
    observation.vantage.orientation = orientation
    observation.vantage.flags.insert(isDestination ? [.located, .hostIsDestination] : .located)
    return address
  }

  /// Host of an observation that was located.
  @inline(__always)
  private static func host(of observation: inout Observation) -> IPAddress? {
    let isDestination = observation.vantage.flags.contains(.hostIsDestination)
    if case .flow(let flow) = observation.event { return isDestination ? flow.destination : flow.source }
    return observation.ends.map { isDestination ? $0.server : $0.client }
  }

  /// How many of its hosts met `peer`.
  func users(of peer: IPAddress) -> UInt32 {
    guard let known = peerNumbers.peek(peer.mixed), Int(known) < prevalence.count,
      prevalence[Int(known)].peer == peer
    else { return 0 }
    return prevalence[Int(known)].users
  }
  /// Whether `address` is one of its hosts.
  func knows(_ address: IPAddress) -> Bool { hostNumbers.known(address) != nil }
  /// What is known of one of its hosts.
  func record(of address: IPAddress) -> HostRecord? {
    hostNumbers.known(address).map { context.hosts[Int($0)] }
  }
  /// Adds what was found about one of its hosts from outside the shard.
  mutating func take(_ finding: Finding) { findings.append(finding) }

  mutating func markSampled() { context.isSampled = true }
  mutating func markWithoutTime() { context.hasUsableTime = false }

  /// Fills in the vantage of each observation, updates what is known, and shows the batch to every detector.
  mutating func process(_ batch: inout [Observation]) {
    prepare(&batch)
    for i in batch.indices {
      let ahead = i &+ Self.placesAhead
      if ahead < keys.count {
        if keys[ahead].pair != 0 { keys[ahead].known = context.pairs.prefetchPair(keys[ahead].pair) }
        let host = batch[ahead].vantage.host
        if host != .max { days.prefetch(lastDays[Int(host)].tally, octets: DayTally.octetsBeforeBins) }
      }
      let near = i &+ Self.timesAhead
      if near < keys.count, let known = keys[near].known { context.pairs.prefetchTimes(known) }
      place(&batch[i], keys[i])
    }
    var events: [Observation] = []
    var byKind: [DetectorCard.Input: [Observation]] = [:]
    for i in batch.indices where !batch[i].vantage.flags.contains(.flow) {
      guard let kind = batch[i].event.input else { continue }
      events.append(batch[i])
      byKind[kind, default: []].append(batch[i])
    }
    for d in detectors.indices {
      let part =
        switch portions[d] {
        case .everything: batch
        case .events: events
        case .one(let kind): byKind[kind] ?? []
        }
      if !part.isEmpty { detectors[d].observe(part, in: context, into: &findings) }
    }
  }

  private struct Keys {
    var contact: UInt64 = 0
    var pair: UInt64 = 0
    /// Place of the pair, where it was known already when it was asked for.
    var known: Int32?
  }
  private var keys: [Keys] = []

  /// Finds the host of each observation and asks for the table slots of the whole batch.
  private mutating func prepare(_ batch: inout [Observation]) {
    keys.removeAll(keepingCapacity: true)
    for i in batch.indices {
      let key = keys(of: &batch[i])
      if key.pair != 0 {
        contacts.prefetch(key.contact)
        context.pairs.prefetchIndex(key.pair)
      }
      keys.append(key)
    }
  }

  /// Observations between asking for what `place` will write to and writing to it.
  private static let placesAhead = 8
  /// The same for a pair's times, once the pair itself has come.
  private static let timesAhead = 4

  /// Fills in host and direction of an observation.
  @inline(__always)
  private mutating func keys(of o: inout Observation) -> Keys {
    var key = Keys()
    guard let address = o.vantage.flags.contains(.located) ? Self.host(of: &o) : Self.locate(&o, home: home) else {
      return key
    }
    var orientation = o.vantage.orientation
    var maySpeak = true
    if case .flow(let flow) = o.event {
      // Packets of the other side alone are something done to our host, whoever seems to have begun.
      if orientation == .outbound, flow.sourcePackets == 0, flow.destinationPackets > 0 { orientation = .inbound }
      maySpeak =
        orientation != .inbound || (flow.destination == address ? flow.destinationPackets : flow.sourcePackets) > 0
    } else if orientation == .outbound, case .dns(let lookup) = o.event, lookup.anomalies.contains(.unsolicitedAnswer) {
      orientation = .inbound
      maySpeak = false
    }
    guard let host = number(of: address, isNewAllowed: maySpeak, at: o.time) else {
      o.vantage.orientation = .foreign
      return key
    }
    o.vantage.host = host
    o.vantage.orientation = orientation
    if case .flow(let flow) = o.event, orientation == .outbound || orientation == .inside {
      key.contact = mix64(flow.destination.mixed ^ UInt64(host) << 32)
      key.pair = PairTable.key(flow, host: host)
    }
    return key
  }

  /// To be called after the last batch, by whom alone it belongs to: less is copied later.
  mutating func endInput() { context.pairs.handOverAll() }

  /// Ends the input. `isOneSided` says that no host of the whole run was answered.
  ///
  /// - Parameter served: look-ups that inside resolvers answered, from `lookupsServedInside` of all shards: a resolver and
  ///   those who ask it may be in different ones.
  /// - Parameter hellos: TLS hellos of the hosts of all shards.
  /// - Parameter echo: what of it was read in an earlier run.
  mutating func finish(
    isOneSided: Bool, served: [IPAddress: UInt32] = [:], hellos: HelloCensus? = nil, echo: Echo.Heard? = nil
  ) {
    if let hellos { context.hellos = hellos }
    for (resolver, count) in served {
      guard let host = hostNumbers.known(resolver) else { continue }
      context.hosts[Int(host)].lookupsServed &+= count
    }
    settle(isOneSided: isOneSided)
    // One view after the other, since each may be as large as the context.
    let days = detectors.map { memory == nil ? nil : (type(of: $0) as? any RollingDetector.Type)?.daysRecalled }
    for recalled in Set(days).sorted(by: { $0 ?? 0 < $1 ?? 0 }) {
      let view = recalled.flatMap { days in memory.flatMap { context.recalling($0, daysBefore: days, less: echo) } }
      for d in detectors.indices where days[d] == recalled {
        detectors[d].advance(to: .distantFuture, in: view ?? context, into: &findings)
      }
    }
  }

  @inline(__always)
  private mutating func place(_ o: inout Observation, _ keys: Keys) {
    let host = o.vantage.host
    let orientation = o.vantage.orientation
    guard host != .max else { return }
    if case .flow(let flow) = o.event {
      placeFlow(flow, host, keys, &o.vantage)
      return
    }
    if orientation != .inbound, let tally = tally(of: Int(host), on: o.time.day) {
      var isLookup = false
      if case .dns = o.event { isLookup = true }
      days[tally].add(eventAt: o.time, isLookup: isLookup)
    }
    switch o.event {
    case .dns(let lookup): placeLookup(lookup, host, orientation)
    case .tls(let handshake):
      if orientation == .outbound { context.hellos.note(handshake, of: host) }
      // Inside a tunnel the server's name is not the proxy's.
      if let name = handshake.serverName, orientation != .inbound,
        !context.isProxy(handshake.ends.server, handshake.ends.serverPort, of: host)
      {
        context.remember(name, of: handshake.ends.server, for: host)
      }
    case .http(let exchange):
      if orientation != .inbound, let agent = exchange.userAgent { context.hosts[Int(host)].note(agent: agent) }
      if orientation != .inbound, exchange.isProxied(orientation) {
        context.rememberProxy(exchange, of: host)
      } else if let name = exchange.host, orientation != .inbound, IPAddress(name) == nil {
        context.remember(name, of: exchange.ends.server, for: host)
      }
    case .flow, .ssh, .payload, .irc: break
    }
  }

  private mutating func number(of address: IPAddress, isNewAllowed: Bool, at time: Timestamp) -> UInt32? {
    if let known = hostNumbers.known(address) { return known }
    // Addresses that others only knock at are no machines; a sweep of a large network must not fill the table.
    guard isNewAllowed else { return nil }
    guard context.hosts.count < Limits.hosts else {
      hostsRefused += 1
      return nil
    }
    hostNumbers.enter(address)
    context.hosts.append(HostRecord(address))
    lastDays.append((.min, -1))
    if let memory { context.welcome(UInt32(truncatingIfNeeded: context.hosts.count &- 1), at: time, from: memory) }
    return UInt32(truncatingIfNeeded: context.hosts.count &- 1)
  }

  @inline(__always)
  private mutating func placeFlow(_ flow: Flow, _ host: UInt32, _ keys: Keys, _ vantage: inout Vantage) {
    let peer = vantage.orientation == .inbound ? flow.source : flow.destination
    note(flow, host, vantage.orientation)
    switch vantage.orientation {
    case .outbound, .inside:
      // A full table says nothing about a first meeting; what it refused is counted.
      if contacts.insert(keys.contact) {
        vantage.flags.insert(.firstContact)
        context.hosts[Int(host)].peers &+= 1
        if vantage.orientation == .outbound { notePeer(peer) }
      }
      let place = context.pairs.update(
        flow, key: keys.pair, known: keys.known, host: host, peer: peer, isInside: vantage.orientation == .inside)
      if place.isNew {
        vantage.flags.insert(.firstService)
      }
      if place.isContinuation {
        vantage.flags.insert(.continuation)
        continuations &+= 1
      }
    case .inbound:
      if flow.destinationPort == 25, flow.transport == .tcp, flow.destinationPackets > 0 {
        context.hosts[Int(host)].mailAnswered &+= 1
        if flow.destinationPackets > 3 { context.hosts[Int(host)].mailReceived &+= 1 }
      }
      if flow.destinationPort < 1024, flow.destinationPayload > 0 { context.hosts[Int(host)].clientsServed &+= 1 }
    case .foreign: break
    }
  }

  private mutating func notePeer(_ peer: IPAddress) {
    if let known = peerNumbers.find(peer.mixed, orInsert: UInt32(truncatingIfNeeded: prevalence.count)) {
      prevalence[Int(known)].users &+= 1
    } else if prevalence.count < peerNumbers.count {
      prevalence.append(PeerUsers(peer: peer, users: 1))
    }
  }

  @inline(__always)
  private mutating func note(_ flow: Flow, _ host: UInt32, _ orientation: Orientation) {
    guard let tally = tally(of: Int(host), on: flow.first.day) else { return }
    days[tally].add(flow, orientation)
  }

  /// Where the day of a host is counted; `nil` for a clock that jumps about, which must not make a day per record.
  @inline(__always)
  private mutating func tally(of host: Int, on day: Int) -> Int? {
    if lastDays[host].day == day { return lastDays[host].tally }
    return otherTally(of: host, on: day)
  }

  private mutating func otherTally(of host: Int, on day: Int) -> Int? {
    var index = context.hosts[host].tallies.first { days[$0].day == day }
    if index == nil {
      guard context.hosts[host].tallies.count < Self.daysMost else { return nil }
      index = days.count
      context.hosts[host].tallies.append(days.count)
      days.append(DayTally(day: day))
    }
    if let index { lastDays[host] = (day, index) }
    return index
  }

  /// Hands what was counted to the host records, which detectors and judge read.
  private mutating func settle(isOneSided: Bool) {
    context.pairs.listBusy()
    for h in context.hosts.indices {
      context.hosts[h].days = context.hosts[h].tallies.map { (days[$0].day, days[$0].activity) }
      context.hosts[h].outboundFlows = context.hosts[h].days.reduce(0) { $0 &+ $1.activity.outboundFlows }
      context.hosts[h].answeredFlows = context.hosts[h].days.reduce(0) { $0 &+ $1.activity.answeredFlows }
      context.hosts[h].isSeenOneSided = isOneSided && context.hosts[h].outboundFlows >= 20
    }
    countStrangers()
    countInsidePeers()
    knownServicePairs = UInt64(
      context.pairs.busyPairs.count {
        !$0.isInside && $0.starts >= 8 && KnownService.byPort($0.port, $0.transport) != nil
      })
    for (host, services) in InsideSurvey.services(in: context) { context.hosts[Int(host)].servicesSurveyed = services }
    for h in context.hosts.indices { context.hosts[h].roles = HostRole.learned(from: context.hosts[h]) }
  }

  private mutating func countInsidePeers() {
    var seen: Set<ShardContext.NameKey> = []
    var timed: Set<ShardContext.NameKey> = []
    let pairs = context.pairs.pairs
    for i in pairs.indices where pairs[i].isInside && pairs[i].isOurs {
      let pair = pairs[i]
      let key = ShardContext.NameKey(host: pair.host, peer: pair.peer)
      if seen.insert(key).inserted { context.hosts[Int(pair.host)].insidePeers += 1 }
      guard Self.isPolled(pair), keepsTime(pair), timed.insert(key).inserted else { continue }
      context.hosts[Int(pair.host)].insideTimers += 1
    }
  }

  /// Clients keep time with a few inside servers, too: name service, clock, mail. Only pollers do so by SNMP, ping and the rest.
  private static func isPolled(_ pair: Pair) -> Bool {
    switch KnownService.byPort(pair.port, pair.transport) {
    case nil, "snmp", "icmp": true
    default: false
    }
  }

  /// Regular by the plainest measure: gaps that differ little from their mean.
  private func keepsTime(_ pair: Pair) -> Bool {
    guard pair.starts >= 9 else { return false }
    let starts = context.pairs.startSeconds(of: pair)
    guard starts.count >= 9 else { return false }
    let gaps = zip(starts.dropFirst(), starts).map { $0 - $1 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    guard mean >= 1 else { return false }
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    return variance < 0.25 * mean * mean
  }

  /// With all names known, whatever the order in which logs were read.
  private mutating func countStrangers() {
    let pairs = context.pairs.pairs
    for i in pairs.indices where !pairs[i].isInside && pairs[i].port > 1023 && pairs[i].transport.hasPorts {
      let pair = pairs[i]
      guard !KnownService.isCommonPort(pair.port, pair.transport),
        context.name(of: pair.peer, knownTo: pair.host) == nil
      else { continue }
      context.hosts[Int(pair.host)].strangers &+= 1
      if KnownService.isFileSharing(pair.port) { context.hosts[Int(pair.host)].fileSharingPeers &+= 1 }
    }
  }

  /// Whether any of its hosts was answered at all.
  var sawAnswers: Bool { days.contains { $0.answeredFlows > 0 } }

  private mutating func placeLookup(_ lookup: DNSLookup, _ host: UInt32, _ orientation: Orientation) {
    let h = Int(host)
    if orientation == .inbound {
      if lookup.isServed, lookup.ends.server == context.address(of: host) { context.hosts[h].lookupsServed &+= 1 }
      return
    }
    // Nobody asked for it as far as the sensor saw; a forged answer must not name a peer, nor count as a look-up.
    guard !lookup.anomalies.contains(.unsolicitedAnswer) else { return }
    if orientation == .inside, lookup.isServed, lookup.ends.client != lookup.ends.server,
      lookupsServedInside[lookup.ends.server] != nil || lookupsServedInside.count < Self.resolversMost
    {
      lookupsServedInside[lookup.ends.server, default: 0] &+= 1
    }
    context.hosts[h].dnsLookups &+= 1
    let failed: UInt32 = lookup.responseCode.map { $0 == DNSLookup.noError ? 0 : 1 } ?? 0
    context.hosts[h].count(lookup.name, failed: failed)
    for address in lookup.addresses { context.remember(lookup.name, of: address, for: host) }
  }
}
