import Glibc

/// A provider of a simulated botnet, with its habits.
struct CensusNetwork: Sendable, Equatable {
  var asn: UInt32
  var country: CountryCode
  /// Hours east of UTC.
  var timeZone: Int
  var policy: BotnetScenario.Policy
  /// Share of the machines; 0 for hosting networks.
  var share: Double
  /// Running shares of the behaviours of its sites.
  var behaviours: [Double] = []
  /// Mean hours that a lease lasts, where it ends by chance.
  var leaseHours: Double
  /// Daily renumbering at night, by the provider's clock, instead of after 24 h of each line.
  var isNightly: Bool
  /// Addresses for each infected site.
  var room: Double
  /// Bits of the prefix that a site gets by IPv6; 0: IPv4.
  var prefixBits = 0
  var isHosting = false

  // Places in the space of addresses, set when the sites are known.
  var firstSlot = 0
  var pool = 1
  /// Addresses of people who are not infected.
  var firstBystander = 0
  var bystanders = 1
  /// Number of its first /64, for IPv6.
  var first64: UInt64 = 0
  /// What the database of networks calls the upper half of its addresses later on; 0: it does not change.
  var laterASN: UInt32 = 0
}

extension CensusNetwork {
  private struct Country {
    let code: String
    /// By Mariposa's addresses (census.md section 1, ledger) where known, the rest an assumption.
    let weight: Double
    let zones: [Int]
    /// How usual changing addresses are, 0…1: an assumption.
    let churn: Double
    init(_ code: String, _ weight: Double, _ zones: [Int], _ churn: Double) {
      self.code = code
      self.weight = weight
      self.zones = zones
      self.churn = churn
    }
  }

  private static let countries = [
    Country("IN", 19.1, [5], 0.8), Country("MX", 12.9, [-6], 0.8), Country("BR", 7.7, [-3], 0.6),
    Country("KR", 7.2, [9], 0.1), Country("CO", 4.9, [-5], 0.6), Country("RU", 3.1, [3, 5, 7], 0.5),
    Country("EG", 3, [2], 0.9), Country("MY", 2.9, [8], 0.7), Country("UA", 2.7, [2], 0.4),
    Country("PK", 2.6, [5], 0.9), Country("PE", 2.4, [-5], 0.6), Country("IR", 2.1, [3], 0.7),
    Country("SA", 1.9, [3], 0.8), Country("CL", 1.7, [-4], 0.5), Country("KZ", 1.4, [5], 0.7),
    Country("AE", 1.2, [4], 0.6), Country("MA", 1.1, [0], 0.9), Country("AR", 1.1, [-3], 0.6),
    Country("US", 5, [-5, -6, -8], 0.1), Country("ES", 3, [1], 0.6), Country("DE", 3, [1], 0.8),
    Country("VN", 3, [7], 0.8), Country("ID", 3, [7], 0.7), Country("JP", 2, [9], 0.1), Country("AU", 1, [10], 0.3),
    Country("GB", 1.5, [0], 0.3), Country("TR", 2, [2], 0.6),
  ]

  /// The providers of a scenario, and four hosting networks after them.
  static func all(of scenario: CensusScenario) -> [CensusNetwork] {
    var random = RandomSource(seed: scenario.seed, stream: 11)
    var sizes = (0..<scenario.networks).map { _ in random.logNormal(median: 1, sigma: 1) }
    sizes.sort(by: >)
    let total = sizes.reduce(0, +)
    let policies = BotnetScenario.Policy.allCases
    let wanted = policies.map { scenario.policies[$0] ?? 0 }
    let sum = wanted.reduce(0, +)
    var given = [Double](repeating: 0, count: policies.count)
    var done = 0.0
    var out: [CensusNetwork] = []
    for (i, size) in sizes.enumerated() {
      // The policy that lacks most gets the next largest network, more or less.
      done += size
      let lack = policies.indices.map {
        wanted[$0] > 0 ? (wanted[$0] / sum * done - given[$0]) * random.uniform(0.5, 1.5) : -1e9
      }
      let choice = policies.indices.max { lack[$0] < lack[$1] } ?? 0
      given[choice] += size
      out.append(one(scenario, UInt32(64_512 + i), policies[choice], size / total, &random))
    }
    for i in 0..<4 {
      var host = one(scenario, UInt32(65_500 + i), .fixed, 0, &random)
      host.isHosting = true
      host.prefixBits = 0
      out.append(host)
    }
    return out
  }

  private static func one(
    _ scenario: CensusScenario, _ asn: UInt32, _ policy: BotnetScenario.Policy, _ share: Double,
    _ random: inout RandomSource
  ) -> CensusNetwork {
    let isChanging = policy == .daily || policy == .reconnect || policy == .cgn
    let isStable = policy == .fixed || policy == .long
    let weights = countries.map {
      $0.weight * (isChanging ? 0.3 + 1.4 * $0.churn : isStable ? 1.7 - 1.4 * $0.churn : 1)
    }
    let country = countries[BotPopulation.place(random.unit(), BotPopulation.running(weights))]
    let zone = country.zones[random.int(below: country.zones.count)]
    var network = CensusNetwork(
      asn: asn, country: CountryCode(country.code), timeZone: zone, policy: policy, share: share, leaseHours: 0,
      isNightly: random.chance(0.5), room: 1.05)
    let behaviours = BotnetScenario.Behaviour.allCases.map { behaviour in
      (scenario.behaviours[behaviour] ?? 0) * random.logNormal(median: 1, sigma: 0.25)
        * (behaviour == .office ? (isStable ? scenario.officesWhereStable : policy == .cgn ? 0.3 : 1) : 1)
    }
    network.behaviours = BotPopulation.running(behaviours)
    switch policy {
    case .fixed: break
    case .long:
      network.leaseHours = 24 * exp(random.uniform(log(12), log(90)))
      network.room = 8
    case .weekly: network.room = exp(random.uniform(log(30), log(200)))
    case .daily, .reconnect: network.room = exp(random.uniform(log(40), log(400)))
    case .cgn:
      network.leaseHours = exp(random.uniform(log(4), log(36)))
      network.room = scenario.sharedAddresses.map { $0 / 1000 } ?? exp(random.uniform(log(0.25), log(2)))
    }
    if policy != .cgn, random.chance(scenario.ipv6) {
      network.prefixBits = random.pick([56, 56, 60, 64]) ?? 56
      network.room = min(network.room, 16)
    }
    if scenario.renamedFrom != nil, random.chance(0.35) { network.laterASN = 4_200_000_000 + asn % 40 }
    return network
  }

  /// The address in a slot of the common space.
  /// - Parameter machine: draw of the machine and the day, for the privacy addresses of RFC 8981.
  @inline(__always)
  func address(_ slot: Int, machine: UInt64, day: Int) -> IPAddress {
    guard prefixBits > 0 else { return IPAddress(v4: 240 << 24 &+ UInt32(truncatingIfNeeded: slot)) }
    let subnets = UInt64(1) << UInt64(64 - prefixBits)
    // One machine in eight is in the second network of the house.
    let subnet = subnets > 1 && machine & 7 == 0 ? 1 : UInt64(0)
    let number = first64 &+ UInt64(truncatingIfNeeded: slot &- firstSlot) &* subnets &+ subnet
    return IPAddress(
      high: 0x2001_0db8_0000_0000 | (number & 0xffff_ffff),
      low: RandomSource.mix(machine &+ UInt64(truncatingIfNeeded: day)) | 1)
  }
}
