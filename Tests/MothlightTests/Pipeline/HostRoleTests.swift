import Testing

@testable import Mothlight

private typealias F = PipelineFixture

@Suite struct HostRoleTests {
  @Test func rolesComeFromWhatIsCounted() {
    var host = HostRecord(F.ours(1))
    #expect(HostRole.learned(from: host).isEmpty)
    host.mailReceived = HostRole.Bound.mailReceived
    host.lookupsServed = HostRole.Bound.lookupsServed
    host.insidePeers = HostRole.Bound.insidePeers
    #expect(HostRole.learned(from: host) == [.mailServer, .resolver, .insideProber])
  }

  @Test func threeKindsOfSystemAreSeveralMachines() {
    var host = HostRecord(F.ours(1))
    host.note(agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/128.0")
    host.note(agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605")
    host.note(agent: "curl/8 (Android)")
    #expect(HostRole.learned(from: host).isEmpty)
    host.note(agent: "Mozilla/5.0 (Linux; Android 14) Chrome/126 Mobile")
    #expect(HostRole.learned(from: host) == [.natGateway])
  }

  @Test func anInsideProberIsToldFromAVisitor() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(9), hours: 1)
    f.browsing(F.ours(8), hours: 1)
    for n in 20..<60 as Range<UInt32> { f.flow(Double(n), F.ours(9), F.ours(n), port: 161, octets: (80, 80)) }
    for n in 20..<23 as Range<UInt32> { f.flow(Double(n), F.ours(8), F.ours(n), port: 445, octets: (80, 80)) }
    #expect(try #require(f.verdict(of: F.ours(9))).roles == [.insideProber])
    #expect(try #require(f.verdict(of: F.ours(8))).roles.isEmpty)
  }
}
