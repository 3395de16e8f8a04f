/// Passes on matches of published payload shapes other than Mariposa's, which has a detector of its own.
///
/// What a match is worth stands in its row of `Signatures.yaml`: a strong one is conclusive, a weak one a hint that needs others.
public struct PayloadRuleDetector: Detector {
  public static let card = DetectorCard(
    name: "payload-rule", title: "Published payload shape", family: .payload, reads: [.payload],
    knobs: [
      .init("weak_repeats", 5, unit: "matches", "a weak shape weighs a little more from so many on")
    ],
    references: ["the `source` of each signature, shown in the finding; docs/signatures.md"],
    knownFalsePositives: [
      "malware analysis, sinkholes, honeypots and simulators", "weak shapes: other programs with the same few octets",
    ])

  private enum Bound {
    /// (host, rule, day) triples open in a shard; there are some thirty rules. About 700 B each.
    static let groups = 1 << 16
    /// Distinct servers counted per group.
    static let servers = 256
    /// A record that late still belongs to its day.
    static let graceSeconds = 3600.0
  }

  private struct Key: Hashable {
    var host: UInt32
    var rule: String
    var day: Int
  }

  private struct Group {
    var first: Timestamp
    var last: Timestamp
    var count = 0
    /// The first server met outside, else inside.
    var server: IPAddress
    var servers: Set<IPAddress> = []
    var reachesOutside = false
    var evidence: [EvidenceFlow] = []
  }

  private let weakRepeats: Double
  private var groups: [Key: Group] = [:]
  private var nextClose = Timestamp.distantFuture

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    weakRepeats = try settings.resolve(Self.card)["weak_repeats"] ?? 5
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for observation in batch {
      guard case .payload(let match) = observation.event, !match.rule.hasPrefix(MariposaDetector.rulePrefix),
        observation.vantage.host != .max, match.fromClient,
        match.ends.client == context.address(of: observation.vantage.host)
      else { continue }
      switch observation.vantage.orientation {
      case .outbound: note(match, observation.vantage.host, observation.time, isOutside: true)
      case .inside: note(match, observation.vantage.host, observation.time, isOutside: false)
      case .inbound, .foreign: continue
      }
    }
  }

  private mutating func note(_ match: PayloadMatch, _ host: UInt32, _ time: Timestamp, isOutside: Bool) {
    let key = Key(host: host, rule: match.rule, day: time.day)
    if groups[key] == nil {
      guard PayloadRules.rule(match.rule) != nil else { return }
      guard groups.count < Bound.groups else {
        refused &+= 1
        return
      }
    }
    var group = groups[key] ?? Group(first: time, last: time, server: match.ends.server)
    group.first = min(group.first, time)
    group.last = max(group.last, time)
    group.count &+= 1
    if isOutside, !group.reachesOutside {
      group.reachesOutside = true
      group.server = match.ends.server
    }
    if group.servers.count < Bound.servers { group.servers.insert(match.ends.server) }
    if group.evidence.count < Limits.evidenceFlowsPerFinding {
      group.evidence.append(
        EvidenceFlow(match.ends, time: time, note: "\(match.rule), \(match.payloadOctets) octets"))
    }
    groups[key] = group
    nextClose = min(nextClose, Self.close(ofDay: key.day))
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time >= nextClose || time == .distantFuture else { return }
    nextClose = .distantFuture
    var done: [Key] = []
    for key in groups.keys {
      let end = Self.close(ofDay: key.day)
      if time >= end || time == .distantFuture { done.append(key) } else { nextClose = min(nextClose, end) }
    }
    done.sort { ($0.day, $0.host, $0.rule) < ($1.day, $1.host, $1.rule) }
    for key in done {
      guard let group = groups.removeValue(forKey: key), let rule = PayloadRules.rule(key.rule) else { continue }
      findings.append(finding(key, group, rule, context))
    }
  }

  private static func close(ofDay day: Int) -> Timestamp {
    Timestamp(seconds: Int64(day &+ 1) &* 86_400).advanced(bySeconds: Bound.graceSeconds)
  }

  private func finding(_ key: Key, _ group: Group, _ rule: Signature, _ context: ShardContext) -> Finding {
    let isStrong = rule.evidence == .strong
    let isRepeated = Double(group.count) >= weakRepeats
    let isKnown = rule.confidence.canConvict
    let odds = isStrong ? (group.reachesOutside ? 6.9 : 5.0) : !isKnown ? 1.0 : isRepeated ? 2.3 : 1.6
    let name = context.name(of: group.server, knownTo: key.host)
    let goal =
      group.servers.count == 1 ? (name ?? "\(group.server)") : "\(group.servers.count) servers, e.g. \(group.server)"
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: rule.id,
      summary: "sent what \(rule.source) describes as \(rule.family) (\(rule.id), \(rule.evidence.rawValue)) "
        + "\(group.count) times to \(goal)" + (group.reachesOutside ? "" : ", all inside"),
      first: group.first, last: group.last, logOdds: odds,
      measures: [
        Measure("matches", Double(group.count), "messages", atLeast: 1),
        Measure("servers", Double(group.servers.count), "addresses"),
      ],
      evidence: group.evidence,
      refutedBy:
        "an analysis, sinkhole or simulator set-up on this host, or a harmless program documented to send these octets",
      botnet: isStrong ? rule.family : nil, isConclusive: isStrong && group.reachesOutside, peer: group.server,
      peerName: name)
  }
}
