/// Counts different networks, as `IPAddress.network16` numbers them.
enum DistinctNetworks {
  /// - Complexity: O(n), a bit for each /16 of IPv4 and a set of the others.
  static func count(_ networks: some Sequence<UInt32>) -> Int {
    var bits = [UInt64](repeating: 0, count: 1024)
    var others: Set<UInt32> = []
    for network in networks {
      if network < 1 << 16 { bits[Int(network >> 6)] |= 1 << UInt64(network & 63) } else { others.insert(network) }
    }
    return bits.reduce(others.count) { $0 + $1.nonzeroBitCount }
  }
}
