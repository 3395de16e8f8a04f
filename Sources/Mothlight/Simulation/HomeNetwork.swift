/// The simulated home prefix: who has which address, and where a name outside lives.
struct HomeNetwork: Sendable {
  let prefix: Prefix
  let gateway: IPAddress
  let machines: [IPAddress]

  init(_ text: String, machines count: Int) throws(SimulationError) {
    guard let prefix = Prefix(text), prefix.address.isV4, prefix.address.isPrivate, text.contains("/") else {
      throw SimulationError(.invalidScenario, "home: '\(text)' is not a private IPv4 prefix such as 192.168.10.0/24")
    }
    self.prefix = prefix
    let hostBits = 128 - prefix.bits
    let size = hostBits >= 2 && hostBits <= 24 ? 1 << hostBits : 0
    let base = prefix.address.v4
    gateway = IPAddress(v4: base &+ 1)
    var addresses: [IPAddress] = []
    var next = 10
    // .255 and .0 of any /24 are left out: much software takes them for broadcast whatever the mask.
    while addresses.count < count, next < size - 1 {
      let address = IPAddress(v4: base &+ UInt32(next))
      if address.v4 & 0xff != 0, address.v4 & 0xff != 255 { addresses.append(address) }
      next += 1
    }
    guard addresses.count == count else {
      throw SimulationError(.invalidScenario, "home: \(text) has no room for \(count) machines beside the gateway")
    }
    machines = addresses
  }
}

/// Addresses outside. Named servers live in the benchmarking range 198.18.0.0/15 (RFC 2544, RFC 6890), so that no file
/// accuses a real server; random strangers (scan targets, peers) are any unicast address, as a worm would choose them.
enum Outside {
  /// The same name has the same addresses in every run and for every machine.
  static func addresses(of name: String, count: Int = 1) -> [IPAddress] {
    let first = hash(name)
    return (0..<max(1, count)).map { index in
      let bits = UInt32(truncatingIfNeeded: RandomSource.mix(first &+ UInt64(index)))
      // The lowest octet keeps to 1…254.
      let octet = 1 + (bits & 0xff) % 254
      return IPAddress(v4: 0xc612_0000 | (bits & 0x1_ff00) | octet)
    }
  }

  static func stranger(_ random: inout RandomSource) -> IPAddress {
    for _ in 0..<64 {
      let address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next() >> 32))
      let first = address.v4 >> 24
      if first >= 1, first < 224, first != 127, !address.isPrivate, !address.isLinkLocal, address.v4 & 0xff != 0,
        address.v4 & 0xff != 255, address.v4 >> 17 != 0xc612 >> 1
      {
        return address
      }
    }
    return IPAddress(v4: 0xcb00_7101)
  }

  /// Seconds there and back, fixed per address: 8 to 120 ms.
  static func roundTrip(to address: IPAddress) -> Double {
    0.008 + Double(address.mixed & 0xffff) / 65536 * 0.112
  }

  /// FNV-1a over the name's bytes.
  static func hash(_ text: String) -> UInt64 {
    var h: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { h = (h ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return RandomSource.mix(h)
  }
}
