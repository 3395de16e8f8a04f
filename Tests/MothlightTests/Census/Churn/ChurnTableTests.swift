import Testing

@testable import Mothlight

@Suite("Churn tables, learned from one botnet and used for another")
struct ChurnTableTests {
  /// Every second machine of a simulated botnet, so that two botnets live in the same networks.
  private func half(
    _ odd: Int, identities: Bool, fingerprints: Int
  ) throws -> (rollup: CensusRollup, machines: Int, rules: CensusRules) {
    var scenario = try #require(CensusScenario.named("baseline", seed: 203, machines: 5000))
    // No network is stable for ever: what vanishes is part clean-up, part another address.
    scenario.policies[.fixed] = 0
    scenario.fingerprints = fingerprints
    let simulation = try CensusSimulation(scenario)
    var rollup = try CensusRollup(botnet: odd == 0 ? "teacher" : "pupil", sensors: ["sinkhole"], keys: .published)
    var machines: Set<Int> = []
    var joiner = SightingJoiner()
    _ = try simulation.run(labelled: { row, machine in
      guard machine >= 0, machine % 2 == odd else { return }
      machines.insert(machine)
      var row = row
      if !identities { row.identity = 0 }
      joiner.add(row) { rollup.add($0) }
    })
    joiner.finish { rollup.add($0) }
    rollup.close()
    var rules = CensusRules()
    rules.hosting = Set(simulation.knownHosting)
    return (rollup, machines.count, rules)
  }

  @Test("What one botnet's identities teach lowers the error of another that shows addresses alone")
  func transfer() throws {
    let teacher = try half(0, identities: true, fingerprints: 300)
    let learned = try ChurnLearner.table(teacher.rollup, rules: teacher.rules)
    #expect(learned.rows.count > 50 && learned.sources.map(\.botnet) == ["teacher"])
    let pupil = try half(1, identities: false, fingerprints: 0)
    func footprint(_ rules: CensusRules) throws -> CensusRange {
      let report = CensusEstimator(try #require(CensusTable(pupil.rollup)), rules: rules).report(botnet: "pupil")
      #expect(report.footprint.grade == .addresses)
      return try #require(report.footprint.machines)
    }
    var rules = pupil.rules
    let truth = Double(pupil.machines)
    let without = try footprint(rules)
    rules.churn = learned
    let with = try footprint(rules)
    #expect(abs(without.value / truth - 1) > 0.15)
    #expect(abs(with.value / truth - 1) < 0.12)
    #expect(with.low <= truth && truth <= with.high)
    // Without it the lower end makes room for what nobody knows.
    #expect(without.low <= truth && with.high / with.low < without.high / without.low)
  }

  @Test("Nothing is learned from a botnet without identities, nor from a sample")
  func refusals() throws {
    let bare = try half(1, identities: false, fingerprints: 300)
    #expect(throws: ChurnLearner.Refusal.noIdentities) { try ChurnLearner.table(bare.rollup) }
    var limits = RollupLimits()
    limits.tagOctetsMost = 1 << 17
    limits.identityOctetsMost = 1 << 17
    var sampled = try CensusRollup(botnet: "b", sensors: ["s"], keys: .published, limits: limits)
    for i in 0..<4000 {
      sampled.add(
        CensusSighting(
          hour: 500_000 + UInt32(i % 48), address: IPAddress(v4: UInt32(i) &* 2_654_435_761), system: 64_512,
          identity: UInt64(i) + 1))
    }
    #expect(throws: ChurnLearner.Refusal.sampled) { try ChurnLearner.table(sampled) }
  }

  @Test("A machine that moves from one address to the next is one change in the hours that it was seen")
  func countsChanges() throws {
    var rollup = try CensusRollup(botnet: "b", sensors: ["s"], keys: .published)
    for machine in 0..<60 {
      for hour in 0..<400 {
        // Every hundred hours another address.
        let address = UInt32(machine * 1000 + hour / 100)
        rollup.add(
          CensusSighting(
            hour: 500_000 + UInt32(hour), address: IPAddress(v4: 0x0b00_0000 + address), system: 64_512,
            fingerprint: UInt64(machine % 20 + 1), identity: UInt64(machine + 1), contacts: 15))
      }
    }
    let table = try ChurnLearner.table(rollup)
    let row = try #require(table.row(64_512, at: ChurnTable.Quarter(hour: 500_000)))
    #expect(row.changes == 60 * 3)
    #expect(row.hours == 60 * 4 * 99)
    #expect(abs(try #require(row.kappa) - 1) < 1e-9)
    #expect(try abs(#require(row.lambda) - 3 / 396.0) < 1e-9)
  }

  @Test("A table is read back as it was written, and adds up with another")
  func roundTrip() throws {
    var table = ChurnTable()
    let key = ChurnTable.Key(system: 64_512, quarter: ChurnTable.Quarter(hour: 493_000))
    table.rows[key] = ChurnTable.Row(changes: 12, hours: 4000, machineHours: 900, addressHours: 700)
    table.sources = [ChurnTable.Source(botnet: "one, \"two\"", hours: 492_960...493_679)]
    #expect(try ChurnTable(csv: table.csv, name: "x") == table)
    #expect(table.csv.hasPrefix("# mothlight churn 1\n# from: 2026-03-28/2026-04-26 one, \"two\"\n"))
    var other = table
    other.sources[0].botnet = "other"
    var sum = table
    try sum.add(other)
    #expect(sum.rows[key]?.changes == 24 && sum.sources.count == 2)
    #expect(throws: ConfigurationError.self) { try sum.add(table) }
    #expect(sum.rows[key]?.changes == 24)
  }

  @Test("A row serves the quarters near it, the nearest first")
  func quarters() throws {
    let now = try #require(ChurnTable.Quarter("2026Q1"))
    #expect(ChurnTable.Quarter(hour: 492_000) == now && now.description == "2026Q1")
    var table = ChurnTable()
    for (quarter, changes) in [("2025Q1", 1.0), ("2026Q3", 2.0)] {
      let key = ChurnTable.Key(system: 7, quarter: try #require(ChurnTable.Quarter(quarter)))
      table.rows[key] = ChurnTable.Row(changes: changes, hours: 5000, machineHours: 1, addressHours: 1)
    }
    #expect(table.row(7, at: now)?.changes == 2)
    #expect(table.row(7, at: try #require(ChurnTable.Quarter("2024Q4")))?.changes == 1)
    #expect(table.row(7, at: try #require(ChurnTable.Quarter("2028Q1"))) == nil)
    #expect(table.row(8, at: now) == nil && table.row(0, at: now) == nil)
  }

  @Test(
    "A mistake is told with its line",
    arguments: [
      ("", "first line"), ("# mothlight churn 2\n", "first line"), ("# mothlight churn 1\nasn\n", "columns"),
      ("# mothlight churn 1\n", "columns are missing"), ("# mothlight churn 1\n# from: yesterday x\n", "x:2"),
      ("HEAD1,2026Q1,1,2,3\n", "5 fields"), ("HEAD0,2026Q1,1,2,3,4\n", "AS number"),
      ("HEAD1,2026,1,2,3,4\n", "quarter"),
      ("HEAD1,2026Q5,1,2,3,4\n", "quarter"), ("HEAD1,2026Q1,nan,2,3,4\n", "numbers"),
      ("HEAD1,2026Q1,-1,2,3,4\n", "numbers"), ("HEAD1,2026Q1,1,2,3,4\n1,2026Q1,1,2,3,4\n", "x:4"),
    ])
  func mistakes(text: String, words: String) {
    let head = "# mothlight churn 1\n" + ChurnTable.columns.joined(separator: ",") + "\n"
    do {
      _ = try ChurnTable(csv: text.replacing("HEAD", with: head), name: "x")
      Issue.record("accepted: \(text)")
    } catch { #expect(error.message.contains(words), "\(error.message)") }
  }
}
