import Testing

@testable import Mothlight

@Suite struct DNSTunnelDetectorTests {
  private static let host = IPAddress(v4: 0x0a00_0005)
  private static let site = IPAddress(v4: 0xc633_6407)
  private static let hex = "0123456789abcdef"
  private static let base36 = "abcdefghijklmnopqrstuvwxyz0123456789"

  private func findings(_ fixture: ObservationFixture, batch: Int = 512) throws -> [Finding] {
    try fixture.findings(DNSTunnelDetector.self, batch: batch)
  }

  private func text(_ fixture: inout ObservationFixture, _ second: Double, _ name: String, _ data: String?) {
    let lookup = DNSLookup(
      ends: fixture.ends(Self.host, ObservationFixture.resolver, port: 53, .udp), name: name, type: 16,
      responseCode: data == nil ? nil : 0, targets: data.map { [$0] } ?? [])
    fixture.add(second, Self.host, .dns(lookup), .inside)
  }

  /// Two labels of data a question, ten questions a minute, for an hour.
  private func tunnel(_ count: Int = 600) -> ObservationFixture {
    var fixture = ObservationFixture()
    var random = SeededGenerator(1)
    for i in 0..<count {
      let name = "\(random.label(60, from: Self.base36)).\(random.label(40, from: Self.base36)).t.moth-tunnel.net"
      text(&fixture, Double(i) * 6, name, random.label(120, from: Self.base36))
    }
    return fixture
  }

  @Test func tunnelIsFoundWithItsNumbers() throws {
    let findings = try findings(tunnel())
    try #require(findings.count == 1)
    let finding = findings[0]
    #expect(finding.subject == "moth-tunnel.net")
    #expect(finding.peerName == "moth-tunnel.net")
    #expect(finding.family == .dns)
    #expect(finding.logOdds > 4.5 && finding.logOdds <= 5.5)
    #expect(!finding.isConclusive && finding.botnet == nil)
    let names = try #require(finding.measures.first { $0.name == "subdomains" }?.value)
    #expect(abs(names - 600) < 90)
    #expect(finding.measures.first { $0.name == "name_octets" }?.value == 103)
    #expect(finding.evidence.count == Limits.evidenceFlowsPerFinding)
    #expect(finding.evidence.allSatisfy { $0.note.hasPrefix("TXT ") && $0.note.hasSuffix(".t.moth-tunnel.net") })
    #expect(finding.summary.contains("100 % asked for data instead of addresses"))
  }

  /// A file in the questions: address look-ups that nobody answers.
  @Test func fileInNames() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(2)
    for i in 0..<1500 {
      fixture.dns(
        Double(i), Self.host,
        "\(i).\(random.label(60, from: Self.hex)).\(random.label(60, from: Self.hex)).moth-drop.org",
        code: 3)
    }
    fixture.context.pairs = Self.someFlow(fixture)
    let findings = try findings(fixture)
    #expect(findings.map(\.subject) == ["moth-drop.org"])
    #expect(findings.allSatisfy { $0.logOdds >= 3.4 })
  }

  /// A flow to somewhere, so that "nothing was connected to" means something.
  private static func someFlow(_ fixture: ObservationFixture, to peer: IPAddress = IPAddress(v4: 0x0808_0404))
    -> PairTable
  {
    var table = PairTable()
    let flow = Flow(
      source: host, destination: peer, sourcePort: 40_000, destinationPort: 443, transport: .tcp, first: fixture.start,
      last: fixture.start.advanced(bySeconds: 1), state: .closed)
    _ = table.update(flow, host: 0, peer: peer, isInside: false)
    return table
  }

  /// Two short questions a minute: over the bar, because they always ask anew and keep time.
  @Test func slowOrdersInText() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(3)
    for i in 0..<480 {
      let second = Double(i) * 30 + Double(random.next() % 4)
      text(&fixture, second, "\(random.label(16, from: Self.hex)).moth-orders.com", random.label(90, from: Self.hex))
    }
    fixture.context.pairs = Self.someFlow(fixture)
    let finding = try #require(try findings(fixture).first)
    #expect(finding.logOdds >= 3.4)
    #expect(finding.summary.contains("about every "))
    #expect(finding.measures.contains { $0.name == "period" && abs($0.value - 30) < 2 })
  }

  /// The same record every minute is told as a hint, never more.
  @Test func pollOfOneName() throws {
    var fixture = ObservationFixture()
    for i in 0..<300 { text(&fixture, Double(i) * 60 + Double(i % 3), "cfg.moth-orders.com", "v=1 sleep") }
    let findings = try findings(fixture)
    #expect(findings.map(\.logOdds) == [2])
    #expect(findings.first?.summary.contains("the same data record") == true)
  }

  @Test func resolverCannotSayWho() throws {
    var fixture = tunnel()
    fixture.context.hosts[0].lookupsServed = 50
    let finding = try #require(try findings(fixture).first)
    #expect(finding.summary.contains("which of them it was cannot be told"))
    #expect(finding.refutedBy.contains("behind this resolver"))
    let alone = try #require(try findings(tunnel()).first)
    #expect(finding.logOdds <= alone.logOdds)
  }

  @Test(arguments: [1, 7, 512]) func batchesDoNotMatter(_ size: Int) throws {
    #expect(try findings(tunnel(), batch: size) == findings(tunnel()))
  }

  @Test func orderDoesNotMatterForWhatIsCounted() throws {
    var shuffled = tunnel()
    var random = SeededGenerator(4)
    shuffled.observations.shuffle(using: &random)
    let a = try #require(try findings(tunnel()).first)
    let b = try #require(try findings(shuffled).first)
    #expect(a.id == b.id)
    for name in ["subdomains", "name_octets", "octets_out_per_hour", "signs", "look_ups"] {
      #expect(a.measures.first { $0.name == name } == b.measures.first { $0.name == name })
    }
  }

  @Test func daysAreToldApartAndLongRunsGoOn() throws {
    var fixture = ObservationFixture()
    let day = tunnel(120)
    for d in 0..<6 {
      for o in day.observations {
        var o = o
        o.time = o.time.advanced(bySeconds: Double(d) * 86_400)
        fixture.observations.append(o)
      }
    }
    fixture.context = day.context
    // All at once, as a reader of files does: no day may be lost for want of an earlier advance.
    let findings = try findings(fixture, batch: 100_000)
    #expect(findings.count == 6)
    #expect(Set(findings.map(\.id)).count == 6)
  }

  @Test func forgedAnswersAccuseNobody() throws {
    var fixture = tunnel()
    fixture.observations = fixture.observations.map {
      guard case .dns(var lookup) = $0.event else { return $0 }
      lookup.anomalies = .unsolicitedAnswer
      return Observation(time: $0.time, event: .dns(lookup), vantage: $0.vantage)
    }
    #expect(try findings(fixture).isEmpty)
  }
}

/// Everyday look-ups that resemble tunnels.
@Suite struct DNSTunnelLookAlikeTests {
  private static let host = IPAddress(v4: 0x0a00_0005)
  private static let site = IPAddress(v4: 0xc633_6407)
  private static let base36 = "abcdefghijklmnopqrstuvwxyz0123456789"

  /// One everyday crowd of 1,000 look-ups in eight hours.
  private func everyday(
    type: UInt16 = 1, code: UInt16 = 0, to addresses: [IPAddress] = [site], connected: Bool = false,
    _ name: (Int, inout SeededGenerator) -> String
  ) throws -> [Finding] {
    var fixture = ObservationFixture()
    var random = SeededGenerator(5)
    for i in 0..<1000 {
      fixture.dns(Double(random.next() % 28_800), Self.host, name(i, &random), code: code, to: addresses, type: type)
    }
    if connected {
      let flow = Flow(
        source: Self.host, destination: Self.site, sourcePort: 40_000, destinationPort: 443, transport: .tcp,
        first: fixture.start, last: fixture.start.advanced(bySeconds: 1), state: .closed)
      _ = fixture.context.pairs.update(flow, host: 0, peer: Self.site, isInside: false)
    }
    return try fixture.findings(DNSTunnelDetector.self)
  }

  @Test func contentNetworkShards() throws {
    #expect(
      try everyday(connected: true) { i, _ in
        var own = SeededGenerator(UInt64(i % 200))
        return "d\(own.label(13, from: Self.base36)).cloudfront.net"
      }.isEmpty)
  }

  @Test func reputationByHash() throws {
    let code = IPAddress(v4: 0x7f00_0004)
    let found = try everyday(to: [code]) { _, random in
      "0.0.0.0.1.0.0.4e.\(random.label(26, from: Self.base36)).av.moth-shield.com"
    }
    #expect(found.allSatisfy { $0.logOdds < 3.4 })
    let known = try everyday(to: [code]) { _, random in "\(random.label(26, from: Self.base36)).avts.mcafee.com" }
    #expect(known.isEmpty)
  }

  @Test func blockListsAndReverseZones() throws {
    #expect(try everyday { i, _ in "\(i % 200).2.0.192.zen.moth-list.org" }.isEmpty)
    #expect(try everyday(type: 16) { i, _ in "\(i % 200).2.0.192.zen.moth-list.org" }.isEmpty)
    #expect(try everyday(type: 12) { i, _ in "\(i % 250).2.0.192.in-addr.arpa" }.isEmpty)
    let nibbles = String(repeating: "a.", count: 28)
    #expect(try everyday(type: 12) { i, _ in "\(i % 10).\(i / 10 % 10).\(i / 100).1.\(nibbles)ip6.arpa" }.isEmpty)
  }

  @Test func mailPoliciesAndCertificates() throws {
    #expect(try everyday(type: 16) { i, _ in "selector\(i % 9)._domainkey.company\(i % 300).com" }.isEmpty)
    #expect(try everyday(type: 16) { i, _ in "_dmarc.company\(i).com" }.isEmpty)
    #expect(try everyday(type: 16) { i, _ in "company\(i).com" }.isEmpty)
    #expect(try everyday(type: 15) { i, _ in "company\(i % 40).com" }.isEmpty)
    #expect(try everyday(type: 16) { _, random in "_acme-challenge.\(random.label(12)).moth-hosting.net" }.isEmpty)
    #expect(try everyday(type: 16) { _, _ in "current.cvd.clamav.net" }.isEmpty)
  }

  @Test func telemetryWithHashes() throws {
    #expect(try everyday(connected: true) { _, random in "\(random.label(16)).events.moth-metrics.com" }.isEmpty)
  }

  @Test func localNaming() throws {
    #expect(try everyday { _, random in "\(random.label(12))" }.isEmpty)
    #expect(try everyday { _, random in "\(random.label(32))._tcp.local" }.isEmpty)
    #expect(try everyday { _, random in "\(random.label(32)).lan" }.isEmpty)
  }

  @Test func readableHosts() throws {
    #expect(try everyday(connected: true) { i, _ in "person-number-\(i).blogspot.com" }.isEmpty)
    #expect(try everyday(code: 3, to: []) { i, _ in "moth-site\(i % 40).com.corp-network.com" }.isEmpty)
  }
}

@Suite struct DistinctSketchTests {
  @Test(arguments: [0, 1, 63, 64]) func exactWhileSmall(_ count: Int) {
    var sketch = DistinctSketch()
    for _ in 0..<3 { for i in 0..<count { sketch.insert(UInt64(i)) } }
    #expect(sketch.count == Double(count))
  }

  @Test(arguments: [65, 500, 5000, 200_000]) func closeWhenLarge(_ count: Int) {
    var sketch = DistinctSketch()
    for i in 0..<count { sketch.insert(RegisteredDomains.hash("n\(i)")) }
    #expect(abs(sketch.count / Double(count) - 1) < 0.13)
  }

  @Test func orderDoesNotMatter() {
    var a = DistinctSketch()
    var b = DistinctSketch()
    for i in 0..<3000 { a.insert(UInt64(i % 900)) }
    for i in (0..<3000).reversed() { b.insert(UInt64(i % 900)) }
    #expect(a.count == b.count)
  }
}
