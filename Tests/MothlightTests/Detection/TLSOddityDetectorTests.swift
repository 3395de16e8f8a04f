import Testing

@testable import Mothlight

@Suite struct TLSOddityDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)
  static let server = IPAddress(v4: 0xc633_6401)

  private func hello(
    _ f: inout ObservationFixture, _ second: Double, _ server: IPAddress, _ name: String?, port: UInt16 = 443,
    ja4: String?, subject: String? = nil, issuer: String? = nil
  ) {
    let certificate = subject.map { TLSHandshake.Certificate(subject: $0, issuer: issuer ?? $0) }
    let event = TLSHandshake(
      ends: f.ends(Self.host, server, port: port), version: 0x0303, serverName: name, ja4: ja4,
      certificate: certificate)
    f.add(second, Self.host, .tls(event))
  }

  /// A browser's everyday TLS.
  private func everyday(_ f: inout ObservationFixture) {
    for n in 0..<20 {
      hello(&f, Double(n) * 60, IPAddress(v4: 0x2d00_0000 + UInt32(n)), "www.site\(n).example", ja4: "browser")
    }
  }

  @Test func fourKindsAreOverTheBar() throws {
    var f = ObservationFixture()
    everyday(&f)
    for n in 0..<12 { hello(&f, Double(n) * 300, Self.server, nil, port: 4449, ja4: "bot", subject: "CN=srv") }
    for size in [1, 512] {
      let found = try f.findings(TLSOddityDetector.self, batch: size)
      try #require(found.count == 1)
      #expect(found[0].logOdds >= Judge.bar)
      #expect(found[0].summary.contains("used toward no other server"))
    }
  }

  /// TLS 1.3 hides the certificate: three kinds are left, and they stay below.
  @Test func hiddenCertificateStaysBelow() throws {
    var f = ObservationFixture()
    everyday(&f)
    for n in 0..<12 { hello(&f, Double(n) * 300, Self.server, "198.51.100.1", port: 4449, ja4: "bot") }
    let odds = try f.findings(TLSOddityDetector.self).map(\.logOdds)
    #expect(odds.count == 1 && odds[0] > 0 && odds[0] < Judge.bar)
  }

  @Test func lookAlikesStayBelow() throws {
    var f = ObservationFixture()
    everyday(&f)
    for n in 0..<40 {
      // Tor, a camera's cloud, a browser on an appliance's page, a push service, a shuffled hello.
      hello(
        &f, Double(n) * 60, IPAddress(v4: 0xc633_6410), "www.uvtgqxnhz.com", port: 9001, ja4: "tor",
        subject: "CN=www.kdlzbhwq.net", issuer: "CN=www.r4vjsdqwm.com")
      hello(&f, Double(n) * 61, IPAddress(v4: 0xc633_6411), nil, port: 8443, ja4: "browser", subject: "CN=nas")
      hello(&f, Double(n) * 62, IPAddress(v4: 0xc633_6412), nil, port: 5223, ja4: "push")
      hello(&f, Double(n) * 63, IPAddress(v4: 0xc633_6413), "a.example", port: 4433, ja4: "shuffled\(n)")
    }
    #expect(try f.findings(TLSOddityDetector.self).allSatisfy { $0.logOdds < Judge.bar })
  }

  /// A camera speaks to its maker only: its one hello is not rare.
  @Test func singlePurposeMachineStaysBelow() throws {
    var f = ObservationFixture()
    for n in 0..<40 { hello(&f, Double(n) * 60, Self.server, nil, port: 32_100, ja4: "cam", subject: "CN=cam") }
    #expect(try f.findings(TLSOddityDetector.self).allSatisfy { $0.logOdds < Judge.bar })
  }

  @Test func oneOddityIsNothing() throws {
    var f = ObservationFixture()
    everyday(&f)
    hello(&f, 5, Self.server, nil, ja4: "browser")
    #expect(try f.findings(TLSOddityDetector.self).isEmpty)
  }
}
