import Testing

@testable import Mothlight

@Suite struct ProxiedBeaconDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)
  static let proxy = IPAddress(v4: 0x0a00_0010)

  private func call(
    _ f: inout ObservationFixture, _ second: Double, _ name: String, _ orientation: Orientation = .inside
  ) {
    f.web(second, Self.host, Self.proxy, name, "CONNECT", "\(name):443", port: 3128, orientation)
  }

  @Test func eachNameHasItsOwnTimes() throws {
    var f = ObservationFixture()
    var random = SeededGenerator(3)
    for n in 0..<200 { call(&f, Double(n) * 200 + Double(random.next() % 40), "c2.example") }
    for _ in 0..<60 { call(&f, Double(random.next() % 40_000), "news.example") }
    f.observations.sort { $0.time < $1.time }
    for size in [1, 64, 512] {
      let found = try f.findings(ProxiedBeaconDetector.self, batch: size)
      try #require(found.map(\.subject) == ["c2.example:443"])
      let period = try #require(found[0].measures.first { $0.name == "period" }?.value)
      #expect(abs(period - 200) < 30)
      #expect(found[0].peerName == "c2.example" && found[0].peer == nil)
    }
  }

  @Test func aPollerAmongManyNamesStaysBelowTheBar() throws {
    var f = ObservationFixture()
    var random = SeededGenerator(4)
    for n in 0..<200 { call(&f, Double(n) * 200, "api.chat.example") }
    for n in 0..<600 { call(&f, Double(random.next() % 40_000), "site\(n % 40).example") }
    #expect(try f.findings(ProxiedBeaconDetector.self).allSatisfy { $0.logOdds < Judge.bar })
  }

  @Test func proxyIsNoBeaconPeer() throws {
    var f = PipelineFixture()
    let proxy = PipelineFixture.outside(9)
    for n in 0..<200 {
      f.flow(Double(n) * 60, PipelineFixture.ours(5), proxy, port: 3128)
      let ends = Endpoints(
        client: PipelineFixture.ours(5), server: proxy, clientPort: 4000, serverPort: 3128, transport: .tcp)
      f.observations.append(
        Observation(
          time: f.start.advanced(bySeconds: Double(n) * 60 + 0.1),
          event: .http(
            HTTPExchange(ends: ends, method: "GET", host: "app.example", target: "http://app.example/\(n)"))))
    }
    let found = f.report().hosts.flatMap(\.findings)
    #expect(!found.contains { $0.detector == "beacon" })
    #expect(found.contains { $0.detector == "proxied-beacon" && $0.subject == "app.example" })
  }

  @Test func absoluteFormOnPort80IsNoProxy() {
    let ends = Endpoints(
      client: Self.host, server: Self.proxy, clientPort: 4000, serverPort: 80, transport: .tcp)
    let exchange = HTTPExchange(ends: ends, method: "GET", host: "a.example", target: "http://a.example/")
    #expect(!exchange.isProxied(.outbound))
    #expect(exchange.isProxied(.inside))
  }
}
