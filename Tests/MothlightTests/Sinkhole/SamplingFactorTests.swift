import Testing

@testable import Mothlight

@Suite struct SamplingFactorTests {
  @Test func overloadDoublesAndCalmHalves() {
    var sampling = SamplingFactor(seed: 5)
    var second: Int64 = 1000
    for _ in 0..<3 {
      let steps = [0, 1].map { sampling.judge(isOverloaded: true, second: second + $0) }
      #expect(steps == [true, false])
      second += 2
    }
    #expect(sampling.factor == 8)
    var halved = 0
    for _ in 0..<200 {
      second += 1
      if sampling.judge(isOverloaded: false, second: second) { halved += 1 }
    }
    #expect(halved == 3 && sampling.factor == 1)
  }

  /// The same sources all day, and those of a larger factor among those of a smaller one.
  @Test func choicesAreStableAndNested() {
    var sampling = SamplingFactor(seed: 5)
    sampling.begin(day: 20_000)
    let sources = (0..<20_000).map { IPAddress(v4: 0x0a00_0000 + UInt32($0)) }
    var chosen = Set(sources)
    var second: Int64 = 0
    for step in 1...4 {
      second += 10
      _ = sampling.judge(isOverloaded: true, second: second)
      let now = Set(sources.filter(sampling.selects))
      #expect(now.isSubset(of: chosen) && now == Set(sources.filter(sampling.selects)))
      let expected = 20_000 / Double(1 << step)
      #expect(abs(Double(now.count) - expected) < 5 * expected.squareRoot())
      chosen = now
    }
    let before = chosen
    sampling.begin(day: 20_001)
    #expect(Set(sources.filter(sampling.selects)) != before)
  }

  @Test func theFactorStandsInTheRow() throws {
    let fixture = try SinkholeFixture()
    for second in stride(from: 0, to: 6, by: 2) as StrideTo<Int64> {
      fixture.at(second)
      #expect(fixture.tally.judgeLoad(isOverloaded: true) != nil)
    }
    for host in 0..<4000 { fixture.udp(IPAddress(v4: 0xc633_6400 + UInt32(host))) }
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.allSatisfy { $0.samplingFactor == 8 })
    #expect((380...620).contains(fixture.sink.sightings.count))
    #expect(fixture.tally.counters.checkIns == 4000)
    #expect(fixture.tally.counters.sampledOut == 4000 - UInt64(fixture.sink.sightings.count))
  }
}
