import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// A whole server with users, tokens and some findings, on a port of loopback.
struct LiveStation: Sendable {
  static let now = Timestamp(seconds: 20_500 * 86_400 + 43_200)
  static let today = now.day
  static let password = "four words of mine"
  /// Markup, quotes, line ends, an escape and a right-to-left override.
  static let hostile = "<script>alert(1)</script>\"'&\r\n\u{1b}[31m\u{202e}gpj.exe"
  static let bot = IPAddress("192.0.2.10") ?? .unspecified

  let live: LiveDashboard
  let book: MemoryAccessBook
  let door: Doorkeeper
  let tally: HTTPTally
  /// One token for each role.
  let tokens: [Role: String]

  /// - Parameter users: without them, this machine is `local`.
  static func run<T: Sendable>(
    users: Bool = true, store: MemoryStore? = nil, streams: Int = 16, readers: StationPrivacy.Readers = .nobody,
    _ change: (inout AccessSettings) -> Void = { _ in },
    clock: Timestamp = now, _ body: @Sendable (LiveStation) async throws -> T
  ) async throws -> T {
    let book = MemoryAccessBook()
    var tokens: [Role: String] = [:]
    if users {
      for (name, role) in [("vera", Role.viewer), ("anna", .analyst), ("boss", .admin)] {
        let hash = try #require(PasswordHash(password, cost: DoorkeeperTests.cheap))
        try await book.addUser(name, role: role, password: hash.description, by: .station, at: now)
        let secret = Secret()
        _ = try await book.addToken(
          "test", owner: name, role: role, expires: nil, hash: secret.hash, by: .station, at: now)
        tokens[role] = secret.token
      }
    }
    var settings = AccessSettings()
    settings.passwordCost = DoorkeeperTests.cheap
    change(&settings)
    let store: MemoryStore = if let store { store } else { try await filled() }
    let door = Doorkeeper(settings, book: book) { try await store.record($0) }
    let board = StatusBoard(at: now.advanced(bySeconds: -3600))
    board.add(source())
    let tally = HTTPTally()
    let privacy = try StationPrivacy(
      readers, store: store, key: [UInt8](0..<32), home: { [Prefix("192.0.2.0/24")].compactMap { $0 } },
      clock: { clock })
    let time: @Sendable () -> Timestamp = { clock }
    let groups: [any RouteGroup] = [
      LogInRoutes(door, version: "1.2.3", clock: time),
      APIRoutes(
        store: store, board: board, door: door, version: "1.2.3", streamsMost: streams,
        privacy: privacy, clock: time),
      HealthRoutes(
        store: store, board: board, door: door, tally: tally, version: "1.2.3", privacy: privacy, clock: time),
    ]
    let ready = tokens
    return try await LiveDashboard.run(
      store: store, access: StationGatekeeper(door, clock: time), groups: groups, tally: tally,
      privacy: privacy, board: board,
      clock: clock
    ) { live in
      try await body(LiveStation(live: live, book: book, door: door, tally: tally, tokens: ready))
    }
  }

  private static func source() -> SourceMeter {
    let meter = SourceMeter(name: "eth0", kind: "interface", place: "eth0", at: now)
    meter.update { health in
      health.state = .running
      health.records = 1000
      health.used = 900
      health.dropped = ["kernel": 7, "que\"ue\n": 1]
      health.newest = now.advanced(bySeconds: -2)
    }
    return meter
  }

  // MARK: What it holds

  static func finding(_ host: IPAddress, botnet: String? = nil, subject: String, day: Int = today) -> Finding {
    let card = DetectorCard(
      name: "beacon", version: 2, title: "t", family: .timing, reads: [.flow], knobs: [], references: [],
      knownFalsePositives: [])
    let time = Timestamp(seconds: Int64(day) * 86_400 + 3600)
    let flow = Flow(
      source: host, destination: IPAddress("198.51.100.7") ?? .unspecified, sourcePort: 1027, destinationPort: 6667,
      transport: .tcp, first: time, last: time.advanced(bySeconds: 1), state: .closed, sourceOctets: 612,
      destinationOctets: 1411, origin: RecordOrigin(input: 0, record: 3))
    return Finding(
      card: card, host: host, subject: subject, summary: "called \(subject) every 300 s", first: time,
      last: time.advanced(bySeconds: 7200), logOdds: 4.5,
      measures: [Measure("period", 300, "s", atLeast: 10), Measure("odd", .nan, "", atMost: 2)],
      evidence: [EvidenceFlow(flow, note: hostile)], refutedBy: "it is known", botnet: botnet,
      peer: IPAddress("198.51.100.7"), peerName: hostile)
  }

  static func hostDay(_ host: IPAddress, _ verdict: Verdict, _ findings: [Finding], day: Int = today) -> HostDay {
    var activity = HostActivity()
    activity.first = Timestamp(seconds: Int64(day) * 86_400)
    activity.last = Timestamp(seconds: Int64(day) * 86_400 + 80_000)
    activity.flows = 1234
    activity.topPeers = [
      PeerActivity(
        address: IPAddress("198.51.100.7") ?? .unspecified, name: hostile, port: 6667, transport: .tcp, flows: 9,
        octets: 100)
    ]
    activity.topNames = [("www.example.org", 12, 0)]
    var entry = HostDay(
      host: host, day: day, verdict: verdict, score: 1.5, families: [(.timing, 4.5)], findings: findings,
      reason: "because \(hostile)", botnets: findings.compactMap(\.botnet), activity: activity)
    entry.caveats = ["little was seen"]
    return entry
  }

  /// Ten hosts today, one of them infected yesterday as well, with one case.
  static func filled() async throws -> MemoryStore {
    let store = MemoryStore()
    let bad = hostDay(bot, .infected, [finding(bot, botnet: "Sality", subject: "198.51.100.7:6667")])
    let before = hostDay(
      bot, .suspicious, [finding(bot, subject: "198.51.100.7:6667", day: today - 1)], day: today - 1)
    var all = [bad, before]
    for n in 1..<10 {
      all.append(hostDay(IPAddress(v4: 0xc000_0300 + UInt32(n)), n < 3 ? .notEnoughData : .noSign, []))
    }
    try await store.keep(all, run: "1", at: now)
    return store
  }

  // MARK: Requests

  func get(_ target: String, as role: Role? = .viewer, headers: [String: String] = [:]) async throws -> PageReply {
    try await send("GET", target, as: role, headers: headers)
  }

  func send(
    _ method: String, _ target: String, as role: Role? = .viewer, json: String? = nil, headers: [String: String] = [:]
  ) async throws -> PageReply {
    var fields = headers
    if let role { fields["Authorization"] = fields["Authorization"] ?? "Bearer \(tokens[role] ?? "")" }
    if json != nil { fields["Content-Type"] = fields["Content-Type"] ?? "application/json" }
    return try await live.send(method, target, headers: fields, body: json ?? "")
  }

  /// Logs in as a browser does, and gives the cookie.
  func logIn(_ name: String, password: String = LiveStation.password) async throws -> (
    reply: PageReply, cookie: String?
  ) {
    let page = try await live.get("/log-in")
    let form = page.cookies["mothlight-form"] ?? page.cookies["__Host-mothlight-form"] ?? ""
    let reply = try await live.post(
      "/log-in", [("csrf", page.hidden("csrf")), ("next", "/"), ("name", name), ("password", password)],
      headers: ["Cookie": "mothlight-form=\(form)"])
    return (reply, reply.cookies["mothlight"].flatMap { $0.isEmpty ? nil : $0 })
  }
}

extension PageReply {
  /// Cookies that the reply sets. More than one header of a name are joined by the test's reader, so they are looked for here.
  var cookies: [String: String] {
    var found: [String: String] = [:]
    for line in setCookies {
      let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { found[String(pair[0])] = String(pair[1]) }
    }
    return found
  }

  /// The value of a hidden field of the page's form.
  func hidden(_ name: String) -> String {
    guard let start = body.range(of: "name=\"\(name)\" value=\"") else { return "" }
    return String(body[start.upperBound...].prefix { $0 != "\"" })
  }

  /// The body as JSON.
  func json() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(body.utf8))
    return try #require(object as? [String: Any])
  }

  var isProblem: Bool { headers["content-type"] == "application/problem+json" }
}
