import Glibc

/// A host that tries one service on many machines, most of which do not answer.
///
/// Threshold random walk on first contacts (Jung, Paxson, Berger, Balakrishnan, IEEE S&P 2004,
/// doi:10.1109/SECPRI.2004.1301325): each first TCP or ICMP contact moves a log-likelihood ratio up when it fails and down
/// when it succeeds. Peer-to-peer programs fail as often but on a different port each time; a scan repeats its ports.
public struct ScanDetector: Detector {
  public static let card = DetectorCard(
    name: "scan-out", title: "Scanning other machines", family: .fanOut, stage: .attackedOut, reads: [.flow],
    knobs: [
      .init("success_healthy", 0.8, unit: "probability", "θ0: first contact succeeds for a healthy host"),
      .init("success_scanner", 0.2, unit: "probability", "θ1: the same for a scanner"),
      .init("alarm", 4.595, unit: "nat", "walk height that is an alarm (α = β = 0.01)"),
      .init("targets_least", 12, unit: "addresses", "failed first contacts on the scan's ports"),
      .init("port_share_least", 0.5, unit: "share", "failed contacts that fall on the three most tried ports"),
      .init("ports_least", 30, unit: "ports", "failed ports on one address that make a vertical scan"),
      .init(
        "spread_least", 30, unit: "addresses",
        "targets outside, each in a network of its own, that make self-propagation"),
      .init(
        "slow_networks_least", 20, unit: "/16 networks", "outside networks that failed on one port within 24 hours"),
    ],
    references: [
      "doi:10.1109/SECPRI.2004.1301325", "Antonakakis et al., Understanding the Mirai Botnet, USENIX Security 2017",
    ],
    knownFalsePositives: [
      "authorised vulnerability scanners and network inventories", "a resolver or monitor behind a broken uplink",
    ])

  fileprivate struct State {
    var walk = 0.0
    var hasAlarm = false
    var failed: UInt32 = 0
    var succeeded: UInt32 = 0
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var ports: [UInt32: PortTally] = [:]
    var vertical: [IPAddress: UInt32] = [:]
    var reserved: UInt32 = 0
    var samples: [Flow] = []
  }
  fileprivate struct PortTally {
    var failed: UInt32 = 0
    var outside: UInt32 = 0
    var networks: Set<UInt32> = []
    var samples: [Flow] = []
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
  }
  private enum Bound {
    /// Ports and targets remembered per host: a full vertical scan has 65,536 and needs no more to be one.
    static let ports = 512
    static let targets = 256
    static let networks = 512
  }

  private var states: [State] = []
  private let stepUp: Double
  private let stepDown: Double
  private let alarm: Double
  private let targetsLeast: UInt32
  private let portShareLeast: Double
  private let portsLeast: UInt32
  let spreadLeast: Int
  let slowNetworksLeast: Int

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    let healthy = knobs["success_healthy"] ?? 0.8
    let scanner = knobs["success_scanner"] ?? 0.2
    guard healthy > scanner, healthy < 1, scanner > 0 else {
      throw ConfigurationError("scan-out: success_healthy must be above success_scanner, both between 0 and 1")
    }
    stepDown = log(scanner / healthy)
    stepUp = log((1 - scanner) / (1 - healthy))
    alarm = knobs["alarm"] ?? 4.595
    targetsLeast = UInt32(max(2, min(1e6, knobs["targets_least"] ?? 12)))
    portShareLeast = knobs["port_share_least"] ?? 0.5
    portsLeast = UInt32(max(2, min(65_535, knobs["ports_least"] ?? 30)))
    spreadLeast = Int(max(2, min(512, knobs["spread_least"] ?? 30)))
    slowNetworksLeast = Int(max(2, min(1e6, knobs["slow_networks_least"] ?? 20)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    // All is looked at in place: most observations are no first contact and need not be copied.
    let batch = batch.span
    for i in batch.indices {
      let vantage = batch[i].vantage
      let isFirst = vantage.flags.contains(.firstContact)
      guard isFirst || vantage.flags.contains(.firstService), vantage.host != .max else { continue }
      guard vantage.orientation == .outbound || vantage.orientation == .inside else { continue }
      guard case .flow(let flow) = batch[i].event, flow.transport == .tcp || flow.transport.isICMP else { continue }
      note(flow, Int(vantage.host), isFirst)
    }
  }

  private mutating func note(_ flow: Flow, _ host: Int, _ isFirst: Bool) {
    let failed: Bool
    switch flow.state.wasAnswered {
    case .some(let answered): failed = !answered
    // A half-open probe (SYN, SYN-ACK, RST) or a lone stray packet says neither.
    case .none: return
    }
    while states.count <= host { states.append(State()) }
    if isFirst {
      states[host].walk = max(-alarm, states[host].walk + (failed ? stepUp : stepDown))
      if states[host].walk >= alarm { states[host].hasAlarm = true }
      if states[host].hasAlarm { states[host].walk = min(states[host].walk, alarm * 4) }
      if failed { states[host].failed += 1 } else { states[host].succeeded += 1 }
    }
    guard failed else { return }
    if flow.first < states[host].first { states[host].first = flow.first }
    if flow.first > states[host].last { states[host].last = flow.first }
    if flow.destination.isReserved { states[host].reserved += 1 }
    if states[host].vertical.count < Bound.targets || states[host].vertical[flow.destination] != nil {
      states[host].vertical[flow.destination, default: 0] += 1
    }
    guard isFirst else { return }
    let port = flow.transport.isICMP ? UInt32(1) << 16 : UInt32(flow.destinationPort)
    guard states[host].ports.count < Bound.ports || states[host].ports[port] != nil else { return }
    states[host].ports[port, default: PortTally()].add(flow, networksMost: Bound.networks)
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    defer { states = [] }
    var walked: Set<IPAddress> = []
    // What was not sampled looks unanswered: the walk says nothing then, the number of targets still does.
    for host in context.isSampled ? 0..<0 : states.indices {
      let s = states[host]
      let address = context.address(of: UInt32(truncatingIfNeeded: host))
      guard host < context.hosts.count, !context.hosts[host].isSeenOneSided else { continue }
      let record = context.hosts[host]
      if let finding = horizontal(s, address, record) {
        findings.append(finding)
        walked.insert(address)
      }
      if let finding = verticalScan(s, address, record) { findings.append(finding) }
    }
    findings += slowScans(in: context).filter { !walked.contains($0.host) }
  }

  private func horizontal(_ s: State, _ host: IPAddress, _ record: HostRecord) -> Finding? {
    guard s.hasAlarm, s.failed >= targetsLeast else { return nil }
    let top = s.ports.sorted { ($0.value.failed, $1.key) > ($1.value.failed, $0.key) }.prefix(3)
    let onTop = top.reduce(UInt32(0)) { $0 + $1.value.failed }
    let share = Double(onTop) / Double(max(1, s.failed))
    guard share >= portShareLeast, onTop >= targetsLeast else { return nil }
    let failedShare = Double(s.failed) / Double(max(1, s.failed + s.succeeded))
    let worm = top.filter { Self.isWormPort($0.key) && $0.value.networks.count >= spreadLeast }
    let isSpreading = !worm.isEmpty && failedShare >= 0.6
    let ports = top.map { Self.describe($0.key) }.joined(separator: ", ")
    let outside = top.reduce(UInt32(0)) { $0 + $1.value.outside }
    var odds = min(5.5, 3.6 + log(Double(onTop) / Double(targetsLeast)) * 0.5)
    if outside == 0 { odds = min(odds, 4.5) }
    // Everyday ports outside, and not one answer: the way out was down.
    let wasCutOff = s.succeeded == 0 && outside == onTop && top.allSatisfy { Self.isEveryday($0.key) }
    if wasCutOff { odds = min(odds, 2) }
    var finding = Finding(
      card: Self.card, host: host, subject: ports,
      summary: "tried \(onTop) machines on \(ports); \(Phrase.percent(failedShare)) of all its first contacts failed"
        + (isSpreading
          ? "; the targets are scattered over the Internet on ports that only self-spreading malware tries" : ""),
      first: s.first, last: s.last, logOdds: odds,
      measures: [
        Measure("failed_first_contacts", Double(s.failed), "addresses", atLeast: Double(targetsLeast)),
        Measure("failed_share", failedShare, "share"),
        Measure("share_on_three_ports", share, "share", atLeast: portShareLeast),
        Measure(
          "networks", Double(top.map(\.value.networks.count).max() ?? 0), "/16 networks", atLeast: Double(spreadLeast)),
        Measure("reserved_targets", Double(s.reserved), "addresses"),
      ],
      evidence: top.flatMap(\.value.samples).prefix(Limits.evidenceFlowsPerFinding).map { EvidenceFlow($0) },
      refutedBy: "this machine is an authorised scanner or inventory, or its network was down and all contacts failed",
      isConclusive: isSpreading)
    if outside == 0 { Self.setAside(&finding, record) }
    return finding
  }

  /// A search for weak points inside is a scan by trade, and an intruder's too: a hint, and shown.
  private static func setAside(_ finding: inout Finding, _ record: HostRecord) {
    guard record.roles.contains(.scanner), !finding.isConclusive else { return }
    finding.lower(
      .role, by: 3,
      because: "it tries the same \(record.servicesSurveyed) services on most of \(record.insidePeers) machines inside "
        + "and does little else, as an inventory does")
  }

  private func verticalScan(_ s: State, _ host: IPAddress, _ record: HostRecord) -> Finding? {
    guard let best = s.vertical.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), best.value >= portsLeast else {
      return nil
    }
    let targets = s.vertical.values.count { $0 >= portsLeast }
    var samples: [EvidenceFlow] = []
    for tally in s.ports.values.sorted(by: { $0.first < $1.first }) {
      for flow in tally.samples where flow.destination == best.key && samples.count < Limits.evidenceFlowsPerFinding {
        samples.append(EvidenceFlow(flow))
      }
    }
    var finding = Finding(
      card: Self.card, host: host, subject: "ports of \(best.key)",
      summary: "tried \(best.value) different ports of \(best.key) without success"
        + (targets > 1 ? " and did the same to \(targets - 1) more machines" : ""),
      first: s.first, last: s.last, logOdds: min(5, 3.6 + log(Double(best.value) / Double(portsLeast)) * 0.4),
      measures: [
        Measure("failed_ports", Double(best.value), "ports", atLeast: Double(portsLeast)),
        Measure("targets", Double(targets), "addresses"),
      ],
      evidence: samples, refutedBy: "an authorised port scan from this machine", peer: best.key)
    if best.key.isPrivate { Self.setAside(&finding, record) }
    return finding
  }

  /// Services that lie open on small devices and that nothing but their worms tries all over the Internet: Telnet and its
  /// neighbour, Android debugging, TR-069, two routers' UPnP and SDK ports (Mirai, Satori, Hajime: published port lists).
  static func isWormPort(_ port: UInt32) -> Bool { [23, 2323, 5555, 7547, 37215, 52869, 8291].contains(port) }

  private static func isEveryday(_ port: UInt32) -> Bool {
    port >> 16 == 0 && KnownService.isCommonPort(UInt16(truncatingIfNeeded: port), .tcp)
  }

  static func describe(_ port: UInt32) -> String { port >> 16 == 1 ? "icmp" : "tcp/\(port)" }
}

extension ScanDetector.PortTally {
  fileprivate mutating func add(_ flow: Flow, networksMost: Int) {
    failed += 1
    if !flow.destination.isPrivate { outside += 1 }
    if networks.count < networksMost { networks.insert(flow.destination.network16) }
    if samples.count < 3 { samples.append(flow) }
    if flow.first < first { first = flow.first }
    if flow.first > last { last = flow.first }
  }
}
