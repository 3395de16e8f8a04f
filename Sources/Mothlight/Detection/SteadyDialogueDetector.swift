import Glibc

/// Many new conversations with one outside service that are all of one size: a fixed question, a fixed answer.
///
/// Everyday software does this too, but slowly and to servers with telling names; what a healthy machine does not do is
/// open such conversations every few seconds for as long as it is watched.
public struct SteadyDialogueDetector: Detector {
  public static let card = DetectorCard(
    name: "steady-dialogue", title: "Conversations of one size over and over", family: .payload, reads: [.flow],
    knobs: [
      .init("answered_least", 20, unit: "connections", "fewest answered conversations"),
      .init("dispersion_most", 0.2, unit: "ratio", "standard deviation over mean of octets, both ways"),
      .init("rate_least", 6, unit: "connections/min", "mean rate above which the rate itself counts"),
      .init("octets_most", 20_000, unit: "octets", "mean octets of one conversation, both ways"),
    ],
    references: [
      "BotFinder: Tegeler et al., CoNEXT 2012, doi:10.1145/2413176.2413217 (constant sizes as a feature)",
      "reference detection.md section 7, HTTP C2 shape",
    ],
    knownFalsePositives: [
      "a script in a loop, a health check of a load balancer, a web page that polls without keep-alive"
    ])

  private let answeredLeast: UInt32
  private let dispersionMost: Double
  private let rateLeast: Double
  private let octetsMost: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    answeredLeast = UInt32(max(5, min(1e6, knobs["answered_least"] ?? 20)))
    dispersionMost = knobs["dispersion_most"] ?? 0.2
    rateLeast = knobs["rate_least"] ?? 6
    octetsMost = knobs["octets_most"] ?? 20_000
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    for pair in context.pairs.busyPairs where !pair.isInside && pair.isOurs && pair.answered >= answeredLeast {
      guard KnownService.byPort(pair.port, pair.transport) == nil, pair.detail >= 0,
        pair.sizesOut.dispersion <= dispersionMost, pair.sizesIn.dispersion <= dispersionMost,
        Double(pair.sizesOut.mean + pair.sizesIn.mean) <= octetsMost, pair.sizesIn.mean > 0, pair.sizesOut.mean > 0
      else { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      let minutes = max(0.5, pair.last.seconds(since: pair.first) / 60)
      let rate = Double(pair.starts) / minutes
      let isFast = rate >= rateLeast && minutes >= 1 && BeaconDetector.dominates(pair, context.hosts[Int(pair.host)])
      var odds = isFast ? 4.0 : 1.0
      if pair.answered >= 100 { odds += 0.5 }
      if name.flatMap(KnownService.byName) != nil { odds = min(odds, 1) }
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: pair.host),
          subject: "\(name ?? pair.peer.description) \(pair.transport)/\(pair.port)",
          summary:
            "\(pair.answered) separate conversations with \(name ?? pair.peer.description) port \(pair.port), each about "
            + "\(Phrase.octets(UInt64(min(1e15, pair.sizesOut.mean)))) out and \(Phrase.octets(UInt64(min(1e15, pair.sizesIn.mean)))) in, "
            + "\(Phrase.rounded(rate, 1)) a minute",
          first: pair.first, last: pair.last, logOdds: odds,
          measures: [
            Measure("answered", Double(pair.answered), "connections", atLeast: Double(answeredLeast)),
            Measure("dispersion_out", pair.sizesOut.dispersion, "", atMost: dispersionMost),
            Measure("dispersion_in", pair.sizesIn.dispersion, "", atMost: dispersionMost),
            Measure("rate", rate, "connections/min", atLeast: rateLeast),
          ],
          evidence: context.samples(of: pair).map { EvidenceFlow($0, note: name ?? "") },
          refutedBy: "a script or monitor on this machine that queries this service in a loop", peer: pair.peer,
          peerName: name))
    }
  }
}
