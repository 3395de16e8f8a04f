/// A person reading the web: sessions of a few pages, each page from its own server and several shared ones.
///
/// Think times are log-normal and object sizes heavy-tailed (Crovella and Bestavros 1997; Barford and Crovella 1998).
struct WebBrowsing: Behaviour {
  var random: RandomSource
  /// Mean seconds between sessions.
  var sessionGap = 3900.0
  private var pagesLeft = 0

  init(random: RandomSource) { self.random = random }

  var bootDelay: Double { 400 }
  var phase: Double { sessionGap }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    if pagesLeft == 0 { pagesLeft = 1 + Int(random.exponential(mean: 4)) }
    pagesLeft -= 1
    loadPage(at: time, on: &machine, into: &out)
    let pause =
      pagesLeft > 0 ? 2 + random.logNormal(median: 25, sigma: 0.9) : 60 + random.exponential(mean: sessionGap)
    return time + pause
  }

  private mutating func loadPage(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) {
    // Popular sites are visited by all, most sites by few: a Zipf-like rank.
    let site = random.rank(below: 512)
    let name = SimulatedName.site(site)
    let (server, ready) = machine.resolve(name, at: time, label: .normal, into: &out)
    if site % 11 == 0 {
      let paths = ["/", "/news", "/about.html", "/img/a.png", "/search?q=a"]
      let requests = (0..<random.int(1, 4)).map { index in
        SyntheticHTTP(
          host: name, target: paths[index % paths.count], userAgent: "Mozilla/5.0 (X11; Linux x86_64) Simulated/1.0",
          referer: index > 0 ? "http://\(name)/" : nil, responseOctets: objectSize(),
          contentType: index == 3 ? "application/octet-stream" : "text/html")
      }
      out.append(machine.http(to: server, at: ready, requests: requests, label: .normal))
      return
    }
    connect(to: server, name: name, at: ready, on: &machine, into: &out)
    var others = Set<Int>()
    for _ in 0..<random.int(1, 4) { others.insert(random.rank(below: 64)) }
    for (order, other) in others.sorted().enumerated() {
      let shared = other < 12 ? "assets-\(other).cdn.example" : "t\(other).analytics.example"
      let found = machine.resolve(
        shared, at: ready + 0.15 + 0.05 * Double(order) + random.exponential(mean: 0.1), label: .normal, into: &out)
      connect(to: found.address, name: shared, at: found.ready, on: &machine, into: &out)
    }
  }

  private mutating func connect(
    to server: IPAddress, name: String, at time: Double, on machine: inout SimulatedMachine,
    into out: inout [Conversation]
  ) {
    let exchanges = (0..<random.int(1, 3)).map { _ in
      TrafficExchange(
        up: random.int(250, 900), down: objectSize(), clientDelay: random.exponential(mean: 0.2),
        serverDelay: random.logNormal(median: 0.02, sigma: 0.8), rate: random.logNormal(median: 3e6, sigma: 0.6))
    }
    var conversation = machine.tls(
      to: server, name: name, as: .browser, at: time, exchanges: exchanges, idle: random.uniform(1, 60), label: .normal)
    if case .finished(_, let after) = conversation.closing, random.chance(0.2) {
      conversation.closing = .reset(byClient: true, after: after)
    }
    out.append(conversation)
  }

  private mutating func objectSize() -> Int {
    Int(random.pareto(minimum: 1500, alpha: 1.15, cap: 2_000_000))
  }
}
