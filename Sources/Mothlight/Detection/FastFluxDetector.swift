import Glibc

/// Finds names whose addresses change all the time and lie all over the Internet: infected machines that stand in front of a
/// server.
///
/// Content networks and server pools look alike, so this is a hint. It weighs more when the host spoke to several of the
/// addresses.
public struct FastFluxDetector: Detector {
  public static let card = DetectorCard(
    name: "fast-flux", version: 2, title: "Name with ever changing addresses", family: .dns, reads: [.dns],
    knobs: [
      .init("ttl_most", 300, unit: "s", "longest time to live seen in any answer"),
      .init("answers_least", 4, unit: "answers", "with addresses"),
      .init("addresses_least", 10, unit: "addresses", "distinct ones over the run"),
      .init("networks_least", 8, unit: "/16 networks", "that they lie in"),
      .init("network_share_least", 0.7, unit: "share", "networks per address: a provider's addresses crowd in few"),
      .init("systems_least", 5, unit: "systems", "autonomous systems that they lie in, where --networks tells"),
      .init("system_share_least", 0.15, unit: "share", "systems per address that is in one"),
      .init("overlap_most", 0.5, unit: "share", "mean share of an answer that was in the one before"),
      .init("served_lookups", 50, unit: "look-ups", "answered for others that make a host a resolver"),
    ],
    references: [
      "Holz et al., Measuring and Detecting Fast-Flux Service Networks, NDSS 2008",
      "ICANN SSAC, SAC 025: Advisory on Fast Flux Hosting and DNS, 2008",
    ],
    knownFalsePositives: [
      "time servers, seeds of peer-to-peer programs and other pools of volunteers",
      "load balancers of large clouds over a long run",
    ])

  fileprivate enum Bound {
    /// Names of one host.
    static let namesPerHost = 4096
    /// The same over all hosts of a shard: at most 128 Ki × 170 B and 512 Ki addresses × 16 B, 30 MB.
    static let namesPerShard = 1 << 17
    static let addressesPerShard = 1 << 19
    /// Addresses kept of one name; more make it no more certain.
    static let addressesPerName = 64
    /// Addresses of the latest answer compared with the next.
    static let latest = 16
    /// Addresses from which on samples are kept.
    static let samplesFrom = 5
  }

  private struct Key: Hashable {
    var host: UInt32
    var name: String
  }

  fileprivate struct Name {
    var first: Timestamp
    var last: Timestamp
    var answers: UInt32 = 0
    /// Sum over answers of the share that the one before already gave.
    var overlap = 0.0
    var highestTTL: UInt32 = 0
    var isAlias = false
    var addresses: [IPAddress] = []
    var latest: [IPAddress] = []
    var samples: [EvidenceFlow] = []
  }

  private let knobs: [String: Double]
  private let directory: (any NetworkDirectory)?
  private var index: [Key: Int] = [:]
  private var names: [Name] = []
  private var namesOfHost: [Int] = []
  private var addressCount = 0

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    knobs = try settings.resolve(Self.card)
    directory = settings.networks
  }

  private func knob(_ name: String) -> Double { knobs[name] ?? .infinity }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for observation in batch {
      guard case .dns(let lookup) = observation.event, lookup.type == 1, !lookup.addresses.isEmpty,
        lookup.responseCode == DNSLookup.noError, observation.vantage.host != .max,
        observation.vantage.orientation == .outbound || observation.vantage.orientation == .inside,
        !lookup.anomalies.contains(.unsolicitedAnswer), !DNSLookup.isLocalNaming(lookup.ends.serverPort),
        lookup.ends.client == context.address(of: observation.vantage.host)
      else { continue }
      note(Key(host: observation.vantage.host, name: lookup.name), lookup, at: observation.time)
    }
  }

  private mutating func note(_ key: Key, _ lookup: DNSLookup, at time: Timestamp) {
    let known = index[key]
    // A name that is first seen with a long life is left alone; one whose life grows later is dropped at the end.
    guard known != nil || Double(lookup.ttlSeconds) <= knob("ttl_most") && lookup.ttlSeconds > 0 else { return }
    let host = Int(key.host)
    while namesOfHost.count <= host { namesOfHost.append(0) }
    if known == nil {
      guard RegisteredDomains.isPublic(key.name) else { return }
      guard names.count < Bound.namesPerShard, namesOfHost[host] < Bound.namesPerHost else {
        refused &+= 1
        return
      }
      namesOfHost[host] += 1
      index[key] = names.count
      names.append(Name(first: time, last: time))
    }
    let i = known ?? names.count - 1
    let room = Bound.addressesPerShard - addressCount
    if room <= 0 { refused &+= 1 }
    addressCount += names[i].add(lookup, at: time, room: min(room, Bound.addressesPerName))
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    let candidates = index.filter { isSuspect(names[$0.value], $0.key.name) }
    let spread = spread(of: candidates.values)
    let suspects = candidates.filter { isWide(names[$0.value], spread) }
    guard !suspects.isEmpty else { return }
    let hosts = Set(suspects.keys.map(\.host))
    var met: [UInt32: [IPAddress: Pair]] = [:]
    for pair in context.pairs.pairs
    where hosts.contains(pair.host) && pair.answered > 0 && pair.transport == .tcp && pair.port != 53 {
      met[pair.host, default: [:]][pair.peer] = pair
    }
    for (key, i) in suspects.sorted(by: { ($0.key.host, $0.key.name) < ($1.key.host, $1.key.name) }) {
      findings.append(finding(key, names[i], met[key.host] ?? [:], spread, context))
    }
  }

  /// Who announces the addresses of all candidates: one batch.
  private func spread(of candidates: some Sequence<Int>) -> [IPAddress: NetworkRecord] {
    guard let directory else { return [:] }
    let addresses = Set(candidates.flatMap { names[$0].addresses }).sorted()
    return zip(addresses, directory.records(of: addresses)).reduce(into: [:]) { $0[$1.0] = $1.1 }
  }

  private func isSuspect(_ name: Name, _ text: String) -> Bool {
    Double(name.answers) >= knob("answers_least") && Double(name.highestTTL) <= knob("ttl_most")
      && Double(name.addresses.count) >= knob("addresses_least")
      && name.meanOverlap <= knob("overlap_most") && KnownService.byName(text) != "ntp"
  }

  /// Whether the addresses lie all over the Internet: in many systems where that is known, else in many /16 networks.
  private func isWide(_ name: Name, _ records: [IPAddress: NetworkRecord]) -> Bool {
    let announced = name.addresses.compactMap { records[$0]?.system }
    if announced.count * 2 > name.addresses.count {
      let systems = Double(Set(announced).count)
      return systems >= knob("systems_least") && systems >= knob("system_share_least") * Double(announced.count)
    }
    let networks = Double(Set(name.addresses.map(\.network16)).count)
    return networks >= knob("networks_least")
      && networks >= knob("network_share_least") * Double(name.addresses.count)
  }

  private func finding(
    _ key: Key, _ name: Name, _ met: [IPAddress: Pair], _ records: [IPAddress: NetworkRecord], _ context: ShardContext
  ) -> Finding {
    let networks = Set(name.addresses.map(\.network16)).count
    let reached = name.addresses.filter { met[$0] != nil }
    let systems = Set(name.addresses.compactMap { records[$0]?.system })
    let countries = Set(name.addresses.compactMap { records[$0]?.country })
    let spread = Self.places(of: reached, records)
    let served = Int(key.host) < context.hosts.count ? Double(context.hosts[Int(key.host)].lookupsServed) : 0
    let isResolver = served >= knob("served_lookups")
    // Judgements; under the bar on purpose, because large clouds and pools of volunteers do the same.
    var odds = 1.0 + min(1, 0.5 * log(Double(networks) / max(1, knob("networks_least"))))
    if spread >= 3 { odds += 1.2 }
    var most = 3.2
    // One provider's cloud is ruled out, and a volunteer's time server or a peer is not met as a web server.
    let web = reached.filter { met[$0]?.port == 80 || met[$0]?.port == 443 }
    if Double(systems.count) >= 2 * knob("systems_least"), Self.places(of: web, records) >= 3 {
      odds += 1
      most = 4
    }
    if name.isAlias || isResolver { odds -= 1 }
    var summary =
      "\(key.name) gave \(name.addresses.count) addresses in \(networks) networks over \(name.answers) answers"
    if !systems.isEmpty { summary += ", of \(systems.count) autonomous systems" }
    if countries.count > 1 { summary += " in \(countries.count) countries" }
    if !reached.isEmpty { summary += "; it spoke to \(reached.count) of them" }
    if isResolver { summary += "; this host asks for others, and which of them it was cannot be told from here" }
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: key.name, summary: summary, first: name.first,
      last: name.last, logOdds: max(0, min(most, odds)),
      measures: [
        Measure("addresses", Double(name.addresses.count), "addresses", atLeast: knob("addresses_least")),
        Measure("networks", Double(networks), "/16 networks", atLeast: systems.isEmpty ? knob("networks_least") : nil),
        Measure(
          "autonomous_systems", Double(systems.count),
          directory.map { "systems (\($0.origin))" } ?? "systems, not known",
          atLeast: systems.isEmpty ? nil : knob("systems_least")),
        Measure("highest_ttl", Double(name.highestTTL), "s", atMost: knob("ttl_most")),
        Measure("overlap", name.meanOverlap, "share", atMost: knob("overlap_most")),
        Measure("answers", Double(name.answers), "answers", atLeast: knob("answers_least")),
        Measure("addresses_spoken_to", Double(reached.count), "addresses"),
      ],
      evidence: name.samples,
      refutedBy: "a service on many providers or a pool of volunteers that owns this name",
      peer: reached.min(), peerName: key.name)
  }
}

extension FastFluxDetector {
  /// Systems, and /16 networks of what no system is known of.
  private static func places(of addresses: [IPAddress], _ records: [IPAddress: NetworkRecord]) -> Int {
    Set(addresses.map { address in records[address]?.system.map { UInt64($0) | 1 << 40 } ?? UInt64(address.network16) })
      .count
  }
}

extension FastFluxDetector.Name {
  /// Share of an answer that the one before already gave; 1 with a single answer.
  var meanOverlap: Double { answers > 1 ? overlap / Double(answers - 1) : 1 }

  /// Counts an answer; returns how many addresses became known.
  mutating func add(_ lookup: DNSLookup, at time: Timestamp, room: Int) -> Int {
    let given = lookup.addresses.filter { $0.isV4 && $0.isUnicastHost }.prefix(FastFluxDetector.Bound.latest)
    guard !given.isEmpty else { return 0 }
    if answers > 0 { overlap += Double(given.count { latest.contains($0) }) / Double(given.count) }
    answers &+= 1
    first = min(first, time)
    last = max(last, time)
    highestTTL = max(highestTTL, lookup.ttlSeconds)
    if !lookup.targets.isEmpty { isAlias = true }
    latest = Array(given)
    if addresses.count >= FastFluxDetector.Bound.samplesFrom, samples.count < Limits.evidenceFlowsPerFinding,
      given.contains(where: { !addresses.contains($0) })
    {
      samples.append(
        EvidenceFlow(
          lookup.ends, time: time, note: "\(lookup.name): \(given.map(\.description).joined(separator: ", "))"))
    }
    let before = addresses.count
    for address in given where addresses.count < min(FastFluxDetector.Bound.addressesPerName, before + max(0, room)) {
      if !addresses.contains(address) { addresses.append(address) }
    }
    return addresses.count - before
  }
}
