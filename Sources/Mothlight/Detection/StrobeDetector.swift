/// So many new connections to one service that no person and few programs make them: one each second, for an hour and more.
///
/// Weak on its own: crawlers, health checks and broken clients do it too. It tells where to look.
public struct StrobeDetector: Detector {
  public static let card = DetectorCard(
    name: "strobe", title: "Very many connections to one service", family: .timing, reads: [.flow],
    knobs: [
      .init("starts_least", 3600, unit: "connections", "fewest starts toward one service"),
      .init("rate_least", 3600, unit: "connections/h", "mean rate over at least an hour; RITA: 86,400 a day"),
    ],
    references: ["RITA v5, strobe, read in reference detection.md section 2.1"],
    knownFalsePositives: [
      "a crawler, a load test, a health check of a load balancer", "a client that opens a connection per request",
    ])

  private let startsLeast: UInt32
  private let rateLeast: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    startsLeast = UInt32(max(100, min(1e9, knobs["starts_least"] ?? 3600)))
    rateLeast = knobs["rate_least"] ?? 3600
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, context.hasUsableTime, !context.isSampled else { return }
    for pair in context.pairs.busyPairs where pair.starts >= startsLeast && !pair.isInside && pair.isOurs {
      let seconds = pair.last.seconds(since: pair.first)
      let rate = Double(pair.starts) / max(1, seconds / 3600)
      guard rate >= rateLeast, KnownService.byPort(pair.port, pair.transport) == nil else { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      let what = name ?? pair.peer.description
      let isCommon = KnownService.isCommonPort(pair.port, pair.transport)
      let isEveryday = isCommon && (name != nil || !context.hosts[Int(pair.host)].hasVisibleLookups)
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: pair.host), subject: "\(what) \(pair.transport)/\(pair.port)",
          summary: "began \(pair.starts) connections to \(what) port \(pair.port)/\(pair.transport) in "
            + "\(Phrase.seconds(seconds)), \(Phrase.rounded(rate, 0)) an hour",
          first: pair.first, last: pair.last, logOdds: isEveryday ? 0.5 : 1.5,
          measures: [
            Measure("starts", Double(pair.starts), "connections", atLeast: Double(startsLeast)),
            Measure("rate", rate, "connections/h", atLeast: rateLeast),
            Measure("answered", Double(pair.answered) / Double(max(1, pair.starts)), "share"),
          ],
          evidence: context.samples(of: pair).map { EvidenceFlow($0, note: name ?? "") },
          refutedBy: "a program on this machine that opens a connection for every request to \(what)",
          peer: pair.peer, peerName: name))
    }
  }
}
