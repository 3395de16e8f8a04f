import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// What a walk on failures or a look at one port misses: scans of a day, floods over all ports, samples.
@Suite struct SlowScanTests {
  private func office() -> PipelineFixture {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 24, visitsPerHour: 30)
    f.browsing(F.ours(6), hours: 24, visitsPerHour: 30)
    return f
  }

  @Test func threeTriesAnHourAmongHealthyContacts() throws {
    var f = office()
    for n in 0..<72 {
      f.flow(Double(n) * 1200, F.ours(5), F.outside(UInt32(4000 + n * 13)), port: 445, state: .unanswered)
      for visit in 1...2 {
        f.flow(Double(n) * 1200 + Double(visit) * 300, F.ours(5), F.outside(UInt32(30_000 + n * 2 + visit)), port: 443)
      }
    }
    let finding = try #require(f.findings(of: "scan-out").first { $0.subject == "tcp/445 over a day" })
    #expect(finding.host == F.ours(5))
    #expect(finding.logOdds >= Judge.bar)
    #expect(!finding.isConclusive)
  }

  /// A program with a list of servers of which most answer, and one whose few servers are gone.
  @Test func answeredOrFewServersAreHealthy() {
    var f = office()
    for n in 0..<72 {
      f.flow(
        Double(n) * 1200, F.ours(5), F.outside(UInt32(4000 + n * 13)), port: 9443,
        state: n % 3 == 0 ? .unanswered : .closed)
      f.flow(Double(n) * 1200, F.ours(6), F.outside(UInt32(4000 + n % 6)), port: 9444, state: .unanswered)
    }
    #expect(f.findings(of: "scan-out").isEmpty)
  }

  @Test func sampledScanIsALowerBound() throws {
    var f = office()
    f.isSampled = true
    for n in 0..<50 {
      f.flow(
        Double(n) * 1200, F.ours(5), F.outside(UInt32(4000 + n * 13)), port: 445, state: .unanswered, octets: (40, 0),
        packets: (1, 0), seconds: 0)
    }
    // Browsing by address, of which the sample saw no answer.
    for n in 0..<50 {
      f.flow(Double(n) * 1200, F.ours(6), F.outside(UInt32(4000 + n * 13)), port: 443, state: .unanswered)
    }
    #expect(f.findings(of: "scan-out").map(\.host) == [F.ours(5)])
  }

  @Test func sampledSpamIsSeenAndASampledMailServerIsNot() {
    var f = office()
    f.isSampled = true
    for host in [F.ours(5), F.ours(6)] {
      for n in 0..<30 {
        f.flow(Double(n * 60), host, F.outside(UInt32(300 + n)), port: 25, octets: (600, 0), packets: (1, 0))
      }
    }
    f.flow(90, F.outside(700), F.ours(6), port: 25, packets: (1, 1))
    #expect(f.findings(of: "smtp-fan-out").map(\.host) == [F.ours(5)])
  }

  @Test func floodOverRandomPortsIsSummed() throws {
    var f = office()
    for n in 0..<4000 {
      f.flow(
        100 + Double(n) * 0.01, F.ours(5), F.outside(50), port: UInt16(1024 + n * 13 % 60_000), transport: .udp,
        state: .unanswered, octets: (1080, 0), packets: (2, 0), seconds: 0.01)
    }
    let finding = try #require(f.findings(of: "ddos-participation").first)
    #expect(finding.subject == "\(F.outside(50)) 4000 ports")
    #expect(finding.logOdds >= Judge.bar)
    #expect(finding.peer == F.outside(50))
  }

  /// All ports of one address, two empty probes each: a scan, not a flood.
  @Test func portScanIsNoFlood() {
    var f = office()
    for n in 0..<5000 {
      f.flow(
        100 + Double(n) * 0.01, F.ours(5), F.outside(50), port: UInt16(1 + n), state: .unanswered, octets: (88, 0),
        packets: (2, 0), seconds: 0.01)
    }
    #expect(f.findings(of: "ddos-participation").isEmpty)
    #expect(f.findings(of: "scan-out").count == 1)
  }
}
