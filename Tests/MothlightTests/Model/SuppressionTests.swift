import Testing

@testable import Mothlight

private typealias F = PipelineFixture

@Suite struct SuppressionTests {
  private func finding(_ odds: Double) -> Finding {
    Finding(
      card: BeaconDetector.card, host: F.ours(5), subject: "x", summary: "x", first: Timestamp(seconds: 0),
      last: Timestamp(seconds: 60), logOdds: odds, measures: [], evidence: [], refutedBy: "")
  }

  @Test func takesNoMoreThanThereIs() {
    var f = finding(2)
    f.lower(.prevalence, by: 3, because: "many use it")
    #expect(f.logOdds == 0)
    #expect(f.suppressions == [Suppression(.prevalence, nats: 2, because: "many use it")])
    #expect(f.restored([.prevalence]).logOdds == 2)
    #expect(f.restored([.role]) == f)
    #expect(f.restored([.prevalence]).suppressions.isEmpty)
  }

  /// Counted, listed, and undone on request.
  @Test func prevalenceIsReversible() throws {
    var f = PipelineFixture()
    for n in 2..<22 as Range<UInt32> {
      f.browsing(F.ours(n), hours: 2)
      for i in 0..<40 { f.flow(Double(i) * 180 + Double(n), F.ours(n), F.outside(66), port: 4711, octets: (300, 300)) }
    }
    let report = f.report()
    #expect(report.hosts.allSatisfy { $0.verdict == .noSign })
    #expect((report.counters["suppressed_prevalence"] ?? 0) >= 20)
    let listed = report.hidden.map(\.finding) + report.hosts.flatMap(\.findings)
    #expect(listed.contains { $0.suppressions.contains { $0.kind == .prevalence && $0.because.contains("machines") } })
    let undone = f.report(undone: [.prevalence])
    #expect(undone.hosts.contains { $0.verdict > .noSign })
    #expect(undone.counters["suppressed_prevalence"] == nil)
  }
}
