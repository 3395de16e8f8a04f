import Testing

@testable import Mothlight

private typealias F = PipelineFixture

@Suite struct SharedScanDetectorTests {
  private func office() -> PipelineFixture {
    var f = PipelineFixture()
    for n in 2..<12 as Range<UInt32> { f.browsing(F.ours(n), hours: 8, visitsPerHour: 10) }
    return f
  }

  @Test func fewTriesEachMakeAScanTogether() throws {
    var f = office()
    for machine in 0..<4 as Range<UInt32> {
      for n in 0..<5 as Range<UInt32> {
        f.flow(
          Double(n) * 4000 + Double(machine) * 90, F.ours(3 + machine), F.outside(5000 + machine * 100 + n * 7),
          port: 445, state: .unanswered)
      }
    }
    let findings = f.findings(of: "shared-scan")
    #expect(findings.map(\.host).sorted() == (3..<7).map { F.ours($0) })
    #expect(try #require(findings.first).logOdds >= Judge.bar)
    #expect(f.findings(of: "scan-out").isEmpty)
    #expect(f.findings(of: "shared-scan", shards: 8) == findings)
  }

  /// A program with a built-in list of servers, all gone: every machine tries the same ones.
  @Test func sharedListIsNoScan() {
    var f = office()
    for machine in 0..<6 as Range<UInt32> {
      for n in 0..<8 as Range<UInt32> {
        f.flow(Double(n) * 3000, F.ours(3 + machine), F.outside(5000 + n * 7), port: 445, state: .unanswered)
      }
    }
    #expect(f.findings(of: "shared-scan").isEmpty)
  }

  /// Administrators: remote desktops and databases that answer.
  @Test func answeredServersAreNoScan() {
    var f = office()
    for machine in 0..<4 as Range<UInt32> {
      for n in 0..<8 as Range<UInt32> {
        f.flow(
          Double(n) * 3000, F.ours(3 + machine), F.outside(5000 + machine * 100 + n * 7), port: 3389,
          state: n % 4 == 0 ? .unanswered : .closed)
      }
    }
    #expect(f.findings(of: "shared-scan").isEmpty)
  }
}
