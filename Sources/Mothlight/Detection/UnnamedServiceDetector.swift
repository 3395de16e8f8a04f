import Glibc

/// Repeated, answered use of an outside address that this machine never looked up, on a port no everyday service uses.
public struct UnnamedServiceDetector: Detector {
  public static let card = DetectorCard(
    name: "unnamed-service", title: "Service without a name on an odd port", family: .peer, reads: [.flow, .dns],
    knobs: [
      .init("conversations_least", 6, unit: "connections", "fewest conversations with the address and port"),
      .init(
        "lookups_least", 10, unit: "look-ups",
        "DNS look-ups of this host that must be visible before a missing name means anything"),
      .init("peers_most", 40, unit: "peers", "unnamed odd-port peers above which it is peer-to-peer, not one server"),
      .init("octets_most", 200_000, unit: "octets", "mean octets of a conversation; above it is a transfer"),
    ],
    references: ["reference detection.md section 7 (peer-to-peer and C2 notes)"],
    knownFalsePositives: ["games and VPNs with built-in addresses", "DNS over HTTPS hides the look-up"])

  private let conversationsLeast: UInt32
  private let lookupsLeast: UInt32
  private let peersMost: Int
  private let octetsMost: UInt64

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    conversationsLeast = UInt32(max(2, min(1e6, knobs["conversations_least"] ?? 6)))
    lookupsLeast = UInt32(max(0, min(1e6, knobs["lookups_least"] ?? 10)))
    peersMost = Int(max(1, min(1e6, knobs["peers_most"] ?? 40)))
    octetsMost = UInt64(max(0, min(1e15, knobs["octets_most"] ?? 200_000)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    var candidates: [UInt32: [Int]] = [:]
    for i in context.pairs.busy.lazy.map(Int.init) {
      let pair = context.pairs.pairs[i]
      guard !pair.isInside, pair.transport.hasPorts, !KnownService.isCommonPort(pair.port, pair.transport),
        context.name(of: pair.peer, knownTo: pair.host) == nil
      else { continue }
      let conversations = max(UInt64(pair.answered), 1)
      guard pair.answered >= conversationsLeast, pair.answered * 2 > pair.starts,
        (pair.octetsOut &+ pair.octetsIn) / conversations <= octetsMost
      else { continue }
      candidates[pair.host, default: []].append(i)
    }
    for host in candidates.keys.sorted() where Int(context.hosts[Int(host)].strangers) <= peersMost {
      guard context.hosts[Int(host)].dnsLookups >= lookupsLeast else { continue }
      let busiest = candidates[host, default: []].sorted {
        (context.pairs.pairs[$0].answered, $1) > (context.pairs.pairs[$1].answered, $0)
      }
      for i in busiest.prefix(3) { findings.append(finding(context.pairs.pairs[i], context)) }
    }
  }

  private func finding(_ pair: Pair, _ context: ShardContext) -> Finding {
    let samples = context.samples(of: pair)
    return Finding(
      card: Self.card, host: context.address(of: pair.host), subject: "\(pair.peer) \(pair.transport)/\(pair.port)",
      summary:
        "\(pair.answered) conversations with \(pair.peer) port \(pair.port)/\(pair.transport), an address this machine "
        + "was not seen to look up by name and a port no everyday service uses",
      first: pair.first, last: pair.last,
      logOdds: min(4.5, 3 + log(Double(pair.answered) / Double(conversationsLeast)) * 0.5),
      measures: [
        Measure("conversations", Double(pair.answered), "connections", atLeast: Double(conversationsLeast)),
        Measure(
          "dns_lookups_seen", Double(context.hosts[Int(pair.host)].dnsLookups), "look-ups",
          atLeast: Double(lookupsLeast)),
        Measure(
          "octets_per_conversation", Double(pair.octetsOut &+ pair.octetsIn) / Double(max(1, pair.answered)), "octets",
          atMost: Double(octetsMost)),
      ],
      evidence: samples.map { EvidenceFlow($0) },
      refutedBy: "a program on this machine that is built to use this address",
      peer: pair.peer)
  }
}
