import Testing

@testable import Mothlight

@Suite struct LiveOverlapTests {
  private static func pairs(_ units: Range<Int>, hours: Range<UInt32>) -> [LivePair] {
    hours.flatMap { hour in units.map { LivePair(hour: hour, unit: UInt64($0) &* 0x9e37_79b9_7f4a_7c15) } }
  }

  /// A sketch as the census makes them: units above a threshold are gone.
  private struct Thinned: LiveSet {
    var livePairs: [LivePair]
    var unitsMost: UInt64
    init(_ all: [LivePair], most: UInt64) {
      livePairs = all.filter { $0.unit <= most }
      unitsMost = most
    }
  }

  @Test func countsByHand() {
    let a = LiveList(Self.pairs(0..<100, hours: 10..<20))
    let b = LiveList(Self.pairs(50..<150, hours: 15..<25))
    let o = overlap(of: a, and: b)
    // Five common hours: 50 shared of 150 in each.
    #expect(o.hours == 5)
    #expect(o.shared == 250)
    #expect(o.either == 750)
    #expect(o.smaller == 500)
    #expect(o.sharedUnits == 50)
    #expect(o.jaccard == 250.0 / 750)
    #expect(o.containment == 0.5)
    #expect(o.suggestsOne)
    let range = o.jaccardRange
    #expect(range?.contains(1.0 / 3) == true)
    #expect((range?.lowerBound ?? 1) > 0.25 && (range?.upperBound ?? 0) < 0.42)
  }

  @Test func isTheSameBothWays() {
    let a = LiveList(Self.pairs(0..<70, hours: 1..<4) + Self.pairs(0..<70, hours: 1..<4))
    let b = LiveList(Self.pairs(30..<90, hours: 2..<9))
    #expect(overlap(of: a, and: b) == overlap(of: b, and: a))
    #expect(overlap(of: a, and: a).jaccard == 1)
  }

  @Test func hoursOfOneAloneSayNothing() {
    let o = overlap(of: LiveList(Self.pairs(0..<100, hours: 0..<5)), and: LiveList(Self.pairs(0..<100, hours: 5..<9)))
    #expect(o.jaccard == nil)
    #expect(!o.suggestsOne)
    #expect(overlap(of: LiveList([]), and: LiveList([])).jaccardRange == nil)
  }

  /// Sketches of different thinning give the same ratio as the whole, within chance.
  @Test func thinnedSetsAreComparedAtTheLowerThreshold() throws {
    let a = Self.pairs(0..<4000, hours: 1..<3)
    let b = Self.pairs(2000..<6000, hours: 1..<3)
    let whole = try #require(overlap(of: LiveList(a), and: LiveList(b)).jaccard)
    let thin = try #require(overlap(of: Thinned(a, most: .max / 4), and: Thinned(b, most: .max / 2)).jaccard)
    #expect(abs(whole - 1.0 / 3) < 1e-9)
    #expect(abs(thin - whole) < 0.05)
  }

  @Test func sameMachinesAreOneBotnet() {
    let sets = [
      OverlapSuggestion.Labelled(botnet: "Alpha", pairs: Self.pairs(0..<100, hours: 0..<10)),
      OverlapSuggestion.Labelled(botnet: "Alef", pairs: Self.pairs(10..<110, hours: 0..<10)),
      OverlapSuggestion.Labelled(botnet: "Other", pairs: Self.pairs(95..<200, hours: 0..<10)),
      OverlapSuggestion.Labelled(botnet: "Tiny", pairs: Self.pairs(0..<5, hours: 0..<10)),
    ]
    let found = OverlapSuggestion.all(of: sets)
    #expect(found.count == 1)
    guard case .merge("Alef", "Alpha", let o)? = found.first else {
      Issue.record("\(found)")
      return
    }
    #expect(o.sharedUnits == 90)
  }

  /// Nine units in everything: a sandbox that is in a hundred botnets joins none of them.
  @Test func aPoisonerJoinsNothing() {
    let sets = (0..<100).map { OverlapSuggestion.Labelled(botnet: "b\($0)", pairs: Self.pairs(0..<20, hours: 0..<3)) }
    #expect(OverlapSuggestion.all(of: sets).isEmpty)
  }

  @Test func serversWithoutCommonMachinesAreTwoBotnets() {
    func set(_ server: String, _ units: Range<Int>, _ hours: Range<UInt32> = 0..<4) -> OverlapSuggestion.Labelled {
      OverlapSuggestion.Labelled(botnet: "Alpha", server: server, pairs: Self.pairs(units, hours: hours))
    }
    let found = OverlapSuggestion.all(of: [set("s1", 0..<100), set("s2", 50..<150), set("s3", 500..<600)])
    #expect(found == [.split("Alpha", groups: [["s1", "s2"], ["s3"]])])
    // Never watched in one hour: nothing follows.
    #expect(OverlapSuggestion.all(of: [set("s1", 0..<100), set("s2", 500..<600, 8..<12)]).isEmpty)
  }

  @Test func filesAreRead() throws {
    let text = "# live\nbotnet,server,hour,unit\nAlpha,s1,5,aa\nAlpha,s1,x,aa\nBeta,,5,bb\n"
    let (sets, complaint) = try LiveFile.parse(Array(text.utf8), path: "live.csv")
    #expect(sets.map(\.botnet) == ["Alpha", "Beta"])
    #expect(complaint == "live.csv:4: no botnet or unit, or no hour (a number or RFC 3339); 1 rows skipped")
    #expect(throws: ConfigurationError.self) { try LiveFile.parse(Array("a,b\n1,2\n".utf8), path: "x") }
    #expect(throws: ConfigurationError.self) { try LiveFile.parse([], path: "x") }
  }

  /// One hour in the forms that `census` takes, too.
  @Test func hoursHaveThreeForms() throws {
    let hours = ["494018", "1778464800", "2026-05-11T02:00:00Z", "2026-05-11T02:59:59.5Z", "2026-05-11T04:10:00+02:00"]
    let text = "botnet,hour,unit\n" + hours.map { "Alpha,\($0),aa\n" }.joined()
    let (sets, complaint) = try LiveFile.parse(Array(text.utf8), path: "live.csv")
    #expect(complaint == nil)
    #expect(sets.first?.pairs.map(\.hour) == Array(repeating: 494_018, count: hours.count))
  }
}
