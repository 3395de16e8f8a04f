/// Counts different networks, as `IPAddress.network16` numbers them.
enum DistinctNetworks {
  /// Below it a set costs less than clearing the bits.
  private static let worthBits = 256

  /// - Complexity: O(n): a set of few, else a bit for each /16 of IPv4 and a set of the others.
  static func count(_ networks: some Collection<UInt32>) -> Int {
    guard networks.count >= worthBits else { return Set(networks).count }
    var bits = [UInt64](repeating: 0, count: 1024)
    var others: Set<UInt32> = []
    for network in networks {
      if network < 1 << 16 { bits[Int(network >> 6)] |= 1 << UInt64(network & 63) } else { others.insert(network) }
    }
    return bits.reduce(others.count) { $0 + $1.nonzeroBitCount }
  }
}
