import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// Lines that wait, connections without number, and much sent: weak signs that must stay weak.
@Suite struct LongChannelTests {
  private func office(hours: Double = 13) -> PipelineFixture {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: hours)
    return f
  }

  /// Hours connected to an unnamed peer on an odd port, and the weight they get.
  @Test(arguments: [(2.0, 2.0), (5.0, 2.4), (9.0, 2.7), (12.5, 3.0)])
  func longerLinesWeighMoreAndStayBelowTheBar(_ hours: Double, _ weight: Double) throws {
    var f = office()
    f.flow(
      0, F.ours(5), F.outside(66), port: 4711, octets: (20_000, 20_000), packets: (350, 350), seconds: hours * 3600)
    let finding = try #require(f.findings(of: "quiet-channel").first)
    #expect(finding.logOdds == weight)
    #expect(weight < Judge.bar)
    #expect(finding.measures.first { $0.name == "idle_at_least" }?.value ?? 0 > 0.85)
  }

  @Test func linesReopenedAllDayAreAddedUp() throws {
    var f = office()
    for n in 0..<24 {
      f.flow(
        Double(n) * 1800, F.ours(5), F.outside(66), port: 4711, octets: (900, 900), packets: (12, 12), seconds: 1750)
    }
    let finding = try #require(f.findings(of: "quiet-channel").first)
    #expect(finding.logOdds == 2.7)
    #expect(finding.summary.contains("24 connections"))
  }

  @Test func shortConversationsAreNoLine() {
    var f = office()
    for n in 0..<600 { f.flow(Double(n) * 60, F.ours(5), F.outside(66), port: 4711, octets: (200, 200), seconds: 20) }
    #expect(f.findings(of: "quiet-channel").isEmpty)
  }

  /// Push by name on 443, IMAP, MQTT and a VPN on their ports, a shell session, a game.
  @Test func everydayLinesAreContextAtMost() {
    var f = office()
    f.lookup(0, F.ours(5), "line.chat.example", F.outside(60))
    f.flow(1, F.ours(5), F.outside(60), port: 443, octets: (9000, 9000), packets: (300, 300), seconds: 40_000)
    f.flow(1, F.ours(5), F.outside(61), port: 993, octets: (9000, 9000), packets: (300, 300), seconds: 40_000)
    f.flow(1, F.ours(5), F.outside(62), port: 8883, octets: (9000, 9000), packets: (300, 300), seconds: 40_000)
    f.flow(
      1, F.ours(5), F.outside(63), port: 51820, transport: .udp, octets: (9000, 9000), packets: (300, 300),
      seconds: 40_000)
    f.flow(1, F.ours(5), F.outside(64), port: 22, octets: (90_000, 90_000), packets: (700, 700), seconds: 40_000)
    f.flow(
      1, F.ours(5), F.outside(65), port: 27_015, transport: .udp, octets: (90_000_000, 400_000_000),
      packets: (600_000, 600_000), seconds: 10_000)
    let findings = f.findings(of: "quiet-channel")
    #expect(findings.allSatisfy { $0.logOdds <= 1 })
    #expect(findings.first { $0.peer == F.outside(60) }?.logOdds == 0)
    #expect(f.verdict(of: F.ours(5))?.verdict == .noSign)
  }

  @Test func strobeIsWeak() throws {
    var f = office(hours: 2)
    for n in 0..<8000 {
      f.flow(Double(n) * 0.9, F.ours(5), F.outside(66), port: 4711, octets: (300, 300), seconds: 0.1)
    }
    for n in 0..<3000 {
      f.flow(Double(n) * 2.4, F.ours(6), F.outside(66), port: 4711, octets: (300, 300), seconds: 0.1)
    }
    let findings = f.findings(of: "strobe")
    #expect(findings.map(\.host) == [F.ours(5)])
    #expect(try #require(findings.first).logOdds == 1.5)
  }

  /// A resolver asks its upstream all day.
  @Test func resolverIsNoStrobe() {
    var f = office(hours: 2)
    for n in 0..<8000 { f.flow(Double(n) * 0.9, F.ours(5), F.outside(53), port: 53, transport: .udp, seconds: 0.1) }
    #expect(f.findings(of: "strobe").isEmpty)
  }

  @Test func uploadIsContext() throws {
    var f = office(hours: 2)
    f.flow(
      60, F.ours(5), F.outside(66), port: 443, octets: (90_000_000, 900_000), packets: (60_000, 9000), seconds: 600)
    f.lookup(50, F.ours(5), "backup.example", F.outside(67))
    f.flow(
      60, F.ours(5), F.outside(67), port: 443, octets: (400_000_000, 900_000), packets: (300_000, 9000), seconds: 600)
    f.flow(
      60, F.ours(5), F.outside(68), port: 443, octets: (2_000_000, 90_000_000), packets: (9000, 60_000), seconds: 60)
    let findings = f.findings(of: "upload-ratio")
    #expect(findings.first { $0.peer == F.outside(66) }?.logOdds == 1)
    #expect(findings.first { $0.peer == F.outside(67) }?.logOdds == 0)
    #expect(findings.count == 2)
    #expect(try #require(f.verdict(of: F.ours(5))).verdict == .noSign)
  }

  /// A camera that only sends: its habit, no excess.
  @Test func constantSenderHasNoExcess() {
    var f = PipelineFixture()
    for n in 0..<6 as Range<UInt32> {
      f.flow(60, F.ours(5), F.outside(60 + n), port: 443, octets: (90_000_000, 900_000), packets: (60_000, 9000))
    }
    #expect(f.findings(of: "upload-ratio").isEmpty)
  }
}
