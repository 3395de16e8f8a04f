import Testing

@testable import Mothlight

@Suite("Census scenarios have the traits of their names")
struct CensusScenarioTests {
  private typealias Base = CensusSimulationTests

  private func naive(_ name: String) throws -> Double {
    let (_, truth, _) = try Base.run(Base.small(name, machines: 500, days: 30))
    return Double(truth.addresses) / Double(truth.footprint)
  }

  @Test func changingAddressesInflate() throws {
    let baseline = try naive("baseline")
    #expect(baseline > 2 && baseline < 6)
    #expect(try naive("heavy_dhcp") > baseline * 1.4)
    #expect(try naive("cgn") < baseline)
    let short = try naive("short_36h")
    #expect(short > 0.6 && short < 1.3)
  }

  @Test func everyNameIsKnownAndVaries() throws {
    for name in CensusScenario.tableNames + CensusScenario.furtherNames + [CensusScenario.millionName] {
      let plain = try #require(CensusScenario.named(name, seed: 4))
      let varied = try #require(CensusScenario.named(name, seed: 4, isVaried: true))
      try varied.validate()
      #expect(plain != varied && plain.name == name)
      #expect(varied == CensusScenario.named(name, seed: 4, isVaried: true))
      #expect(varied != CensusScenario.named(name, seed: 5, isVaried: true))
    }
    #expect(CensusScenario.named("nothing", seed: 1) == nil)
  }

  @Test func onlyAddressesHaveNothingElse() throws {
    let (rows, _, _) = try Base.run(Base.small("only_ips"))
    #expect(rows.allSatisfy { $0.row.fingerprint == 0 && $0.row.identity == 0 })
  }

  @Test func fingerprintsStayAndAFewAreCommon() throws {
    let (rows, _, population) = try Base.run(Base.small("baseline", machines: 2000, days: 3))
    var own: [Int: Set<UInt64>] = [:]
    for r in rows where r.machine >= 0 { own[r.machine, default: []].insert(r.row.fingerprint) }
    #expect(own.values.allSatisfy { $0.count == 1 && !$0.contains(0) })
    var counts: [UInt16: Int] = [:]
    for machine in population.machines { counts[machine.fingerprint, default: 0] += 1 }
    let most = try #require(counts.values.max())
    #expect(counts.count > 200 && most > population.machines.count / 30 && most < population.machines.count / 5)
  }

  @Test func missingShowsLittleAtThreeSensorsWithOutages() throws {
    let (rows, truth, _) = try Base.run(Base.small("missing", machines: 1000, days: 10))
    let seen = Set(rows.filter { $0.machine >= 0 }.map { $0.machine << 16 | Int($0.row.hour % 65_536) }).count
    let share = Double(seen) / Double(truth.live.reduce(0, +))
    #expect(share > 0.05 && share < 0.2)
    for sensor in 0..<3 {
      let hours = Set(rows.filter { $0.row.sensor == UInt8(sensor) }.map(\.row.hour))
      #expect(hours.count < 240 && hours.count > 150)
    }
  }

  @Test func pollutionIsMostOfWhatComes() throws {
    let (rows, truth, _) = try Base.run(Base.small("pollution", machines: 500, days: 10))
    let strangers = rows.filter { $0.machine < 0 }
    #expect(Set(strangers.map(\.row.address)).count > 5 * truth.footprint)
    let valid = strangers.filter(\.row.isValid)
    let share = Double(valid.count) / Double(strangers.count)
    #expect(share > 0.1 && share < 0.3)
    // Sandboxes and those who try the protocol have identities that nobody had before.
    var hours: [UInt64: Set<UInt32>] = [:]
    for r in valid { hours[r.row.identity, default: []].insert(r.row.hour) }
    #expect(hours.values.allSatisfy { $0.count <= 2 } && hours[0] == nil)
    let machines = Set(rows.filter { $0.machine >= 0 }.map(\.row.identity))
    #expect(machines.isDisjoint(with: hours.keys) && hours.count > truth.footprint)
  }

  @Test func thingsAreOnAllDayAndTurnOverFast() throws {
    let (_, truth, _) = try Base.run(Base.small("iot_alwayson", days: 9))
    #expect(truth.meanLive > 0.85 * Double(truth.stock.reduce(0, +)) / Double(truth.stock.count))
    #expect(Double(truth.footprint) > 1.6 * Double(truth.stock[0]))
  }

  @Test func stableNetworksOfAnchorBiasAreOffices() throws {
    func offices(_ name: String, stable: Bool) throws -> Double {
      let population = try CensusPopulation(Base.small(name, machines: 4000, days: 1) { $0.networks = 80 })
      var all = 0.0
      var own = 0.0
      for machine in population.machines {
        let policy = population.networks[Int(population.sites[Int(machine.site)].network)].policy
        guard (policy == .fixed || policy == .long) == stable else { continue }
        all += 1
        if machine.behaviour == CensusSchedule.office { own += 1 }
      }
      return own / all
    }
    #expect(try offices("anchor_bias", stable: true) > 2 * offices("anchor_bias", stable: false))
    #expect(try offices("anchor_bias", stable: true) > 1.3 * offices("baseline", stable: true))
  }

  @Test func mariposaIsNinetyDaysOfMostlyChangingAddresses() throws {
    let scenario = try #require(CensusScenario.named("mariposa_90d", seed: 1))
    #expect(scenario.hours == 2160 && scenario.machines == 20_000)
    let networks = CensusNetwork.all(of: scenario)
    let changing = networks.filter { $0.policy == .daily || $0.policy == .reconnect }.reduce(0) { $0 + $1.share }
    let stable = networks.filter { $0.policy == .fixed }.reduce(0) { $0 + $1.share }
    #expect(abs(changing - 0.68) < 0.08 && abs(stable - 0.07) < 0.05)
  }

  @Test func privacyAddressesChangeDailyWithinTheirNetwork() throws {
    let (rows, truth, population) = try Base.run(Base.small("ipv6", machines: 800, days: 5))
    #expect(truth.addresses > truth.validUnits)
    var hosts: [Int: Set<IPAddress>] = [:]
    for r in rows where r.machine >= 0 && !r.row.address.isV4 {
      let site = population.sites[Int(population.machines[r.machine].site)]
      guard population.networks[Int(site.network)].policy == .fixed else { continue }
      hosts[r.machine, default: []].insert(r.row.address)
    }
    #expect(!hosts.isEmpty && hosts.values.contains { $0.count == 5 })
    #expect(hosts.values.allSatisfy { Set($0.map(\.high)).count == 1 && $0.count <= 5 })
    #expect(Set(population.networks.map(\.prefixBits)).isSuperset(of: [0, 56]))
  }

  @Test func laptopsMoveBetweenNetworks() throws {
    let (rows, truth, _) = try Base.run(Base.small("roaming", machines: 600))
    var systems: [Int: Set<UInt32>] = [:]
    for r in rows where r.machine >= 0 { systems[r.machine, default: []].insert(r.row.system) }
    #expect(systems.values.count { $0.count >= 2 } > truth.footprint / 8)
    #expect(systems.values.allSatisfy { $0.count <= 3 })
    #expect(truth.systems.reduce(0) { $0 + $1.footprint } > truth.footprint)
  }

  @Test func poisonersComeAgainFromHosters() throws {
    let scenario = try Base.small("poisoners")
    let simulation = try CensusSimulation(scenario)
    var days: [UInt64: Set<UInt32>] = [:]
    var systems: Set<UInt32> = []
    _ = try simulation.run(labelled: { row, machine in
      guard machine < 0, row.isValid, row.contacts > 4 else { return }
      days[row.identity, default: []].insert(row.hour / 24)
      systems.insert(row.system)
    })
    #expect(days.count == scenario.machines / 4 && days.values.count { $0.count >= 3 } > days.count / 2)
    #expect(systems.isSuperset(of: simulation.knownHosting) && systems.count == simulation.knownHosting.count + 1)
  }

  @Test func identitiesMadeAtEachStartAreMany() throws {
    let (rows, truth, _) = try Base.run(Base.small("id_per_start"))
    let identities = Set(rows.filter { $0.machine >= 0 }.map(\.row.identity))
    #expect(identities.count > 2 * truth.footprint)
  }

  @Test func stableIdentitiesAreClonedAndReplaced() throws {
    let (rows, truth, _) = try Base.run(
      Base.small("baseline", machines: 1500, days: 20) {
        $0.identity.cloned = 0.05
        $0.identity.replaced = 0.1
      })
    var machines: [UInt64: Set<Int>] = [:]
    var identities: [Int: Set<UInt64>] = [:]
    for r in rows where r.machine >= 0 {
      machines[r.row.identity, default: []].insert(r.machine)
      identities[r.machine, default: []].insert(r.row.identity)
    }
    let shared = machines.values.filter { $0.count > 1 }.reduce(0) { $0 + $1.count }
    #expect(shared > truth.footprint / 50 && shared < truth.footprint / 10)
    let twice = identities.values.count { $0.count > 1 }
    #expect(twice > truth.footprint / 100 && twice < truth.footprint / 8)
    #expect(identities.values.allSatisfy { $0.count <= 2 })
  }

  @Test func oneOperatorHidesAll() throws {
    let (rows, truth, _) = try Base.run(Base.small("one_cgn", machines: 500))
    #expect(Set(rows.filter { $0.machine >= 0 }.map(\.row.address)).count < truth.footprint / 20)
  }

  @Test func oneClockIsAnHourAhead() throws {
    let scenario = try Base.small("clock_skew", machines: 400)
    let (rows, _, population) = try Base.run(scenario)
    // The minutes that offices come give the clock away: the hour of the first row of each machine's day.
    var first: [UInt8: [Int: UInt32]] = [:]
    for r in rows where r.machine >= 0 && population.machines[r.machine].behaviour == CensusSchedule.office {
      let key = r.machine << 8 | Int(r.row.hour / 24 - scenario.firstHour / 24)
      let known = first[r.row.sensor]?[key] ?? .max
      first[r.row.sensor, default: [:]][key] = min(known, r.row.hour)
    }
    let east = try #require(first[0])
    func ahead(_ sensor: UInt8) -> Double {
      let both = (first[sensor] ?? [:]).compactMap { key, hour in east[key].map { Int(hour) - Int($0) } }
      return Double(both.reduce(0, +)) / Double(max(1, both.count))
    }
    #expect(abs(ahead(1) - 1) < 0.3 && abs(ahead(2)) < 0.3)
  }

  @Test func aSensorIsSilentForHours() throws {
    let scenario = try Base.small("missing_hours", days: 30)
    let (rows, truth, _) = try Base.run(scenario)
    let hours = Set(rows.map(\.row.hour))
    #expect(hours.count < scenario.hours - 5 && hours.count > scenario.hours * 3 / 4)
    #expect(truth.live.allSatisfy { $0 > 0 })
  }

  @Test func addressesGetAnotherNetworkInTheMiddle() throws {
    let scenario = try Base.small("asn_change", machines: 600)
    let (rows, truth, _) = try Base.run(scenario)
    var systems: [IPAddress: Set<UInt32>] = [:]
    for r in rows where r.machine >= 0 { systems[r.row.address, default: []].insert(r.row.system) }
    #expect(systems.values.count { $0.count == 2 } > 20)
    let later = rows.filter { $0.row.system >= 4_200_000_000 }
    let middle = scenario.firstHour + UInt32(scenario.hours / 2)
    #expect(!later.isEmpty && later.allSatisfy { $0.row.hour >= middle })
    #expect(!truth.systems.contains { $0.asn >= 4_200_000_000 })
  }

  @Test func changesWithinTheHourShowBothAddresses() throws {
    func twice(_ name: String) throws -> Int {
      let (rows, _, _) = try Base.run(Base.small(name, machines: 300))
      struct Moment: Hashable {
        var machine: Int
        var hour: UInt32
      }
      var addresses: [Moment: Set<IPAddress>] = [:]
      for r in rows where r.machine >= 0 {
        addresses[Moment(machine: r.machine, hour: r.row.hour), default: []].insert(r.row.address)
      }
      return addresses.values.count { $0.count > 1 }
    }
    #expect(try twice("within_hour") > 30)
    #expect(try twice("baseline") == 0)
  }
}
