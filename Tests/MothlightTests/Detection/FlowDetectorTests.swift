import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// Each flow detector's easy case, and the healthy look-alike beside it.
@Suite struct FlowDetectorTests {
  private func findings(_ f: PipelineFixture, _ detector: String) -> [Finding] {
    f.report().hosts.flatMap(\.findings).filter { $0.detector == detector }
  }

  @Test func wormScanIsConclusiveAndNmapInsideIsNot() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<80 {
      f.flow(Double(n), F.ours(5), F.outside(UInt32(5000 + n * 7)), port: n % 4 == 0 ? 2323 : 23, state: .unanswered)
    }
    f.browsing(F.ours(6), hours: 1)
    for n in 0..<80 { f.flow(Double(n), F.ours(6), F.ours(UInt32(100 + n)), port: 443, state: .refused) }
    let report = f.report()
    let worm = try #require(report.hosts.first { $0.host == F.ours(5) })
    #expect(worm.verdict == .infected)
    #expect(worm.findings.contains { $0.detector == "scan-out" && $0.isConclusive })
    #expect(worm.botnets.isEmpty)
    let operatorHost = try #require(report.hosts.first { $0.host == F.ours(6) })
    #expect(operatorHost.verdict == .suspicious)
    #expect(operatorHost.botnets.isEmpty)
  }

  @Test func peerToPeerPortsAreNoScan() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<200 {
      f.flow(Double(n), F.ours(5), F.outside(UInt32(9000 + n * 3)), port: UInt16(10_000 + n * 37), state: .unanswered)
    }
    #expect(findings(f, "scan-out").isEmpty)
    #expect(findings(f, "p2p-fan-out").count == 1)
  }

  @Test func oneCommonPortIsNoMeetingOfPeersHoweverLateItCame() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<10_100 {
      let port = n < 4100 ? 10_000 + n : 40_000
      f.flow(Double(n) / 4, F.ours(5), F.outside(UInt32(9000 + n * 3)), port: UInt16(port), state: .unanswered)
    }
    #expect(findings(f, "p2p-fan-out").isEmpty)
  }

  @Test func outsideScannersAreNotOurInfectedHosts() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<300 {
      f.flow(
        Double(n), F.outside(77), F.ours(UInt32(2 + n % 200)), port: 23, state: n % 3 == 0 ? .refused : .unanswered)
    }
    let report = f.report()
    #expect(report.hosts.allSatisfy { $0.verdict < .suspicious })
    #expect(!report.hosts.contains { $0.host == F.outside(77) })
  }

  @Test func spamIsSeenAndAMailServerIsNot() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<40 { f.flow(Double(n * 20), F.ours(5), F.outside(UInt32(300 + n)), port: 25) }
    for n in 0..<40 { f.flow(Double(n * 20), F.ours(6), F.outside(UInt32(300 + n)), port: 25) }
    for n in 0..<20 { f.flow(Double(n * 30), F.outside(UInt32(700 + n)), F.ours(6), port: 25, packets: (10, 9)) }
    let hosts = Set(findings(f, "smtp-fan-out").map(\.host))
    #expect(hosts == [F.ours(5)])
  }

  @Test func passwordGuessingIsSeenOnAnyPortThatSpeaksSSH() {
    var f = PipelineFixture()
    for n in 0..<60 { f.flow(Double(n * 2), F.ours(5), F.outside(9), port: 22, octets: (2000, 2400), seconds: 2) }
    for n in 0..<5 {
      f.flow(Double(n * 600), F.ours(6), F.outside(9), port: 22, octets: (400_000, 2_000_000), seconds: 500)
    }
    #expect(findings(f, "brute-force-out").map(\.host) == [F.ours(5)])
  }

  @Test func floodIsSeenAndABackupIsNot() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    f.flow(
      10, F.ours(5), F.outside(50), port: 80, transport: .udp, state: .unanswered, octets: (900_000_000, 0),
      packets: (800_000, 0), seconds: 120)
    f.browsing(F.ours(6), hours: 1)
    f.flow(
      10, F.ours(6), F.outside(51), port: 443, octets: (900_000_000, 9_000_000), packets: (800_000, 400_000),
      seconds: 120)
    #expect(findings(f, "ddos-participation").map(\.host) == [F.ours(5)])
  }

  @Test func deadRendezvousOnAnOddPort() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<100 { f.flow(Double(n) * 30, F.ours(5), F.outside(66), port: 4711, state: .unanswered) }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.findings.contains { $0.detector == "dead-rendezvous" })
    #expect(row.findings.contains { $0.detector == "beacon" })
    #expect(row.verdict == .infected)
  }

  @Test func fileSharingRetriesAreNoDeadRendezvous() {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for peer in 0..<60 {
      for n in 0..<25 {
        f.flow(
          Double(n) * 60 + Double(peer), F.ours(5), F.outside(UInt32(400 + peer)), port: UInt16(20_000 + peer * 91),
          state: .unanswered)
      }
    }
    #expect(findings(f, "dead-rendezvous").isEmpty)
  }

  @Test func hammeringWithOneSizeIsAProgram() throws {
    var f = PipelineFixture()
    f.lookup(0, F.ours(5), "c2.example", F.outside(70))
    for n in 0..<300 {
      f.flow(
        Double(n) * 2.2 + Double(f.random.next() % 40) / 100, F.ours(5), F.outside(70), port: 443, octets: (1600, 4500))
    }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.verdict == .infected)
    #expect(row.families.map(\.family) == [.timing, .payload])
  }

  @Test func sameRequestToManyServers() {
    var f = PipelineFixture()
    for n in 0..<30 {
      let ends = Endpoints(
        client: F.ours(5), server: F.outside(UInt32(n)), clientPort: 50_000, serverPort: 80, transport: .tcp)
      f.observations.append(
        Observation(
          time: f.start.advanced(bySeconds: Double(n)),
          event: .http(
            HTTPExchange(
              ends: ends, method: "GET", host: "w\(n)q\(n).example\(n).com", target: "/login.php?id=\(n)",
              userAgent: "x"))))
      f.observations.append(
        Observation(
          time: f.start.advanced(bySeconds: Double(n)),
          event: .http(
            HTTPExchange(
              ends: Endpoints(
                client: F.ours(6), server: F.outside(UInt32(n)), clientPort: 50_000, serverPort: 80, transport: .tcp),
              method: "GET", host: "w\(n).example\(n).com", target: "/favicon.ico", userAgent: "x"))))
    }
    for host in [F.ours(5), F.ours(6)] { f.flow(1, host, F.outside(1), port: 80) }
    #expect(findings(f, "same-request").map(\.host) == [F.ours(5)])
  }

  /// Sites share paths: a person meets eight of them in the course of days, a program in one.
  @Test(arguments: [(6, true), (24, true), (96, false), (240, false)] as [(Double, Bool)])
  func sameRequestCountsWithinADay(hours: Double, isFound: Bool) {
    var f = PipelineFixture()
    for n in 0..<9 {
      let ends = Endpoints(
        client: F.ours(5), server: F.outside(UInt32(n)), clientPort: 50_000, serverPort: 80, transport: .tcp)
      let request = HTTPExchange(ends: ends, method: "GET", host: "example\(n).com", target: "/news", userAgent: "x")
      f.observations.append(
        Observation(time: f.start.advanced(bySeconds: Double(n) / 9 * hours * 3600), event: .http(request)))
    }
    f.flow(1, F.ours(5), F.outside(1), port: 80)
    #expect(findings(f, "same-request").isEmpty != isFound)
  }

  @Test func unnamedServiceNeedsVisibleLookups() {
    for visible in [true, false] {
      var f = PipelineFixture()
      if visible { f.browsing(F.ours(5), hours: 1) }
      for n in 0..<12 { f.flow(Double(n) * 290, F.ours(5), F.outside(88), port: 7171, octets: (300, 300)) }
      #expect(findings(f, "unnamed-service").isEmpty == !visible)
    }
  }

  /// A thing that calls home sixteen times a day: the stranger at the other end is evidence beside the timer.
  @Test func sixteenCallsOfADayAreOverTheBar() {
    for (calls, isOver) in [(16, true), (10, false)] {
      var f = PipelineFixture()
      f.browsing(F.ours(5), hours: 1)
      for n in 0..<calls { f.flow(Double(n) * 5400, F.ours(5), F.outside(88), port: 6738, octets: (300, 300)) }
      let odds = findings(f, "unnamed-service").map(\.logOdds)
      #expect(odds.count == 1 && (odds[0] >= Judge.bar) == isOver)
    }
  }

  @Test func quietLineToAShellPort() {
    var f = PipelineFixture()
    f.flow(0, F.ours(5), F.outside(23), port: 23, octets: (18_000, 19_000), packets: (337, 362), seconds: 6800)
    f.flow(0, F.ours(6), F.outside(24), port: 5190, octets: (18_000, 19_000), packets: (337, 362), seconds: 6800)
    for finding in findings(f, "quiet-channel") {
      #expect((finding.logOdds >= Judge.bar) == (finding.host == F.ours(5)))
    }
    #expect(findings(f, "quiet-channel").count == 2)
  }

  /// A stranger sends SYN-ACKs as if we had called: nothing may come of it.
  @Test func forgedAnswersFrameNobody() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<200 {
      f.flow(Double(n) * 5, F.ours(5), F.outside(66), port: 4444, state: .midstream, octets: (0, 60), packets: (0, 1))
    }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.verdict == .noSign)
    #expect(row.findings.allSatisfy { $0.peer != F.outside(66) })
  }

  /// The way out was down: every everyday contact failed.
  @Test func aDeadUplinkIsNoScan() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(6), hours: 1)
    for n in 0..<40 {
      f.flow(Double(n) * 20, F.ours(5), F.outside(UInt32(n * 3)), port: n % 2 == 0 ? 443 : 80, state: .unanswered)
    }
    #expect(try #require(f.verdict(of: F.ours(5))).verdict < .suspicious)
  }

  @Test func oneSidedCaptureAccusesNobody() throws {
    var f = PipelineFixture()
    for n in 0..<200 { f.flow(Double(n) * 2, F.ours(5), F.outside(UInt32(n * 5)), port: 443, state: .unanswered) }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.verdict == .notEnoughData)
    #expect(row.reason.contains("one-sided"))
  }
}
