import Testing

@testable import Mothlight

@Suite("Scores of a census")
struct CensusScoreTests {
  private let hours: ClosedRange<UInt32> = 24...71

  private func truth() -> CensusTruth {
    var truth = CensusTruth(
      hours: hours, live: (0..<48).map { $0 == 7 ? 0 : 100 }, active: [200, 200], stock: [300, 250])
    truth.footprint = 400
    truth.reached = 380
    truth.addresses = 1600
    truth.rows = 9
    var big = CensusTruth.Part(asn: 1, country: CountryCode("ES"))
    big.footprint = 300
    big.live = 60
    var small = CensusTruth.Part(asn: 2, country: CountryCode("DE"))
    small.footprint = CensusScore.placeLeast - 1
    small.live = 10
    truth.systems = [big, small]
    return truth
  }

  private func figure(
    _ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ value: Double?, _ half: Double = 10,
    grade: CensusGrade = .addresses, atMost: Double? = nil
  ) -> CensusFigure {
    CensusFigure(
      kind: kind, hours: hours, machines: value.map { CensusRange(low: $0 - half, value: $0, high: $0 + half) },
      atMost: atMost, addresses: 500, grade: grade)
  }

  private func report(footprint: Double?, live: (UInt32) -> Double?, atMost: Double? = nil) -> CensusReport {
    var report = CensusReport(
      botnet: "x", hours: hours, sensors: ["s"], footprint: figure(.footprint, hours, footprint, atMost: atMost))
    report.live = hours.map { figure(.live, $0...$0, live($0)) }
    return report
  }

  @Test func ratiosErrorsAndCoverage() throws {
    // Hours of 0 machines are not scored; every second one is 20 too high, ten of them are refused.
    let given = report(footprint: 404) { $0 < 34 ? nil : $0 % 2 == 0 ? 120 : 100 }
    let score = CensusScore(truth(), seed: 3, naiveLive: 0.9, full: nil, plain: given)
    let footprint = try #require(score.footprints[.printed])
    #expect(footprint.ratio == 1.01 && footprint.isCovered)
    #expect(score.footprints[.addresses] == footprint)
    #expect(score.naive == 4 && score.reached == 0.95)
    let live = try #require(score.hours[.printed])
    #expect(live.refused == 9 && live.count == 38 && live.covered == 19)
    let ratio = try #require(live.meanRatio)
    let error = try #require(live.meanError)
    #expect(abs(ratio - 1.1) < 1e-9 && abs(error - 0.1) < 1e-9)
    let mean = try #require(score.lives[.printed]?.ratio)
    #expect(abs(live.worst - 0.2) < 1e-9 && abs(mean - 1.1) < 1e-9)
    #expect(score.footprints[.identities] == nil && score.lives[.sensors] == nil)
  }

  @Test func aRefusalIsNoErrorAndItsBoundIsHeldToTheTruth() throws {
    let low = CensusScore(
      truth(), seed: 1, naiveLive: 1, full: nil, plain: report(footprint: nil, live: { _ in nil }, atMost: 399))
    let high = CensusScore(
      truth(), seed: 2, naiveLive: 1, full: nil, plain: report(footprint: nil, live: { _ in nil }, atMost: 400))
    let summary = CensusSummary(.init(name: "x", days: 2, scores: [low, high]))
    let line = try #require(summary.footprints[.printed])
    #expect(line.given == 0 && line.refused == 2 && line.meanError == nil && line.refusedShare == 1)
    #expect(line.bounds == BinomialShare(1, of: 2))
    #expect(CensusTargets.missed(summary).isEmpty)
  }

  @Test func methodsAreKeptApart() throws {
    var full = report(footprint: 400, live: { _ in 100 })
    full.footprint.grade = .identities
    full.others = [
      figure(.footprint, hours, 500), figure(.live, hours, 90, grade: .sensors),
      figure(.live, hours, 100, grade: .identities),
    ]
    full.caveats = [CensusCaveat("one", "")]
    var plain = report(footprint: 440, live: { _ in 105 })
    plain.caveats = [CensusCaveat("two", "")]
    let score = CensusScore(truth(), seed: 1, naiveLive: 1, full: full, plain: plain)
    #expect(score.footprints.mapValues(\.ratio) == [.printed: 1, .identities: 1, .addresses: 1.1])
    // The live ones are held against the hours that the report has a number for: 47 of 100 machines, one of none.
    let mean: Double = 4700.0 / 48
    let sensors = try #require(score.lives[.sensors]?.ratio)
    #expect(abs(sensors - 90 / mean) < 1e-9)
    #expect(score.caveats == ["one"] && score.caveatsWithoutIdentities == ["two"])
  }

  @Test func placesWithFewMachinesAreLeftOut() throws {
    var given = report(footprint: 400, live: { _ in 100 })
    given.systems = [
      CensusPart(place: .system(1), live: figure(.live, hours, 66, 3), footprint: figure(.footprint, hours, 310, 20)),
      CensusPart(place: .system(2), live: figure(.live, hours, 1), footprint: figure(.footprint, hours, 1)),
    ]
    given.active = [figure(.active, 24...47, 220, 30), figure(.active, 48...71, nil)]
    let score = CensusScore(truth(), seed: 1, naiveLive: 1, full: nil, plain: given)
    #expect(score.systems[.printed]?.count == 1 && score.systems[.printed]?.covered == 1)
    #expect(score.systemsLive[.printed]?.covered == 0)
    #expect(score.active[.printed]?.count == 1 && score.active[.printed]?.refused == 1)
    #expect(score.active[.printed]?.covered == 1)
  }

  @Test func missedTargetsAreNamed() throws {
    let bad = CensusScore(truth(), seed: 1, naiveLive: 1, full: nil, plain: report(footprint: 480, live: { _ in 70 }))
    let long = CensusSummary(.init(name: "long", days: 90, scores: [bad]))
    let short = CensusSummary(.init(name: "short", days: 30, scores: [bad]))
    #expect(CensusTargets.missed(short).contains("short: footprint by addresses: mean error 20 %, target 10 %"))
    #expect(!CensusTargets.missed(long).contains { $0.contains("footprint by addresses: mean error") })
    #expect(
      CensusTargets.missed(long).contains("long: live by hour as printed: the interval holds 0 of 47, target 90 %"))
    #expect(CensusTargets.missed(long).contains { $0.hasPrefix("long: live by addresses: mean error 30 %") })
  }
}
