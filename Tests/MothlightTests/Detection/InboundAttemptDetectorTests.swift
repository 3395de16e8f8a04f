import Testing

@testable import Mothlight

private typealias F = PipelineFixture

@Suite struct InboundAttemptDetectorTests {
  private func findings(_ f: PipelineFixture, of host: IPAddress) -> [Finding] {
    f.report().hosts.flatMap(\.findings).filter { $0.detector == "inbound-attempts" && $0.host == host }
  }

  @Test func answeredAttemptsAreNotedAndWeighNothing() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<30 { f.flow(Double(n) * 10, F.outside(66), F.ours(5), port: 23, octets: (200, 300)) }
    for n in 0..<9 { f.flow(Double(n) * 10 + 3, F.outside(67), F.ours(5), port: 23, octets: (200, 300)) }
    let found = findings(f, of: F.ours(5))
    #expect(found.count == 1)
    #expect(found.first?.logOdds == 0)
    #expect(found.first?.peer == F.outside(66))
    #expect(found.first?.summary.contains("30 answered") == true)
    #expect(try #require(f.verdict(of: F.ours(5))).verdict == .noSign)
  }

  @Test func knocksWithoutAnswerAndOtherServicesAreNot() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<30 { f.flow(Double(n) * 10, F.outside(66), F.ours(5), port: 23, state: .unanswered) }
    for n in 0..<30 { f.flow(Double(n) * 10, F.outside(66), F.ours(5), port: 443, octets: (200, 300)) }
    for n in 0..<5 { f.flow(Double(n) * 10, F.outside(66), F.ours(5), port: 22, octets: (200, 300)) }
    #expect(findings(f, of: F.ours(5)).isEmpty)
  }
}
