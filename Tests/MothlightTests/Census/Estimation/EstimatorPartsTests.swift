import Testing

@testable import Mothlight

@Suite("Parts of the census estimators")
struct EstimatorPartsTests {
  @Test("Fingerprints of an address tell how many machines show them on average")
  func occupancyInverts() {
    // Two equal kinds: m machines show 2 (1 − 2^−m); 1.5 kinds are two machines.
    let two = Occupancy(shares: [1, 1])
    #expect(two.machines(1) == 1)
    var random = RandomSource(seed: 5)
    let shares = (1...200).map { 1 / Double($0) }
    let occupancy = Occupancy(shares: shares)
    let running = BotPopulation.running(shares)
    for machines in [2, 5, 20, 60] {
      var sum = 0.0
      for _ in 0..<400 {
        let kinds = Set((0..<machines).map { _ in BotPopulation.place(random.unit(), running) })
        sum += occupancy.machines(Double(kinds.count))
      }
      #expect(abs(sum / 400 / Double(machines) - 1) < 0.08, "\(machines) machines")
    }
  }

  @Test("Darroch's and Chapman's answers are those of the literature's formulas")
  func recaptureFormulas() {
    // Two lists: Darroch is Lincoln and Petersen, n1 n2 / m = 100 × 80 / 40.
    #expect(abs(SensorEstimator.darroch([100, 80], distinct: 140) - 200) < 0.01)
    // Complete lists leave nobody out.
    #expect(abs(SensorEstimator.darroch([50, 50], distinct: 50) - 50) < 0.5)
  }

  @Test("Singletons beyond what recurrence supports are taken off, and not a few more or less")
  func singletons() {
    var few = FewHours()
    for (hours, count) in [(1, 1000), (2, 60), (3, 50), (9, 2000)] { for _ in 0..<count { few.count(hours) } }
    #expect(abs(few.supported(least: 0.03) - 2 * 60 * 60 / 150) < 1e-9)
    var plain = FewHours()
    for (hours, count) in [(1, 60), (2, 60), (3, 50), (9, 2000)] { for _ in 0..<count { plain.count(hours) } }
    #expect(plain.supported(least: 0.03) == 60)
    #expect(abs(few.unseen(60) - 30) < 1e-9)
  }

  @Test("Where two calls in three are lost and none carries an identity, tags of a day are not taken for visitors")
  func rareSightsAreNoVisitors() async throws {
    let plan = CensusEvaluation.Plan(names: ["missing"], purpose: .tuning, seeds: 2, machines: 3000)
    let evaluation = try await CensusEvaluation.run(plan, jobs: 2, by: RollupCensus(), progress: { _, _, _ in })
    for score in evaluation.outcomes[0].scores {
      let known = try #require(score.lives[.identities]?.ratio)
      let ratio = try #require(score.lives[.addresses]?.ratio)
      // Sensors and losses are the same; with one share for all networks every third tag seen once was lost, 0.966 and 0.963.
      #expect(abs(ratio / known - 1) < 0.02, "\(ratio) where identities give \(known)")
    }
  }

  @Test("A source with one check-in where machines show fifteen is a visitor; one that stays is none")
  func briefVisitors() {
    let rule = VisitRule(briefBelow: 6, seesAll: true)
    let tags = Self.tags([[3], [3, 4, 5], [3, 9], [1, 2, 3, 4]], peaks: [1, 15, 15, 1])
    #expect(tags.entries.map { rule.isBrief($0, tags.words) } == [true, false, false, false])
    #expect(tags.entries.map { rule.isIsolated($0, tags.words) } == [true, false, true, false])
    #expect(tags.entries.map { $0.stretches(tags.words) } == [1, 1, 2, 1])
  }

  @Test("The share that an hour shows comes out of the gaps", arguments: [0.95, 0.6, 0.3])
  func visibilityFromGaps(share: Double) {
    var random = RandomSource(seed: 8)
    let tags = Self.tags((0..<400).map { _ in (0..<480).filter { _ in random.chance(share) } })
    let visibility = Visibility(tags, hourCount: 480, lag: 1, skip: [], rules: CensusRules())
    #expect(abs(visibility.share / share - 1) < 0.03)
  }

  @Test("Machines that are seen often do not make the others look seen")
  func visibilityOfUnequalMachines() {
    var random = RandomSource(seed: 9)
    let shares = (0..<600).map { _ in min(1, random.logNormal(median: 0.3, sigma: 0.6)) }
    let tags = Self.tags(shares.map { share in (0..<480).filter { _ in random.chance(share) } })
    let truth = shares.reduce(0, +) / 600
    let visibility = Visibility(tags, hourCount: 480, lag: 1, skip: [], rules: CensusRules())
    #expect(visibility.sandwich > 1.3 * truth)
    #expect(abs(visibility.share / truth - 1) < 0.1)
  }

  @Test("Calls every four hours are recognised as such")
  func lagOfSeldomCalls() {
    let tags = Self.tags((0..<100).map { machine in stride(from: machine % 4, to: 240, by: 4).map { $0 } })
    #expect(Visibility.lag(tags, hourCount: 240) == 4)
    let visibility = Visibility(tags, hourCount: 240, lag: 4, skip: [], rules: CensusRules())
    #expect(abs(visibility.share - 0.25) < 0.01)
  }

  @Test("The quietest six hours are found across midnight")
  func quietHours() {
    var profile = [Double](repeating: 10, count: 24)
    for hour in [22, 23, 0, 1, 2, 3] { profile[hour] = 1 }
    #expect(AddressEstimator.quietest([profile]) == 22)
    #expect(AddressEstimator.lean([Double](repeating: 3, count: 24)) < 1e-9)
  }

  @Test("One machine's hour is the lowest clear mode of check-ins, not the mean")
  func contactsOfOne() {
    var table = CensusTable(hours: 0...99, sensors: ["s"])
    for (contacts, count) in [(15, 5000), (14, 300), (7, 200), (30, 1500), (45, 300)] {
      table.contactHistogram[contacts] = UInt64(count)
    }
    let one = AddressEstimator.contactsOfOne(table)
    #expect(abs(one - 14.66) < 0.1)
    table.contactHistogram = [UInt64](repeating: 0, count: 1025)
    for contacts in 20...400 { table.contactHistogram[contacts] = 7 }
    #expect(AddressEstimator.contactsOfOne(table) == 0)
  }

  /// Tags of one address each, seen in the given hours.
  static func tags(_ hours: [[Int]], peaks: [UInt16] = []) -> CensusTable.Tags {
    var out = CensusTable.Tags()
    for (i, seen) in hours.enumerated() {
      guard let first = seen.min(), let last = seen.max() else { continue }
      let from = first >> 6
      let start = out.words.count
      out.words.append(contentsOf: repeatElement(0, count: last >> 6 - from + 1))
      for hour in seen { out.words[start + hour >> 6 - from] |= 1 << UInt64(hour & 63) }
      out.entries.append(
        CensusTable.Tags.Entry(
          unit: UInt64(i), fingerprint: 0, network: 0, firstWord: UInt16(from), wordCount: UInt16(last >> 6 - from + 1),
          start: start, peak: i < peaks.count ? peaks[i] : 0, identities: 0, isReplaced: false))
    }
    return out
  }
}
