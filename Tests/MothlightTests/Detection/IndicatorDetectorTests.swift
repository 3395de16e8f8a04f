import Testing

@testable import Mothlight

@Suite struct IndicatorDetectorTests {
  static let host = IPAddress(v4: 0x0a00_0007)
  static let server = IPAddress(v4: 0xc000_0209)  // 192.0.2.9

  static func registry(_ lines: String, expires: String? = nil, confidence: String? = nil) throws -> DetectorSettings {
    var text = "# name: test\n# source: unit test\n# date: 2010-01-02\n"
    if let expires { text += "# expires: \(expires)\n" }
    if let confidence { text += "# confidence: \(confidence)\n" }
    return DetectorSettings(registry: Registry(lists: [try IndicatorList(text: text + lines, path: "t")]))
  }

  @Test func builtinMariposaName() throws {
    var fixture = ObservationFixture()
    fixture.dns(10, Self.host, "www.butterfly.sinip.es", to: [Self.server])
    fixture.dns(20, Self.host, "notbutterfly.sinip.es", to: [Self.server])
    let findings = try fixture.findings(IndicatorDetector.self)
    try #require(findings.count == 1)
    #expect(findings[0].botnet == "Mariposa")
    #expect(findings[0].family == .list)
    #expect(!findings[0].isConclusive)
    #expect(findings[0].logOdds == 4.6)
    #expect(findings[0].summary.contains("ICSA-10-090-01") && findings[0].summary.contains("2010-03-31"))
  }

  @Test func oldListWeighsLess() throws {
    var fixture = ObservationFixture()
    fixture.start = Timestamp(seconds: 1_700_000_000)
    fixture.dns(10, Self.host, "butterfly.sinip.es")
    let findings = try fixture.findings(IndicatorDetector.self)
    #expect(findings.map(\.logOdds) == [3.5])
    #expect(findings[0].summary.contains("listed 13 years before"))
  }

  @Test func highConfidenceIsConclusiveUnlessSharedOrExpired() throws {
    var fixture = ObservationFixture()
    fixture.flow(5, Self.host, Self.server, port: 7700)
    let high = try fixture.findings(IndicatorDetector.self, Self.registry("192.0.2.9:7700,Kit", confidence: "high"))
    #expect(high.map(\.isConclusive) == [true])
    #expect(high.first?.botnet == "Kit")
    #expect(high.first?.evidence.first?.destinationPort == 7700)
    let shared = try fixture.findings(
      IndicatorDetector.self, Self.registry("192.0.2.9:7700,Kit,shared", confidence: "high"))
    #expect(shared.map(\.isConclusive) == [false])
    #expect(shared.allSatisfy { $0.logOdds < 1 && $0.summary.contains("shared hosting") })
    let expired = try fixture.findings(
      IndicatorDetector.self, Self.registry("192.0.2.9:7700", expires: "2010-03-02", confidence: "high"))
    #expect(expired.map(\.isConclusive) == [false])
    #expect(expired.allSatisfy { $0.logOdds < 1 && $0.summary.contains("EXPIRED 2010-03-02") })
    let lastDay = try fixture.findings(
      IndicatorDetector.self, Self.registry("192.0.2.9:7700", expires: "2010-03-03", confidence: "high"))
    #expect(lastDay.map(\.isConclusive) == [true])
  }

  @Test func flowsByPortPrefixAndDirection() throws {
    var fixture = ObservationFixture()
    fixture.flow(5, Self.host, Self.server, port: 80)
    #expect(try fixture.findings(IndicatorDetector.self, Self.registry("192.0.2.9:7700")).isEmpty)
    #expect(try fixture.findings(IndicatorDetector.self, Self.registry("192.0.2.0/24")).map(\.logOdds) == [1.5])
    #expect(try fixture.findings(IndicatorDetector.self, Self.registry("192.0.2.9")).map(\.logOdds) == [3.5])
    var inbound = ObservationFixture()
    inbound.flow(5, Self.host, Self.server, port: 22, orientation: .inbound)
    #expect(try inbound.findings(IndicatorDetector.self, Self.registry("192.0.2.9")).isEmpty)
    // Met inbound first, so the later outbound flow is no first contact and must still be seen.
    inbound.flow(50, Self.host, Self.server, port: 80, isFirst: false)
    #expect(try inbound.findings(IndicatorDetector.self, Self.registry("192.0.2.9")).count == 1)
  }

  @Test func laterDaysAreSeenThoughContactIsNotNew() throws {
    var fixture = ObservationFixture()
    for day in 0..<3 { fixture.flow(Double(day) * 86_400, Self.host, Self.server, port: 80, isFirst: day == 0) }
    let findings = try fixture.findings(IndicatorDetector.self, Self.registry("192.0.2.9"), batch: 1)
    #expect(findings.count == 3)
    #expect(Set(findings.map(\.id)).count == 3)
  }

  @Test func printsNamesAndAgents() throws {
    var fixture = ObservationFixture()
    let ja3 = "e7d705a3286e19ea42f587b344ee6865"
    let sha1 = "0123456789abcdef0123456789abcdef01234567"
    fixture.tls(1, Self.host, Self.server, "c2.bad.example.net", ja3: ja3, sha1: sha1)
    fixture.http(2, Self.host, Self.server, "bad.example.net", agent: "Bot, 1.0")
    fixture.http(3, Self.host, Self.server, "fine.example.org", agent: "bot, 1.0")
    let findings = try fixture.findings(
      IndicatorDetector.self, Self.registry("ja3:\(ja3.uppercased())\n\(sha1)\nua:Bot, 1.0\nbad.example.net,Fam"))
    #expect(
      Set(findings.map(\.subject)) == [
        "ja3 \(ja3) on test", "certificate \(sha1) on test", "user_agent Bot, 1.0 on test",
        "domain bad.example.net on test",
      ])
    #expect(findings.first { $0.botnet == "Fam" }?.measures.first?.value == 2)
    #expect(findings.first { $0.subject.hasPrefix("ja3") }?.logOdds == 1.5)
    #expect(try fixture.findings(IndicatorDetector.self).isEmpty)
  }
}
