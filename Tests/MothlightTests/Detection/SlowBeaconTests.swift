import Testing

@testable import Mothlight

/// Callers that start a handful of times a day, and machines that are not always on.
@Suite struct SlowBeaconTests {
  private let host = PipelineFixture.ours(5)
  private let server = PipelineFixture.outside(7)

  private func beacon(_ f: PipelineFixture) -> Finding? {
    f.verdict(of: host)?.findings.first { $0.detector == "beacon" && $0.peer == server }
  }

  @Test(arguments: [8, 12, 16])
  func aFewCallHomesInADayAreEnough(_ count: Int) throws {
    var f = PipelineFixture()
    f.browsing(host, hours: 24, visitsPerHour: 6)
    for n in 0..<count {
      let late = Double(f.random.next() % 200)
      f.flow(Double(n) * (86_000 / Double(count)) + late, host, server, port: 4123)
    }
    let finding = try #require(beacon(f))
    #expect(finding.logOdds > 2)
    let starts = try #require(finding.measures.first { $0.name == "starts" })
    #expect(starts.value == Double(count))
  }

  @Test func sevenStartsAreTooFew() {
    var f = PipelineFixture()
    f.browsing(host, hours: 24, visitsPerHour: 6)
    for n in 0..<7 { f.flow(Double(n) * 12_000, host, server, port: 4123) }
    #expect(beacon(f) == nil)
  }

  /// Three days, thousands of peers, one caller every two hours.
  @Test func oneCallerAmongThousandsOfPeers() throws {
    var f = PipelineFixture()
    f.browsing(host, hours: 72, visitsPerHour: 10)
    for n in 0..<5000 {
      let second = Double(f.random.next() % 259_200)
      f.flow(second, host, PipelineFixture.outside(UInt32(2000 + n)), port: 443)
    }
    for n in 0..<35 {
      let late = Double(f.random.next() % 900)
      f.flow(Double(n) * 7200 + late, host, server, port: 4123)
    }
    let finding = try #require(beacon(f))
    #expect(finding.logOdds >= Judge.bar)
    let others = f.verdict(of: host)?.findings.filter { $0.detector == "beacon" && $0.peer != server } ?? []
    #expect(others.count { $0.logOdds >= Judge.bar } == 0)
  }

  /// On eight hours a day: the nights are no gaps of the caller.
  @Test func nightsOfAnOfficeMachineAreNoGaps() throws {
    var f = PipelineFixture()
    for day in 0..<3 {
      for minute in 0..<96 {
        let second = Double(day) * 86_400 + 32_400 + Double(minute) * 300
        f.flow(second, host, PipelineFixture.outside(UInt32(1000 + minute % 20)), port: 443)
      }
      for n in 0..<5 { f.flow(Double(day) * 86_400 + 32_500 + Double(n) * 5700, host, server, port: 4123) }
    }
    let finding = try #require(beacon(f))
    let dispersion = try #require(finding.measures.first { $0.name == "gap_dispersion" })
    #expect(dispersion.value < 0.1)
  }

  /// A machine that does nothing but call home is silent between its calls; that is no absence.
  @Test func aSilentDeviceIsNotAbsentBetweenItsCalls() throws {
    var f = PipelineFixture()
    for n in 0..<12 { f.flow(Double(n) * 7200, host, server, port: 4123) }
    let finding = try #require(beacon(f))
    let period = try #require(finding.measures.first { $0.name == "period" })
    #expect(period.value > 6500 && period.value < 8000)
  }

  /// A feed reader's only server, and a licence server that is gone: timers, named, of one machine alone.
  @Test func namedClockworkOfOneMachineStaysBelowTheBar() throws {
    var f = PipelineFixture()
    for n in 0..<12 as Range<UInt32> { f.browsing(PipelineFixture.ours(20 + n), hours: 8, visitsPerHour: 4) }
    f.browsing(host, hours: 24, visitsPerHour: 6)
    f.lookup(0, host, "feed.example", server)
    f.lookup(1, host, "licence.example", PipelineFixture.outside(8))
    for n in 0..<48 {
      f.flow(Double(n) * 1800 + 2, host, server, port: 443, octets: (400, UInt64(2000 + f.random.next() % 20_000)))
      f.flow(Double(n) * 1800 + 9, host, PipelineFixture.outside(8), port: 27_000, state: .unanswered)
    }
    let row = try #require(f.verdict(of: host))
    let timers = row.findings.filter { $0.detector == "beacon" }
    #expect(timers.count == 2)
    #expect(timers.allSatisfy { $0.logOdds > 1 && $0.logOdds < Judge.bar })
    #expect(row.verdict != .infected)
  }
}
