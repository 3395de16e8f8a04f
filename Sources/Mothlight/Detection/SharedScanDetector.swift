import Glibc

/// Several machines that try one worm port on different strangers: a scan shared out, or a worm that is going round.
///
/// Each machine may try so few that it stays below every bar of its own. A program with a list of servers gives all machines
/// the same targets; a scan does not.
public struct SharedScanDetector: NetworkDetector {
  public static let card = DetectorCard(
    name: "shared-scan", title: "One scan by several machines", family: .fanOut, stage: .attackedOut, reads: [.flow],
    scope: .whole,
    knobs: [
      .init("hosts_least", 3, unit: "hosts", "machines that try the port on strangers without an answer"),
      .init("networks_least", 4, unit: "/16 networks", "networks each of them tried within 24 hours"),
      .init("failed_least", 0.7, unit: "share", "of a machine's contacts on the port that failed"),
      .init("distinct_least", 0.6, unit: "share", "networks of all over the sum of each one's; a shared list has few"),
    ],
    references: [
      "Gu, Perdisci, Zhang, Lee, BotMiner, USENIX Security 2008 (activity clusters)",
      "Gates, Coordinated scan detection, NDSS 2009",
    ],
    knownFalsePositives: ["a pool of authorised scanners"])

  private let hostsLeast: Int
  private let networksLeast: Int
  private let failedLeast: Double
  private let distinctLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    hostsLeast = Int(max(2, min(1e6, knobs["hosts_least"] ?? 3)))
    networksLeast = Int(max(2, min(1e6, knobs["networks_least"] ?? 4)))
    failedLeast = knobs["failed_least"] ?? 0.7
    distinctLeast = knobs["distinct_least"] ?? 0.6
  }

  private struct Tally {
    var met = 0
    var failed = 0
    var strangers = TargetSpread()

    mutating func add(_ pair: Pair, at index: Int, hasFailed: Bool, isStranger: Bool) {
      met += 1
      if hasFailed { failed += 1 }
      if isStranger { strangers.add(pair, at: index) }
    }
  }
  private struct Part {
    var host: IPAddress
    var context: Int
    var densest: TargetSpread.Densest
  }

  public func examine(_ network: [ShardContext], into findings: inout [Finding]) {
    guard network.allSatisfy({ !$0.isSampled }) else { return }
    var byPort: [UInt16: [Part]] = [:]
    for (c, context) in network.enumerated() {
      for (key, tally) in tallies(context) where Double(tally.failed) >= failedLeast * Double(tally.met) {
        let host = context.hosts[Int(key >> 16)]
        guard !host.isSeenOneSided, !host.looksPeerToPeer || AttackedPort.isServerService(UInt16(key & 0xffff)) else {
          continue
        }
        let densest = tally.strangers.densestDay()
        guard densest.networks >= networksLeast else { continue }
        byPort[UInt16(key & 0xffff), default: []].append(Part(host: host.address, context: c, densest: densest))
      }
    }
    for port in byPort.keys.sorted() {
      let parts = (byPort[port] ?? []).sorted { $0.host < $1.host }
      guard parts.count >= hostsLeast else { continue }
      let sum = parts.reduce(0) { $0 + $1.densest.networks }
      let union = Set(parts.flatMap { $0.densest.targets.map(\.network) }).count
      guard Double(union) >= distinctLeast * Double(sum) else { continue }
      for part in parts { findings.append(finding(part, port, parts, union: union, sum: sum, network[part.context])) }
    }
  }

  private static func isAttacked(_ port: UInt16) -> Bool {
    AttackedPort.isDeviceShell(port) || AttackedPort.isSSH(port) || AttackedPort.isServerService(port)
  }

  private func tallies(_ context: ShardContext) -> [UInt64: Tally] {
    var tallies: [UInt64: Tally] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where pairs[i].transport == .tcp && Self.isAttacked(pairs[i].port) {
      let pair = pairs[i]
      guard !pair.isInside, pair.packetsOut > 0 else { continue }
      let key = UInt64(pair.host) << 16 | UInt64(pair.port)
      let hasFailed = pair.answered == 0 && pair.failed > 0
      let isStranger = hasFailed && context.name(of: pair.peer, knownTo: pair.host) == nil
      // In place: a copy of a tally would copy its targets.
      tallies[key, default: Tally()].add(pair, at: i, hasFailed: hasFailed, isStranger: isStranger)
    }
    return tallies
  }

  private func finding(
    _ part: Part, _ port: UInt16, _ parts: [Part], union: Int, sum: Int, _ context: ShardContext
  ) -> Finding {
    let pairs = part.densest.targets.prefix(Limits.evidenceFlowsPerFinding).map { context.pairs.pairs[$0.pair] }
    let breadth = Double(parts.count) / Double(hostsLeast) * Double(union) / Double(hostsLeast * networksLeast)
    return Finding(
      card: Self.card, host: part.host, subject: "tcp/\(port) with others",
      summary: "tried tcp/\(port) on strangers in \(part.densest.networks) networks without an answer, as did "
        + "\(Phrase.count(parts.count - 1, "other machine")) here, on \(union) networks in all and nearly none twice",
      first: part.densest.first, last: part.densest.last, logOdds: min(5, 3.4 + 0.5 * log(max(1, breadth))),
      measures: [
        Measure("machines", Double(parts.count), "hosts", atLeast: Double(hostsLeast)),
        Measure("networks", Double(part.densest.networks), "/16 networks", atLeast: Double(networksLeast)),
        Measure("networks_of_all", Double(union), "/16 networks"),
        Measure("distinct", Double(union) / Double(max(1, sum)), "share", atLeast: distinctLeast),
      ],
      evidence: pairs.map { EvidenceFlow(context.asFlow($0)) },
      refutedBy: "these machines are a pool of authorised scanners")
  }
}
