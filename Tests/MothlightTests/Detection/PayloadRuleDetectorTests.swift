import Testing

@testable import Mothlight

@Suite struct PayloadRuleDetectorTests {
  static let bot = IPAddress(v4: 0x0a00_000b)

  @Test func strongRowIsConclusiveAndPeersAreCounted() throws {
    var fixture = ObservationFixture()
    for i in 0..<30 {
      fixture.payload(
        Double(i), Self.bot, IPAddress(v4: 0xc633_6400 + UInt32(i)), "zeroaccess-getl", port: 16_464, octets: 16)
    }
    for size in [1, 7, 512] {
      let findings = try fixture.findings(PayloadRuleDetector.self, batch: size)
      try #require(findings.count == 1)
      #expect(findings[0].isConclusive)
      #expect(findings[0].botnet == "ZeroAccess")
      #expect(findings[0].measures.first { $0.name == "servers" }?.value == 30)
      #expect(findings[0].evidence.count == 5)
    }
  }

  @Test func weakRowIsAHint() throws {
    var fixture = ObservationFixture()
    fixture.payload(1, Self.bot, IPAddress(v4: 0xc633_6401), "ramnit-frame", port: 443, octets: 6)
    let findings = try fixture.findings(PayloadRuleDetector.self)
    #expect(findings.map { !$0.isConclusive && $0.botnet == nil && $0.logOdds < 3.4 } == [true])
  }

  @Test func othersMatchesAreLeftAlone() throws {
    var fixture = ObservationFixture()
    let peer = IPAddress(v4: 0xc633_6401)
    fixture.payload(1, Self.bot, peer, "bfbot-join")
    fixture.payload(2, Self.bot, peer, "no-such-rule")
    fixture.payload(3, Self.bot, peer, "njrat-keepalive", fromClient: false)
    fixture.payload(4, Self.bot, peer, "njrat-keepalive", .inbound)
    #expect(try fixture.findings(PayloadRuleDetector.self).isEmpty)
  }

  @Test func insideOnlyIsNotConclusive() throws {
    var fixture = ObservationFixture()
    fixture.payload(1, Self.bot, IPAddress(v4: 0x0a00_0063), "njrat-keepalive", .inside)
    #expect(try fixture.findings(PayloadRuleDetector.self).map(\.isConclusive) == [false])
  }
}
