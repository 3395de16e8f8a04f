import Mothlight

/// Several runs' words about one host and day as one: the worse verdict stands, with its reason; findings and activity add up.
enum HostDayMerge {
  /// - Parameter days: of one host and day, oldest run first; not empty.
  static func merge(_ days: [HostDay]) -> HostDay? {
    guard var result = days.max(by: { ($0.verdict, $0.score) < ($1.verdict, $1.score) }) else { return nil }
    guard days.count > 1 else { return result }
    result.findings = findings(days)
    result.botnets = Set(days.flatMap(\.botnets)).sorted()
    result.roles = Set(days.flatMap(\.roles)).sorted()
    result.families = families(days)
    for caveat in days.flatMap(\.caveats) where !result.caveats.contains(caveat) { result.caveats.append(caveat) }
    result.activity = days.dropFirst().reduce(days[0].activity) { add($0, $1.activity) }
    return result
  }

  /// Of findings with one id the strongest, then the newest.
  private static func findings(_ days: [HostDay]) -> [Finding] {
    var best: [String: Finding] = [:]
    for finding in days.flatMap(\.findings) {
      let id = finding.id
      if let known = best[id], !isBetter(finding, than: known) { continue }
      best[id] = finding
    }
    return best.values.sorted { a, b in
      if a.isConclusive != b.isConclusive { return a.isConclusive }
      if a.logOdds != b.logOdds { return a.logOdds > b.logOdds }
      return (a.detector, a.subject, a.id) < (b.detector, b.subject, b.id)
    }
  }

  static func isBetter(_ a: Finding, than b: Finding) -> Bool {
    if a.isConclusive != b.isConclusive { return a.isConclusive }
    if a.logOdds != b.logOdds { return a.logOdds > b.logOdds }
    return a.last > b.last
  }

  private static func families(_ days: [HostDay]) -> [(family: EvidenceFamily, logOdds: Double)] {
    var best: [EvidenceFamily: Double] = [:]
    for family in days.flatMap(\.families) { best[family.family] = max(best[family.family] ?? 0, family.logOdds) }
    return best.sorted { $0.key < $1.key }.map { (family: $0.key, logOdds: $0.value) }
  }

  /// Counts add up. Peers of two runs may be the same: at least the greater number is told.
  private static func add(_ a: HostActivity, _ b: HostActivity) -> HostActivity {
    var sum = a
    sum.first = min(a.first, b.first)
    sum.last = max(a.last, b.last)
    sum.flows = plus(a.flows, b.flows)
    sum.outboundFlows = plus(a.outboundFlows, b.outboundFlows)
    sum.answeredFlows = plus(a.answeredFlows, b.answeredFlows)
    sum.octetsOut = plus(a.octetsOut, b.octetsOut)
    sum.octetsIn = plus(a.octetsIn, b.octetsIn)
    sum.dnsLookups = plus(a.dnsLookups, b.dnsLookups)
    sum.events = plus(a.events, b.events)
    sum.peers = max(a.peers, b.peers)
    sum.bins = (0..<max(a.bins.count, b.bins.count)).map { n in
      plus(n < a.bins.count ? a.bins[n] : 0, n < b.bins.count ? b.bins[n] : 0)
    }
    sum.topPeers = peers(a.topPeers + b.topPeers)
    sum.topNames = names(a.topNames + b.topNames)
    return sum
  }

  private struct Place: Hashable {
    var address: IPAddress
    var port: UInt16
    var transport: Transport
  }

  private static func peers(_ all: [PeerActivity]) -> [PeerActivity] {
    var sums: [Place: PeerActivity] = [:]
    for peer in all {
      let place = Place(address: peer.address, port: peer.port, transport: peer.transport)
      guard var known = sums[place] else {
        sums[place] = peer
        continue
      }
      known.flows = plus(known.flows, peer.flows)
      known.octets = plus(known.octets, peer.octets)
      known.name = known.name ?? peer.name
      sums[place] = known
    }
    let order = sums.values.sorted { a, b in
      a.flows != b.flows
        ? a.flows > b.flows
        : (a.address, a.port, a.transport.rawValue) < (b.address, b.port, b.transport.rawValue)
    }
    return Array(order.prefix(Limits.peersShown))
  }

  private static func names(
    _ all: [(name: String, lookups: UInt32, failed: UInt32)]
  ) -> [(name: String, lookups: UInt32, failed: UInt32)] {
    var sums: [String: (lookups: UInt32, failed: UInt32)] = [:]
    for name in all {
      let known = sums[name.name] ?? (0, 0)
      sums[name.name] = (plus(known.lookups, name.lookups), plus(known.failed, name.failed))
    }
    let order = sums.sorted { ($0.value.lookups, $1.key) > ($1.value.lookups, $0.key) }
    return order.prefix(Limits.namesShown).map { (name: $0.key, lookups: $0.value.lookups, failed: $0.value.failed) }
  }

  /// Never more than the greatest number.
  private static func plus<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
    let (sum, isTooMuch) = a.addingReportingOverflow(b)
    return isTooMuch ? .max : sum
  }
}
