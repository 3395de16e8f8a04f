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

  /// Polling is a monitor's trade: it keeps time with machines inside, so a timer to a named page outside says less.
  @Test(arguments: [5666, 161] as [UInt16]) func aMonitorsTimersWeighLess(port: UInt16) throws {
    func network(insideTargets: UInt32) -> PipelineFixture {
      var f = PipelineFixture()
      f.browsing(F.ours(9), hours: 4)
      for n in 0..<insideTargets {
        for i in 0..<48 {
          f.flow(
            Double(i) * 300 + Double(n), F.ours(9), F.ours(40 + n), port: port, transport: port == 161 ? .udp : .tcp,
            octets: (90, 90))
        }
      }
      f.lookup(0, F.ours(9), "status.example.org", F.outside(77))
      for i in 0..<48 { f.flow(Double(i) * 300 + 7, F.ours(9), F.outside(77), port: 4443, octets: (400, 900)) }
      return f
    }
    let plain = try #require(network(insideTargets: 0).findings(of: "beacon").first { $0.peer == F.outside(77) })
    let report = network(insideTargets: 5).report()
    let row = try #require(report.hosts.first { $0.host == F.ours(9) })
    #expect(row.roles == [.monitor])
    let lowered = try #require(
      (row.findings + report.hidden.map(\.finding)).first { $0.detector == "beacon" && $0.peer == F.outside(77) })
    #expect(abs(lowered.logOdds - max(0, plain.logOdds - 2)) < 0.01)
    #expect(lowered.suppressions.first?.kind == .role)
  }
}
