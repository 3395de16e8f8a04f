import Foundation
import Glibc
import Hummingbird
import Mothlight
import NIOCore
import Testing

@testable import MothlightStation

/// Clients that are slow, greedy or malicious: they get little, and nobody else waits for them.
@Suite struct RoughClientTests {
  @Test(arguments: [
    "/static/../Package.swift", "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/static/..%2fapp.js", "/../../etc/passwd",
    "/static//etc/passwd", "/static/style.css%00.js", "/hosts/..%2f..%2fetc",
  ])
  func noPathLeadsToFiles(_ path: String) async throws {
    let reply = try await LiveDashboard.run { try await $0.get(path) }
    #expect(reply.status == 404 && !reply.body.contains("root:"))
  }

  @Test func greedyRequestsAreCutShort() async throws {
    try await LiveDashboard.run { live in
      let header = try await live.get("/", headers: ["X-Filler": String(repeating: "a", count: 100_000)])
      #expect([400, 431, 0].contains(header.status), "\(header.status)")
      #expect(try await live.get("/" + String(repeating: "a", count: 5000)).status == 414)
      let body = [("csrf", String(repeating: "x", count: 70_000))]
      #expect(try await live.post("/allow", body).status == 413)
      let many = (0..<300).map { "X-\($0): y\r\n" }.joined()
      let fields = try await live.raw("GET / HTTP/1.1\r\nHost: localhost\r\n\(many)Connection: close\r\n\r\n")
      #expect([400, 431, 0].contains(fields.status))
      #expect(try await live.raw("GET / HTTP/1.0\r\n\r\n").status == 400, "no host")
      #expect(try await live.raw("\u{16}\u{3}\u{1} nonsense\r\n\r\n", seconds: 3).status == 400)
      #expect(try await live.get("/", seconds: 60).status == 200, "and the others are served")
    }
  }

  /// A head, a body and a reply that never come to their end.
  @Test func slowClientsAreCutOffAndDisturbNobody() async throws {
    var settings = DashboardSettings()
    settings.idleSeconds = 1
    settings.requestSeconds = 1
    settings.writeSeconds = 1
    try await LiveDashboard.run(settings: settings, groups: [Flood()]) { live in
      let slowHead = try PageWire(port: live.port)
      try slowHead.send("GET / HTTP/1.1\r\nHost: loc")
      let slowBody = try PageWire(port: live.port)
      try slowBody.send(
        "POST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\na"
      )
      let deafReader = try PageWire(port: live.port)
      try deafReader.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let clock = ContinuousClock()
      let start = clock.now
      #expect(try await live.get("/").status == 200)
      #expect(start.duration(to: clock.now) < .seconds(5), "others do not wait")
      let drip = await slowBody.wait { wire in
        (0..<60).first { _ in
          usleep(200_000)
          return (try? wire.send("a")) == nil
        }
      }
      #expect(drip != nil, "a drip of octets does not keep a connection")
      #expect(await slowHead.wait { $0.isClosed(seconds: 10) }, "half a head does not keep a connection")
      try await Task.sleep(for: .seconds(4))
      let taken = await deafReader.wait { $0.readAll(seconds: 10).count }
      #expect(taken < Flood.octets / 2, "a reader that takes nothing is given up")
    }
  }

  /// It is the client's doing, not a failure of ours: it must fill neither the log nor the count of errors.
  @Test func bodiesThatEndEarlyAreNoErrorsOfOurs() async throws {
    let tally = HTTPTally()
    try await LiveDashboard.run(tally: tally) { live in
      for n in 0..<12 {
        let wire = try PageWire(port: live.port)
        try wire.send(
          "POST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na"
        )
        if n % 2 == 0 { wire.end() }
      }
      for _ in 0..<100 where tally.counts.byStatus[400] ?? 0 < 12 { try await Task.sleep(for: .milliseconds(50)) }
    }
    #expect(tally.counts.byStatus == [400: 12])
  }

  /// Much more than socket buffers hold.
  struct Flood: RouteGroup {
    static let octets = 64 << 20
    func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
      open.get("/flood") { _, _ in
        Response(
          status: .ok,
          body: ResponseBody { writer in
            let part = ByteBuffer(repeating: 0x61, count: 1 << 20)
            for _ in 0..<(Self.octets >> 20) { try await writer.write(part) }
            try await writer.finish(nil)
          })
      }
    }
  }

  @Test func assetsAreKeptByTheirContent() async throws {
    try await LiveDashboard.run { live in
      let page = try await live.get("/").body
      for asset in Asset.all {
        #expect(page.contains(asset.path))
        let first = try await live.get(asset.path)
        #expect(first.status == 200 && first.headers["content-type"] == asset.type)
        #expect(first.headers["cache-control"]?.contains("immutable") == true)
        #expect(first.body.utf8.count == asset.octets.count)
        let tag = try #require(first.headers["etag"])
        #expect(try await live.get(asset.path, headers: ["If-None-Match": "\"x\", \(tag)"]).status == 304)
        #expect(try await live.get("/static/\(asset.name)?v=old").headers["cache-control"] == "no-cache")
      }
    }
  }

  @Test func eventsArriveAndSeatsComeBack() async throws {
    var settings = DashboardSettings()
    settings.eventStreamsMost = 1
    try await LiveDashboard.run(settings: settings) { live in
      let stream = try PageWire(port: live.port)
      try stream.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      var seen = await stream.wait { $0.read(until: "retry: ", seconds: 10) }
      #expect(seen.contains("content-type: text/event-stream") || seen.contains("Content-Type: text/event-stream"))
      live.board.publish(.judged(day: DemoStation.lastDay, changed: 3))
      live.board.publish(.source("evil\nevent: x", .waiting))
      seen = await stream.wait { $0.read(until: "data: waiting", seconds: 10) }
      #expect(seen.contains("event: judged\ndata: 2026-03-02 3\n\n") && !seen.contains("evil"))
      let full = try await live.get("/events")
      #expect(full.status == 503 && full.headers["retry-after"] == "60")
      #expect(try await live.send("HEAD", "/events", headers: [:], body: "").status == 503)
    }
    try await LiveDashboard.run(settings: settings) { live in
      for _ in 0..<3 {
        let reply = try await live.send("HEAD", "/events", headers: [:], body: "")
        #expect(reply.status == 200)
      }
    }
  }
}

extension PageWire {
  /// What came up to and with `word`, or within `seconds`.
  func read(until word: String, seconds: Double) -> String {
    var text = ""
    let end = Date().addingTimeInterval(seconds)
    while Date() < end, !text.contains(word) {
      guard let part = read(seconds: 0.2) else { break }
      text += String(decoding: part, as: UTF8.self)
    }
    return text
  }

  /// Whether the other end closes within `seconds`.
  func isClosed(seconds: Double) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end { if read(seconds: 0.2) == nil { return true } }
    return false
  }
}
