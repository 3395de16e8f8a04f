import Glibc

/// One long connection to the outside that carries almost nothing: a line kept open for orders.
public struct QuietChannelDetector: Detector {
  public static let card = DetectorCard(
    name: "quiet-channel", title: "Long connection that says almost nothing", family: .timing, reads: [.flow],
    knobs: [
      .init("seconds_least", 1800, unit: "s", "shortest connection"),
      .init("rate_most", 30, unit: "octets/s", "octets both ways over its duration"),
      .init("share_least", 0.1, unit: "share", "of the time the host was watched"),
    ],
    references: [
      "reference detection.md section 7, long connection",
      "Antonakakis et al., Understanding the Mirai Botnet, USENIX Security 2017",
    ],
    knownFalsePositives: ["push and chat services on ports of their own", "an idle remote shell or VPN"])

  private let secondsLeast: Double
  private let rateMost: Double
  private let shareLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    secondsLeast = knobs["seconds_least"] ?? 1800
    rateMost = knobs["rate_most"] ?? 30
    shareLeast = knobs["share_least"] ?? 0.1
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, context.hasUsableTime, !context.isSampled else { return }
    for pair in context.pairs.pairs
    where !pair.isInside && pair.transport == .tcp && Double(pair.longest) >= secondsLeast {
      let octets = Double(pair.octetsOut &+ pair.octetsIn)
      guard octets / Double(pair.longest) <= rateMost, pair.packetsOut > 2, pair.packetsIn > 2,
        KnownService.byPort(pair.port, pair.transport) == nil,
        Double(pair.longest) >= shareLeast * context.hosts[Int(pair.host)].secondsWatched
      else { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      guard !context.hosts[Int(pair.host)].looksPeerToPeer else { continue }
      let isOdd = !KnownService.isCommonPort(pair.port, pair.transport)
      // Chats, push and remote help keep such lines on any port (43 hosts of the campus excerpt did within an hour), so the
      // line alone stays below the bar. A remote shell's port with next to nothing typed in hours is another matter.
      let isShellPort = ScanDetector.isWormPort(UInt32(pair.port))
      let odds = isShellPort ? 4.0 : isOdd && name == nil ? 2.0 : 1.0
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: pair.host),
          subject: "\(name ?? pair.peer.description) tcp/\(pair.port)",
          summary:
            "kept a connection to \(name ?? pair.peer.description) port \(pair.port) open for \(Phrase.seconds(Double(pair.longest))) "
            + "and exchanged \(Phrase.octets(UInt64(octets))) in all",
          first: pair.first, last: pair.last, logOdds: odds,
          measures: [
            Measure("longest", Double(pair.longest), "s", atLeast: secondsLeast),
            Measure("rate", octets / Double(pair.longest), "octets/s", atMost: rateMost),
          ],
          evidence: (context.pairs.detail(of: pair)?.samples ?? []).map { EvidenceFlow($0) }
            + firstEvidence(pair, context),
          refutedBy: "a push, chat or remote-access program on this machine that uses this port", peer: pair.peer,
          peerName: name))
    }
  }

  /// A pair of one long connection has no kept samples; its own record stands for them.
  private func firstEvidence(_ pair: Pair, _ context: ShardContext) -> [EvidenceFlow] {
    guard pair.detail < 0 else { return [] }
    return [EvidenceFlow(pair.asFlow(of: context.address(of: pair.host)))]
  }
}
