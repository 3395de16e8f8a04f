import Testing

@testable import Mothlight

@Suite struct MariposaDetectorTests {
  static let bot = IPAddress(v4: 0x0a00_0009)
  static let server = IPAddress(v4: 0xc633_640a)

  @Test func oneJoinIsConclusive() throws {
    var fixture = ObservationFixture()
    fixture.payload(10, Self.bot, Self.server, "bfbot-join")
    let findings = try fixture.findings(MariposaDetector.self)
    try #require(findings.count == 1)
    #expect(findings[0].isConclusive)
    #expect(findings[0].botnet == "Mariposa/BFBot")
    #expect(findings[0].peer == Self.server)
    #expect(findings[0].subject == "198.51.100.10")
    #expect(findings[0].evidence.map(\.destinationPort) == [3433])
  }

  @Test func joinToOneOfOursIsNotConclusive() throws {
    var fixture = ObservationFixture()
    fixture.payload(10, Self.bot, IPAddress(v4: 0x0a00_0063), "bfbot-join", .inside)
    let findings = try fixture.findings(MariposaDetector.self)
    #expect(findings.map(\.isConclusive) == [false])
  }

  @Test func joinsOfStrangersToUs() throws {
    var fixture = ObservationFixture()
    let vantage = fixture.vantage(Self.bot, .inbound)
    let match = PayloadMatch(
      ends: fixture.ends(Self.server, Self.bot, port: 3433, .udp), rule: "bfbot-join", payloadOctets: 7,
      fromClient: true)
    fixture.observations = [Observation(time: fixture.start, event: .payload(match), vantage: vantage)]
    #expect(try fixture.findings(MariposaDetector.self).isEmpty)
  }

  @Test(arguments: [(4, 240.0, 0), (5, 240.0, 1), (5, 215.0, 1), (5, 200.0, 0), (40, 20.0, 0), (8, 480.0, 1)])
  func keepalivesNeedTheRhythm(_ count: Int, _ gap: Double, _ expected: Int) throws {
    var fixture = ObservationFixture()
    for i in 0..<count { fixture.payload(Double(i) * gap, Self.bot, Self.server, "bfbot-keepalive", octets: 3) }
    let findings = try fixture.findings(MariposaDetector.self)
    #expect(findings.count == expected)
    #expect(findings.allSatisfy { !$0.isConclusive && $0.botnet == nil && $0.logOdds < 3.4 })
  }

  @Test func keepalivesWithAnswersPassTheBar() throws {
    var fixture = ObservationFixture()
    for i in 0..<6 {
      fixture.payload(Double(i) * 240, Self.bot, Self.server, "bfbot-keepalive", octets: 3)
      fixture.payload(Double(i) * 240 + 0.1, Self.bot, Self.server, "bfbot-keepalive-ack", octets: 3, fromClient: false)
    }
    for size in [1, 5, 512] {
      let findings = try fixture.findings(MariposaDetector.self, batch: size)
      #expect(findings.map { $0.logOdds > 3.4 } == [true])
      #expect(findings.first?.measures.first { $0.name == "server_answers" }?.value == 6)
    }
  }

  @Test func listedNameNamesTheBotnet() throws {
    var fixture = ObservationFixture()
    for i in 0..<6 { fixture.payload(Double(i) * 240, Self.bot, Self.server, "bfbot-keepalive", octets: 3) }
    fixture.context.remember("butterfly.sinip.es", of: Self.server, for: 0)
    let findings = try fixture.findings(MariposaDetector.self)
    #expect(findings.map(\.botnet) == ["Mariposa/BFBot"])
    #expect(findings.first?.peerName == "butterfly.sinip.es")
  }

  @Test func weakJoinsAlone() throws {
    var fixture = ObservationFixture()
    fixture.payload(1, Self.bot, Self.server, "bfbot-join-other-word")
    #expect(try fixture.findings(MariposaDetector.self).isEmpty)
    fixture.payload(2, Self.bot, Self.server, "bfbot-join-21", octets: 21)
    let findings = try fixture.findings(MariposaDetector.self)
    #expect(findings.map { $0.logOdds < 3.4 && !$0.isConclusive } == [true])
  }
}
