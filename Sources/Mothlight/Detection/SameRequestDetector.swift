import Glibc

/// The same HTTP request to many unrelated servers: a program works through its list of command servers.
///
/// A browser asks each site for that site's own things. Sites share a few paths (icons, certificate status, connectivity
/// checks), and those are left out.
public struct SameRequestDetector: Detector {
  public static let card = DetectorCard(
    name: "same-request", title: "One request to many servers", family: .payload, reads: [.http],
    knobs: [
      .init(
        "servers_least", 8, unit: "domains",
        "registered domains or bare addresses that get the same method, path and agent"),
      .init("share_least", 0.3, unit: "share", "of the host's HTTP requests"),
    ],
    references: [
      "Perdisci, Lee, Feamster, Behavioral Clustering of HTTP-Based Malware, NSDI 2010",
      "reference detection.md section 7, HTTP C2",
    ],
    knownFalsePositives: ["a crawler, an RSS reader with one path for many blogs, a web vulnerability scanner"])

  private struct Key: Hashable {
    var host: UInt32
    var method: String
    var path: String
    var agent: String
  }
  fileprivate struct Tally {
    var servers: Set<String> = []
    var requests: UInt32 = 0
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
    var day: Int { first.day }
  }
  /// One request of one host: the day that is counted now, and the fullest of those before.
  private struct Days {
    var now = Tally()
    var fullest = Tally()
    var requests: UInt32 = 0

    /// Sites share paths; a person meets eight of them sooner or later, a program works through its list.
    mutating func turn(to day: Int) {
      guard now.requests > 0, now.day != day else { return }
      if now.servers.count > fullest.servers.count { fullest = now }
      now = Tally()
    }
    var best: Tally { now.servers.count > fullest.servers.count ? now : fullest }
  }
  private enum Bound {
    /// Different requests followed per shard, and servers per request.
    static let requests = 1 << 16
    static let servers = 256
  }

  private var tallies: [Key: Days] = [:]
  private var requestsOf: [UInt32: UInt32] = [:]
  private let serversLeast: Int
  private let shareLeast: Double

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    serversLeast = Int(max(2, min(256, knobs["servers_least"] ?? 8)))
    shareLeast = knobs["share_least"] ?? 0.3
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .http(let exchange) = o.event, o.vantage.host != .max, o.vantage.orientation == .outbound else {
        continue
      }
      requestsOf[o.vantage.host, default: 0] &+= 1
      note(exchange, o)
    }
  }

  private mutating func note(_ exchange: HTTPExchange, _ o: Observation) {
    let path = String(exchange.target.prefix { $0 != "?" && $0 != "#" })
    guard !Self.isShared(path) else { return }
    let key = Key(host: o.vantage.host, method: exchange.method, path: path, agent: exchange.userAgent ?? "")
    guard tallies[key] != nil || tallies.count < Bound.requests else {
      refused &+= 1
      return
    }
    let server =
      exchange.host.map { PublicSuffix.builtin.registeredDomain($0) ?? $0 } ?? exchange.ends.server.description
    var days = tallies.removeValue(forKey: key) ?? Days()
    days.requests &+= 1
    days.turn(to: o.time.day)
    days.now.add(server, exchange, at: o.time, serversMost: Bound.servers)
    tallies[key] = days
  }

  /// Paths that many sites have in common by convention or because one library serves them.
  static func isShared(_ path: String) -> Bool {
    if path.utf8.count < 3 { return true }
    let shared = [
      "/favicon.ico", "/robots.txt", "/index.html", "/generate_204", "/gen_204", "/ocsp", "/sitemap.xml", "/feed",
      "/rss",
      "/connecttest.txt", "/ncsi.txt", "/success.txt", "/apple-touch-icon.png", "/ads.txt", "/crossdomain.xml",
    ]
    return shared.contains(path) || path.hasPrefix("/.well-known/") || path.hasSuffix(".js") || path.hasSuffix(".css")
      || path.hasSuffix(".crl") || path.hasSuffix(".xml") || path.holds("feed") || path.holds("rss")
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    for (key, days) in tallies.sorted(by: {
      ($0.key.host, $0.key.path, $0.key.agent, $0.key.method) < ($1.key.host, $1.key.path, $1.key.agent, $1.key.method)
    }) {
      let tally = days.best
      let share = Double(days.requests) / Double(max(1, requestsOf[key.host] ?? 1))
      guard tally.servers.count >= serversLeast, share >= shareLeast else { continue }
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: key.host), subject: "\(key.method) \(key.path)",
          summary:
            "sent the same request, \(key.method) \(key.path), to \(tally.servers.count) unrelated servers in a day, "
            + "\(tally.requests) times in all"
            + (key.agent.isEmpty ? ", without a user agent" : ""),
          first: tally.first, last: tally.last,
          logOdds: min(5.5, 3.2 + log(Double(tally.servers.count) / Double(serversLeast)) * 0.6),
          measures: [
            Measure("servers", Double(tally.servers.count), "domains", atLeast: Double(serversLeast)),
            Measure("share_of_requests", share, "share", atLeast: shareLeast),
            Measure("requests", Double(tally.requests), "requests"),
          ],
          evidence: tally.samples,
          refutedBy: "a crawler, feed reader or scanner on this machine that asks many sites for this path"))
    }
    tallies = [:]
  }
}

extension SameRequestDetector.Tally {
  fileprivate mutating func add(_ server: String, _ exchange: HTTPExchange, at time: Timestamp, serversMost: Int) {
    requests &+= 1
    if servers.count < serversMost, servers.insert(server).inserted, samples.count < Limits.evidenceFlowsPerFinding {
      let path = exchange.target.prefix { $0 != "?" && $0 != "#" }
      samples.append(EvidenceFlow(exchange.ends, time: time, note: "\(exchange.method) \(server)\(path)"))
    }
    if time < first { first = time }
    if time > last { last = time }
  }
}
