import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// A TLS hello that nobody else in the network says, and the healthy machines that have one too.
@Suite struct RareHelloTests {
  private static let bot: UInt32 = 7
  private static let server = F.outside(9000)

  /// Windows machines with two browsers and an agent of the house that has no name to call.
  private func office(machines: UInt32 = 30) -> PipelineFixture {
    var f = F()
    for n in 2..<(2 + machines) {
      f.browsing(F.ours(n), hours: 4, visitsPerHour: 10)
      for site in 0..<12 as Range<UInt32> {
        let hello = (site + n) % 3 == 0 ? "edge" : "chrome"
        f.hello(Double(site) * 900, F.ours(n), F.outside(1000 + site), "site\(site).example", ja4: hello)
      }
      for beat in 0..<8 { f.hello(Double(beat) * 1700, F.ours(n), F.outside(8000), nil, port: 8443, ja4: "agent") }
    }
    return f
  }

  private func odds(_ f: PipelineFixture, of host: UInt32, shards: Int = 1) -> Double? {
    f.findings(of: "tls-oddity", shards: shards).filter { $0.host == F.ours(host) }.map(\.logOdds).max()
  }

  /// Without a name, never looked up, on a port of its own.
  @Test func strangerOnAnOddPortIsOverTheBar() throws {
    var f = office()
    for call in 0..<12 { f.hello(Double(call) * 1100, F.ours(Self.bot), Self.server, nil, port: 4449, ja4: "bot") }
    let found = f.findings(of: "tls-oddity").filter { $0.logOdds >= Judge.bar }
    #expect(found.map(\.host) == [F.ours(Self.bot)])
    let finding = try #require(found.first)
    #expect(finding.summary.contains("no other of 30 machines"))
    for shards in [2, 8] { #expect(odds(f, of: Self.bot, shards: shards) == finding.logOdds) }
  }

  @Test func ownCertificateIsOverTheBar() {
    var f = office()
    for call in 0..<12 {
      f.hello(Double(call) * 1100, F.ours(Self.bot), Self.server, nil, ja4: "bot", subject: "CN=srv")
    }
    #expect(odds(f, of: Self.bot) ?? 0 >= Judge.bar)
  }

  /// The hard case: a name on the usual port, and few calls. A hint, no more.
  @Test func namedServerIsAHint() throws {
    var f = office()
    for call in 0..<4 {
      f.hello(Double(call) * 3500, F.ours(Self.bot), Self.server, "cdn.update-check.example", ja4: "bot")
    }
    let hint = try #require(odds(f, of: Self.bot))
    #expect(hint >= 1 && hint < Judge.bar)
  }

  /// Three machines of three hundred share a bot; the print stays rare.
  @Test func fewOfManyAreRareToo() {
    var f = F()
    for n in 2..<302 as Range<UInt32> {
      for site in 0..<6 as Range<UInt32> {
        f.hello(Double(site) * 900, F.ours(n), F.outside(1000 + site), "site\(site).example", ja4: "chrome")
      }
    }
    for n in [20, 120, 220] as [UInt32] {
      for call in 0..<12 { f.hello(Double(call) * 1100, F.ours(n), Self.server, nil, port: 4449, ja4: "bot") }
    }
    let hosts = f.findings(of: "tls-oddity").filter { $0.summary.contains("3 of 300 machines") }.map(\.host)
    #expect(hosts.sorted() == [20, 120, 220].map(F.ours))
  }

  /// The agent of the house is odd in name and port, but everybody has it.
  @Test func helloOfManyIsNothing() {
    #expect(office().findings(of: "tls-oddity").isEmpty)
  }

  /// Its browser's hello is its own in this network, and goes everywhere; its package tool asks one mirror.
  @Test func linuxDesktopAmongWindowsStaysBelow() throws {
    var f = office()
    let linux: UInt32 = 99
    f.browsing(F.ours(linux), hours: 4, visitsPerHour: 10)
    for site in 0..<30 as Range<UInt32> {
      f.hello(Double(site) * 400, F.ours(linux), F.outside(1000 + site), "site\(site).example", ja4: "linux-browser")
    }
    for beat in 0..<30 {
      f.hello(Double(beat) * 450, F.ours(linux), F.outside(7000), "mirror.distribution.example", ja4: "linux-packages")
    }
    #expect(odds(f, of: linux) ?? 0 < Judge.bar)
    #expect(f.report().hosts.first { $0.host == F.ours(linux) }?.verdict == .noSign)
  }

  /// A camera with its maker's cloud: one hello, one server, odd port, certificate of its own.
  @Test func loneThingWithItsCloudStaysBelow() {
    var f = office()
    let camera: UInt32 = 98
    for beat in 0..<60 {
      f.hello(
        Double(beat) * 240, F.ours(camera), F.outside(7100), "device.maker.example", port: 8883, ja4: "camera",
        subject: "CN=maker")
    }
    #expect(odds(f, of: camera) ?? 0 < Judge.bar)
  }

  /// In a network of a few machines every hello is rare: the machine alone is looked at, as before.
  @Test func fewMachinesSayNothingAboutRarity() {
    var f = office(machines: 6)
    for call in 0..<12 { f.hello(Double(call) * 1100, F.ours(Self.bot), Self.server, nil, port: 4449, ja4: "bot") }
    #expect(odds(f, of: Self.bot) ?? 9 < Judge.bar)
  }

  @Test func fullTableIsCounted() {
    var census = HelloCensus()
    let ends = Endpoints(
      client: F.ours(1), server: Self.server, clientPort: 40_000, serverPort: 443, transport: .tcp)
    for n in 0..<UInt32(HelloCensus.limit / 3 + 10) {
      census.note(TLSHandshake(ends: ends, version: 0x0303, ja4: "one"), of: n)
    }
    #expect(census.refused > 0)
    #expect(census.users(ofHello: "one") <= UInt32(HelloCensus.limit))
  }
}
