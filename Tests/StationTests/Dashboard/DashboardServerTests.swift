import Mothlight
import Testing

@testable import MothlightStation

@Suite struct DashboardServerTests {
  @Test func theFirstPageIsServedWithEveryGuard() async throws {
    let reply = try await LiveDashboard.run { try await $0.get("/") }
    #expect(reply.status == 200)
    #expect(reply.headers["content-security-policy"] == SecurityHeaders.policy)
    #expect(reply.headers["x-content-type-options"] == "nosniff")
    #expect(reply.headers["referrer-policy"] == "same-origin")
    #expect(reply.headers["cache-control"] == "no-store")
    #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
    #expect(reply.body.hasPrefix("<!DOCTYPE html>") && reply.body.hasSuffix("</html>\n"))
  }

  @Test(arguments: ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "10.0.0.1:8420", "localhost.evil.example"])
  func aForeignHostNameIsRefused(_ host: String) async throws {
    let reply = try await LiveDashboard.run { try await $0.get("/", headers: ["Host": host]) }
    #expect(reply.status == 421)
    #expect(reply.headers["content-security-policy"] != nil)
  }

  @Test(arguments: ["localhost", "LOCALHOST:99", "127.0.0.1", "127.9.9.9:1", "[::1]:80", "mothlight.lan:8420"])
  func ourOwnNamesAreServed(_ host: String) async throws {
    var settings = DashboardSettings()
    settings.hostNames = ["Mothlight.LAN"]
    let reply = try await LiveDashboard.run(settings: settings) { try await $0.get("/", headers: ["Host": host]) }
    #expect(reply.status == 200)
  }

  @Test func stopsSoonEvenWithStreamsAndIdleConnections() async throws {
    let clock = ContinuousClock()
    let start = try await LiveDashboard.run { live in
      let stream = try PageWire(port: live.port)
      try stream.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let seen = await stream.wait { $0.read(until: "retry: ", seconds: 10) }
      #expect(seen.contains("text/event-stream"))
      let idle = try PageWire(port: live.port)
      try idle.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
      return clock.now
    }
    // Four seconds by its settings; the rest is the machine's, which runs other tests beside it.
    #expect(start.duration(to: clock.now) < .seconds(20))
  }
}
