import Testing

@testable import Mothlight

@Suite struct CommunityIDTests {
  /// Printed by tshark's communityid dissector for the published test conversations, both directions.
  @Test(arguments: [
    ("128.232.110.120", "66.35.250.204", 34855, 80, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("192.168.1.52", "8.8.8.8", 54585, 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (
      "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, 6, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="
    ),
  ])
  func equalsOtherTools(a: String, b: String, aPort: Int, bPort: Int, transport: Int, id: String) throws {
    let source = try #require(IPAddress(a))
    let destination = try #require(IPAddress(b))
    let proto = Transport(rawValue: UInt8(transport))
    #expect(CommunityID.v1(source, destination, UInt16(aPort), UInt16(bPort), proto) == id)
    #expect(CommunityID.v1(destination, source, UInt16(bPort), UInt16(aPort), proto) == id)
  }

  @Test func echoRequestAndReplyShareOne() throws {
    let a = try #require(IPAddress("192.168.0.89"))
    let b = try #require(IPAddress("192.168.0.1"))
    #expect(CommunityID.v1(a, b, 8, 0, .icmp) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")
    #expect(CommunityID.v1(b, a, 0, 0, .icmp) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")
  }
}
