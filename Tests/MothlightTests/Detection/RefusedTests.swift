import Testing

@testable import Mothlight

/// A table that is full says how much found no room, and the report hands it on.
@Suite struct RefusedTests {
  private static let host = IPAddress(v4: 0x0a00_0005)
  private static let server = IPAddress(v4: 0xc633_6401)

  /// One more name than fit, by a detector with a small table of its own.
  private func downloads(_ count: Int) -> ObservationFixture {
    var f = ObservationFixture()
    for n in 0..<count { f.web(Double(n), Self.host, Self.server, "s\(n).example", "GET", "/a.exe", got: 50_000) }
    return f
  }

  @Test func fullTableCounts() throws {
    let f = downloads((1 << 14) + 7)
    var detector = try ProgramDownloadDetector(DetectorSettings())
    var findings: [Finding] = []
    detector.observe(f.observations, in: f.context, into: &findings)
    #expect(detector.refused == 7)
  }

  @Test func roomLeftCountsNothing() throws {
    let f = downloads(100)
    var detector = try ProgramDownloadDetector(DetectorSettings())
    var findings: [Finding] = []
    detector.observe(f.observations, in: f.context, into: &findings)
    #expect(detector.refused == 0)
  }

  @Test func shardHandsItOn() throws {
    let f = downloads((1 << 14) + 7)
    var shard = Shard(
      home: Home(given: [Prefix(IPAddress(v4: 0x0a00_0000), length: 8)]),
      detectors: try DetectorRoster.make(knobs: [:], registry: Registry()))
    for from in stride(from: 0, to: f.observations.count, by: 512) {
      var batch = Array(f.observations[from..<min(from + 512, f.observations.count)])
      shard.process(&batch)
    }
    #expect(shard.refusedByDetector.first { $0.name == "program-download" }?.refused == 7)
  }

  /// Logs of a fortnight in one run: a listed name on the last day counts as on the first.
  @Test func indicatorsOfAllDaysAreKept() throws {
    var f = ObservationFixture()
    for day in 0..<14 { f.dns(Double(day) * 86_400 + 60, Self.host, "bad.example", to: [Self.server]) }
    let found = try f.findings(IndicatorDetector.self, IndicatorDetectorTests.registry("bad.example\n"))
    #expect(found.count == 14)
  }
}
