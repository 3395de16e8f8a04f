import Testing

@testable import Mothlight

/// The census against botnets whose size is known. Large enough to mean something, small enough for every build;
/// `mothlight evaluate --census` does it at length.
@Suite("Census of botnets of known size")
struct CensusEstimatorTests {
  static func census(
    _ name: String, seed: UInt64 = 31, machines: Int = 2500, change: (inout CensusScenario) -> Void = { _ in }
  ) throws -> (report: CensusReport, truth: CensusTruth) {
    var scenario = try #require(CensusScenario.named(name, seed: seed, machines: machines))
    change(&scenario)
    let simulation = try CensusSimulation(scenario)
    let trial = CensusTrial(
      botnet: name, sensors: scenario.sensors.map(\.name),
      hours: scenario.firstHour...(scenario.firstHour + UInt32(scenario.hours) - 1),
      hosting: simulation.knownHosting)
    var truth: CensusTruth?
    let report = try RollupCensus().report(trial) { row in truth = try simulation.run(row) }
    return (report, try #require(truth))
  }

  private func codes(_ report: CensusReport) -> Set<String> { Set(report.caveats.map(\.code)) }

  private func meanLive(_ report: CensusReport, _ truth: CensusTruth) -> Double {
    let ratios = zip(report.live, truth.live).compactMap { figure, live in
      live > 20 ? figure.machines.map { $0.value / Double(live) } : nil
    }
    return ratios.reduce(0, +) / Double(max(1, ratios.count))
  }

  @Test("With identities the footprint is right within 2 %, and addresses are several times as many")
  func identities() throws {
    let (report, truth) = try Self.census("baseline")
    let machines = try #require(report.footprint.machines)
    #expect(report.footprint.grade == .identities)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.02)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    #expect(try #require(report.footprint.inflation) > 2.5)
    #expect(abs(meanLive(report, truth) - 1) < 0.02)
    let active = try #require(report.active[10].machines)
    #expect(abs(active.value / Double(truth.active[10]) - 1) < 0.02)
  }

  @Test(
    "Without identities the interval holds the truth and live is right within 2 %", arguments: ["baseline", "only_ips"])
  func addresses(name: String) throws {
    let (report, truth) = try Self.census(name, machines: 4000) { $0.identity.kind = .none }
    let machines = try #require(report.footprint.machines)
    #expect(report.footprint.grade == .addresses)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.15)
    #expect(abs(meanLive(report, truth) - 1) < 0.02)
    #expect(report.basis.sharing == (name == "baseline" ? .fingerprints : .contactRate))
  }

  @Test("Identities that are made at each start are not counted")
  func identitiesMadeAtStart() throws {
    let (report, truth) = try Self.census("id_per_start")
    #expect(codes(report).contains("identity_per_start"))
    #expect(report.footprint.grade == .addresses)
    let machines = try #require(report.footprint.machines)
    #expect(machines.value < 1.3 * Double(truth.footprint))
  }

  @Test("All machines behind one shared address: no footprint, and the reason")
  func oneSharedNetwork() throws {
    let (report, _) = try Self.census("one_cgn", machines: 1500) { $0.identity.kind = .none }
    #expect(report.footprint.machines == nil)
    #expect(codes(report).contains("few_anchors"))
    #expect(report.countries.allSatisfy { $0.footprint.machines == nil })
  }

  @Test("One shared network without fingerprints or a clear rate: not even live is stated")
  func oneSharedNetworkWithoutHints() throws {
    let (report, _) = try Self.census("one_cgn", machines: 1500) {
      $0.identity.kind = .none
      $0.fingerprints = 0
    }
    #expect(report.footprint.machines == nil)
    let stated = report.live.compactMap(\.machines).count
    // Either nothing is stated or it is said that nothing tells machines of one address apart.
    #expect(stated == 0 || codes(report).contains("sharing_unknown") || report.basis.sharing == .contactRate)
  }

  @Test("Below a day there is no footprint from addresses; live stays")
  func shortWindow() throws {
    let (report, truth) = try Self.census("baseline") {
      $0.identity.kind = .none
      $0.hours = 20
    }
    #expect(report.footprint.machines == nil)
    #expect(try #require(report.footprint.atMost) >= Double(truth.footprint) * 0.9)
    #expect(codes(report).contains("short_window"))
    #expect(abs(meanLive(report, truth) - 1) < 0.05)
  }

  @Test("A sensor whose clock is an hour off is found and set right")
  func clockSkew() throws {
    let (report, truth) = try Self.census("clock_skew", machines: 1500)
    #expect(codes(report).contains("clock_skew"))
    #expect(abs(meanLive(report, truth) - 1) < 0.03)
  }

  @Test("Hours in which the only sensor was silent are not zero machines but unknown")
  func silentHours() throws {
    let (report, _) = try Self.census("missing_hours", machines: 1500)
    let silent = report.basis.silentHours.values.reduce(0) { $0 + $1.count }
    #expect(silent > 0)
    #expect(report.live.count { $0.machines == nil } >= silent)
    #expect(codes(report).contains("sensor_silent"))
  }

  @Test("Sandboxes and strays that outnumber the machines do not move the estimate")
  func pollution() throws {
    let (report, truth) = try Self.census("pollution", machines: 1500)
    let machines = try #require(report.footprint.machines)
    #expect(Double(truth.addresses) > 10 * Double(truth.footprint))
    #expect(abs(machines.value / Double(truth.footprint) - 1) < 0.03)
  }

  @Test("A network database that changed is said")
  func movedNetworks() throws {
    let (report, _) = try Self.census("asn_change", machines: 1500)
    #expect(codes(report).contains("network_data_changed"))
  }

  @Test("By the rollup the census says what it says without any sketch")
  func rollupAgreesWithExact() throws {
    let scenario = try #require(CensusScenario.named("baseline", seed: 77, machines: 800))
    let hours = scenario.firstHour...(scenario.firstHour + UInt32(scenario.hours) - 1)
    var exact = ExactCensusTable(hours: hours, sensors: scenario.sensors.map(\.name))
    var rollup = try CensusRollup(botnet: "b", sensors: scenario.sensors.map(\.name), keys: .published)
    _ = try CensusSimulation(scenario).run { row in
      exact.add(row)
      rollup.add(row)
    }
    let plain = CensusEstimator(exact.table()).report(botnet: "b")
    let sketched = CensusEstimator(try #require(CensusTable(rollup, window: hours))).report(botnet: "b")
    let a = try #require(plain.footprint.machines)
    let b = try #require(sketched.footprint.machines)
    #expect(abs(a.value / b.value - 1) < 1e-6)
    #expect(plain.footprint.addresses == sketched.footprint.addresses)
    for (x, y) in zip(plain.live, sketched.live) {
      #expect(abs((x.machines?.value ?? 0) - (y.machines?.value ?? 0)) < 1e-6)
    }
  }

  @Test("A sample of the addresses gives the same answer within its error")
  func sampledRollup() throws {
    let scenario = try #require(CensusScenario.named("heavy_dhcp", seed: 78, machines: 3000))
    var limits = RollupLimits()
    limits.tagOctetsMost = 2 << 20
    limits.identityOctetsMost = 1 << 18
    var rollup = try CensusRollup(botnet: "b", sensors: ["sinkhole"], keys: .published, limits: limits)
    let truth = try CensusSimulation(scenario).run { rollup.add($0) }
    let report = CensusEstimator(try #require(CensusTable(rollup))).report(botnet: "b")
    #expect(report.basis.theta < 1)
    #expect(codes(report).contains("sampled"))
    let machines = try #require(report.footprint.machines)
    #expect(machines.low <= Double(truth.footprint) && Double(truth.footprint) <= machines.high)
    #expect(abs(report.footprint.addresses / Double(truth.validUnits) - 1) < 0.05)
  }

  @Test("Two sensors that never saw the same hour are matched over their windows, and that is said")
  func sensorsApart() throws {
    var rollup = try CensusRollup(botnet: "b", sensors: ["one", "two"], keys: .published)
    // 1,599 and 1,591 sources with 475 in common, as the two attacked machines of the Stratosphere captures saw them.
    for i in 0..<1599 {
      rollup.add(
        CensusSighting(hour: 500_000 + UInt32(i % 24), sensor: 0, address: IPAddress(v4: 0x0b00_0000 + UInt32(i))))
    }
    for i in 1124..<2715 {
      rollup.add(
        CensusSighting(hour: 500_024 + UInt32(i % 24), sensor: 1, address: IPAddress(v4: 0x0b00_0000 + UInt32(i))))
    }
    let report = CensusEstimator(try #require(CensusTable(rollup))).report(botnet: "b")
    let machines = try #require(report.footprint.machines)
    #expect(report.footprint.grade == .sensors)
    #expect(abs(machines.value - (1600.0 * 1592 / 476 - 1)) < 1)
    #expect(machines.low > 4900 && machines.high > 6500)
    #expect(codes(report).contains("sensors_apart"))
  }

  @Test("An empty table, one row, and one hour are answered without a number that nobody can know")
  func nearlyNothing() throws {
    var rollup = try CensusRollup(botnet: "b", sensors: ["s"], keys: .published)
    #expect(CensusTable(rollup) == nil)
    rollup.add(CensusSighting(hour: 500_000, address: IPAddress(v4: 1)))
    let report = CensusEstimator(try #require(CensusTable(rollup))).report(botnet: "b")
    #expect(report.footprint.machines == nil)
    #expect(report.live.count == 1)
  }

  @Test("A sensor that sampled under load makes the counts lower bounds, and that is said")
  func sampledSensor() throws {
    var rollup = try CensusRollup(botnet: "b", sensors: ["s"], keys: .published)
    rollup.add(CensusSighting(hour: 500_000, address: IPAddress(v4: 1)))
    func said() throws -> Bool {
      let report = CensusEstimator(try #require(CensusTable(rollup))).report(botnet: "b")
      return codes(report).contains("sensor_sampled")
    }
    #expect(try !said())
    rollup.note(samplingFactor: 16)
    #expect(try said())
  }
}
