import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// A crowd that obeys one voice among forty office machines; and the many healthy reasons to act at one moment.
@Suite struct SynchronyDetectorTests {
  private static let bots: [UInt32] = [5, 12, 19, 26, 33]
  private static let hours = 8.0

  private func office(machines: UInt32 = 40) -> PipelineFixture {
    var f = PipelineFixture()
    for n in 2..<(2 + machines) { f.browsing(F.ours(n), hours: Self.hours, visitsPerHour: 8) }
    return f
  }

  private func seconds(_ f: inout PipelineFixture, below most: Double) -> Double {
    Double(f.random.next() % UInt64(max(1, most * 100))) / 100
  }

  /// Moments of an operator: whenever, a few minutes apart at least.
  private func orders(_ f: inout PipelineFixture, count: Int) -> [Double] {
    let length = Self.hours * 3600 / Double(count)
    return (0..<count).map { (n: Int) -> Double in Double(n) * length + seconds(&f, below: length * 0.9) }
  }

  private func hosts(_ f: PipelineFixture) -> [IPAddress] { f.findings(of: "synchrony").map(\.host).sorted() }

  /// Commands at the same moments, own contacts between them.
  private func crowd(
    _ f: inout PipelineFixture, port: UInt16 = 4711, orders count: Int = 14, spread: Double = 6, missing: UInt64 = 0,
    server: (UInt32) -> IPAddress = { _ in F.outside(9000) }, octets: (UInt64, UInt64) = (300, 500)
  ) {
    let moments = orders(&f, count: count)
    for bot in Self.bots {
      for moment in moments where f.random.next() % 100 >= missing {
        f.flow(moment + seconds(&f, below: spread), F.ours(bot), server(bot), port: port, octets: octets)
      }
      for _ in 0..<10 {
        f.flow(seconds(&f, below: Self.hours * 3600), F.ours(bot), server(bot), port: port, octets: octets)
      }
    }
  }

  @Test func botsOfOneServerAreFound() throws {
    var f = office()
    crowd(&f)
    #expect(hosts(f) == Self.bots.map(F.ours))
    let finding = try #require(f.findings(of: "synchrony").first)
    #expect(finding.logOdds >= Judge.bar)
    #expect(finding.family == .fanOut)
    #expect(finding.summary.contains("\(F.ours(12))"))
    #expect(finding.measures.first { $0.name == "by_chance" }?.value ?? 9 < 1)
    #expect(
      f.report().hosts.allSatisfy { row in
        row.verdict < .infected || Self.bots.contains { F.ours($0) == row.host }
      })
  }

  @Test func orderIsMissedByAThirdAndSpreadOverNineSeconds() {
    var f = office()
    crowd(&f, orders: 24, spread: 9, missing: 30)
    #expect(hosts(f).count >= 4)
    #expect(hosts(f).allSatisfy { host in Self.bots.contains { F.ours($0) == host } })
  }

  /// Each bot has a server of its own; port and sizes are alike.
  @Test func likeServersSuffice() {
    var f = office()
    crowd(&f, server: { F.outside(9000 + $0) })
    #expect(hosts(f) == Self.bots.map(F.ours))
  }

  @Test func namedServerOnAnEverydayPortStaysBelowTheBar() {
    var f = office()
    for bot in Self.bots { f.lookup(0, F.ours(bot), "notes.example", F.outside(9000)) }
    crowd(&f, port: 443)
    let findings = f.findings(of: "synchrony")
    #expect(!findings.isEmpty)
    #expect(findings.allSatisfy { $0.logOdds < Judge.bar })
  }

  /// Friends who play: the same server at the same moments, but much is said.
  @Test func gamesAndCallsStayBelowTheBar() {
    var f = office()
    crowd(&f, port: 27_015, octets: (4_000_000, 30_000_000))
    #expect(f.findings(of: "synchrony").allSatisfy { $0.logOdds < Judge.bar })
  }

  @Test func ownTimesOverTheSameHoursAreChance() {
    var f = office()
    for bot in Self.bots {
      for _ in 0..<150 { f.flow(seconds(&f, below: Self.hours * 3600), F.ours(bot), F.outside(9000), port: 4711) }
    }
    #expect(hosts(f).isEmpty)
  }

  @Test func schedulesAreClockwork() {
    var f = office()
    for minute in 0..<480 where minute % 60 == 0 || minute % 17 == 3 && f.random.next() % 2 == 0 {
      for bot in Self.bots {
        f.flow(Double(minute) * 60 + seconds(&f, below: 2), F.ours(bot), F.outside(9000), port: 4711)
      }
    }
    #expect(hosts(f).isEmpty)
  }

  /// Monitors in step, on the minute and on a period of their own from a common start.
  @Test(arguments: [60.0, 97.0, 300.0, 1801.0])
  func monitorsInStepAreTimers(_ period: Double) {
    var f = office()
    for bot in Self.bots {
      for beat in 0..<Int(Self.hours * 3600 / period) {
        f.flow(11 + Double(beat) * period + seconds(&f, below: 2), F.ours(bot), F.outside(9000), port: 4711)
      }
    }
    #expect(hosts(f).isEmpty)
  }

  /// The line fails now and then; everybody comes back at once, to everything.
  @Test func restoredLineIsACommonEvent() {
    var f = office()
    for moment in orders(&f, count: 12) {
      for host in 2..<42 as Range<UInt32> {
        f.flow(moment + seconds(&f, below: 6), F.ours(host), F.outside(50), port: 443)
        f.flow(moment + seconds(&f, below: 6), F.ours(host), F.outside(51), port: 5223)
      }
      for bot in Self.bots { f.flow(moment + seconds(&f, below: 6), F.ours(bot), F.outside(9000), port: 4711) }
    }
    #expect(hosts(f).isEmpty)
  }

  /// One access point fails: only its five machines come back, but to everything they use.
  @Test func flakyAccessPointIsACommonEvent() {
    var f = office()
    for moment in orders(&f, count: 12) {
      for bot in Self.bots {
        f.flow(moment + seconds(&f, below: 6), F.ours(bot), F.outside(50), port: 443)
        f.flow(moment + seconds(&f, below: 6), F.ours(bot), F.outside(51), port: 5223)
        f.flow(moment + seconds(&f, below: 6), F.ours(bot), F.outside(9000), port: 4711)
      }
    }
    #expect(hosts(f).isEmpty)
  }

  @Test func popularServicesAreLeftAlone() {
    var f = office()
    for moment in orders(&f, count: 14) {
      for host in 2..<22 as Range<UInt32> {
        f.flow(moment + seconds(&f, below: 6), F.ours(host), F.outside(9000), port: 4711)
      }
    }
    #expect(hosts(f).isEmpty)
  }

  @Test func smallNetworksAreLeftAlone() {
    var f = office(machines: 6)
    crowd(&f)
    for bot in Self.bots { f.browsing(F.ours(bot), hours: 1) }
    #expect(hosts(f).isEmpty)
  }

  @Test func sampledSourcesAreLeftAlone() {
    var f = office()
    crowd(&f)
    f.isSampled = true
    #expect(hosts(f).isEmpty)
  }

  @Test func sameForAnyNumberOfShards() {
    var f = office()
    crowd(&f)
    let one = f.findings(of: "synchrony").sorted { $0.host < $1.host }
    #expect(!one.isEmpty)
    for shards in [2, 8] {
      #expect(f.findings(of: "synchrony", shards: shards).sorted { $0.host < $1.host } == one)
    }
  }
}
