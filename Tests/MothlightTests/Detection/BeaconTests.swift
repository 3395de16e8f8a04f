import Testing

@testable import Mothlight

@Suite struct BeaconTests {
  private func starts(
    _ period: Double, hours: Double, jitter: Double = 0, miss: Double = 0, extra: Double = 0, seed: UInt64 = 7
  ) -> [Double] {
    var random = SeededGenerator(seed)
    func unit() -> Double { Double(random.next() >> 11) / Double(1 << 53) }
    var times: [Double] = []
    var t = 0.0
    while t < hours * 3600 {
      if unit() >= miss { times.append(t) }
      t += period * (1 + jitter * (2 * unit() - 1))
    }
    let extras = Int(Double(times.count) * extra)
    for _ in 0..<extras { times.append(unit() * hours * 3600) }
    return times.sorted()
  }

  private func poisson(_ count: Int, hours: Double, seed: UInt64) -> [Double] {
    var random = SeededGenerator(seed)
    return (0..<count).map { _ in Double(random.next() >> 11) / Double(1 << 53) * hours * 3600 }.sorted()
  }

  @Test(arguments: [
    (600.0, 24.0, 0.0, 0.0, 0.0), (600, 24, 0.2, 0, 0), (600, 24, 0.5, 0, 0), (600, 24, 0.9, 0, 0),
    (600, 24, 0.05, 0.3, 0),
    (600, 24, 0.05, 0.6, 0), (600, 24, 0.05, 0, 0.3), (600, 8, 0.05, 0, 0), (60, 24, 0.05, 0.3, 0), (33, 4, 0.6, 0, 0),
    (1800, 8, 0.05, 0, 0),
    (2, 0.2, 0.1, 0, 0), (21_600, 96, 0.05, 0, 0),
  ])
  func timersAreTimers(period: Double, hours: Double, jitter: Double, miss: Double, extra: Double) throws {
    let p = try #require(Periodicity.analyse(starts(period, hours: hours, jitter: jitter, miss: miss, extra: extra)))
    #expect(p.model.logBayesFactor >= 6)
    #expect(p.model.period > period * 0.75 && p.model.period < period * 1.35)
  }

  /// 200 memoryless series: none may pass the product's own threshold.
  @Test func poissonIsNoTimer() {
    for seed in 0..<200 as Range<UInt64> {
      let p = Periodicity.analyse(poisson(20 + Int(seed), hours: 24, seed: seed))
      #expect((p?.model.logBayesFactor ?? -1) < 6)
    }
  }

  /// Two connections per beat are one beat.
  @Test func doubledBeatsKeepTheirPeriod() throws {
    let single = starts(300, hours: 12, jitter: 0.05)
    let p = try #require(Periodicity.analyse((single + single.map { $0 + 0.4 }).sorted()))
    #expect(p.model.period > 250 && p.model.period < 350)
  }

  @Test func tooFewStartsSayNothing() {
    #expect(Periodicity.analyse([0, 1, 2, 3]) == nil)
    #expect(Periodicity.analyse([]) == nil)
    #expect(Periodicity.analyse([Double](repeating: 5, count: 500)) == nil)
  }

  @Test func gapHistogramBinsHoldTheirEdges() {
    for bin in 0..<GapHistogram.binCount {
      #expect(GapHistogram.bin(ofSeconds: GapHistogram.lowerEdge(bin) * 1.0001) == bin)
    }
    #expect(GapHistogram.bin(ofSeconds: 0.01) == nil)
    #expect(GapHistogram.bin(ofSeconds: 1e12) == GapHistogram.binCount - 1)
  }

  @Test func everydayServicesAreSetAside() throws {
    var f = PipelineFixture()
    let host = PipelineFixture.ours(5)
    f.browsing(host, hours: 4)
    f.lookup(0, host, "updates.vendor.example", PipelineFixture.outside(3))
    for n in 0..<48 { f.flow(Double(n) * 300, host, PipelineFixture.outside(3), port: 443, octets: (700, 5200)) }
    for n in 0..<200 { f.flow(Double(n) * 64, host, PipelineFixture.outside(4), port: 123, transport: .udp) }
    let row = try #require(f.verdict(of: host))
    #expect(row.verdict == .noSign)
    #expect(row.findings.contains { $0.detector == "beacon" && $0.logOdds <= 1 })
  }
}
