/// One peer to which a host sends far more than it gets back, against the habit of its other traffic: context, not a verdict.
///
/// Theft looks like this, and so do back-ups, photo clouds and video calls. It is shown beside other findings and weighs next
/// to nothing.
public struct UploadRatioDetector: Detector {
  public static let card = DetectorCard(
    name: "upload-ratio", title: "Much more sent than received", family: .payload, reads: [.flow, .dns],
    knobs: [
      .init("octets_least", 25_000_000, unit: "octets", "sent to one service; RITA weighs pairs from 25 MB on"),
      .init("ratio_least", 10, unit: "ratio", "octets sent over octets received"),
      .init("excess_least", 10, unit: "ratio", "that ratio over the same of the host's other services"),
    ],
    references: ["RITA v5 modifiers, read in reference detection.md section 2.3"],
    knownFalsePositives: ["back-ups, photo and video clouds, a machine that publishes files"])

  private let octetsLeast: UInt64
  private let ratioLeast: Double
  private let excessLeast: Double
  /// Findings per host: the largest say it all.
  private static let shown = 3

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    octetsLeast = UInt64(max(1, min(1e15, knobs["octets_least"] ?? 25_000_000)))
    ratioLeast = knobs["ratio_least"] ?? 10
    excessLeast = knobs["excess_least"] ?? 10
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    var sums = [(out: Double, back: Double)](repeating: (0, 0), count: context.hosts.count)
    var candidates: [UInt32: [Pair]] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where !pairs[i].isInside {
      sums[Int(pairs[i].host)].out += Double(pairs[i].octetsOut)
      sums[Int(pairs[i].host)].back += Double(pairs[i].octetsIn)
      guard pairs[i].octetsOut >= octetsLeast else { continue }
      let pair = pairs[i]
      guard pair.packetsIn > 0, ratio(pair) >= ratioLeast, !context.hosts[Int(pair.host)].looksPeerToPeer,
        !context.hosts[Int(pair.host)].isSeenOneSided
      else { continue }
      candidates[pair.host, default: []].append(pair)
    }
    for host in candidates.keys.sorted() {
      let largest = (candidates[host] ?? []).sorted {
        ($1.octetsOut, $0.peer, $0.port) < ($0.octetsOut, $1.peer, $1.port)
      }
      for pair in largest.prefix(Self.shown) {
        let others =
          (sums[Int(host)].out - Double(pair.octetsOut)) / max(1, sums[Int(host)].back - Double(pair.octetsIn))
        guard ratio(pair) >= excessLeast * others else { continue }
        findings.append(finding(pair, others: others, context))
      }
    }
  }

  private func ratio(_ pair: Pair) -> Double { Double(pair.octetsOut) / Double(max(1, pair.octetsIn)) }

  private func finding(_ pair: Pair, others: Double, _ context: ShardContext) -> Finding {
    let name = context.name(of: pair.peer, knownTo: pair.host)
    let what = name ?? pair.peer.description
    let isUnnamed = name == nil && context.hosts[Int(pair.host)].hasVisibleLookups
    return Finding(
      card: Self.card, host: context.address(of: pair.host), subject: "\(what) \(pair.transport)/\(pair.port)",
      summary: "sent \(Phrase.octets(pair.octetsOut)) to \(what) port \(pair.port)/\(pair.transport) and received "
        + "\(Phrase.octets(pair.octetsIn))" + (isUnnamed ? ", at an address it was not seen to look up" : ""),
      first: pair.first, last: pair.last, logOdds: isUnnamed ? 1 : 0,
      measures: [
        Measure("octets_sent", Double(pair.octetsOut), "octets", atLeast: Double(octetsLeast)),
        Measure("ratio", ratio(pair), "sent over received", atLeast: ratioLeast),
        Measure("ratio_of_others", others, "sent over received"),
      ],
      evidence: context.shown(of: pair).map {
        EvidenceFlow($0, note: name ?? "")
      },
      refutedBy: "a back-up, an upload or a call that the machine's user knows of", peer: pair.peer, peerName: name)
  }
}
