import Glibc

/// A host that reaches for the remote shells of strangers' devices, however slowly and whether or not they answer.
///
/// `scan-out` walks on failures and loses a bot that tries a few addresses an hour, whose victims answer, or of which only
/// SYNs are seen. On these ports outcome and rate do not matter: healthy machines do not try them on addresses all over the
/// Internet at all, so distinct networks within a day are counted. That is a lower bound, so sampling leaves it valid.
public struct DeviceAttackDetector: Detector {
  public static let card = DetectorCard(
    name: "device-attack", title: "Reaching for strangers' devices", family: .fanOut, stage: .attackedOut,
    reads: [.flow],
    knobs: [
      .init("networks_least", 8, unit: "/16 networks", "outside networks tried on device ports within 24 hours"),
      .init("spread_least", 30, unit: "/16 networks", "the same count that makes self-propagation"),
      .init("ssh_networks_least", 30, unit: "/16 networks", "the same count on SSH ports alone"),
      .init("inside_least", 20, unit: "addresses", "targets inside that failed, within 24 hours"),
      .init("octets_most", 8000, unit: "octets", "mean octets of a conversation; a person's session carries more"),
      .init("starts_most", 50, unit: "connections", "tries of one target; one who comes back more often knows it"),
      .init("stranger_share_least", 0.05, unit: "share", "targets among the strangers of a peer-to-peer host"),
    ],
    references: [
      "Antonakakis et al., Understanding the Mirai Botnet, USENIX Security 2017",
      "Herwig et al., Measurement and Analysis of Hajime, NDSS 2019",
      "reference detection.md section 7, Mirai class",
    ],
    knownFalsePositives: [
      "a research scanner or penetration tester", "a provider's management server that calls devices in many networks",
    ])

  private let networksLeast: Int
  private let spreadLeast: Int
  private let sshNetworksLeast: Int
  private let insideLeast: Int
  private let octetsMost: Double
  private let startsMost: UInt32
  private let strangerShareLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    func count(_ name: String, _ standard: Double) -> Int { Int(max(2, min(1e6, knobs[name] ?? standard))) }
    networksLeast = count("networks_least", 8)
    spreadLeast = count("spread_least", 30)
    sshNetworksLeast = count("ssh_networks_least", 30)
    insideLeast = count("inside_least", 20)
    octetsMost = knobs["octets_most"] ?? 8000
    startsMost = UInt32(count("starts_most", 50))
    strangerShareLeast = knobs["stranger_share_least"] ?? 0.05
  }

  private struct Reach {
    var shells = TargetSpread()
    var ssh = TargetSpread()
    var inside = TargetSpread()
    var web: Set<UInt32> = []
  }
  /// Networks of web targets counted per host: they only add, so a few hundred say all.
  private static let webNetworksMost = 512

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    // Without times nobody knows whether it was a day or a year.
    guard time == .distantFuture, context.hasUsableTime else { return }
    var reached: [UInt32: Reach] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where pairs[i].transport == .tcp && isBrush(pairs[i], context) {
      let pair = pairs[i]
      if AttackedPort.isDeviceShell(pair.port) {
        if pair.isInside {
          if pair.failed > 0 { reached[pair.host, default: Reach()].inside.add(pair, at: i) }
        } else if context.name(of: pair.peer, knownTo: pair.host) == nil {
          reached[pair.host, default: Reach()].shells.add(pair, at: i)
        }
      } else if AttackedPort.isSSH(pair.port), !pair.isInside {
        guard context.name(of: pair.peer, knownTo: pair.host) == nil else { continue }
        reached[pair.host, default: Reach()].ssh.add(pair, at: i)
      }
    }
    guard !reached.isEmpty else { return }
    addWeb(&reached, context)
    for host in reached.keys.sorted() {
      guard let reach = reached[host] else { continue }
      if let finding = outside(reach, host, context) { findings.append(finding) }
      if let finding = inside(reach.inside.densestDay(), host, context) { findings.append(finding) }
    }
  }

  /// A touch rather than a session: small, and not come back to for ever.
  private func isBrush(_ pair: Pair, _ context: ShardContext) -> Bool {
    guard pair.packetsOut > 0, pair.starts <= startsMost, pair.isOurs || pair.answered == 0 || context.isSampled else {
      return false
    }
    return Double(pair.octetsOut &+ pair.octetsIn) <= octetsMost * Double(max(1, pair.starts))
  }

  /// Failed web contacts count for hosts that reach for shells anyway.
  private func addWeb(_ reached: inout [UInt32: Reach], _ context: ShardContext) {
    let pairs = context.pairs.pairs
    for i in pairs.indices where pairs[i].transport == .tcp && AttackedPort.isDeviceWeb(pairs[i].port) {
      let pair = pairs[i]
      guard !pair.isInside, pair.answered == 0 else { continue }
      guard let known = reached[pair.host]?.web.count, known < Self.webNetworksMost,
        context.name(of: pair.peer, knownTo: pair.host) == nil
      else { continue }
      reached[pair.host]?.web.insert(pair.peer.network16)
    }
  }

  private func outside(_ reach: Reach, _ host: UInt32, _ context: ShardContext) -> Finding? {
    let shells = reach.shells.densestDay()
    let ssh = reach.ssh.densestDay()
    let isMixed = shells.networks >= max(2, networksLeast / 2)
    guard isMixed || ssh.networks >= sshNetworksLeast else { return nil }
    let record = context.hosts[Int(host)]
    // Peers of a swarm sit on every port there is, and so on a few of these.
    let all = Double(max(1, max(Int(record.strangers), reach.shells.targets.count + reach.ssh.targets.count)))
    if record.looksPeerToPeer,
      Double(reach.shells.targets.count + reach.ssh.targets.count) / all < strangerShareLeast
    {
      return nil
    }
    // The other ports count no more than the shells themselves, which healthy machines leave alone.
    let breadth = isMixed ? shells.networks + min(shells.networks, ssh.networks) : ssh.networks
    let least = isMixed ? networksLeast : sshNetworksLeast
    var odds = min(6, 3.4 + 0.9 * log(Double(breadth) / Double(least)))
    if isMixed, reach.web.count >= 10 { odds += 0.3 }
    if !isMixed { odds = min(odds, 4.5) }
    let counted = isMixed ? shells : ssh
    // A management server keeps to its own customers' networks; worms draw their targets from everywhere.
    let isScattered = counted.spread >= 0.3 || counted.networks >= 256
    if !isScattered { odds = min(odds, 3) }
    return finding(
      counted, host, context, odds: odds, isConclusive: isMixed && shells.networks >= spreadLeast && isScattered,
      others: [
        Measure("ssh_networks", Double(ssh.networks), "/16 networks", atLeast: Double(sshNetworksLeast)),
        Measure("web_networks_failed", Double(reach.web.count), "/16 networks"),
      ], least: least)
  }

  private func finding(
    _ met: TargetSpread.Densest, _ host: UInt32, _ context: ShardContext, odds: Double, isConclusive: Bool,
    others: [Measure], least: Int
  ) -> Finding {
    // Looked at where they stand: there may be tens of thousands.
    let ports = Set(met.targets.map { context.pairs.pairs[$0.pair].port }).sorted().map { "tcp/\($0)" }
    let named = ports.prefix(4).joined(separator: ", ") + (ports.count > 4 ? " and more" : "")
    let unanswered = met.targets.count { context.pairs.pairs[$0.pair].answered == 0 }
    return Finding(
      card: Self.card, host: context.address(of: host), subject: "devices outside",
      summary:
        "reached for \(met.targets.count) addresses in \(met.networks) networks on \(named), ports of devices' remote shells, "
        + "within \(Phrase.seconds(met.last.seconds(since: met.first))); \(unanswered) never answered"
        + (isConclusive ? "; only self-spreading malware tries these ports all over the Internet" : ""),
      first: met.first, last: met.last, logOdds: odds,
      measures: [
        Measure("networks", Double(met.networks), "/16 networks", atLeast: Double(least)),
        Measure("targets", Double(met.targets.count), "addresses"),
        Measure("spread", met.spread, "networks per address", atLeast: 0.3),
        Measure("unanswered", Double(unanswered) / Double(max(1, met.targets.count)), "share"),
      ] + others, evidence: evidence(met, context),
      refutedBy: "this machine scans the Internet or manages devices in many networks on purpose",
      isConclusive: isConclusive)
  }

  private func inside(_ met: TargetSpread.Densest, _ host: UInt32, _ context: ShardContext) -> Finding? {
    guard met.targets.count >= insideLeast else { return nil }
    return Finding(
      card: Self.card, host: context.address(of: host), subject: "devices inside",
      summary: "tried the remote-shell ports of \(met.targets.count) addresses inside without success",
      first: met.first, last: met.last, logOdds: 2,
      measures: [Measure("targets", Double(met.targets.count), "addresses", atLeast: Double(insideLeast))],
      evidence: evidence(met, context),
      refutedBy: "an inventory, a monitor or an administrator's machine that looks for devices here")
  }

  private func evidence(_ met: TargetSpread.Densest, _ context: ShardContext) -> [EvidenceFlow] {
    met.targets.prefix(Limits.evidenceFlowsPerFinding).map {
      EvidenceFlow(context.asFlow(context.pairs.pairs[$0.pair]))
    }
  }
}
