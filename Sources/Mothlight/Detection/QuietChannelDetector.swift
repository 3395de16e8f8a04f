import Glibc

/// A line to the outside that is kept open for hours and carries almost nothing: it waits for orders.
///
/// One long connection, or several long ones after each other: what counts is the time connected, in steps of 1, 4, 8 and 12
/// hours, and how idle it is. Push, chat and remote help keep such lines too, so a line alone stays below the bar.
public struct QuietChannelDetector: Detector {
  public static let card = DetectorCard(
    name: "quiet-channel", version: 2, title: "Long connection that says almost nothing", family: .timing,
    reads: [.flow],
    knobs: [
      .init("seconds_least", 1800, unit: "s", "shortest time connected"),
      .init("rate_most", 30, unit: "octets/s", "octets both ways over the time connected"),
      .init("packets_most", 30, unit: "packets/min", "packets both ways over the time connected"),
      .init("share_least", 0.1, unit: "share", "of the time the host was watched"),
      .init("length_least", 300, unit: "s", "mean length of a connection, where several are added up"),
    ],
    references: [
      "reference detection.md section 7, long connection; section 2.3, the steps of total connection time",
      "Antonakakis et al., Understanding the Mirai Botnet, USENIX Security 2017",
    ],
    knownFalsePositives: ["push and chat services on ports of their own", "an idle remote shell or VPN"])

  private let secondsLeast: Double
  private let rateMost: Double
  private let packetsMost: Double
  private let shareLeast: Double
  private let lengthLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    secondsLeast = knobs["seconds_least"] ?? 1800
    rateMost = knobs["rate_most"] ?? 30
    packetsMost = knobs["packets_most"] ?? 30
    shareLeast = knobs["share_least"] ?? 0.1
    lengthLeast = knobs["length_least"] ?? 300
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, context.hasUsableTime, !context.isSampled else { return }
    let pairs = context.pairs.pairs
    for i in pairs.indices where !pairs[i].isInside && Double(max(pairs[i].seconds, pairs[i].longest)) >= secondsLeast {
      if let finding = judge(pairs[i], context) { findings.append(finding) }
    }
  }

  /// Seconds connected: parallel connections do not make the time longer than it was.
  private func connected(_ pair: Pair) -> Double {
    let span = pair.last.seconds(since: pair.first)
    let length = Double(pair.seconds) / Double(max(1, pair.starts))
    return length >= lengthLeast ? max(Double(pair.longest), min(Double(pair.seconds), span)) : Double(pair.longest)
  }

  private func judge(_ pair: Pair, _ context: ShardContext) -> Finding? {
    let host = context.hosts[Int(pair.host)]
    let seconds = connected(pair)
    guard seconds >= secondsLeast, pair.packetsOut > 2, pair.packetsIn > 2, pair.transport.hasPorts,
      KnownService.byPort(pair.port, pair.transport) == nil, seconds >= shareLeast * host.secondsWatched,
      !host.looksPeerToPeer
    else { return nil }
    let rate = Double(pair.octetsOut &+ pair.octetsIn) / seconds
    let packets = Double(pair.packetsOut &+ pair.packetsIn)
    guard rate <= rateMost, packets / seconds * 60 <= packetsMost else { return nil }
    let name = context.name(of: pair.peer, knownTo: pair.host)
    let isCommon = KnownService.isCommonPort(pair.port, pair.transport)
    // Answers to a datagram make a conversation of any two programs: only strangers on odd ports say something.
    guard pair.transport == .tcp || !isCommon && name == nil else { return nil }
    let what =
      "\(name ?? pair.peer.description) port \(pair.port)" + (pair.transport == .tcp ? "" : "/\(pair.transport)")
    return Finding(
      card: Self.card, host: host.address,
      subject: "\(name ?? pair.peer.description) \(pair.transport)/\(pair.port)",
      summary: (pair.starts == 1
        ? "kept a connection to \(what) open for \(Phrase.seconds(seconds))"
        : "was connected to \(what) for \(Phrase.seconds(seconds)) in \(Phrase.count(pair.starts, "connection"))")
        + " and exchanged \(Phrase.octets(pair.octetsOut &+ pair.octetsIn)) in all",
      first: pair.first, last: pair.last, logOdds: weight(pair, seconds, isNamed: name != nil, host),
      measures: [
        Measure("connected", seconds, "s", atLeast: secondsLeast),
        Measure("longest", Double(pair.longest), "s"),
        Measure("rate", rate, "octets/s", atMost: rateMost),
        Measure("packet_rate", packets / seconds * 60, "packets/min", atMost: packetsMost),
        // No more seconds than packets can have carried one.
        Measure("idle_at_least", max(0, 1 - packets / seconds), "share of seconds"),
      ],
      evidence: context.shown(of: pair).map { EvidenceFlow($0) },
      refutedBy: "a push, chat, game or remote-access program on this machine that uses this port", peer: pair.peer,
      peerName: name)
  }

  /// Chats, push and remote help keep lines on any port (43 hosts of the campus excerpt did within an hour), so most of it is
  /// context. A remote shell's port with next to nothing typed in hours is another matter.
  private func weight(_ pair: Pair, _ seconds: Double, isNamed: Bool, _ host: HostRecord) -> Double {
    if pair.transport == .tcp, AttackedPort.isDeviceShell(pair.port) { return 4 }
    let isCommon = KnownService.isCommonPort(pair.port, pair.transport)
    if isCommon { return isNamed || !host.hasVisibleLookups ? 0 : 1 }
    if isNamed { return 1 }
    // Without visible look-ups every peer is nameless, so that says nothing.
    guard host.hasVisibleLookups else { return 2 }
    switch seconds / 3600 {
    case ..<4: return 2
    case ..<8: return 2.4
    case ..<12: return 2.7
    default: return 3
    }
  }
}
