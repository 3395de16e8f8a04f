import Testing

@testable import Mothlight

/// Generators that join words: no single name is odd.
@Suite struct WordBurstTests {
  private static let bot = IPAddress(v4: 0x0a00_0005)
  private static let web = IPAddress(v4: 0xc633_6407)
  private static let words = [
    "garden", "window", "silver", "market", "bridge", "forest", "letter", "summer", "travel", "simple", "master",
    "yellow", "spring", "winter", "people", "number", "school", "family", "street", "doctor", "ground", "minute",
    "figure", "office", "result", "change", "reason", "moment", "report", "nation", "health", "theory", "policy",
    "method", "mother", "father", "leader", "author", "editor", "expert",
  ]

  /// Forty names of two words, one every 20 s.
  private func generated(_ count: Int = 40, seed: UInt64 = 7, day: Double = 0) -> ObservationFixture {
    var fixture = ObservationFixture()
    var random = SeededGenerator(seed)
    var seen: Set<String> = []
    while seen.count < count {
      let name = (0..<2).map { _ in Self.words.randomElement(using: &random) ?? "" }.joined() + ".net"
      if seen.insert(name).inserted { fixture.dns(day + Double(seen.count) * 20, Self.bot, name, code: 3) }
    }
    return fixture
  }

  private func findings(_ fixture: ObservationFixture, batch: Int = 512) throws -> [Finding] {
    try fixture.findings(NXDomainBurstDetector.self, batch: batch)
  }

  @Test func readableBurstIsAHint() throws {
    let findings = try findings(generated())
    try #require(findings.count == 1)
    #expect(findings[0].subject == "readable names that do not exist")
    #expect(findings[0].logOdds >= 1 && findings[0].logOdds <= 2.5)
    #expect(findings[0].measures.first { $0.name == "word_names" }?.value == 40)
    #expect(findings[0].measures.first { $0.name == "label_octets" }?.value == 12)
    #expect((findings[0].measures.first { $0.name == "median_name_llr" }?.value ?? 1) < 0)
  }

  @Test func theOneThatResolvedAddsWeight() throws {
    var fixture = generated()
    fixture.dns(900, Self.bot, "harborcastle.net", to: [Self.web])
    fixture.http(902, Self.bot, Self.web, "harborcastle.net")
    let finding = try #require(try findings(fixture).first)
    #expect(finding.summary.contains("harborcastle.net, made like them"))
    #expect(finding.logOdds > (try findings(generated()).first?.logOdds ?? 9))
    #expect(finding.logOdds <= 3)
  }

  /// Twenty of forty names asked are the generator's.
  @Test func amongBrowsing() throws {
    var fixture = generated(20)
    for (i, word) in Self.words.prefix(15).enumerated() {
      fixture.dns(Double(i) * 31, Self.bot, "www.\(word).org", to: [Self.web])
    }
    #expect(try findings(fixture).map(\.subject) == ["readable names that do not exist"])
  }

  @Test func sameDeadNamesEveryDay() throws {
    var fixture = generated(14)
    // The first day is too small to be told; later days repeat it with one more name.
    for day in 1..<4 {
      for o in generated(14 + day).observations {
        var o = o
        o.time = o.time.advanced(bySeconds: Double(day) * 86_400)
        fixture.observations.append(o)
      }
    }
    #expect(try findings(fixture).isEmpty)
  }

  @Test(arguments: [1, 9, 512]) func batchesDoNotMatter(_ size: Int) throws {
    #expect(try findings(generated(), batch: size) == findings(generated()))
  }

  /// Asks for each name, none of which exists.
  private func asked(_ names: [String], every seconds: Double = 20) throws -> [Finding] {
    var fixture = ObservationFixture()
    for (i, name) in names.enumerated() { fixture.dns(Double(i) * seconds, Self.bot, name, code: 3) }
    return try findings(fixture)
  }

  @Test func oneKeyword() throws {
    #expect(try asked(Self.words.map { "mothbank\($0).com" }).isEmpty)
    #expect(try asked((0..<40).map { "updateserver\($0).com" }).isEmpty)
  }

  @Test func oneNameUnderManyEndings() throws {
    let endings = ["com", "net", "org", "info", "biz", "io", "me", "tv", "us", "eu"]
    #expect(try asked(["gardenmarket", "silverbridge"].flatMap { n in endings.map { "\(n).\($0)" } }).isEmpty)
  }

  @Test func searchSuffixes() throws {
    #expect(try asked(Self.words.map { "\($0).garden.moth-corp.com" }).isEmpty)
    #expect(try asked(Self.words.map { "\($0).com.moth-corp.com" }).isEmpty)
  }

  @Test func deadLinksOfAPage() throws {
    let endings = ["com", "org", "de", "net", "fr"]
    var fixture = ObservationFixture()
    var random = SeededGenerator(8)
    var second = 0.0
    for (i, word) in Self.words.enumerated() {
      second += Double(random.next() % 40)
      fixture.dns(second, Self.bot, (i % 2 == 0 ? "www." : "") + "\(word).\(endings[i % 5])", code: 3)
    }
    #expect(try findings(fixture).isEmpty)
  }

  @Test func fewNamesOverAndOver() throws {
    #expect(try asked((0..<300).map { "\(Self.words[$0 % 6])\(Self.words[$0 % 3 + 9]).net" }).isEmpty)
  }

  @Test func mailServersAreLeftAlone() throws {
    var fixture = ObservationFixture()
    for (i, word) in Self.words.enumerated() {
      fixture.dns(Double(i) * 20, Self.bot, "\(word)garden.net", code: 3, type: i % 2 == 0 ? 15 : 1)
    }
    #expect(try findings(fixture).isEmpty)
  }
}
