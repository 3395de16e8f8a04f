import Testing

@testable import Mothlight

@Suite struct IPAddressTests {
  /// RFC 5952 section 4 and 5 examples, and plain IPv4.
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("::", "::"), ("::1", "::1"), ("FE80::1%eth0", "fe80::1"), ("::ffff:192.0.2.7", "192.0.2.7"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("2001:db8::", "2001:db8::"),
  ])
  func parsesAndPrints(text: String, canonical: String) {
    #expect(IPAddress(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4x", ":", ":::", "1::2::3",
    "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "g::1", "::1.2.3", "c.anything", "a.b.c.d", "2001:db8::1.2.3.4.5", "-",
  ])
  func refusesWhatIsNone(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test func classesFollowTheRegistries() {
    func check(_ text: String, _ property: (IPAddress) -> Bool) -> Bool { IPAddress(text).map(property) ?? false }
    for text in ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.4.5", "100.64.0.1", "fd00::1"] {
      #expect(check(text) { $0.isPrivate })
    }
    for text in ["11.0.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1"] {
      #expect(check(text) { !$0.isPrivate })
    }
    for text in ["224.0.0.1", "239.255.255.250", "ff02::fb"] {
      #expect(check(text) { $0.isMulticast && !$0.isUnicastHost })
    }
    for text in ["169.254.1.1", "fe80::1"] { #expect(check(text) { $0.isLinkLocal }) }
    for text in ["240.0.0.1", "250.1.2.3"] { #expect(check(text) { $0.isReserved }) }
    #expect(check("255.255.255.255") { !$0.isReserved && $0.isBroadcast })
  }

  @Test func prefixesContainWhatTheyShould() throws {
    let v4 = try #require(Prefix("147.32.0.0/16"))
    #expect(v4.contains(IPAddress(v4: 0x9320_5325)) && !v4.contains(IPAddress(v4: 0x9321_0000)))
    #expect(v4.description == "147.32.0.0/16")
    let all = try #require(Prefix("::/0"))
    #expect(all.contains(IPAddress(v4: 1)) && all.contains(IPAddress(high: .max, low: .max)))
    #expect(
      Prefix("10.0.0.0/33") == nil && Prefix("10.0.0.0/-1") == nil && Prefix("x/8") == nil
        && Prefix("10.0.0.0/8/8") == nil)
    #expect(Prefix("10.9.8.7/8")?.description == "10.0.0.0/8")
  }

  /// Property: any address survives its own text.
  @Test func textRoundTrips() {
    var random = SeededGenerator(3)
    for i in 0..<5000 {
      var address = IPAddress(high: random.next(), low: random.next())
      if i % 3 == 0 { address.high &= 0xffff_0000_0000_ffff }
      if i % 5 == 0 { address.low &= 0xffff }
      if i % 7 == 0 { address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next())) }
      #expect(IPAddress(address.description) == address)
    }
  }
}
