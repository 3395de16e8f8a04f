import Testing

@testable import Mothlight

@Suite("Simulated censuses")
struct CensusSimulationTests {
  struct Labelled {
    var row: CensusSighting
    var machine: Int
  }

  static func small(
    _ name: String, seed: UInt64 = 5, machines: Int = 300, days: Int = 6,
    _ change: (inout CensusScenario) -> Void = { _ in }
  ) throws -> CensusScenario {
    var scenario = try #require(CensusScenario.named(name, seed: seed, machines: machines))
    scenario.hours = min(scenario.hours, days * 24)
    scenario.networks = min(scenario.networks, 24)
    if scenario.renamedFrom != nil { scenario.renamedFrom = scenario.hours / 2 }
    change(&scenario)
    return scenario
  }

  static func run(_ scenario: CensusScenario) throws -> (rows: [Labelled], truth: CensusTruth, CensusPopulation) {
    let simulation = try CensusSimulation(scenario)
    var rows: [Labelled] = []
    let truth = try simulation.run(labelled: { rows.append(Labelled(row: $0, machine: $1)) })
    return (rows, truth, simulation.population)
  }

  @Test func theSameSeedGivesTheSameRows() throws {
    let first = try Self.run(Self.small("baseline"))
    let again = try Self.run(Self.small("baseline"))
    let other = try Self.run(Self.small("baseline", seed: 6))
    #expect(first.rows.map(\.row) == again.rows.map(\.row))
    #expect(first.truth == again.truth)
    #expect(first.rows.map(\.row) != other.rows.map(\.row))
  }

  /// Whether a machine is on, the plain way: hour by hour from the sessions of its local days.
  private static func isOn(_ m: CensusPopulation.Machine, _ hour: Int, _ scenario: CensusScenario, _ zone: Int) -> Bool
  {
    guard hour >= Int(m.infected), hour < Int(m.cleaned) else { return false }
    let local = Int(scenario.firstHour) + hour + zone
    let today = CensusSchedule.sessions(m.behaviour, m.draw, local / 24)
    let before = CensusSchedule.sessions(m.behaviour, m.draw, local / 24 - 1)
    return today >> UInt64(local % 24) & 1 == 1 || before >> UInt64(local % 24 + 24) & 1 == 1
  }

  @Test(arguments: ["baseline", "missing", "ipv6", "roaming", "pollution", "poisoners", "within_hour"])
  func truthEqualsAPlainRecount(name: String) throws {
    let scenario = try Self.small(name, machines: 150, days: 4)
    let (rows, truth, population) = try Self.run(scenario)
    var live = [Int](repeating: 0, count: scenario.hours)
    var active = [Set<Int>](repeating: [], count: 4)
    var stock = [Int](repeating: 0, count: 4)
    for (i, machine) in population.machines.enumerated() {
      let network = population.networks[Int(population.sites[Int(machine.site)].network)]
      for hour in 0..<scenario.hours where Self.isOn(machine, hour, scenario, network.timeZone) {
        live[hour] += 1
        active[hour / 24].insert(i)
      }
      for day in 0..<4 where Int(machine.infected) < day * 24 + 24 && Int(machine.cleaned) >= day * 24 + 24 {
        stock[day] += 1
      }
    }
    #expect(truth.live == live)
    #expect(truth.active == active.map(\.count))
    #expect(truth.stock == stock)
    #expect(truth.footprint == active.reduce(into: Set<Int>()) { $0.formUnion($1) }.count)
    let machines = rows.filter { $0.machine >= 0 }
    #expect(truth.reached == Set(machines.map(\.machine)).count)
    #expect(truth.rows == UInt64(rows.count))
    #expect(truth.addresses == Set(rows.map(\.row.address)).count)
    let valid = rows.filter(\.row.isValid).map { $0.row.address.isV4 ? $0.row.address.low : $0.row.address.high }
    #expect(truth.validUnits == Set(valid).count)
    for part in truth.systems {
      let own = machines.filter { $0.row.system == part.asn }
      #expect(part.reached == Set(own.map(\.machine)).count)
      #expect(part.addresses == Set(own.map { $0.row.address.isV4 ? $0.row.address.low : $0.row.address.high }).count)
      #expect(part.reached <= part.footprint)
    }
    for part in truth.countries {
      #expect(part.reached == Set(machines.filter { $0.row.country == part.country }.map(\.machine)).count)
    }
    let sum = truth.systems.reduce(0) { $0 + $1.live }
    #expect(abs(sum - truth.meanLive) < 1e-6 && abs(truth.countries.reduce(0) { $0 + $1.live } - sum) < 1e-6)
  }

  @Test func rowsComeFromMachinesThatAreOn() throws {
    let scenario = try Self.small("baseline", machines: 200)
    let (rows, _, population) = try Self.run(scenario)
    for labelled in rows where labelled.machine >= 0 {
      let machine = population.machines[labelled.machine]
      let hour = Int(labelled.row.hour - scenario.firstHour)
      let network = population.networks[Int(population.sites[Int(machine.site)].network)]
      #expect(Self.isOn(machine, hour, scenario, network.timeZone))
      #expect(labelled.row.system == network.asn && labelled.row.timeZone == Int8(network.timeZone))
    }
  }

  /// Distinct addresses of a machine that is always on, a day: at least and at most.
  @Test(arguments: [
    (BotnetScenario.Policy.fixed, 0.0, 1.0), (.long, 1, 1.12), (.weekly, 1.05, 1.25), (.daily, 1.7, 2.0),
    (.reconnect, 1.1, 2.4), (.cgn, 1.3, 6),
  ])
  func policiesRenumberAsTheySay(policy: BotnetScenario.Policy, least: Double, most: Double) throws {
    let scenario = try Self.small("baseline", machines: 300, days: 14) {
      $0.policies = [policy: 1]
      $0.behaviours = [.alwaysOn: 1]
      $0.household = 1
      $0.birthsPerDay = 0
      $0.infectedDays = 10_000
    }
    let (rows, truth, _) = try Self.run(scenario)
    struct Day: Hashable {
      var machine: Int
      var day: UInt32
    }
    var days: [Day: Set<IPAddress>] = [:]
    for labelled in rows where labelled.machine >= 0 {
      days[Day(machine: labelled.machine, day: labelled.row.hour / 24), default: []].insert(labelled.row.address)
    }
    let mean = Double(days.values.reduce(0) { $0 + $1.count }) / Double(days.count)
    #expect(mean >= least && mean <= most, "\(policy): \(mean) addresses a day")
    if policy == .fixed { #expect(truth.systems.allSatisfy { $0.addresses <= $0.reached }) }
  }

  @Test func noTwoSitesShareAnAddressExceptBehindOperators() throws {
    for name in ["heavy_dhcp", "within_hour"] {
      let (rows, _, population) = try Self.run(Self.small(name, machines: 500))
      struct Moment: Hashable {
        var address: IPAddress
        var hour: UInt32
      }
      var sites: [Moment: Set<UInt32>] = [:]
      for labelled in rows where labelled.machine >= 0 {
        let site = population.machines[labelled.machine].site
        guard population.networks[Int(population.sites[Int(site)].network)].policy != .cgn else { continue }
        sites[Moment(address: labelled.row.address, hour: labelled.row.hour), default: []].insert(site)
      }
      // Within an hour a slot may be given back and away again; that is rare.
      let shared = sites.values.count { $0.count > 1 }
      #expect(name == "within_hour" ? shared * 1000 < sites.count : shared == 0)
    }
  }

  @Test func noAddressBelongsToAnybody() throws {
    for name in CensusScenario.tableNames + CensusScenario.furtherNames {
      let (rows, _, _) = try Self.run(Self.small(name, machines: 60, days: 2))
      #expect(!rows.isEmpty)
      #expect(rows.allSatisfy { $0.row.address.isReserved || $0.row.address.high >> 32 == 0x2001_0db8 })
    }
  }

  @Test(arguments: [(60.0, 0.0), (240, 0.01), (1000, 0.2), (1800, 0.1), (14_400, 0.35)])
  func contactsFollowTheirDistribution(interval: Double, loss: Double) {
    let table = CensusContacts(checkInSeconds: interval, loss: loss)
    var random = RandomSource(seed: 3)
    for visibility in [1.0, 0.5, 0.1] {
      let level = CensusContacts.level(of: visibility)
      let mean = 3600 / interval * (1 - loss) * CensusContacts.visibility(of: level)
      let draws = 40_000
      var sum = 0
      for _ in 0..<draws { sum += table.count(level, UInt32(truncatingIfNeeded: random.next() >> 32)) }
      // Five standard errors of the wider, Poisson case.
      #expect(abs(Double(sum) / Double(draws) - mean) < 5 * (mean / Double(draws)).squareRoot())
    }
    #expect(table.count(0, .max) < 128)
  }

  @Test func aKnobOutOfRangeIsNamed() throws {
    let changes: [(String, (inout CensusScenario) -> Void)] = [
      ("machines", { $0.machines = 0 }), ("hours", { $0.hours = 0 }), ("networks", { $0.networks = 1000 }),
      ("loss", { $0.loss = 1.5 }), ("infected_days", { $0.infectedDays = .nan }), ("sensors", { $0.sensors = [] }),
      ("births_per_day", { $0.machines = 4_900_000 }), ("check_in_s", { $0.checkInSeconds = 1 }),
      ("policies", { $0.policies = [:] }), ("household", { $0.household = 0 }),
      ("shared_addresses", { $0.sharedAddresses = 0 }),
    ]
    for (knob, change) in changes {
      let scenario = try Self.small("baseline", change)
      do throws(SimulationError) {
        _ = try CensusSimulation(scenario)
        Issue.record("\(knob) was accepted")
      } catch {
        #expect(error.message.hasPrefix(knob))
      }
    }
  }
}
