import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Who reads pseudonyms in the place of addresses, and finds out nothing by asking.
@Suite struct StationPrivacyTests {
  private static let bot = LiveStation.bot.description
  private static let today = Timestamp.describe(day: LiveStation.today)

  /// The usual ten machines, with addresses of ours in sentences, peers and names.
  private static func store() async throws -> MemoryStore {
    let store = try await LiveStation.filled()
    var finding = LiveStation.finding(LiveStation.bot, botnet: "Sality", subject: "192.0.2.200 port 445")
    finding.summary = "spread from 192.0.2.10 to 192.0.2.200 and fd00::7"
    finding.peer = IPAddress("192.0.2.200")
    finding.peerName = "nas.lan"
    var day = LiveStation.hostDay(LiveStation.bot, .infected, [finding])
    day.reason = "192.0.2.10 attacked 10.9.9.9"
    day.story = [StoryStep(time: day.activity.first, stage: .touched, detector: "x", text: "by 192.0.2.201")]
    day.activity.topPeers.append(
      PeerActivity(
        address: IPAddress("192.0.2.202") ?? .unspecified, name: "printer.lan", port: 9100, transport: .tcp, flows: 1,
        octets: 1))
    try await store.keep([day], run: "2", at: LiveStation.now)
    _ = try await store.addAllowRule(
      try AllowList.parse("source:192.0.2.77"), reason: "192.0.2.77 is a scanner", by: .station, at: LiveStation.now)
    return store
  }

  private static let secrets = [
    "192.0.2.", "192.0.3.", "10.9.9.9", "fd00::7", "nas.lan", "printer.lan",
  ]

  private static func leaks(_ text: String) -> [String] { secrets.filter { text.contains($0) } }

  private static func items(_ reply: PageReply) throws -> [[String: Any]] {
    try #require(try reply.json()["items"] as? [[String: Any]])
  }

  /// What the pages and the API are asked for by somebody who looks at everything.
  private static func targets(host: String, id: String) -> [String] {
    [
      "/overview", "/hosts", "/hosts?order=host", "/hosts?order=newest", "/hosts/\(host)",
      "/hosts/\(host)/days/\(today)",
      "/findings", "/findings/\(id)", "/findings?host=\(host)", "/botnets", "/botnets/Sality", "/cases", "/cases/1",
      "/cases?host=\(host)", "/case-statistics", "/allow-rules", "/sensors", "/search?q=sality", "/search?q=\(host)",
    ].map { "/api/v1" + $0 } + [
      "/", "/hosts", "/hosts/\(host)", "/hosts/\(host)?day=\(today)", "/findings", "/findings/\(id)", "/botnets",
      "/botnets/Sality", "/networks", "/cases", "/cases/1", "/allow", "/sensors", "/search?q=sality",
      "/search?q=\(host)", "/metrics", "/readyz",
    ]
  }

  @Test func aViewerSeesNoAddressOfOursAnywhere() async throws {
    try await LiveStation.run(store: try await Self.store(), readers: .viewers) { station in
      station.live.board.update { $0.home = [Prefix("192.0.2.0/24")].compactMap { $0 } }
      let cookie = "mothlight=\(try #require(try await station.logIn("vera").cookie))"
      let first = try #require(try Self.items(try await station.get("/api/v1/hosts")).first)
      let host = try #require(first["host"] as? String)
      #expect(host.hasPrefix("host-") && first["verdict"] as? String == "infected")
      let finding = try #require(try Self.items(try await station.get("/api/v1/findings")).first)
      let id = try #require(finding["id"] as? String)
      for target in Self.targets(host: host, id: id) {
        let isAPI = target.hasPrefix("/api")
        let reply =
          try await isAPI ? station.get(target) : station.live.get(target, headers: ["Cookie": cookie])
        #expect(reply.status == 200, "\(target): \(reply.status) \(reply.body.prefix(200))")
        #expect(Self.leaks(reply.body) == [], "\(target)")
        if target.hasPrefix("/api/v1/hosts") { #expect(reply.body.contains(host), "\(target)") }
        // Whom it attacked outside is what it is about.
        if target == "/api/v1/findings" { #expect(reply.body.contains("198.51.100.7")) }
      }
      let stream = try await station.get("/api/v1/findings", headers: ["Accept": "application/x-ndjson"])
      #expect(Self.leaks(stream.body) == [] && stream.body.contains(host))
      // Who has to act sees which machine it is, and finds what a viewer speaks of.
      for (path, answer) in [("/hosts", Self.bot), ("/search?q=\(host)", Self.bot), ("/hosts/\(host)", Self.bot)] {
        #expect(try await station.get("/api/v1\(path)", as: .analyst).body.contains(answer), "\(path)")
      }
      let page = try await station.live.get(
        "/hosts/\(Self.bot)", headers: ["Cookie": "mothlight=\(try #require(try await station.logIn("anna").cookie))"])
      #expect(page.body.contains(host) && page.body.contains("for those who see no addresses"))
    }
  }

  /// An answer to a question about a machine that is there must be that about one that is not.
  @Test(arguments: [
    "/search?q=ADDRESS", "/search?q=ADDRESS%3A445", "/hosts/ADDRESS", "/hosts/ADDRESS/days/DAY",
    "/findings?host=ADDRESS",
    "/findings?text=ADDRESS", "/cases?host=ADDRESS", "/cases?owner=ADDRESS", "/hosts?prefix=ADDRESS",
    "/findings?prefix=ADDRESS/32", "/search?q=PART", "/findings?text=PART", "/search?q=ID",
  ])
  func askingForAnAddressConfirmsNothing(_ question: String) async throws {
    try await LiveStation.run(store: try await Self.store(), readers: .viewers) { station in
      func answer(_ address: String, _ part: String) async throws -> (Int, String) {
        let finding = LiveStation.finding(
          IPAddress(address) ?? .unspecified, botnet: "Sality", subject: "198.51.100.7:6667")
        let target = question.replacing("ADDRESS", with: address).replacing("DAY", with: Self.today)
          .replacing("PART", with: part).replacing("ID", with: finding.id)
        let reply = try await station.get("/api/v1\(target)")
        return (reply.status, reply.body.replacing(address, with: "").replacing(part, with: ""))
      }
      let (there, absent) = (try await answer(Self.bot, "192.0.2"), try await answer("192.0.2.99", "192.0.9"))
      #expect(there == absent)
      #expect(!there.1.contains("host-"))
    }
  }

  @Test func aSearchShowsOnlyWhatStillHoldsTheText() async throws {
    try await LiveStation.run(store: try await Self.store(), readers: .viewers) { station in
      for text in ["nas", "445", "port", "lan"] {
        let hits = try Self.items(try await station.get("/api/v1/search?q=\(text)"))
        for hit in hits {
          let shown = ["key", "title", "detail"].compactMap { hit[$0] as? String }.joined(separator: " ")
          #expect(shown.lowercased().contains(text), "\(text): \(shown)")
        }
      }
      // The name is gone from the row, so the row may not be found by it.
      #expect(try Self.items(try await station.get("/api/v1/findings?text=nas.lan")).isEmpty)
      #expect(try Self.items(try await station.get("/api/v1/findings?text=nas")).isEmpty)
      #expect(try Self.items(try await station.get("/api/v1/findings?text=445")).count == 1)
      #expect(try Self.items(try await station.get("/api/v1/findings?text=nas", as: .analyst)).count == 1)
    }
  }

  @Test func pagesFollowOneAnotherUnderSealedCursors() async throws {
    try await LiveStation.run(store: try await Self.store(), readers: .viewers) { station in
      var names: [String] = []
      var next: String? = "/api/v1/hosts?limit=3&from=\(Self.today)"
      while let target = next {
        let reply = try await station.get(target)
        names += try Self.items(reply).compactMap { $0["host"] as? String }
        next = try reply.json()["next"] as? String
        #expect(names.count <= 20)
      }
      #expect(names.count == 10 && Set(names).count == 10)
      // Among equals the order is that of names, which tells nothing of addresses.
      let all = try Self.items(try await station.get("/api/v1/hosts?from=\(Self.today)"))
      let quiet = all.filter { $0["verdict"] as? String == "no_sign" }.compactMap { $0["host"] as? String }
      #expect(quiet == quiet.sorted() && quiet.count > 5)
      let forged = try await station.get("/api/v1/hosts?cursor=3")
      #expect(forged.status == 400 && forged.isProblem)
      #expect(try await station.get("/api/v1/findings?cursor=\(String(repeating: "ab", count: 40))").status == 400)
    }
  }

  @Test func everybodyCanWorkWithNamesAlone() async throws {
    let store = try await Self.store()
    try await LiveStation.run(store: store, readers: .everybody) { station in
      let list = try await station.get("/api/v1/hosts", as: .admin)
      #expect(Self.leaks(list.body) == [])
      let host = try #require(try Self.items(list).first?["host"] as? String)
      let opened = try await station.send(
        "POST", "/api/v1/cases", as: .analyst, json: "{\"host\":\"\(host)\",\"day\":\"\(Self.today)\",\"reason\":\"r\"}"
      )
      #expect(opened.status == 201 && Self.leaks(opened.body) == [])
      let rule = try await station.send(
        "POST", "/api/v1/allow-rules", as: .analyst, json: "{\"rule\":\"pair:\(host)>198.51.100.7\",\"reason\":\"r\"}")
      #expect(rule.status == 201 && rule.body.contains("pair:\(host)/128>198.51.100.7/32"))
      #expect(await (try? store.allowRules())?.last?.rule.description == "pair:192.0.2.10/32>198.51.100.7/32")
      // A rule for an address would show its name.
      for text in [
        "source:192.0.2.10", "pair:192.0.2.0/24>198.51.100.7", "destination:192.0.2.10", "source:host-00000000",
      ] {
        let reply = try await station.send(
          "POST", "/api/v1/allow-rules", as: .analyst, json: "{\"rule\":\"\(text)\",\"reason\":\"r\"}")
        #expect(
          reply.status == 409 && reply.body.contains("pseudonym") != text.hasPrefix("source:host"), "\(reply.body)")
      }
      #expect(Self.leaks(try await station.get("/api/v1/audit", as: .admin).body) == [])
      let unknown = try await station.send(
        "POST", "/api/v1/cases", as: .analyst,
        json: "{\"host\":\"192.0.2.10\",\"day\":\"\(Self.today)\",\"reason\":\"r\"}")
      #expect(unknown.status == 404)
    }
  }

  @Test func namesFromElsewhereAreFoundAfterAStart() async throws {
    let store = try await Self.store()
    let veil = try Veil(key: [UInt8](0..<32), home: { [] })
    let veiled = VeiledStore(store, veil, clock: { LiveStation.now })
    // Nothing was given out yet: all kept days are gone through.
    let name = veil.standIn(for: LiveStation.bot)
    #expect(await veiled.host(named: name) == LiveStation.bot)
    #expect(await veiled.host(named: try #require(IPAddress(standInName: "host-00000000"))) == nil)
    #expect(await veiled.host(named: LiveStation.bot) == nil)
  }

  @Test(arguments: [(StationPrivacy.Readers.nobody, "AMBER"), (.viewers, "GREEN")])
  func everythingIsMarked(_ readers: StationPrivacy.Readers, _ marking: String) async throws {
    try await LiveStation.run(store: try await Self.store(), readers: readers) { station in
      for path in ["/overview", "/hosts", "/findings", "/cases/1", "/sensors", "/search?q=sality"] {
        #expect(try await station.get("/api/v1\(path)").json()["tlp"] as? String == marking, "\(path)")
        #expect(try await station.get("/api/v1\(path)", as: .analyst).json()["tlp"] as? String == "AMBER", "\(path)")
      }
      let lines = try await station.get("/api/v1/hosts", headers: ["Accept": "application/x-ndjson"]).body
        .split(separator: "\n")
      #expect(lines.count > 5 && lines.allSatisfy { $0.contains("\"tlp\":\"\(marking)\"") })
      let cookie = "mothlight=\(try #require(try await station.logIn("vera").cookie))"
      let page = try await station.live.get("/hosts", headers: ["Cookie": cookie])
      #expect(page.body.contains("TLP:\(marking)"))
      let change = try await station.send(
        "POST", "/api/v1/cases/1/state", as: .analyst, json: "{\"state\":\"acknowledged\",\"reason\":\"r\"}")
      #expect(try change.json()["tlp"] as? String == "AMBER")
    }
  }
}
