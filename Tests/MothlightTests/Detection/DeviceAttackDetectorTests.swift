import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// Bots of small devices: loud, slow, answered, seen in SYNs only; and the healthy machines that resemble them.
@Suite struct DeviceAttackDetectorTests {
  /// One address in each of `count` networks.
  private func strangers(_ count: Int) -> [IPAddress] { (0..<count).map { F.outside(UInt32(4000 + $0 * 13)) } }

  /// A device that is healthy but for what the test adds.
  private func device() -> PipelineFixture {
    var f = PipelineFixture()
    f.browsing(F.ours(6), hours: 24, visitsPerHour: 10)
    for n in 0..<280 { f.flow(Double(n) * 300, F.ours(5), F.outside(3), port: 8883, octets: (300, 300)) }
    return f
  }

  @Test func loudTelnetScanIsConclusive() throws {
    var f = device()
    for (n, target) in strangers(120).enumerated() {
      f.flow(Double(n) * 2, F.ours(5), target, port: n % 10 == 0 ? 2323 : 23, state: .unanswered, octets: (60, 0))
    }
    let finding = try #require(f.findings(of: "device-attack").first)
    #expect(finding.isConclusive)
    #expect(finding.logOdds > 5)
    #expect(finding.evidence.count == Limits.evidenceFlowsPerFinding)
    #expect(finding.measures.first { $0.name == "networks" }?.value ?? 0 >= 100)
  }

  /// Sixteen tries in a day, every one answered: no walk on failures sees this.
  @Test(arguments: [true, false])
  func slowAndAnsweredIsSeen(_ isAnswered: Bool) throws {
    var f = device()
    for (n, target) in strangers(16).enumerated() {
      f.flow(
        Double(n) * 5000, F.ours(5), target, port: [23, 2323, 5555, 7547][n % 4],
        state: isAnswered ? .closed : .unanswered, octets: (400, 300), seconds: 8)
    }
    let finding = try #require(f.findings(of: "device-attack").first)
    #expect(finding.logOdds >= Judge.bar)
    #expect(!finding.isConclusive)
    if isAnswered { #expect(f.findings(of: "scan-out").isEmpty) }
    #expect(try #require(f.verdict(of: F.ours(5))).verdict == .suspicious)
  }

  @Test func synsAloneSuffice() throws {
    var f = PipelineFixture()
    for (n, target) in strangers(40).enumerated() {
      f.flow(Double(n) * 700, F.ours(5), target, port: 37215, state: .unanswered, octets: (40, 0), packets: (1, 0))
    }
    #expect(try #require(f.findings(of: "device-attack").first).isConclusive)
  }

  @Test func slowSSHGuessingCountsOnlyInManyNetworks() throws {
    var f = device()
    for (n, target) in strangers(60).enumerated() {
      f.flow(Double(n) * 1400, F.ours(5), target, port: 22, octets: (1800, 2200), seconds: 4)
    }
    let finding = try #require(f.findings(of: "device-attack").first)
    #expect(finding.logOdds >= Judge.bar)
    #expect(!finding.isConclusive)
  }

  /// An administrator: sessions by name and by address, a few of them Telnet.
  @Test func jumpHostIsHealthy() {
    var f = device()
    for n in 0..<70 as Range<UInt32> {
      f.lookup(Double(n) * 900, F.ours(9), "vm\(n).cloud.example", F.outside(7000 + n * 3))
      f.flow(Double(n) * 900 + 1, F.ours(9), F.outside(7000 + n * 3), port: 22, octets: (3000, 3000), seconds: 5)
      f.flow(Double(n) * 900, F.ours(9), F.outside(8000 + n), port: 22, octets: (60_000, 900_000), seconds: 600)
    }
    for n in 0..<3 as Range<UInt32> {
      f.flow(Double(n) * 4000, F.ours(9), F.outside(9000 + n), port: 23, octets: (2000, 60_000), seconds: 300)
    }
    #expect(f.findings(of: "device-attack").isEmpty)
  }

  /// It asks all devices inside every five minutes; some are off.
  @Test func pollerOfInsideDevicesIsHealthy() {
    var f = device()
    for round in 0..<100 {
      for n in 0..<40 as Range<UInt32> {
        f.flow(
          Double(round) * 300 + Double(n), F.ours(8), F.ours(100 + n), port: 23, state: n < 5 ? .unanswered : .closed)
      }
    }
    #expect(f.findings(of: "device-attack").isEmpty)
    #expect(f.report().hosts.allSatisfy { $0.verdict < .infected })
  }

  @Test func insideTargetsCountApartAndStayBelowTheBar() throws {
    var f = device()
    for n in 0..<60 as Range<UInt32> {
      f.flow(Double(n) * 20, F.ours(8), F.ours(100 + n), port: 23, state: .refused)
    }
    let finding = try #require(f.findings(of: "device-attack").first)
    #expect(finding.subject == "devices inside")
    #expect(finding.logOdds < Judge.bar)
  }

  /// Many people behind one address: some use Telnet, and their swarms have peers on every port.
  @Test func natGatewayAndSwarmAreHealthy() {
    var f = device()
    for n in 0..<900 {
      f.flow(
        Double(n) * 60, F.ours(7), F.outside(UInt32(20_000 + n * 7)),
        port: n % 120 == 0 ? 5555 : UInt16(10_000 + n * 53 % 50_000), state: n % 3 == 0 ? .closed : .unanswered)
    }
    // People keep no time: on the clock this would be a beacon, swarm or not.
    for n in 0..<40 {
      f.flow(Double(n * 7919 % 39_989), F.ours(7), F.outside(UInt32(30_000 + n % 2)), port: 23)
    }
    #expect(f.findings(of: "device-attack").allSatisfy { $0.logOdds < Judge.bar })
    #expect(!f.report().hosts.contains { $0.host == F.ours(7) && $0.verdict == .infected })
  }

  /// Bots that find each other by a distributed hash table still reach for shells far more than a swarm has peers there.
  @Test func wormWithAPeerToPeerNetworkIsFound() throws {
    var f = device()
    for n in 0..<600 {
      f.flow(
        Double(n) * 100, F.ours(5), F.outside(UInt32(20_000 + n * 7)), port: UInt16(10_000 + n * 53 % 50_000),
        state: n % 3 == 0 ? .closed : .unanswered)
    }
    for (n, target) in strangers(60).enumerated() {
      f.flow(Double(n) * 900, F.ours(5), target, port: 23, state: .unanswered, octets: (60, 0), packets: (1, 0))
    }
    #expect(try #require(f.findings(of: "device-attack").first).isConclusive)
  }

  /// A provider's server calls its customers' routers: many addresses, few networks.
  @Test func managementServerKeepsToItsNetworks() {
    var f = device()
    for n in 0..<400 as Range<UInt32> {
      f.flow(Double(n) * 100, F.ours(7), IPAddress(v4: 0x5000_0000 + n % 12 << 16 + n), port: 7547, octets: (500, 500))
    }
    for finding in f.findings(of: "device-attack") {
      #expect(finding.logOdds < Judge.bar && !finding.isConclusive)
    }
  }

  @Test func sampledRecordsStillShowIt() throws {
    var f = device()
    f.isSampled = true
    for (n, target) in strangers(20).enumerated() {
      f.flow(
        Double(n) * 700, F.ours(5), target, port: 23, state: .midstream, octets: (40, 0), packets: (1, 0), seconds: 0)
    }
    #expect(try #require(f.findings(of: "device-attack").first).logOdds >= Judge.bar)
    let healthy = try #require(f.verdict(of: F.ours(6)))
    #expect(healthy.verdict == .notEnoughData)
    #expect(healthy.reason.contains("sampled") && healthy.reason.contains("call-homes"))
  }

  @Test func sameForAnyNumberOfShards() {
    var f = device()
    for (n, target) in strangers(16).enumerated() { f.flow(Double(n) * 5000, F.ours(5), target, port: 23) }
    #expect(f.findings(of: "device-attack", shards: 8) == f.findings(of: "device-attack"))
  }
}
