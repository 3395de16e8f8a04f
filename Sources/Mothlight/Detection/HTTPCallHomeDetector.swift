import Glibc

/// HTTP that a program makes, not a person: one shape of request, again and again, to a server from which nothing else comes.
///
/// Updaters and telemetry look the same in one or two signs; they call a named server on a usual port, and stay below the bar.
public struct HTTPCallHomeDetector: Detector {
  public static let card = DetectorCard(
    name: "http-call-home", title: "Machine-made HTTP to one server", family: .payload, stage: .calledHome,
    reads: [.http],
    knobs: [
      .init("requests_least", 6, unit: "requests", "fewest requests of one shape to one server"),
      .init("seconds_least", 300, unit: "s", "shortest time over which they are sent"),
      .init("kinds_least", 3, unit: "kinds", "independent kinds of signs that must come together"),
      .init("named_most", 2.5, unit: "nat", "cap for a server with an ordinary name on a usual port"),
    ],
    references: [
      "Perdisci, Lee, Feamster, Behavioral Clustering of HTTP-Based Malware, NSDI 2010",
      "Rossow et al., Sandnet: Network traffic analysis of malicious software, BADGERS 2011, doi:10.1145/1978672.1978682",
      "reference detection.md section 7, HTTP C2",
    ],
    knownFalsePositives: [
      "an appliance, camera or set-top box that reports to its maker by address",
      "a home-made script that posts to a rented server",
    ])

  /// All requests of one shape to one server.
  struct Shape {
    var requests: UInt32 = 0
    var posts: UInt32 = 0
    var withoutAgent: UInt32 = 0
    var withReferer: UInt32 = 0
    var answered: UInt32 = 0
    var errors: UInt32 = 0
    var octetsOut: UInt64 = 0
    var octetsIn: UInt64 = 0
    var sizesOut = Pair.Moments()
    var sizesIn = Pair.Moments()
    var agent: String?
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
  }
  struct Server {
    var address: IPAddress
    var port: UInt16
    var isProxied = false
    /// A `Host` header or absolute target said where it goes.
    var isNamedByClient = false
    var requests: UInt32 = 0
    var shapes: [String: Shape] = [:]
  }
  struct Key: Hashable {
    var host: UInt32
    var name: String
  }
  enum Bound {
    /// (host, server) pairs per shard: 64 Ki × some 600 B.
    static let servers = 1 << 16
    /// Shapes kept of one server: a site with more is a site that people visit, and is counted on without them.
    static let shapes = 4
    /// (host, agent) pairs per shard, with the few servers each: 32 Ki × 300 B.
    static let agents = 1 << 15
    static let serversOfAgent = 3
    static let samples = 3
  }

  private(set) var servers: [Key: Server] = [:]
  private var agents: [Key: Set<String>] = [:]
  let requestsLeast: UInt32
  let secondsLeast: Double
  let kindsLeast: Int
  let namedMost: Double

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    requestsLeast = UInt32(max(3, min(1e6, knobs["requests_least"] ?? 6)))
    secondsLeast = knobs["seconds_least"] ?? 300
    kindsLeast = Int(max(1, min(6, knobs["kinds_least"] ?? 3)))
    namedMost = knobs["named_most"] ?? 2.5
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .http(let exchange) = o.event, o.vantage.host != .max, exchange.leaves(o.vantage.orientation),
        exchange.method != "CONNECT", !exchange.method.isEmpty, !Self.isEveryday(exchange)
      else { continue }
      note(exchange, o)
    }
  }

  /// Certificate status, and file-sharing trackers, which are machine-made too.
  private static func isEveryday(_ exchange: HTTPExchange) -> Bool {
    exchange.contentType?.holds("ocsp") == true
      || exchange.target.holdsAny("info_hash=", "/announce", "/scrape")
  }

  private mutating func note(_ exchange: HTTPExchange, _ o: Observation) {
    let key = Key(host: o.vantage.host, name: exchange.serverText)
    if let agent = exchange.userAgent {
      let use = Key(host: o.vantage.host, name: agent)
      if agents[use] != nil || agents.count < Bound.agents, agents[use]?.count ?? 0 < Bound.serversOfAgent {
        agents[use, default: []].insert(PublicSuffix.builtin.registeredDomain(key.name) ?? key.name)
      } else if agents[use] == nil {
        refused &+= 1
      }
    }
    guard servers[key] != nil || servers.count < Bound.servers else {
      refused &+= 1
      return
    }
    var server =
      servers.removeValue(forKey: key) ?? Server(address: exchange.ends.server, port: exchange.ends.serverPort)
    server.requests &+= 1
    server.isNamedByClient = server.isNamedByClient || exchange.host != nil
    server.isProxied = server.isProxied || exchange.isProxied(o.vantage.orientation)
    let template = HTTPShape.template(exchange.target)
    if server.shapes[template] != nil || server.shapes.count < Bound.shapes {
      server.shapes[template, default: Shape()].add(exchange, at: o.time, isSampled: server.requests > 1)
    }
    servers[key] = server
  }

  /// Servers of the host beside this one that its agent was used toward: `nil` without an agent.
  func serversSharingAgent(_ agent: String?, host: UInt32) -> Int? {
    agent.flatMap { agents[Key(host: host, name: $0)]?.count }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    // What a host asks of many servers alike is a tour of inspection.
    var users: [Key: Int] = [:]
    var serversOf: [UInt32: Int] = [:]
    for (key, server) in servers {
      serversOf[key.host, default: 0] += 1
      for template in server.shapes.keys { users[Key(host: key.host, name: template), default: 0] += 1 }
    }
    for (key, server) in servers.sorted(by: { ($0.key.host, $0.key.name) < ($1.key.host, $1.key.name) }) {
      let judged = server.shapes.sorted { ($1.value.requests, $0.key) < ($0.value.requests, $1.key) }
      for (template, shape) in judged {
        let isTour = users[Key(host: key.host, name: template)] ?? 0 >= 4
        let signs = signs(shape, server, key, others: (serversOf[key.host] ?? 1) - 1, context)
        guard let finding = finding(template, shape, server, key, signs, isTour: isTour, context) else { continue }
        findings.append(finding)
        break
      }
    }
    servers = [:]
    agents = [:]
  }
}

extension HTTPCallHomeDetector.Shape {
  mutating func add(_ exchange: HTTPExchange, at time: Timestamp, isSampled: Bool) {
    requests &+= 1
    if exchange.method == "POST" || exchange.method == "PUT" { posts &+= 1 }
    if HTTPShape.agent(exchange.userAgent) == .missing { withoutAgent &+= 1 } else { agent = exchange.userAgent }
    if exchange.referer?.isEmpty == false { withReferer &+= 1 }
    sizesOut.add(Float(exchange.requestBodyOctets))
    octetsOut &+= exchange.requestBodyOctets
    if let status = exchange.status {
      answered &+= 1
      if status >= 400 { errors &+= 1 }
      sizesIn.add(Float(exchange.responseBodyOctets))
      octetsIn &+= exchange.responseBodyOctets
    }
    if time < first { first = time }
    if time > last { last = time }
    if isSampled, samples.count < HTTPCallHomeDetector.Bound.samples {
      samples.append(
        EvidenceFlow(exchange.ends, time: time, note: "\(exchange.method) \(exchange.serverText) \(exchange.target)"))
    }
  }
}
