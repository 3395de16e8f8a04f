import Testing

@testable import Mothlight

@Suite struct NXDomainBurstDetectorTests {
  static let bot = IPAddress(v4: 0x0a00_0005)
  static let web = IPAddress(v4: 0xc633_6407)
  static let plain = [
    "heise", "wikipedia", "postbank", "booking", "seznam", "kicker", "allegro", "tripadvisor", "netflix", "spiegel",
    "mozilla",
    "debian", "openstreetmap", "guardian", "weather", "library", "recipes", "football", "university", "holiday",
    "travel",
    "garden", "kitchen", "bicycle", "concert", "museum",
  ]

  /// A bot hour: names that do not exist every 20 s, then one that does and is connected to.
  static func botHour(names: Int = 40, seed: UInt64 = 3) -> (ObservationFixture, String) {
    var fixture = ObservationFixture()
    var random = SeededGenerator(seed)
    for i in 0..<names { fixture.dns(Double(i) * 20, bot, random.label(12) + ".biz", code: 3) }
    let met = "xqzkvbwptjhg.biz"
    fixture.dns(900, bot, met, to: [web])
    fixture.flow(902, bot, web, port: 80)
    return (fixture, met)
  }

  @Test func findsBurstAndTheOneThatResolved() throws {
    let (fixture, met) = Self.botHour()
    let findings = try fixture.findings(NXDomainBurstDetector.self)
    try #require(findings.count == 1)
    let finding = findings[0]
    #expect(finding.host == Self.bot)
    #expect(finding.family == .dns)
    #expect(finding.botnet == nil)
    #expect(finding.logOdds > 3.4 && finding.logOdds <= 6)
    #expect(finding.summary.contains("the one that resolved and got a connection: \(met)"))
    #expect(finding.peer == Self.web)
    #expect(finding.measures.first { $0.name == "nx_domains" }?.value == 40)
    #expect(abs((finding.measures.first { $0.name == "nx_share" }?.value ?? 0) - 40.0 / 41) < 1e-9)
    #expect(finding.evidence.count == Limits.evidenceFlowsPerFinding)
    #expect(finding.evidence.last?.note == "connection to \(met)")
    #expect(!finding.isConclusive)
  }

  @Test(arguments: [1, 3, 17, 512]) func batchesDoNotMatter(_ size: Int) throws {
    let (fixture, _) = Self.botHour()
    #expect(
      try fixture.findings(NXDomainBurstDetector.self, batch: size) == fixture.findings(NXDomainBurstDetector.self))
  }

  @Test func tooFewOrTooSlow() throws {
    #expect(try Self.botHour(names: 8).0.findings(NXDomainBurstDetector.self).isEmpty)
    var slow = ObservationFixture()
    var random = SeededGenerator(4)
    for i in 0..<12 { slow.dns(Double(i) * 7000, Self.bot, random.label(12) + ".biz", code: 3) }
    #expect(try slow.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func readableNamesThatDoNotExist() throws {
    var fixture = ObservationFixture()
    for (i, name) in Self.plain.enumerated() { fixture.dns(Double(i) * 30, Self.bot, name + ".biz", code: 3) }
    #expect(try fixture.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func busyBrowserHidesNothingButDilutes() throws {
    var (fixture, _) = Self.botHour(names: 22)
    for i in 0..<3 {
      for (j, name) in Self.plain.enumerated() {
        fixture.dns(Double(j) * 20, Self.bot, "\(name)\(i).com", to: [Self.web])
      }
    }
    // 22 of 101 names: below both shares.
    #expect(try fixture.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func excludedNames() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(5)
    for i in 0..<60 {
      let label = random.label(14)
      let second = Double(i) * 10
      fixture.dns(second, Self.bot, label, code: 3)
      fixture.dns(second, Self.bot, label + ".lan", code: 3)
      fixture.dns(second, Self.bot, label + ".corp.example.com", code: 3)
      fixture.dns(second, Self.bot, label + ".avts.mcafee.com", code: 3)
      fixture.dns(second, Self.bot, "\(i).2.0.192.in-addr.arpa", code: 3)
      fixture.dns(second, Self.bot, "\(i).2.0.192.\(label).org", code: 3)
      fixture.dns(second, Self.bot, label + ".com", code: 3, port: 137)
    }
    #expect(try fixture.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func blockListsAreToldFromNames() {
    #expect(!RegisteredDomains.isPublic("4.3.2.1.zen.example.org"))
    #expect(!RegisteredDomains.isPublic(String(repeating: "a.", count: 32) + "list.org"))
    #expect(RegisteredDomains.isPublic("1.2.3.example.org"))
    #expect(RegisteredDomains.isPublic("163.com"))
  }

  @Test func namesThatResolve() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(6)
    for i in 0..<30 {
      let name = random.label(7, from: "qxzvjkwgy") + ".com"
      fixture.dns(Double(i), Self.bot, name, to: [Self.web])
      fixture.http(Double(i) + 1, Self.bot, Self.web, name)
    }
    let findings = try fixture.findings(NXDomainBurstDetector.self)
    try #require(findings.count == 1)
    #expect(findings[0].subject == "generated names")
    #expect(findings[0].logOdds > 3.4)
    #expect(findings[0].measures.first { $0.name == "odd_names_connected" }?.value == 30)
    #expect(findings[0].measures.first { $0.name == "distinct_addresses" }?.value == 1)
  }

  @Test func hostHeadersAloneSuffice() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(6)
    for i in 0..<15 { fixture.http(Double(i), Self.bot, Self.web, random.label(7, from: "qxzvjkwgy") + ".com") }
    #expect(try fixture.findings(NXDomainBurstDetector.self).map(\.subject) == ["generated names"])
  }

  @Test func contentNetworkNamesCountOnce() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(8)
    for i in 0..<200 { fixture.dns(Double(i), Self.bot, "d\(random.label(13)).cloudfront.net", to: [Self.web]) }
    #expect(try fixture.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func serversAskForOthers() throws {
    var (resolver, _) = Self.botHour()
    resolver.context.hosts[0].lookupsServed = 50
    #expect(try resolver.findings(NXDomainBurstDetector.self).isEmpty)
    var mail = ObservationFixture()
    var random = SeededGenerator(9)
    for i in 0..<40 { mail.dns(Double(i), Self.bot, random.label(12) + ".biz", code: 3, type: 15) }
    #expect(try mail.findings(NXDomainBurstDetector.self).isEmpty)
  }

  @Test func oneFindingPerDay() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(10)
    for day in 0..<3 {
      for i in 0..<40 {
        fixture.dns(Double(day) * 86_400 + Double(i) * 20, Self.bot, random.label(12) + ".biz", code: 3)
      }
    }
    let findings = try fixture.findings(NXDomainBurstDetector.self)
    #expect(findings.count == 3)
    #expect(Set(findings.map(\.id)).count == 3)
  }

  @Test func lateRecordsOverMidnight() throws {
    var (fixture, _) = Self.botHour()
    let early = fixture.observations
    fixture.start = fixture.start.advanced(bySeconds: 86_400 - 1200)
    fixture.observations = early.map {
      var o = $0
      o.time = o.time.advanced(bySeconds: 86_400 - 1200)
      return o
    }
    let inOrder = try fixture.findings(NXDomainBurstDetector.self)
    var random = SeededGenerator(11)
    // Late by minutes: shuffled inside blocks of fifteen records (five minutes).
    let blocks = stride(from: 0, to: fixture.observations.count, by: 15).map {
      fixture.observations[$0..<min($0 + 15, fixture.observations.count)].shuffled(using: &random)
    }
    fixture.observations = blocks.flatMap(\.self)
    let late = try fixture.findings(NXDomainBurstDetector.self, batch: 5)
    #expect(late.map(\.id) == inOrder.map(\.id))
    #expect(late.first?.measures.first?.value == inOrder.first?.measures.first?.value)
  }

  /// A run over many days' files: no day may be lost for want of an earlier advance.
  @Test func manyDaysInOneRun() throws {
    var fixture = ObservationFixture()
    var random = SeededGenerator(10)
    for day in 0..<7 {
      for i in 0..<40 {
        fixture.dns(Double(day) * 86_400 + Double(i) * 20, Self.bot, random.label(12) + ".biz", code: 3)
      }
    }
    #expect(try fixture.findings(NXDomainBurstDetector.self, batch: 100_000).count == 7)
    fixture.context.hosts[0].lookupsServed = 50
    #expect(try fixture.findings(NXDomainBurstDetector.self, batch: 100_000).isEmpty)
  }

  @Test func knobsAreChecked() {
    #expect(throws: ConfigurationError.self) { try NXDomainBurstDetector(DetectorSettings(["nx_domain": 3])) }
    for (name, value) in [("nx_domains_per_hour", -5), ("nx_share", -0.1), ("median_llr", Double.nan)] {
      #expect(throws: ConfigurationError.self) { try NXDomainBurstDetector(DetectorSettings([name: value])) }
    }
    // A weight may be below zero.
    #expect(throws: Never.self) { try NXDomainBurstDetector(DetectorSettings(["median_llr": -1])) }
  }
}
