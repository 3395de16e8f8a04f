/// Dense numbers of addresses: a fingerprint table, with a dictionary for the addresses whose fingerprints collide.
struct AddressNumbers: Sendable {
  private var table = FingerprintTable<UInt32>(limit: Limits.hosts)
  private var addresses: [IPAddress] = []
  private var collided: [IPAddress: UInt32] = [:]

  @inline(__always)
  func known(_ address: IPAddress) -> UInt32? {
    guard let number = table.peek(address.mixed) else { return nil }
    return addresses[Int(number)] == address ? number : collided[address]
  }

  /// Gives `address` the next number.
  mutating func enter(_ address: IPAddress) {
    let number = UInt32(truncatingIfNeeded: addresses.count)
    addresses.append(address)
    if table.find(address.mixed, orInsert: number) != nil { collided[address] = number }
  }
}
