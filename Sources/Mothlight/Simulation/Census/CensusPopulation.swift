import Glibc

/// The machines of a simulated botnet, network by network and site by site, and the plan of all addresses.
///
/// - Complexity: 32 octets a machine, 20 a site.
struct CensusPopulation: Sendable {
  struct Machine: Sendable, BitwiseCopyable {
    var draw: UInt64
    var site: UInt32
    /// Hours since the window opened, the first hour infected and the first clean one; below 0 for the old ones.
    var infected: Int32
    var cleaned: Int32
    /// Hour of the window from which on it has its second identity.
    var replaced: Int32
    var fingerprint: UInt16
    var behaviour: UInt8
  }

  /// A line with one public address at a time: a home, an office, a mobile subscriber.
  struct Site: Sendable, BitwiseCopyable {
    var slot: UInt32
    /// The slot before, for the hour of a change.
    var previous: UInt32
    /// Hour of the window in which the slot changes next.
    var next: Int32
    /// Hour in which it changed last.
    var changed: Int32
    var network: UInt16
    /// The line comes up anew at each start of its machine.
    var isDialled: Bool
    /// Its present slot is counted already.
    var isCounted: Bool
  }

  /// Where a laptop is when it is not at home.
  struct Away: Sendable, BitwiseCopyable {
    var work: UInt32
    var mobile: UInt32
  }

  private(set) var networks: [CensusNetwork]
  private(set) var machines: [Machine] = []
  private(set) var sites: [Site] = []
  /// One for each network.
  private(set) var members: [Range<Int>] = []
  /// Empty without laptops.
  private(set) var away: [Away] = []
  /// By number of the fingerprint.
  private(set) var fingerprints: [UInt64] = []
  /// Slots in all.
  private(set) var slots = 1
  private var sitesOf: [Range<Int>] = []

  init(_ scenario: CensusScenario) throws(SimulationError) {
    try scenario.validate()
    networks = CensusNetwork.all(of: scenario)
    var random = RandomSource(seed: scenario.seed, stream: 12)
    let born = Int((Double(scenario.machines) * scenario.birthsPerDay * Double(scenario.hours) / 24).rounded())
    let total = scenario.machines + born
    machines.reserveCapacity(total)
    let shares = Self.fingerprintShares(scenario.fingerprints)
    fingerprints = shares.indices.map { RandomSource.mix(UInt64($0) &+ 0x5eed) >> 40 | 1 }
    for i in networks.indices {
      let from = machines.count
      let firstSite = sites.count
      let wanted = Int((Double(total) * networks[i].share).rounded())
      while machines.count - from < wanted { addSite(scenario, i, from + wanted, born, shares, &random) }
      members.append(from..<machines.count)
      sitesOf.append(firstSite..<sites.count)
    }
    if scenario.laptops > 0 { makeLaptops(scenario, &random) }
    try planAddresses(scenario)
  }

  /// Running shares near 1/(rank + 2), as of builds and languages.
  private static func fingerprintShares(_ count: Int) -> [Double] {
    count > 0 ? BotPopulation.running((0..<count).map { 1 / Double($0 + 3) }) : []
  }

  private mutating func addSite(
    _ scenario: CensusScenario, _ network: Int, _ end: Int, _ born: Int, _ shares: [Double],
    _ random: inout RandomSource
  ) {
    let behaviour = UInt8(BotPopulation.place(random.unit(), networks[network].behaviours))
    let isOffice = behaviour == CensusSchedule.office
    let mean = isOffice ? scenario.office : networks[network].policy == .cgn ? 1.02 : scenario.household
    // Geometric, so that most sites have one; offices are cut at 80.
    let more = mean > 1 ? Int(random.exponential(mean: 1 / log(mean / (mean - 1)))) : 0
    let site = UInt32(sites.count)
    let isDialled = networks[network].policy == .cgn || networks[network].policy == .reconnect && random.chance(0.2)
    sites.append(
      Site(
        slot: 0, previous: 0, next: .min, changed: .min, network: UInt16(network), isDialled: isDialled,
        isCounted: false))
    for k in 0..<min(1 + min(more, 80), end - machines.count) {
      var own = behaviour
      if k > 0 {
        own =
          isOffice
          ? (random.chance(0.15) ? CensusSchedule.alwaysOn : CensusSchedule.office)
          : random.chance(0.7) ? CensusSchedule.home : random.chance(0.5) ? CensusSchedule.sporadic : behaviour
      }
      addMachine(scenario, site, own, born, shares, &random)
    }
  }

  private mutating func addMachine(
    _ scenario: CensusScenario, _ site: UInt32, _ behaviour: UInt8, _ born: Int, _ shares: [Double],
    _ random: inout RandomSource
  ) {
    let isOld = random.unit() * Double(scenario.machines + born) < Double(scenario.machines)
    let infected = isOld ? -1 : random.int(below: scenario.hours)
    let life = random.exponential(mean: scenario.infectedDays * 24)
    let fingerprint = Self.search(shares, random.unit())
    let replaced = random.exponential(mean: 720 / max(1e-9, scenario.identity.replaced))
    machines.append(
      Machine(
        draw: random.next(), site: site, infected: Int32(infected),
        cleaned: Int32(min(1e9, Double(max(0, infected)) + life.rounded(.up))), replaced: Int32(min(1e9, replaced)),
        fingerprint: UInt16(fingerprint), behaviour: behaviour))
  }

  private static func search(_ running: [Double], _ draw: Double) -> Int {
    var low = 0
    var high = max(0, running.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if draw < running[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Makes laptops of machines in homes; they work and travel in other networks of their country, if there are any.
  private mutating func makeLaptops(_ scenario: CensusScenario, _ random: inout RandomSource) {
    away = [Away](repeating: Away(work: .max, mobile: .max), count: machines.count)
    for i in machines.indices
    where machines[i].behaviour == CensusSchedule.home || machines[i].behaviour == CensusSchedule.sporadic {
      guard random.chance(scenario.laptops) else { continue }
      let own = Int(sites[Int(machines[i].site)].network)
      guard let work = site(other: own, random.unit(), random.next(), { $0.policy != .cgn }),
        let mobile = site(other: own, random.unit(), random.next(), { $0.policy == .cgn })
      else { continue }
      machines[i].behaviour = CensusSchedule.laptop
      away[i] = Away(work: UInt32(work), mobile: UInt32(mobile))
    }
  }

  /// A site in another network, of the same country where there is one.
  private func site(
    other own: Int, _ draw: Double, _ second: UInt64, _ fits: (CensusNetwork) -> Bool
  ) -> Int? {
    let all = networks.indices.filter { $0 != own && !sitesOf[$0].isEmpty && fits(networks[$0]) }
    let near = all.filter { networks[$0].country == networks[own].country }
    let choices = near.isEmpty ? all : near
    guard !choices.isEmpty else { return nil }
    let range = sitesOf[choices[BotPopulation.place(draw, BotPopulation.running(choices.map { networks[$0].share }))]]
    return range.lowerBound + Int(second % UInt64(range.count))
  }
}

extension CensusPopulation {
  /// Slots that 240.0.0.0/4 has, without its first and last few.
  private static let slotsMost = (1 << 28) - 1024

  /// Gives each network its pool and the addresses of its other customers.
  private mutating func planAddresses(_ scenario: CensusScenario) throws(SimulationError) {
    let days = Double(scenario.hours) / 24
    let strangers = max(20, (scenario.straysPerDay + scenario.sandboxesPerDay) * days * 6)
    let bystanders = strangers * Double(scenario.machines)
    let asked = networks.indices.reduce(0.0) { $0 + Double(sitesOf[$1].count) * networks[$1].room }
    let fit = min(1, (Double(Self.slotsMost) * 0.9 - bystanders) / max(1, asked))
    guard fit > 0.05 else {
      throw SimulationError(.invalidScenario, "machines: more addresses than 240.0.0.0/4 has; fewer machines or strays")
    }
    var first64: UInt64 = 1 << 16
    for i in networks.indices {
      let count = sitesOf[i].count
      let isShared = networks[i].policy == .cgn
      networks[i].firstSlot = slots
      networks[i].pool = max(
        isShared ? 4 : 64, Int(Double(count) * networks[i].room * (isShared ? 1 : fit)),
        isShared ? 1 : count + count / 20 + 8)
      slots += networks[i].pool
      networks[i].firstBystander = slots
      networks[i].bystanders = networks[i].isHosting ? 1 : max(64, Int(bystanders * networks[i].share))
      slots += networks[i].bystanders
      if networks[i].prefixBits > 0 {
        networks[i].first64 = first64
        first64 += UInt64(networks[i].pool + networks[i].bystanders) << UInt64(64 - networks[i].prefixBits)
      }
    }
    guard slots <= Self.slotsMost, first64 < 1 << 32 else {
      throw SimulationError(.invalidScenario, "machines: more addresses than the made-up ranges have; fewer machines")
    }
  }
}
