import Glibc
import Testing

@testable import Mothlight

@Suite("Machines that are hardly seen, that move, or that nobody has")
struct RecaptureTests {
  /// Tags with three sensors, each seeing a machine in an hour by its own chance.
  private static func tags(
    machines: Int, hours: Int, shares: [Double], spread: Double, seed: UInt64, lastSilent: Range<Int> = 0..<0
  ) -> CensusTable.Tags {
    var random = RandomSource(seed: seed)
    var out = CensusTable.Tags()
    out.bySensor = [[UInt64]](repeating: [], count: shares.count)
    let count = (hours + 63) / 64
    for machine in 0..<machines {
      // One factor for all sensors: the visible are visible everywhere.
      let own = random.logNormal(median: 1, sigma: spread)
      let start = out.words.count
      out.words.append(contentsOf: repeatElement(0, count: count))
      for s in shares.indices { out.bySensor[s].append(contentsOf: repeatElement(0, count: count)) }
      for hour in 0..<hours {
        for s in shares.indices where random.chance(min(0.9, shares[s] * own)) {
          if s == shares.count - 1, lastSilent.contains(hour) { continue }
          out.bySensor[s][start + hour >> 6] |= 1 << UInt64(hour & 63)
          out.words[start + hour >> 6] |= 1 << UInt64(hour & 63)
        }
      }
      out.entries.append(
        CensusTable.Tags.Entry(
          unit: UInt64(machine), fingerprint: 0, network: 0, firstWord: 0, wordCount: UInt16(count), start: start,
          peak: 1, identities: 0, isReplaced: false))
    }
    return out
  }

  @Test("Three sensors that see a machine in twenty each tell how many there are")
  func sensors() throws {
    let tags = Self.tags(
      machines: 1500, hours: 320, shares: [0.03, 0.05, 0.07], spread: 0, seed: 4, lastSilent: 100..<140)
    let c = try #require(
      SensorEstimator(tags, hourCount: 320, skip: [], silent: [[], [], Array(100..<140)], lag: 1))
    #expect(abs(c.corrected / 1500 - 1) < 0.06)
    #expect(abs(c.shares[0] / 0.03 - 1) < 0.1)
    #expect(abs(c.inequality - 1) < 4 * c.inequalityError)
    #expect(c.residual == 0 && c.deviation < 0.1)
    // A sensor that was silent shows nothing in these hours.
    #expect(abs(c.showing[120] / (1 - 0.97 * 0.95) - 1) < 0.1)
    #expect(abs(c.showing[10] / (1 - 0.97 * 0.95 * 0.93) - 1) < 0.1)
  }

  @Test("Unequal visibility is seen by a third sensor, and undone")
  func inequality() throws {
    let tags = Self.tags(machines: 1500, hours: 320, shares: [0.05, 0.05, 0.05], spread: 0.6, seed: 5)
    let c = try #require(SensorEstimator(tags, hourCount: 320, skip: [], silent: [[], [], []], lag: 1))
    #expect(c.inequality > 1.2)
    #expect(c.darroch < 0.85 * 1500)
    #expect(abs(c.corrected / 1500 - 1) < 0.1)
  }

  @Test("Where many are missed the share of three sensors is taken over; where sensors copy each other it is not")
  func takenOver() throws {
    let tags = Self.tags(machines: 1500, hours: 320, shares: [0.04, 0.04, 0.04], spread: 0, seed: 6)
    let rules = CensusRules()
    let c = try #require(SensorEstimator(tags, hourCount: 320, skip: [], silent: [[], [], []], lag: 1))
    var visibility = Visibility(tags, hourCount: 320, lag: 1, skip: [], rules: rules)
    visibility.take(c, rules)
    #expect(visibility.errorOfSensors != nil)
    #expect(abs(visibility.share / (1 - 0.96 * 0.96 * 0.96) - 1) < 0.06)
    // All three get each call that one gets.
    var copied = tags
    copied.bySensor = [[UInt64]](repeating: tags.words, count: 3)
    let twin = try #require(SensorEstimator(copied, hourCount: 320, skip: [], silent: [[], [], []], lag: 1))
    var kept = Visibility(copied, hourCount: 320, lag: 1, skip: [], rules: rules)
    let before = kept.share
    kept.take(twin, rules)
    #expect(kept.share == before && kept.errorOfSensors == nil)
  }

  @Test("Counts that fall like a geometric series are carried on; visitors of one hour are not")
  func extrapolation() throws {
    var few = FewHours()
    var plain = FewHours()
    for k in 1...30 {
      let count = Int((1000 * pow(0.85, Double(k))).rounded())
      for _ in 0..<count {
        few.count(k)
        plain.count(k)
      }
    }
    for _ in 0..<700 { few.count(1) }
    let geometric = try #require(few.extrapolated(shape: 1))
    #expect(abs(geometric.ones / 850 - 1) < 0.03 && abs(geometric.none / 1000 - 1) < 0.04)
    let whole = try #require(plain.extrapolated(shape: 1))
    #expect(whole.ones == plain.one && abs(whole.none / 1000 - 1) < 0.03 && whole.error < geometric.error)
    #expect(try #require(plain.extrapolated(shape: 0.8)).none > whole.none)
    #expect(FewHours().extrapolated(shape: 1) == nil)
  }

  @Test("Machines in three networks are counted once from addresses, and it is said")
  func roaming() throws {
    let (report, truth) = try CensusEstimatorTests.census("roaming", seed: 205, machines: 4000) {
      $0.identity.kind = .none
    }
    #expect(report.caveats.contains { $0.code == "machines_roam" && $0.refuses == nil })
    let machines = try #require(report.footprint.machines)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.15)
    let (still, _) = try CensusEstimatorTests.census("baseline", seed: 205, machines: 4000) {
      $0.identity.kind = .none
    }
    #expect(!still.caveats.contains { $0.code.contains("roam") })
  }

  @Test("A network that somebody invented is set aside, and no other", arguments: ["poisoners", "baseline"])
  func poisoning(name: String) throws {
    let (report, truth) = try CensusEstimatorTests.census(name, seed: 206, machines: 4000)
    #expect(report.caveats.contains { $0.code == "poisoners_set_aside" } == (name == "poisoners"))
    let machines = try #require(report.footprint.machines)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.015)
    if name == "poisoners" { #expect(machines.high > 1.03 * machines.value) }
  }

  @Test("Where every network changes addresses in the end, tags that follow one another tell how many")
  func succession() throws {
    let (report, truth) = try CensusEstimatorTests.census("baseline", seed: 207, machines: 4000) {
      $0.identity.kind = .none
      $0.policies[.fixed] = 0
    }
    let machines = try #require(report.footprint.machines)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.12)
  }

  @Test("Heavy loss at three partial sensors: identities within 4 %, live within 6 %, and the interval holds")
  func missing() throws {
    let (report, truth) = try CensusEstimatorTests.census("missing", seed: 208, machines: 4000)
    let machines = try #require(report.footprint.machines)
    #expect(report.basis.visibility < 0.2)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.04)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    let lives = report.live.compactMap(\.machines?.value)
    let mean = lives.reduce(0, +) / Double(lives.count)
    #expect(abs(mean / truth.meanLive - 1) < 0.06)
  }

  @Test("An outage longer than half a day is seen as one; rare sights are no wrong clock")
  func longOutage() throws {
    var table = CensusTable(hours: 0...479, sensors: ["s"])
    table.tags = EstimatorPartsTests.tags(
      (0..<60).map { _ in (0..<480).filter { !(200..<230).contains($0) } })
    #expect(SensorClocks(table).silent == [Array(200..<230)])
    var sparse = CensusTable(hours: 0...319, sensors: ["a", "b", "c"])
    for seed in 10..<20 {
      sparse.tags = Self.tags(
        machines: 300, hours: 320, shares: [0.04, 0.04, 0.04], spread: 0, seed: UInt64(seed))
      #expect(SensorClocks(sparse).ahead == [0, 0, 0])
    }
  }

  @Test("Hours that a clock's correction moves past the window leave it")
  func shiftedPastTheWindow() throws {
    var table = CensusTable(hours: 0...319, sensors: ["a", "b"])
    var tags = Self.tags(machines: 100, hours: 320, shares: [0.9, 0.9], spread: 0, seed: 3)
    // The second sensor's clock is an hour behind: its last hour belongs after the window.
    for i in tags.words.indices {
      let before = i % 5 == 4 ? 0 : tags.bySensor[0][i + 1] << 63
      tags.bySensor[1][i] = tags.bySensor[0][i] >> 1 | before
      tags.words[i] = tags.bySensor[0][i] | tags.bySensor[1][i]
    }
    table.tags = tags
    let clocks = SensorClocks(table)
    #expect(clocks.ahead == [0, -1])
    for tag in table.aligned(clocks).tags.entries {
      #expect(tag.lastHour(table.aligned(clocks).tags.words) < 320)
    }
  }

  @Test("What a spool's sensor lost is said with its name")
  func losses() throws {
    var rollup = try CensusRollup(botnet: "b", sensors: ["north"], keys: .published)
    rollup.add(CensusSighting(hour: 500_000, address: IPAddress(v4: 1)))
    var table = try #require(CensusTable(rollup))
    table.recordsLost = ["north": 12]
    table.clockSteps = ["north": 0]
    let caveats = CensusEstimator(table).report(botnet: "b").caveats
    #expect(caveats.first { $0.code == "records_lost" }?.text.contains("north lost 12 records") == true)
    #expect(!caveats.contains { $0.code == "clock_steps" })
    table.clockSteps = ["north": 2]
    #expect(CensusEstimator(table).report(botnet: "b").caveats.contains { $0.code == "clock_steps" })
  }
}
