/// Which address a site of one provider has at a given time: a function of site and lease, so that nothing is stored.
///
/// All addresses are in 240.0.0.0/4, which belongs to nobody (RFC 1112 section 4): made-up infections must not point at
/// anybody's network.
struct AddressPlan: Sendable {
  let network: BotnetScenario.Network
  private let firstAddress: UInt32
  /// Prime, so that every lease is a permutation: no two sites share an address by accident.
  let pool: UInt64
  private let seed: UInt64
  private let leaseHours: Int

  init(_ network: BotnetScenario.Network, sites: Int, firstAddress: UInt32, seed: UInt64) {
    self.network = network
    self.firstAddress = firstAddress
    let wanted = network.policy == .cgn ? Double(sites) * network.room : Double(sites) * max(1.05, network.room)
    pool = Self.prime(from: UInt64(max(2, wanted)))
    self.seed = RandomSource.mix(seed ^ UInt64(network.asn))
    var random = RandomSource(seed: seed, stream: UInt64(network.asn))
    // Log-uniform between 12 and 90 days.
    let days = 12 * Self.power(90.0 / 12, random.unit())
    leaseHours = Int(days * 24)
  }

  var firstFree: IPAddress { IPAddress(v4: firstAddress) }
  /// The address after the last of this plan.
  var nextFree: UInt32 { firstAddress &+ UInt32(truncatingIfNeeded: pool) }

  /// - Parameters:
  ///   - site: number of the site within the provider.
  ///   - hour: hours since 1970.
  ///   - connections: how often its line had come up.
  func address(of site: Int, hour: Int, connections: Int) -> IPAddress {
    let local = hour + network.timeZone
    let lease: Int
    switch network.policy {
    case .fixed, .cgn: lease = 0
    case .long:
      lease = (hour + Int(RandomSource.mix(seed &+ UInt64(site)) % UInt64(max(1, leaseHours)))) / max(1, leaseHours)
    case .weekly: lease = (local - 3 + site % 7 * 24) / 168
    case .daily: lease = (local - 4) / 24
    case .reconnect: lease = connections
    }
    let draw = RandomSource.mix(seed ^ UInt64(truncatingIfNeeded: lease &+ 1) &* 0x9e37_79b9_7f4a_7c15)
    let factor = 1 + draw % (pool - 1)
    let offset = RandomSource.mix(draw) % pool
    let place = (UInt64(site) % pool * factor + offset) % pool
    return IPAddress(v4: firstAddress &+ UInt32(truncatingIfNeeded: place))
  }

  private static func prime(from least: UInt64) -> UInt64 {
    var n = least | 1
    while true {
      var divisor: UInt64 = 3
      while divisor * divisor <= n, n % divisor != 0 { divisor += 2 }
      if divisor * divisor > n { return n }
      n += 2
    }
  }

  private static func power(_ base: Double, _ exponent: Double) -> Double {
    var result = 1.0
    var part = base
    var rest = exponent
    // Square roots only: the same bits on every machine.
    for _ in 0..<40 {
      part = part.squareRoot()
      rest *= 2
      if rest >= 1 {
        result *= part
        rest -= 1
      }
    }
    return result
  }
}
