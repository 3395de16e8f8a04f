import Glibc

/// Findings to verdicts: capped log-odds per family, each family once (DESIGN.md, detection.md section 9).
///
/// Infected needs one conclusive match or two families over the bar; suspicious needs one. A host that was hardly seen gets
/// "not enough data", never a clean bill.
public struct Judge: Sendable {
  /// ln(1/1000): one host-day in a thousand is infected before anything was seen.
  public static let prior = -6.9
  /// ln 30: what a family must reach to count as a sign.
  public static let bar = 3.4
  /// ln 1000: no family says more than this, however often it repeats itself.
  public static let cap = 6.9
  /// Flows a host must take part in on a day before "no sign" may be said.
  static let flowsLeast: UInt64 = 20
  /// Seconds between its first and last flow for the same.
  static let secondsLeast = 300.0

  var allow: AllowList
  var home: Home
  /// Kinds of suppression that the operator undoes.
  var undone: Set<Suppression.Kind> = []
  /// What earlier runs knew of peers, with `--state`.
  var ages: DestinationAges?
  private let stages = Dictionary(uniqueKeysWithValues: DetectorRoster.cards.map { ($0.name, $0.stage) })

  init(allow: AllowList, home: Home, undone: Set<Suppression.Kind> = []) {
    self.allow = allow
    self.home = home
    self.undone = undone
  }

  /// Judges all hosts of all shards and writes them into `report`.
  func judge(_ shards: [Shard], into report: inout Report) {
    let network = NetworkView(shards, over: ages)
    gather(shards.map { part($0, network) }, into: &report)
  }

  /// The same with a task for each shard; what it writes is equal.
  func judgeTogether(_ shards: [Shard], into report: inout Report) async {
    let network = NetworkView(shards, over: ages)
    let tasks = shards.map { shard in Task { part(shard, network) } }
    var parts: [Part] = []
    for task in tasks { parts.append(await task.value) }
    gather(parts, into: &report)
  }

  /// What one shard gives to the report.
  private struct Part {
    var rows: [HostDay] = []
    /// With identifiers, which are hashes: made once for each, not at every comparison.
    var hidden: [(id: String, entry: HiddenFinding)] = []
    mutating func hide(_ finding: Finding, _ rule: String) {
      hidden.append((finding.id, HiddenFinding(finding: finding, rule: rule)))
    }
    var suppressed: [String: UInt64] = [:]
  }

  private func part(_ shard: Shard, _ network: NetworkView) -> Part {
    var part = Part()
    var byHost: [IPAddress: [Finding]] = [:]
    for seen in shard.findings {
      if let rule = allow.rule(for: seen) {
        part.hide(seen, rule.description)
        continue
      }
      let weighed = network.weighed(seen)
      let finding = fitted(ages?.weighed(weighed) ?? weighed, shard).restored(undone)
      for suppression in finding.suppressions {
        part.suppressed["suppressed_\(suppression.kind.rawValue)", default: 0] += 1
      }
      if finding.logOdds <= 0, let why = finding.suppressions.max(by: { $0.nats < $1.nats }) {
        part.hide(finding, "\(why.kind.rawValue): \(why.because)")
      } else {
        byHost[finding.host, default: []].append(finding)
      }
    }
    let peers = PeerSummary(shard.context)
    for (number, host) in shard.context.hosts.enumerated() where Self.spoke(host) {
      part.rows += days(host, number, byHost[host.address] ?? [], peers, shard.context)
    }
    return part
  }

  private func gather(_ parts: [Part], into report: inout Report) {
    var hidden = report.hidden.map { (id: $0.finding.id, entry: $0) }
    for part in parts {
      hidden += part.hidden
      report.counters.merge(part.suppressed, uniquingKeysWith: +)
    }
    let rows = parts.count == 1 ? parts[0].rows : parts.flatMap(\.rows)
    // Places are sorted, not rows of some hundred octets each.
    let order = rows.indices.sorted { a, b in
      if rows[a].verdict != rows[b].verdict { return rows[a].verdict > rows[b].verdict }
      if rows[a].score != rows[b].score { return rows[a].score > rows[b].score }
      if rows[a].host != rows[b].host { return rows[a].host < rows[b].host }
      return rows[a].day < rows[b].day
    }
    report.hosts = order.map { rows[$0] }
    report.familyBar = Self.bar
    report.hidden = hidden.indices.sorted { a, b in
      let (first, second) = (hidden[a].entry.finding.host, hidden[b].entry.finding.host)
      return first != second ? first < second : hidden[a].id < hidden[b].id
    }.map { hidden[$0].entry }
  }

  /// A machine whose trade is polling keeps time with everything; a name that it was told to poll says little.
  private func fitted(_ finding: Finding, _ shard: Shard) -> Finding {
    guard finding.family == .timing, finding.peerName != nil, !finding.isConclusive,
      let host = shard.record(of: finding.host), host.roles.contains(.monitor)
    else { return finding }
    var lowered = finding
    lowered.lower(.role, by: 2, because: "it keeps time with \(host.insideTimers) machines inside, as monitoring does")
    return lowered
  }

  /// An address that others only knocked at shows no machine.
  private static func spoke(_ host: HostRecord) -> Bool {
    host.days.contains {
      $0.activity.outboundFlows > 0 || $0.activity.octetsOut > 0 || $0.activity.answeredFlows > 0
        || $0.activity.events > 0
    }
  }

  private func days(
    _ host: HostRecord, _ number: Int, _ findings: [Finding], _ peers: PeerSummary, _ context: ShardContext
  ) -> [HostDay] {
    host.days.sorted { $0.day < $1.day }.map { record in
      let today = findings.filter { $0.first.day <= record.day && $0.last.day >= record.day }.sorted {
        $0.isConclusive != $1.isConclusive
          ? $0.isConclusive
          : $0.logOdds != $1.logOdds ? $0.logOdds > $1.logOdds : ($0.detector, $0.subject) < ($1.detector, $1.subject)
      }
      var activity = record.activity
      activity.peers = host.peers
      activity.topPeers = peers.top(of: number, context)
      activity.topNames = host.topNames
      return verdict(host, record.day, today, activity, context)
    }
  }

  private func verdict(
    _ host: HostRecord, _ day: Int, _ findings: [Finding], _ activity: HostActivity, _ context: ShardContext
  ) -> HostDay {
    var byFamily: [EvidenceFamily: Double] = [:]
    for finding in findings where finding.logOdds > 0 {
      byFamily[finding.family] = max(byFamily[finding.family] ?? 0, min(Self.cap, finding.logOdds))
    }
    let story = Story(findings, stages: stages)
    // The second kind of evidence is what order makes more likely.
    let second = byFamily.filter { story.families.contains($0.key) }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    if story.bonus > 0, second.count >= 2 { byFamily[second[1].key] = min(Self.cap, second[1].value + story.bonus) }
    let families = byFamily.sorted { $0.key < $1.key }.map { (family: $0.key, logOdds: $0.value) }
    let over = families.filter { $0.logOdds >= Self.bar }
    let conclusive = findings.first(where: \.isConclusive)
    let verdict: Verdict
    let reason: String
    if let conclusive {
      verdict = .infected
      reason = "One exact match suffices: \(conclusive.summary)."
    } else if over.count >= 2 {
      verdict = .infected
      reason =
        "\(over.count) independent kinds of evidence agree (\(over.map { Self.words($0.family) }.joined(separator: "; ")))."
    } else if let only = over.first {
      verdict = .suspicious
      reason =
        "One kind of evidence is over the bar (\(Self.words(only.family))); a second, independent one is missing."
    } else if let lack = lack(host, activity, context) {
      verdict = .notEnoughData
      reason = lack
    } else {
      verdict = .noSign
      reason =
        families.isEmpty
        ? "Nothing that this sensor can see pointed to infection in \(activity.flows) flows."
        : "Only weak hints, none over the bar (\(families.map { Self.words($0.family) }.joined(separator: "; ")))."
    }
    let botnets = Set(findings.compactMap(\.botnet)).sorted()
    let inOrder = story.bonus > 0 ? " Its findings follow each other as in an infection, which counts for more." : ""
    var row = HostDay(
      host: host.address, day: day, verdict: verdict, score: Self.prior + families.reduce(0) { $0 + $1.logOdds },
      families: families, findings: findings, reason: reason + inOrder, botnets: botnets, activity: activity)
    row.roles = host.roles
    row.story = story.steps
    row.caveats = caveats(host, activity, context)
    return row
  }

  /// What cannot be known of this host, whatever the verdict.
  private func caveats(_ host: HostRecord, _ activity: HostActivity, _ context: ShardContext) -> [String] {
    var out: [String] = []
    if context.isSampled { out.append(Self.sampledLack) }
    if !context.hasUsableTime { out.append("The records carry no usable time, so nothing about timing can be said.") }
    if host.isSeenOneSided { out.append("Only its own packets were seen: whether anything answered is unknown.") }
    if activity.flows == 0, activity.dnsLookups > 0 {
      out.append("Only its DNS look-ups were seen: whom it then talked to, how often and how much is unknown.")
    } else if activity.outboundFlows >= Self.flowsLeast, !host.hasVisibleLookups {
      out.append("Its DNS look-ups were not seen: what its peers are called, and names that do not exist, are unknown.")
    }
    let seconds = activity.last.seconds(since: activity.first)
    if activity.flows > 0, seconds < 3600 {
      out.append("It was seen for \(Phrase.seconds(max(0, seconds))) only: a slow call-home cannot show in that.")
    }
    if host.roles.contains(.natGateway) {
      out.append("Several machines seem to share this address: which of them it is cannot be told from here.")
    }
    if host.roles.contains(.resolver) {
      out.append("It asks the DNS for others: what is said about names may be about its clients.")
    }
    return out
  }

  private func lack(_ host: HostRecord, _ activity: HostActivity, _ context: ShardContext) -> String? {
    if context.isSampled { return Self.sampledLack }
    if !context.hasUsableTime { return "The records carry no usable time." }
    if activity.flows == 0, activity.dnsLookups > 0 {
      return "Only \(activity.dnsLookups) DNS look-ups of this host were seen, none of its connections."
    }
    if activity.octetsOut == 0 { return "Only what others sent to this host was seen, nothing that it sent itself." }
    if host.isSeenOneSided { return "Only this host's own packets were seen, never an answer: a one-sided view." }
    if activity.flows < Self.flowsLeast { return "Only \(activity.flows) flows of this host were seen." }
    let seconds = activity.last.seconds(since: activity.first)
    if seconds < Self.secondsLeast { return "This host was seen for only \(Phrase.seconds(seconds))." }
    if activity.outboundFlows == 0 { return "This host began nothing toward the outside while it was watched." }
    return nil
  }

  static let sampledLack =
    "The source is sampled: call-homes, quiet channels, failed contacts and what was said cannot be known from it; only "
    + "reaching for many machines or mail servers and listed addresses could show."

  static func words(_ family: EvidenceFamily) -> String {
    switch family {
    case .timing: "when it talks"
    case .fanOut: "whom it reaches for"
    case .dns: "what it asks the DNS"
    case .payload: "what it says"
    case .peer: "what the other end is like"
    case .list: "a published indicator"
    }
  }
}

/// Busiest peers per host, from the pair table: one pass that keeps the best few of each host.
struct PeerSummary {
  private var best: [[Int32]]

  init(_ context: ShardContext) {
    best = [[Int32]](repeating: [], count: context.hosts.count)
    let pairs = context.pairs.pairs
    for i in pairs.indices {
      let host = Int(pairs[i].host)
      let known = best[host].count
      if known == Limits.peersShown, !Self.comesBefore(pairs[i], pairs[Int(best[host][known - 1])]) { continue }
      let place = best[host].firstIndex { Self.comesBefore(pairs[i], pairs[Int($0)]) } ?? known
      best[host].insert(Int32(i), at: place)
      if best[host].count > Limits.peersShown { best[host].removeLast() }
    }
  }

  private static func comesBefore(_ a: Pair, _ b: Pair) -> Bool {
    a.starts != b.starts
      ? a.starts > b.starts : (a.peer, a.port, a.transport.rawValue) < (b.peer, b.port, b.transport.rawValue)
  }

  func top(of host: Int, _ context: ShardContext) -> [PeerActivity] {
    best[host].map {
      let pair = context.pairs.pairs[Int($0)]
      return PeerActivity(
        address: pair.peer, name: context.name(of: pair.peer, knownTo: pair.host), port: pair.port,
        transport: pair.transport,
        flows: pair.starts, octets: pair.octetsOut &+ pair.octetsIn)
    }
  }
}

extension HostRecord {
  var topNames: [(name: String, lookups: UInt32, failed: UInt32)] {
    lookupsByName.sorted { ($0.value.asked, $1.key) > ($1.value.asked, $0.key) }.prefix(Limits.namesShown).map {
      (name: $0.key, lookups: $0.value.asked, failed: $0.value.failed)
    }
  }
}
