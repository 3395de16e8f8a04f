import Glibc

/// One of our hosts pours packets or connection attempts on one outside target that does not answer: it takes part in an attack.
public struct FloodDetector: Detector {
  public static let card = DetectorCard(
    name: "ddos-participation", title: "Flooding one target", family: .fanOut, stage: .attackedOut, reads: [.flow],
    knobs: [
      .init("packets_least", 5000, unit: "packets", "packets to one target and port"),
      .init("packet_rate_least", 100, unit: "packets/s", "mean rate while it goes on"),
      .init("attempts_least", 500, unit: "connections", "separate attempts on one target and port"),
      .init("attempt_rate_least", 20, unit: "connections/s", "their mean rate"),
      .init("answered_most", 0.02, unit: "share", "packets that come back for each one sent"),
      .init(
        "packets_per_port_least", 4, unit: "packets", "over many ports: mean packets to each; a scan sends one or two"),
      .init("octets_per_packet_least", 200, unit: "octets", "over many ports: mean size; a scan's probes are empty"),
    ],
    references: ["reference detection.md section 7, DDoS participation", "Antonakakis et al., USENIX Security 2017"],
    knownFalsePositives: [
      "one-way media, syslog or tunnel exports to an outside collector", "a capture that sees one direction only",
    ])

  private let packetsLeast: Double
  private let packetRateLeast: Double
  private let attemptsLeast: Double
  private let attemptRateLeast: Double
  private let answeredMost: Double
  private let packetsPerPortLeast: Double
  private let octetsPerPacketLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    packetsLeast = knobs["packets_least"] ?? 5000
    packetRateLeast = knobs["packet_rate_least"] ?? 100
    attemptsLeast = knobs["attempts_least"] ?? 500
    attemptRateLeast = knobs["attempt_rate_least"] ?? 20
    answeredMost = knobs["answered_most"] ?? 0.02
    packetsPerPortLeast = knobs["packets_per_port_least"] ?? 4
    octetsPerPacketLeast = knobs["octets_per_packet_least"] ?? 200
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    // One finding per target, over all its ports: a flood over random ports shows on none of them alone.
    let sums = packetSums(context)
    var targets: [UInt32: [IPAddress: [Int]]] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where isOneWay(pairs[i], context) {
      let pair = pairs[i]
      guard Double(sums[Self.bucket(pair)]) >= min(packetsLeast, attemptsLeast) else { continue }
      targets[pair.host, default: [:]][pair.peer, default: []].append(i)
    }
    for host in targets.keys.sorted() {
      for peer in (targets[host] ?? [:]).keys.sorted() {
        let met = (targets[host]?[peer] ?? []).map { pairs[$0] }
        if let finding = judge(met, context) ?? judgeOverPorts(met, context) { findings.append(finding) }
      }
    }
  }

  private func answered(_ pair: Pair) -> Double { Double(pair.packetsIn) / Double(max(1, pair.packetsOut)) }

  private func isOneWay(_ pair: Pair, _ context: ShardContext) -> Bool {
    !pair.isInside && answered(pair) <= answeredMost && !context.hosts[Int(pair.host)].isSeenOneSided
  }

  /// Packets by (host, target) in buckets: half a megabyte, so that the thousand targets of a scan need no table.
  private static let buckets = 1 << 16
  private static func bucket(_ pair: Pair) -> Int {
    Int(mix64(pair.peer.mixed ^ UInt64(pair.host) << 32) & UInt64(buckets - 1))
  }

  private func packetSums(_ context: ShardContext) -> [UInt64] {
    var sums = [UInt64](repeating: 0, count: Self.buckets)
    let pairs = context.pairs.pairs
    for i in pairs.indices where isOneWay(pairs[i], context) { sums[Self.bucket(pairs[i])] &+= pairs[i].packetsOut }
    return sums
  }

  private func judge(_ pairs: [Pair], _ context: ShardContext) -> Finding? {
    guard let worst = pairs.max(by: { $0.packetsOut < $1.packetsOut }) else { return nil }
    let packets = Double(worst.packetsOut)
    let seconds = max(1, worst.last.seconds(since: worst.first))
    let busy = max(1, min(seconds, max(Double(worst.seconds), 1)))
    // Attempts are counted over the whole span; a long single flow over its own duration.
    let packetRate = worst.starts < 10 ? packets / busy : packets / seconds
    let attempts = Double(worst.starts)
    let isPacketFlood = packets >= packetsLeast && packetRate >= packetRateLeast
    let isAttemptFlood = attempts >= attemptsLeast && attempts / seconds >= attemptRateLeast
    guard isPacketFlood || isAttemptFlood else { return nil }
    let target = "\(worst.peer) \(worst.transport)/\(worst.port)"
    let rate = max(packetRate / packetRateLeast, isAttemptFlood ? attempts / seconds / attemptRateLeast : 0)
    return Finding(
      card: Self.card, host: context.address(of: worst.host), subject: target,
      summary:
        "sent \(worst.packetsOut) packets in \(Phrase.seconds(seconds)) to \(worst.peer) port \(worst.port)/\(worst.transport)"
        + (isAttemptFlood ? " in \(worst.starts) separate attempts" : "") + "; \(worst.packetsIn) came back",
      first: worst.first, last: worst.last, logOdds: min(6, 4.2 + log(max(1, rate)) * 0.4),
      measures: [
        Measure("packets", packets, "packets", atLeast: packetsLeast),
        Measure("packet_rate", packetRate, "packets/s", atLeast: packetRateLeast),
        Measure("attempts", attempts, "connections", atLeast: attemptsLeast),
        Measure("attempt_rate", attempts / seconds, "connections/s", atLeast: attemptRateLeast),
        Measure("answered", answered(worst), "share", atMost: answeredMost),
      ],
      evidence: evidence(worst, context),
      refutedBy: "a one-way export to this address that is meant to be (media, logs, a tunnel), or a one-sided capture",
      peer: worst.peer)
  }

  /// All ports of one target together. A port scan also sends to many ports, but a probe or two to each and nothing in them.
  private func judgeOverPorts(_ pairs: [Pair], _ context: ShardContext) -> Finding? {
    guard pairs.count >= 2, let worst = pairs.max(by: { ($0.packetsOut, $1.port) < ($1.packetsOut, $0.port) }) else {
      return nil
    }
    let packets = Double(pairs.reduce(UInt64(0)) { $0 &+ $1.packetsOut })
    let octets = Double(pairs.reduce(UInt64(0)) { $0 &+ $1.octetsOut })
    let back = pairs.reduce(UInt64(0)) { $0 &+ $1.packetsIn }
    let first = pairs.map(\.first).min() ?? worst.first
    let last = pairs.map(\.last).max() ?? worst.last
    let seconds = max(1, last.seconds(since: first))
    let perPort = packets / Double(pairs.count)
    let perPacket = octets / max(1, packets)
    guard packets >= packetsLeast, packets / seconds >= packetRateLeast,
      perPort >= packetsPerPortLeast || perPacket >= octetsPerPacketLeast
    else { return nil }
    return Finding(
      card: Self.card, host: context.address(of: worst.host), subject: "\(worst.peer) \(pairs.count) ports",
      summary:
        "sent \(UInt64(packets)) packets in \(Phrase.seconds(seconds)) to \(pairs.count) ports of \(worst.peer), "
        + "\(Phrase.octets(UInt64(perPacket))) each; \(back) came back",
      first: first, last: last, logOdds: min(6, 4.2 + log(max(1, packets / seconds / packetRateLeast)) * 0.4),
      measures: [
        Measure("packets", packets, "packets", atLeast: packetsLeast),
        Measure("packet_rate", packets / seconds, "packets/s", atLeast: packetRateLeast),
        Measure("ports", Double(pairs.count), "ports"),
        Measure("packets_per_port", perPort, "packets", atLeast: packetsPerPortLeast),
        Measure("octets_per_packet", perPacket, "octets", atLeast: octetsPerPacketLeast),
        Measure("answered", Double(back) / max(1, packets), "share", atMost: answeredMost),
      ],
      evidence: evidence(worst, context),
      refutedBy:
        "a one-way export to this address that is meant to be, a port scan with large probes, or a one-sided capture",
      peer: worst.peer)
  }

  private func evidence(_ pair: Pair, _ context: ShardContext) -> [EvidenceFlow] {
    context.shown(of: pair).map { EvidenceFlow($0) }
  }
}
