import Testing

@testable import Mothlight

private typealias F = PipelineFixture

@Suite struct JudgeTests {
  private func infected() -> PipelineFixture {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 1)
    for n in 0..<100 { f.flow(Double(n) * 30, F.ours(5), F.outside(66), port: 4711, state: .unanswered) }
    return f
  }

  @Test func allowRulesHideCountAndAreReversible() throws {
    let f = infected()
    #expect(try #require(f.verdict(of: F.ours(5))).verdict == .infected)
    for rule in ["source:\(F.ours(5))", "destination:\(F.outside(66))", "pair:\(F.ours(5))>\(F.outside(66))"] {
      let report = f.report(allow: AllowList(rules: [try AllowList.parse(rule)]))
      let row = try #require(report.hosts.first { $0.host == F.ours(5) })
      #expect(row.verdict == .noSign)
      #expect(report.hidden.count >= 2)
      #expect(report.hidden.allSatisfy { $0.rule == AllowList.Rule.descriptionOf(rule) })
    }
    let other = f.report(allow: AllowList(rules: [try AllowList.parse("destination:192.0.2.1")]))
    #expect(other.hidden.isEmpty)
  }

  @Test func namesMatchWithWildcards() {
    #expect(AllowList.matches("a.b.example.org", "*.example.org"))
    #expect(AllowList.matches("example.org", "*.example.org"))
    #expect(!AllowList.matches("badexample.org", "*.example.org"))
    #expect(!AllowList.matches("a.example.org", "example.org"))
  }

  @Test(arguments: ["", "source:", "name", "pair:1.2.3.4", "pair:a>b", "destination:300.1.1.1", "colour:red"])
  func badRulesSayWhatIsMeant(text: String) {
    #expect(throws: ConfigurationError.self) { try AllowList.parse(text) }
  }

  @Test func ruleFilesNameTheLine() {
    #expect {
      try AllowList(text: "# ours\nsource:10.0.0.0/8  # office\n\nnonsense\n", name: "rules.txt")
    } throws: { ($0 as? ConfigurationError)?.message.hasPrefix("rules.txt:4:") == true }
  }

  @Test func familiesCountOnceAndAreCapped() throws {
    var f = infected()
    for peer in 0..<6 as Range<UInt32> {
      for n in 0..<60 {
        f.flow(Double(n) * 45 + Double(peer), F.ours(5), F.outside(900 + peer), port: 4800, state: .unanswered)
      }
    }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.findings.count > row.families.count)
    #expect(row.families.allSatisfy { $0.logOdds <= Judge.cap })
    #expect(abs(row.score - (Judge.prior + row.families.reduce(0) { $0 + $1.logOdds })) < 1e-9)
  }

  @Test func littleTrafficIsNotEnoughData() throws {
    var f = PipelineFixture()
    for n in 0..<5 { f.flow(Double(n) * 100, F.ours(5), F.outside(UInt32(n)), port: 443) }
    f.browsing(F.ours(6), hours: 0.05, visitsPerHour: 900)
    #expect(try #require(f.verdict(of: F.ours(5))).verdict == .notEnoughData)
    let brief = try #require(f.verdict(of: F.ours(6)))
    #expect(brief.verdict == .notEnoughData && brief.reason.contains("seen for only"))
  }

  /// A peer that a quarter of the network uses is not one host's secret.
  @Test func prevalenceTakesWeight() throws {
    var f = PipelineFixture()
    for n in 2..<22 as Range<UInt32> {
      f.browsing(F.ours(n), hours: 2)
      for i in 0..<40 { f.flow(Double(i) * 180 + Double(n), F.ours(n), F.outside(66), port: 4711, octets: (300, 300)) }
    }
    #expect(f.report().hosts.allSatisfy { $0.verdict == .noSign })
  }

  /// The same for a domain that leads to no address: a reputation service that every machine asks.
  @Test(arguments: [1, 8]) func prevalenceOfADomain(_ users: UInt32) {
    var f = PipelineFixture()
    for n in 2..<22 as Range<UInt32> { f.browsing(F.ours(n), hours: 2) }
    for n in 2..<(2 + users) {
      for i in 0..<900 {
        let label = f.random.label(40, from: "0123456789abcdef")
        f.lookup(Double(i) * 6, F.ours(n), "\(i).\(label).\(label).moth-report.net", nil)
      }
    }
    let tunnels = f.report().hosts.flatMap(\.findings).filter { $0.detector == "dns-tunnel" }
    #expect(tunnels.count == Int(users))
    #expect(tunnels.allSatisfy { $0.summary.contains("machines here use it") == (users > 3) })
    #expect(tunnels.allSatisfy { ($0.logOdds >= Judge.bar) == (users < 3) })
  }

  @Test func aFindingCountsOnEachDayItSpans() {
    var f = PipelineFixture()
    for day in 0..<3 {
      for n in 0..<200 {
        f.flow(Double(day) * 86_400 + Double(n) * 30, F.ours(5), F.outside(66), port: 4711, state: .unanswered)
      }
      for n in 0..<40 { f.flow(Double(day) * 86_400 + Double(n) * 400, F.ours(5), F.outside(UInt32(n)), port: 443) }
    }
    let rows = f.report().hosts.filter { $0.host == F.ours(5) }
    #expect(rows.count == 3)
    #expect(rows.allSatisfy { $0.verdict == .infected })
  }
}

extension AllowList.Rule {
  fileprivate static func descriptionOf(_ text: String) -> String { (try? AllowList.parse(text).description) ?? "" }
}
