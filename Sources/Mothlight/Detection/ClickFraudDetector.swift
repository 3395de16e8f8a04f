import Glibc

/// Many requests for advertisements with no page around them: a program that clicks for money.
///
/// A browser asks for an advertisement because a page told it to, names that page as the referrer, and loads the page's own
/// parts beside it. Weak on purpose: only plain HTTP shows it, and players and applications with advertisements come close.
public struct ClickFraudDetector: Detector {
  public static let card = DetectorCard(
    name: "click-fraud", title: "Advertisements without pages", family: .payload, stage: .attackedOut, reads: [.http],
    knobs: [
      .init("requests_least", 40, unit: "requests", "fewest requests for advertisements without a referrer"),
      .init("servers_least", 10, unit: "domains", "registered domains that they go to"),
      .init("without_referrer_least", 0.8, unit: "share", "of all requests for advertisements"),
      .init("objects_most", 0.5, unit: "ratio", "other parts of pages per request for an advertisement"),
    ],
    references: [
      "Pearce et al., Characterizing Large-Scale Click Fraud in ZeroAccess, CCS 2014, doi:10.1145/2660267.2660369",
      "Miller et al., What's Clicking What? Techniques and Innovations of Today's Clickbots, DIMVA 2011",
    ],
    knownFalsePositives: ["free applications with advertisements", "privacy tools that strip the referrer"])

  private struct Tally {
    var ads: UInt32 = 0
    var withoutReferrer: UInt32 = 0
    var others: UInt32 = 0
    var servers: Set<String> = []
    var gaps = Pair.Moments()
    var previous: Timestamp?
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
  }
  private enum Bound {
    /// Domains counted per host: some 100 B each; hosts are bounded by the shard.
    static let servers = 128
    /// A longer pause is the end of a sitting, seconds.
    static let pauseSeconds = 900.0
  }

  private var tallies: [UInt32: Tally] = [:]
  private let requestsLeast: UInt32
  private let serversLeast: Int
  private let withoutReferrerLeast: Double
  private let objectsMost: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    requestsLeast = UInt32(max(10, min(1e6, knobs["requests_least"] ?? 40)))
    serversLeast = Int(max(2, min(128, knobs["servers_least"] ?? 10)))
    withoutReferrerLeast = knobs["without_referrer_least"] ?? 0.8
    objectsMost = knobs["objects_most"] ?? 0.5
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .http(let exchange) = o.event, o.vantage.host != .max, exchange.leaves(o.vantage.orientation),
        exchange.method == "GET"
      else { continue }
      note(exchange, o)
    }
  }

  private mutating func note(_ exchange: HTTPExchange, _ o: Observation) {
    guard Self.isAdvertisement(exchange) else {
      tallies[o.vantage.host, default: Tally()].others &+= 1
      return
    }
    var tally = tallies.removeValue(forKey: o.vantage.host) ?? Tally()
    tally.ads &+= 1
    if exchange.referer?.isEmpty != false {
      tally.withoutReferrer &+= 1
      let server = exchange.host.flatMap { PublicSuffix.builtin.registeredDomain($0) } ?? exchange.serverText
      if tally.servers.count < Bound.servers, tally.servers.insert(server).inserted,
        tally.samples.count < Limits.evidenceFlowsPerFinding
      {
        tally.samples.append(
          EvidenceFlow(exchange.ends, time: o.time, note: "GET \(exchange.serverText) \(exchange.target)"))
      }
      if let previous = tally.previous {
        let gap = o.time.seconds(since: previous)
        if gap > 0, gap < Bound.pauseSeconds { tally.gaps.add(Float(gap)) }
      }
      tally.previous = o.time
      if o.time < tally.first { tally.first = o.time }
      if o.time > tally.last { tally.last = o.time }
    }
    tallies[o.vantage.host] = tally
  }

  private static let words: Set<Substring> = [
    "ad", "ads", "adclick", "adserver", "adserv", "adx", "advert", "advertising", "adtrack", "click", "clicks", "clk",
    "clicktrack", "banner", "banners", "popunder", "popup", "ppc", "aff", "affiliate", "impression",
    "doubleclick", "xmlfeed", "searchfeed", "redirect", "redir",
  ]

  /// Whether a word of its host or path is one of the trade's.
  static func isAdvertisement(_ exchange: HTTPExchange) -> Bool {
    let path = HTTPShape.path(of: exchange.target).prefix { $0 != "?" }
    for text in [Substring(exchange.host ?? ""), path] {
      let tokens = text.split { !$0.isLetter }
      if tokens.prefix(16).contains(where: { words.contains($0) }) { return true }
    }
    return false
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    for (host, tally) in tallies.sorted(by: { $0.key < $1.key }) {
      let bare = Double(tally.withoutReferrer) / Double(max(1, tally.ads))
      let objects = Double(tally.others) / Double(max(1, tally.ads))
      guard tally.withoutReferrer >= requestsLeast, tally.servers.count >= serversLeast, bare >= withoutReferrerLeast,
        objects <= objectsMost
      else { continue }
      // Poisson or steadier; people come in bursts.
      let isSteady = tally.gaps.dispersion <= 1
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: host), subject: "advertisements",
          summary:
            "asked \(tally.servers.count) domains for advertisements \(tally.withoutReferrer) times with no page "
            + "as referrer, and for \(Phrase.rounded(objects, 2)) other objects each"
            + (isSteady ? ", steadily" : ""),
          first: tally.first, last: tally.last, logOdds: isSteady ? 2 : 1.4,
          measures: [
            Measure("requests", Double(tally.withoutReferrer), "requests", atLeast: Double(requestsLeast)),
            Measure("servers", Double(tally.servers.count), "domains", atLeast: Double(serversLeast)),
            Measure("without_referrer", bare, "share", atLeast: withoutReferrerLeast),
            Measure("other_objects", objects, "ratio", atMost: objectsMost),
            Measure("gap_dispersion", tally.gaps.dispersion, ""),
          ],
          evidence: tally.samples,
          refutedBy: "an application with advertisements, or a browser that is set to send no referrer"))
    }
    tallies = [:]
  }
}
