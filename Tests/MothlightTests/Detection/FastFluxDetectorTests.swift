import Testing

@testable import Mothlight

@Suite struct FastFluxDetectorTests {
  private static let host = IPAddress(v4: 0x0a00_0005)
  private static let name = "www.moth-flux.net"

  /// Agents on home lines: each in a network of its own.
  private static func agent(_ n: Int) -> IPAddress {
    IPAddress(v4: UInt32(24 + n % 150) << 24 | UInt32(n * 37 % 250) << 16 | UInt32(n * 91 % 65_000 + 1))
  }

  private func flux(
    answers: Int = 12, ttl: UInt32 = 180, name: String = name, _ addresses: (Int) -> [IPAddress]
  ) -> ObservationFixture {
    var fixture = ObservationFixture()
    for i in 0..<answers { fixture.dns(Double(i) * 600, Self.host, name, to: addresses(i), ttl: ttl) }
    return fixture
  }

  private func fresh(_ i: Int) -> [IPAddress] { (0..<5).map { Self.agent(i * 5 + $0) } }

  private static func meet(_ fixture: inout ObservationFixture, _ peers: [IPAddress], port: UInt16 = 80) {
    for peer in peers {
      let flow = Flow(
        source: host, destination: peer, sourcePort: 40_000, destinationPort: port, transport: .tcp,
        first: fixture.start, last: fixture.start.advanced(bySeconds: 1), state: .closed, destinationOctets: 500,
        destinationPackets: 4)
      _ = fixture.context.pairs.update(flow, host: 0, peer: peer, isInside: false)
    }
  }

  @Test func changingAddressesThatWereUsed() throws {
    var fixture = flux(fresh)
    Self.meet(&fixture, (0..<4).map { Self.agent($0 * 5) })
    let findings = try fixture.findings(FastFluxDetector.self)
    try #require(findings.count == 1)
    #expect(findings[0].subject == Self.name && findings[0].peerName == Self.name)
    #expect(findings[0].measures.first { $0.name == "addresses" }?.value == 60)
    #expect(findings[0].measures.first { $0.name == "addresses_spoken_to" }?.value == 4)
    #expect(findings[0].logOdds > 2.5 && findings[0].logOdds < 3.4)
    #expect(findings[0].summary.hasSuffix("it spoke to 4 of them"))
    #expect(!findings[0].evidence.isEmpty)
  }

  @Test func unusedIsAWeakHint() throws {
    let findings = try flux(fresh).findings(FastFluxDetector.self)
    #expect(findings.map { $0.logOdds <= 2 } == [true])
  }

  /// Two addresses at a time, one of them from the answer before.
  @Test func slowlyTurningFlux() throws {
    let findings = try flux(answers: 24) { [Self.agent($0), Self.agent($0 + 1)] }.findings(FastFluxDetector.self)
    #expect(findings.map(\.subject) == [Self.name])
  }

  @Test func resolverCannotSayWho() throws {
    var fixture = flux(fresh)
    fixture.context.hosts[0].lookupsServed = 500
    let finding = try #require(try fixture.findings(FastFluxDetector.self).first)
    #expect(finding.summary.contains("cannot be told from here"))
    #expect(finding.logOdds <= 1)
  }

  @Test func contentNetworksAndClouds() throws {
    // Many addresses, few networks.
    let crowd = flux(answers: 40) { i in (0..<8).map { IPAddress(v4: 0x1711_0000 + UInt32(i * 8 + $0)) } }
    #expect(try crowd.findings(FastFluxDetector.self).isEmpty)
    // Many networks of one provider, each often.
    let cloud = flux(answers: 40) { i in
      (0..<6).map { IPAddress(v4: 0x3400_0000 + UInt32((i * 6 + $0) % 12) << 16 + UInt32(i * 6 + $0)) }
    }
    #expect(try cloud.findings(FastFluxDetector.self).isEmpty)
    // The same spread-out set each time.
    let anycast = flux(answers: 40) { _ in (0..<12).map { Self.agent($0) } }
    #expect(try anycast.findings(FastFluxDetector.self).isEmpty)
  }

  @Test func poolsOfVolunteers() throws {
    #expect(try flux(name: "2.debian.pool.ntp.org", fresh).findings(FastFluxDetector.self).isEmpty)
    // Seeds of a peer-to-peer program: met on its own port, and never over the bar.
    var seeds = flux(name: "seed.moth-coin.org", fresh)
    Self.meet(&seeds, (0..<8).map { Self.agent($0 * 5) }, port: 8333)
    #expect(try seeds.findings(FastFluxDetector.self).allSatisfy { $0.logOdds < 3.4 })
  }

  /// Home lines in a dozen systems of two countries.
  private static let homeLines = ListedNetworks(
    records: (0..<256 as Range<UInt32>).map {
      (Prefix(IPAddress(v4: $0 << 24), length: 8), 64_500 + $0 % 12, $0 % 2 == 0 ? "LT" : "NZ")
    })
  /// All of it is one provider's.
  private static let oneCloud = ListedNetworks(records: [(Prefix(IPAddress(v4: 0), length: 0), 64_500, "NZ")])

  @Test func systemsMakeItStronger() throws {
    var fixture = flux(fresh)
    Self.meet(&fixture, (0..<4).map { Self.agent($0 * 5) })
    let known = try fixture.findings(FastFluxDetector.self, DetectorSettings(networks: Self.homeLines))
    try #require(known.count == 1)
    #expect(known[0].logOdds >= Judge.bar)
    #expect(known[0].summary.contains("of 12 autonomous systems in 2 countries"))
    #expect(known[0].measures.contains { $0.name == "autonomous_systems" && $0.unit.contains("a list of a test") })
    // Agents of a few providers crowd in their networks; systems are counted, not /16s.
    let crowded = flux { i in (0..<5).map { IPAddress(v4: UInt32(24 + ($0 + i) % 12) << 24 | UInt32(i * 5 + $0 + 1)) } }
    #expect(try crowded.findings(FastFluxDetector.self).isEmpty)
    #expect(try crowded.findings(FastFluxDetector.self, DetectorSettings(networks: Self.homeLines)).count == 1)
  }

  /// Fifty networks of one provider are a cloud, which /16s cannot tell; seeds met on a port of their own stay a hint.
  @Test func systemsClearCloudsAndPools() throws {
    var fixture = flux(fresh)
    Self.meet(&fixture, (0..<4).map { Self.agent($0 * 5) })
    #expect(try fixture.findings(FastFluxDetector.self, DetectorSettings(networks: Self.oneCloud)).isEmpty)
    var seeds = flux(name: "seed.moth-coin.org", fresh)
    Self.meet(&seeds, (0..<8).map { Self.agent($0 * 5) }, port: 8333)
    let found = try seeds.findings(FastFluxDetector.self, DetectorSettings(networks: Self.homeLines))
    #expect(found.allSatisfy { $0.logOdds < Judge.bar })
  }

  /// A file that knows none of the addresses leaves it at /16 networks.
  @Test func unknownSystemsChangeNothing() throws {
    let none = ListedNetworks(records: [])
    let asked = try flux(fresh).findings(FastFluxDetector.self, DetectorSettings(networks: none))
    let unasked = try flux(fresh).findings(FastFluxDetector.self)
    #expect(!asked.isEmpty && asked.map(\.logOdds) == unasked.map(\.logOdds))
  }

  @Test func longLivedAndFewAnswers() throws {
    #expect(try flux(ttl: 3600, fresh).findings(FastFluxDetector.self).isEmpty)
    #expect(try flux(answers: 3, fresh).findings(FastFluxDetector.self).isEmpty)
    var once = flux(fresh)
    once.dns(9000, Self.host, Self.name, to: [Self.agent(1)], ttl: 86_400)
    #expect(try once.findings(FastFluxDetector.self).isEmpty)
  }

  @Test(arguments: [1, 5, 512]) func batchesDoNotMatter(_ size: Int) throws {
    #expect(
      try flux(fresh).findings(FastFluxDetector.self, batch: size) == flux(fresh).findings(FastFluxDetector.self))
  }
}
