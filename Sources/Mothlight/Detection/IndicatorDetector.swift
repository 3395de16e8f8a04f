/// Finds hosts that met something on a published list: asked for its name, connected to its address, or showed its print.
///
/// One finding per host, indicator and day. How much a match weighs depends on what was matched, on the list's date and
/// expiry held against event time, and on whether others share the address.
public struct IndicatorDetector: Detector {
  public static let card = DetectorCard(
    name: "indicator", title: "Published indicator", family: .list, reads: [.flow, .dns, .tls, .http],
    knobs: [
      .init("stale_after_years", 5, unit: "years", "a list without expiry weighs less from this age on")
    ],
    references: [
      "ICS-CERT ICSA-10-090-01, Mariposa Botnet (2010)", "maltrail issues 19258, 19379: stale and shared indicators",
      "MISP taxonomies and warning lists: shared hosting is no verdict",
    ],
    knownFalsePositives: [
      "a resolver, mail filter or researcher that looks names up for others",
      "names and addresses that changed hands after the list was made",
      "JA3 and JA4 tell client software, which harmless programs share",
    ])

  enum Bound {
    /// Distinct indicators counted per host and day, about 400 B each.
    static let hitsPerHostDay = 128
    /// The same over all hosts of a shard: about 26 MB.
    static let hitsPerShard = 1 << 16
    /// Days of one host that are open at a time: more than a year of logs in one run.
    static let daysPerHost = 400
    /// A record that late still belongs to its day.
    static let graceSeconds = 3600.0
  }

  /// How a match came about; in the order of what it proves.
  enum Way: String {
    case asked = "asked the DNS for it"
    case connected = "connected to it"
    case visited = "named it in a request"
    case shown = "showed it"
  }

  struct Hit {
    var match: Registry.Match
    var first: Timestamp
    var last: Timestamp
    var count = 0
    var ways: [Way: Int] = [:]
    var evidence: [EvidenceFlow] = []
    var peer: IPAddress?
    var peerName: String?
  }

  struct Day {
    var number: Int
    var hits: [Registry.Match: Int] = [:]
    var list: [Hit] = []
  }

  struct Host {
    var days: [Day] = []
    /// A peer of this host is on a list, so each of its flows is looked up, not only first contacts.
    var metListedPeer = false
  }

  private let registry: Registry
  private let staleAfterYears: Double
  private var hosts: [Host] = []
  private var hitCount = 0
  private var nextClose = Timestamp.distantFuture

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    staleAfterYears = try settings.resolve(Self.card)["stale_after_years"] ?? .infinity
    registry = settings.registry
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    let looksAtFlows = registry.hasAddresses
    for i in batch.indices {
      let vantage = batch[i].vantage
      guard vantage.host != .max, Int(vantage.host) < Limits.hosts else { continue }
      if vantage.flags.contains(.flow) {
        if looksAtFlows, case .flow(let flow) = batch[i].event { meet(flow, vantage, context) }
        continue
      }
      guard vantage.orientation == .outbound || vantage.orientation == .inside else { continue }
      let address = context.address(of: vantage.host)
      let time = batch[i].time
      switch batch[i].event {
      case .dns(let lookup) where lookup.ends.client == address: meet(lookup, vantage.host, time)
      case .tls(let hello) where hello.ends.client == address: meet(hello, vantage.host, time)
      case .http(let exchange) where exchange.ends.client == address: meet(exchange, vantage.host, time)
      default: continue
      }
    }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time >= nextClose || time == .distantFuture else { return }
    nextClose = .distantFuture
    for host in hosts.indices {
      while let day = hosts[host].days.first {
        let end = Self.close(ofDay: day.number)
        guard time >= end || time == .distantFuture else {
          nextClose = min(nextClose, end)
          break
        }
        hosts[host].days.removeFirst()
        hitCount -= day.list.count
        let address = context.address(of: UInt32(clamping: host))
        findings += day.list.map { finding($0, host: address) }
      }
    }
  }

  private static func close(ofDay day: Int) -> Timestamp {
    Timestamp(seconds: Int64(day &+ 1) &* 86_400).advanced(bySeconds: Bound.graceSeconds)
  }
}

extension IndicatorDetector {
  /// One hash probe per new peer; more only for hosts that met a listed one.
  private mutating func meet(_ flow: Flow, _ vantage: Vantage, _ context: ShardContext) {
    let isNew = vantage.flags.contains(.firstContact)
    let host = Int(vantage.host)
    guard isNew || (host < hosts.count && hosts[host].metListedPeer) else { return }
    let own = context.address(of: vantage.host)
    let peer = flow.source == own ? flow.destination : flow.source
    guard registry.mayMatch(peer) else { return }
    grow(to: host)
    hosts[host].metListedPeer = true
    guard vantage.orientation == .outbound, flow.source == own else { return }
    let matches = registry.matches(address: peer, port: flow.transport.hasPorts ? flow.destinationPort : nil)
    for match in matches {
      record(match, vantage.host, flow.first, .connected, peer) { EvidenceFlow(flow, note: $0.value) }
    }
  }

  private mutating func meet(_ lookup: DNSLookup, _ host: UInt32, _ time: Timestamp) {
    for match in registry.matches(domain: lookup.name) {
      let answer = lookup.addresses.first.map { "answered \($0)" } ?? "no address"
      record(match, host, time, .asked, lookup.addresses.first, name: lookup.name) { _ in
        EvidenceFlow(lookup.ends, time: time, note: "DNS \(lookup.name): \(answer)")
      }
    }
  }

  private mutating func meet(_ hello: TLSHandshake, _ host: UInt32, _ time: Timestamp) {
    if let name = hello.serverName {
      for match in registry.matches(domain: name) {
        record(match, host, time, .visited, hello.ends.server, name: name) { _ in
          EvidenceFlow(hello.ends, time: time, note: "SNI \(name)")
        }
      }
    }
    guard registry.hasPrints else { return }
    let prints: [(Indicator.Kind, String?)] = [
      (.ja3, hello.ja3), (.ja4, hello.ja4), (.certificate, hello.certificate?.sha1),
      (.certificate, hello.certificate?.sha256),
    ]
    for (kind, value) in prints {
      guard let value else { continue }
      for match in registry.matches(kind, value) {
        record(match, host, time, .shown, hello.ends.server, name: hello.serverName) {
          EvidenceFlow(hello.ends, time: time, note: "\($0.kind.rawValue) \($0.value)")
        }
      }
    }
  }

  private mutating func meet(_ exchange: HTTPExchange, _ host: UInt32, _ time: Timestamp) {
    if let name = exchange.host {
      for match in registry.matches(domain: name) {
        record(match, host, time, .visited, exchange.ends.server, name: name) { _ in
          EvidenceFlow(exchange.ends, time: time, note: "\(exchange.method) http://\(name)")
        }
      }
    }
    guard let agent = exchange.userAgent else { return }
    for match in registry.matches(.userAgent, agent) {
      record(match, host, time, .shown, exchange.ends.server, name: exchange.host) { _ in
        EvidenceFlow(exchange.ends, time: time, note: "User-Agent \(agent)")
      }
    }
  }

  private mutating func grow(to host: Int) {
    while hosts.count <= host { hosts.append(Host()) }
  }

  private mutating func record(
    _ match: Registry.Match, _ host: UInt32, _ time: Timestamp, _ way: Way, _ peer: IPAddress?, name: String? = nil,
    evidence: (Indicator) -> EvidenceFlow
  ) {
    let h = Int(host)
    grow(to: h)
    guard let day = openDay(h, time.day) else { return }
    let i: Int
    if let known = hosts[h].days[day].hits[match] {
      i = known
    } else {
      guard hosts[h].days[day].list.count < Bound.hitsPerHostDay, hitCount < Bound.hitsPerShard else {
        refused &+= 1
        return
      }
      i = hosts[h].days[day].list.count
      hosts[h].days[day].list.append(Hit(match: match, first: time, last: time))
      hosts[h].days[day].hits[match] = i
      hitCount += 1
    }
    var hit = hosts[h].days[day].list[i]
    hit.first = min(hit.first, time)
    hit.last = max(hit.last, time)
    hit.count &+= 1
    hit.ways[way, default: 0] &+= 1
    hit.peer = hit.peer ?? peer
    hit.peerName = hit.peerName ?? name
    // A DNS answer shows less than the connection after it: keep room for both.
    let kept = way == .asked ? 2 : Limits.evidenceFlowsPerFinding
    if hit.evidence.count < kept { hit.evidence.append(evidence(registry.indicator(of: match))) }
    hosts[h].days[day].list[i] = hit
  }

  private mutating func openDay(_ host: Int, _ number: Int) -> Int? {
    if let i = hosts[host].days.lastIndex(where: { $0.number == number }) { return i }
    guard hosts[host].days.count < Bound.daysPerHost else {
      refused &+= 1
      return nil
    }
    let at = hosts[host].days.firstIndex { $0.number > number } ?? hosts[host].days.count
    hosts[host].days.insert(Day(number: number), at: at)
    nextClose = min(nextClose, Self.close(ofDay: number))
    return at
  }
}

extension IndicatorDetector {
  /// ln of the likelihood ratio that a fresh, unshared match of each kind carries; a judgement, not a measurement.
  private static func weight(_ kind: Indicator.Kind) -> (fresh: Double, stale: Double) {
    switch kind {
    // A command server's name is asked by little else, even years later.
    case .domain: (4.6, 3.5)
    case .endpoint, .certificate: (4.6, 1.5)
    case .address: (3.5, 1.0)
    case .userAgent: (2.5, 2.0)
    case .prefix, .ja3, .ja4: (1.5, 0.7)
    case .url, .hash: (0, 0)
    }
  }

  private func finding(_ hit: Hit, host: IPAddress) -> Finding {
    let list = registry.list(of: hit.match)
    let indicator = registry.indicator(of: hit.match)
    let isExpired = list.isExpired(at: hit.first)
    let age = list.ageYears(at: hit.first)
    let isStale = list.lastDay == nil && age >= staleAfterYears
    let weight = Self.weight(indicator.kind)
    var odds = isStale ? weight.stale : weight.fresh
    let vouched = list.isHighConfidence && !isExpired && !isStale && !indicator.isShared
    let isConclusive = vouched && [.domain, .endpoint, .certificate].contains(indicator.kind)
    if vouched { odds += 1.5 }
    if isConclusive { odds = 6.9 }
    if isExpired || indicator.isShared { odds = min(odds, 0.7) }
    var remarks: [String] = []
    if isExpired { remarks.append("EXPIRED \(Timestamp.describe(day: list.lastDay ?? 0))") }
    if isStale { remarks.append("listed \(Int(age)) years before") }
    if indicator.isShared { remarks.append("shared hosting") }
    let ways = [Way.connected, .visited, .asked, .shown].filter { hit.ways[$0] != nil }.map(\.rawValue).joined(
      separator: " and ")
    let kind = indicator.kind.rawValue.replacing("_", with: " ")
    var summary =
      "\(kind) \(indicator.value) is on list \(list.name) (\(list.source); \(Timestamp.describe(day: list.day))"
    summary += remarks.isEmpty ? ")" : "; \(remarks.joined(separator: ", ")))"
    summary += "; this host \(ways), \(hit.count) times in all"
    return Finding(
      card: Self.card, host: host, subject: "\(indicator.kind.rawValue) \(indicator.value) on \(list.name)",
      summary: summary,
      first: hit.first, last: hit.last, logOdds: odds,
      measures: [
        Measure("matches", Double(hit.count), "records", atLeast: 1),
        Measure("list_age", age, "years", atMost: staleAfterYears),
        Measure("expired", isExpired ? 1 : 0, ""), Measure("shared_hosting", indicator.isShared ? 1 : 0, ""),
      ],
      evidence: hit.evidence,
      refutedBy:
        "the source withdrew the entry, another tenant or owner holds it now, or this host looks names up for others",
      botnet: indicator.family, isConclusive: isConclusive, peer: hit.peer, peerName: hit.peerName)
  }
}
