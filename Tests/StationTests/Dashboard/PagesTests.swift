import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Pages as they come over a real socket.
@Suite struct PagesTests {
  static let paths = [
    "/", "/?day=2026-02-14", "/hosts", "/hosts?days=all&order=newest", "/hosts/10.20.4.37", "/hosts/fd20:7::1c4",
    "/hosts/10.20.7.22?day=2026-02-26", "/findings", "/findings?family=dns&days=all", "/botnets", "/botnets/Emotet",
    "/botnets/Mariposa%2FBFBot", "/networks", "/cases", "/cases?state=all", "/cases/3", "/allow", "/sensors", "/census",
    "/search", "/search?q=10.20.7", "/search?q=butterfly", "/about", "/audit",
  ]

  static func demo<T: Sendable>(
    access: any Gatekeeper = LocalGatekeeper(), _ body: @Sendable (LiveDashboard) async throws -> T
  ) async throws -> T {
    var settings = DashboardSettings()
    settings.version = "demo"
    return try await LiveDashboard.run(
      store: DemoStation.store(), settings: settings, access: access, census: DemoCensus.Shelf(),
      networks: DemoNetworks(),
      board: DemoBoard.make(), clock: DemoStation.now, body)
  }

  @Test func everyPageIsWhole() async throws {
    let replies = try await Self.demo { live in
      var replies: [(String, PageReply)] = []
      for path in Self.paths { replies.append((path, try await live.get(path))) }
      return replies
    }
    for (path, reply) in replies {
      #expect(reply.status == 200, "\(path)")
      #expect(reply.body.hasPrefix("<!DOCTYPE html>") && reply.body.hasSuffix("</html>\n"), "\(path)")
      #expect(reply.body.components(separatedBy: "<h1").count == 2, "one heading: \(path)")
      #expect(reply.body.components(separatedBy: "<main").count == 2, "\(path)")
      #expect(!reply.body.contains(" style=\""), "the policy forbids styles in attributes: \(path)")
      #expect(!reply.body.contains("src=\"http") && !reply.body.contains("href=\"http"), "no outside resource: \(path)")
      #expect(!reply.body.lowercased().contains(">clean<"), "nobody is called clean: \(path)")
    }
  }

  @Test func theFirstPageSaysWhoIsInfectedAndWhatIsNew() async throws {
    let page = try await Self.demo { try await $0.get("/") }.body
    #expect(page.contains("4 machines are infected, 5 more are suspicious."))
    #expect(page.contains("<b>2</b> new today"))
    #expect(page.contains("Of 22 machines too little was seen to say anything."))
    #expect(page.contains("/hosts/10.20.4.37?day=2026-03-02"))
    #expect(page.contains("<b>2</b> machines today, \(3) in 30 days"))
    #expect(page.contains("21.1 k lost"))
    #expect(page.contains("The last 30 days"))
  }

  /// Of an old capture the first page shows the last day; a line that leads there stands on other days only.
  @Test func theLatestDayDoesNotLeadToItself() async throws {
    let store = try await LiveStation.filled()
    let clock = LiveStation.now.advanced(bySeconds: 40 * 86_400)
    try await LiveDashboard.run(store: store, clock: clock) { live async throws in
      let last = Timestamp.describe(day: LiveStation.today)
      let before = Timestamp.describe(day: LiveStation.today - 1)
      for path in ["/", "/?day=\(last)"] {
        let page = try await live.get(path).body
        #expect(page.contains("1 machine is infected") && !page.contains("To the latest day"), "\(path)")
      }
      let page = try await live.get("/?day=\(before)").body
      #expect(page.contains("This is \(before). <a href=\"/\">To the latest day</a>"))
    }
  }

  @Test func anEmptyStationSaysWhatToDo() async throws {
    let page = try await LiveDashboard.run { try await $0.get("/") }.body
    #expect(page.contains("Nothing is watched yet."))
    #expect(page.contains("mothlight watch") && page.contains("mothlight config check"))
    let board = StatusBoard(at: DemoStation.now)
    board.add(SourceMeter(name: "eth0", kind: "interface", place: "eth0", at: DemoStation.now))
    let learning = try await LiveDashboard.run(board: board) { try await $0.get("/") }.body
    #expect(learning.contains("Getting to know the network."))
  }

  @Test func noSignAndNotEnoughDataAreSaid() async throws {
    func page(_ wanted: Verdict) async throws -> String {
      let store = MemoryStore()
      let day = DemoStation.hostDays(back: 0).filter { $0.verdict == wanted }
      try await store.keep(day, run: "r", at: DemoStation.now)
      let board = DemoBoard.make()
      return try await LiveDashboard.run(store: store, board: board, clock: DemoStation.now) { try await $0.get("/") }
        .body
    }
    let none = try await page(.noSign)
    #expect(none.contains("No sign of infection in 381 machines.") && none.contains("not a proof of health"))
    #expect(try await page(.notEnoughData).contains("Too little was seen today to judge any of 22 machines."))
  }

  /// A listing read to its end by its own links holds every row once.
  @Test func listsArePagedToTheirEnd() async throws {
    let hosts = try await Self.demo { live in
      var hosts: [String] = []
      var next: String? = "/hosts"
      while let path = next, hosts.count < 2000 {
        let page = try await live.get(path).body
        let rows = page.components(separatedBy: "<th scope=\"row\"><a class=\"m\" href=\"/hosts/").dropFirst()
        hosts += rows.map { String($0.prefix { $0 != "?" }) }
        next = page.components(separatedBy: "<a rel=\"next\" href=\"").dropFirst().first
          .map { String($0.prefix { $0 != "\"" }).replacing("&amp;", with: "&") }
      }
      return hosts
    }
    #expect(hosts.count == DemoStation.hostDays(back: 0).count)
    #expect(Set(hosts).count == hosts.count)
  }

  @Test func filtersAreUnderstoodOrTold() async throws {
    let pages = try await Self.demo { live in
      (
        try await live.get("/hosts?verdict=infected&prefix=10.20.7.0/24"),
        try await live.get("/hosts?days=30&new=1&verdict=suspicious"),
        try await live.get("/hosts?prefix=nowhere&verdict=sick&day=2026-02-31"),
        try await live.get("/findings?host=zz&family=zz")
      )
    }
    #expect(pages.0.body.contains("10.20.7.31") && !pages.0.body.contains("10.20.4.37"))
    #expect(pages.1.body.contains("10.20.9.140"))
    for text in ["'nowhere' is no prefix", "'sick' is no verdict", "'2026-02-31' is no day"] {
      #expect(pages.2.body.contains(text.replacing("'", with: "&#39;")), "\(text)")
    }
    #expect(pages.3.body.contains("is no address") && pages.3.body.contains("is no kind of evidence"))
  }

  @Test(arguments: [
    "/nothing", "/hosts/zz", "/hosts/192.0.2.1", "/cases/99999", "/cases/x", "/findings/x", "/networks/zzz",
  ])
  func whatIsNotThereIsSaidOnAPage(_ path: String) async throws {
    let reply = try await Self.demo { try await $0.get(path) }
    #expect(reply.status == 404)
    #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
    #expect(reply.body.contains("Nothing is here"))
  }

  @Test func aStoreThatFailsIsAPageAndNotACrash() async throws {
    let store = MemoryStore()
    await store.fail(with: StoreError(.busy, "store.sqlite: another program holds it; stop that"))
    let reply = try await LiveDashboard.run(store: store) { try await $0.get("/") }
    #expect(reply.status == 503)
    #expect(reply.body.contains("another program holds it"))
  }

  /// Every field that somebody else may have written, on every page.
  @Test func hostileTextStaysText() async throws {
    let asked = Form.encoded(HostileStation.text)
    let paths = [
      "/", "/hosts", "/hosts/10.9.9.9", "/findings", "/botnets?q=x", "/botnets/\(asked)", "/networks",
      "/networks/AS64500",
      "/cases?state=all", "/cases/1", "/allow", "/sensors", "/census", "/search?q=script", "/search?q=\(asked)",
      "/audit",
      "/hosts?verdict=\(asked)&prefix=\(asked)&botnet=\(asked)&day=\(asked)&order=\(asked)",
      "/findings?text=\(asked)&host=\(asked)",
      "/cases?owner=\(asked)&state=\(asked)", "/nothing/\(asked)", "/hosts/\(asked)",
    ]
    let replies = try await LiveDashboard.run(
      store: HostileStation.store(), registry: HostileStation.Registry(),
      census: DemoCensus.Shelf(botnet: HostileStation.text), networks: HostileStation.Networks(),
      board: HostileStation.board(), clock: DemoStation.now
    ) { live in
      var replies: [(String, PageReply)] = []
      for path in paths { replies.append((path, try await live.get(path))) }
      let finding = HostileStation.hostDay().findings[0].id
      replies.append(("/findings/…", try await live.get("/findings/\(finding)")))
      return replies
    }
    for (path, reply) in replies {
      #expect(reply.status == 200 || reply.status == 404, "\(path): \(reply.status)")
      #expect(!reply.body.isEmpty && reply.body.utf8.count < 400_000, "bounded: \(path), \(reply.body.utf8.count)")
      #expect(!reply.body.contains("<script>") && !reply.body.contains("<img"), "markup came through: \(path)")
      #expect(reply.body.components(separatedBy: "<script").count <= 2, "only our own script: \(path)")
      #expect(!reply.body.contains("\u{202e}") && !reply.body.contains("\u{0}"), "hidden characters: \(path)")
      #expect(!reply.body.contains("href=\"javascript"), "\(path)")
    }
    #expect(replies.contains { $0.1.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;") }, "the text is shown")
  }
}

/// Networks of the made-up office's peers.
struct DemoNetworks: NetworkDirectory {
  var origin: String { "made-up networks of 2026-03-01" }
  func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
    addresses.map { address in
      guard address.isV4, !address.isPrivate else { return nil }
      let known: [UInt32: (UInt32, String, String)] = [
        203: (64_500, "Example Hosting", "NL"), 198: (64_501, "Sample Telecom", "BR"),
        192: (64_502, "Test Cloud", "US"),
      ]
      return known[address.v4 >> 24].map {
        NetworkRecord(prefix: Prefix(address, length: 24), system: $0.0, systemName: $0.1, country: $0.2)
      }
    }
  }
}
