import Testing

@testable import Mothlight

@Suite struct CryptoPAnTests {
  /// Key and IPv4 pairs of the authors' sample; IPv6 pairs of yacryptopan 1.0.2.
  private static let key: [UInt8] = [
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87,
    76, 45, 42, 132, 34, 2,
  ]

  @Test(arguments: [
    ("128.11.68.132", "135.242.180.132"), ("129.118.74.4", "134.136.186.123"), ("130.132.252.244", "133.68.164.234"),
    ("141.223.7.43", "141.167.8.160"), ("152.163.225.39", "151.140.114.167"), ("192.102.249.13", "252.138.62.131"),
    ("198.51.77.238", "249.18.186.254"), ("63.195.241.44", "95.179.238.44"), ("64.39.15.238", "0.219.7.41"),
    ("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"), ("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"),
  ])
  func publishedVectors(_ plain: String, _ wanted: String) throws {
    let pan = try CryptoPAn(key: Self.key)
    let address = try #require(IPAddress(plain))
    #expect(pan.anonymised(address) == IPAddress(wanted))
  }

  @Test func commonPrefixesKeepTheirExactLength() throws {
    let pan = try CryptoPAn(key: Self.key)
    var random = RandomSource(seed: 7)
    for _ in 0..<150 {
      let a = UInt32(truncatingIfNeeded: random.next())
      let b = a ^ (UInt32(1) << UInt32(random.int(below: 32)))
      let (x, y) = (pan.anonymised(IPAddress(v4: a)).v4, pan.anonymised(IPAddress(v4: b)).v4)
      #expect((a ^ b).leadingZeroBitCount == (x ^ y).leadingZeroBitCount)
    }
    let six = try #require(IPAddress("2001:db8:1:2::3"))
    let near = IPAddress(high: six.high, low: six.low ^ (1 << 40))
    let (x, y) = (pan.anonymised(six), pan.anonymised(near))
    #expect(x.high == y.high && (x.low ^ y.low).leadingZeroBitCount == 23)
  }

  @Test func aPrefixHoldsWhatItsAddressesBecome() throws {
    let pan = try CryptoPAn(key: Self.key)
    let prefix = try #require(Prefix("147.32.84.0/22"))
    let new = pan.anonymised(prefix)
    for host: UInt32 in [0, 1, 77, 1023] {
      #expect(new.contains(pan.anonymised(IPAddress(v4: prefix.address.v4 + host))))
    }
    #expect(!new.contains(pan.anonymised(IPAddress(v4: prefix.address.v4 + 1024))))
  }

  @Test func aShortKeyIsRefused() {
    #expect(throws: ConfigurationError.self) { try CryptoPAn(key: [UInt8](repeating: 1, count: 31)) }
  }
}
