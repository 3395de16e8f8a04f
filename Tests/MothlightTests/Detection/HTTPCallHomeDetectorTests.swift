import Testing

@testable import Mothlight

@Suite struct HTTPCallHomeDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)
  static let server = IPAddress(v4: 0xc633_6401)

  private func odds(_ fixture: ObservationFixture, batch: Int = 512) throws -> [Double] {
    try fixture.findings(HTTPCallHomeDetector.self, batch: batch).map(\.logOdds)
  }

  /// Easy: posts of one size without an agent to a bare address, sixteen in a day.
  @Test func postsToABareAddress() throws {
    var f = ObservationFixture()
    f.reading(Self.host)
    for n in 0..<16 {
      f.web(
        Double(n) * 5400, Self.host, Self.server, "198.51.100.1", "POST", "/c/\(n * 991)?t=\(n)", sent: 64, got: 2)
    }
    for size in [1, 5, 512] {
      let found = try f.findings(HTTPCallHomeDetector.self, batch: size)
      try #require(found.count == 1)
      #expect(found[0].logOdds >= Judge.bar)
      #expect(found[0].subject == "198.51.100.1 /c/#?t=*")
      #expect(found[0].measures.first { $0.name == "requests" }?.value == 16)
    }
  }

  /// Hard: a named server on an odd port, a browser's agent that is used nowhere else.
  @Test func namedServerOnAnOddPort() throws {
    var f = ObservationFixture()
    f.reading(Self.host)
    for n in 0..<30 {
      f.web(
        Double(n) * 600, Self.host, Self.server, "gate.example.net", "POST", "/in.php", port: 8899,
        agent: "Mozilla/4.0 (compatible; MSIE 6.0)", sent: UInt64(100 + n % 3), got: 4)
    }
    let odds = try odds(f)
    #expect(odds.count == 1 && odds[0] >= 2.5)
  }

  @Test func everydayMachineryStaysBelowTheBar() throws {
    var f = ObservationFixture()
    f.reading(Self.host)
    for n in 0..<200 {
      let t = Double(n) * 400
      // Anti-virus cloud, telemetry, certificate status, connectivity check, feed, tracker, radio, uptime check.
      f.web(t, Self.host, Self.server, "c.av.example", "POST", "/livegrid", sent: 300, got: 40)
      f.web(t + 1, Self.host, Self.server, "telemetry.os.example", "POST", "/v1/e", agent: "OS/1", sent: 900, got: 0)
      f.web(
        t + 2, Self.host, Self.server, "ca.example", "POST", "/", agent: ObservationFixture.browser, sent: 83,
        got: 471, type: "application/ocsp-response")
      f.web(t + 3, Self.host, Self.server, "connectivity-check.os.example", "GET", "/", got: 0, status: 204)
      f.web(t + 4, Self.host, Self.server, "blog.example", "GET", "/feed", agent: "Reader/2", got: 9000)
      f.web(
        t + 5, Self.host, Self.server, "203.0.113.9", "GET", "/announce?info_hash=x", port: 6969, agent: "Torrent/1",
        got: 90)
      f.web(
        t + 6, Self.host, Self.server, "203.0.113.8", "GET", "/s/\(n).ts", port: 8090, agent: "Player", got: 900_000)
      f.web(t + 7, Self.host, Self.server, "203.0.113.7", "GET", "/health", port: 9100, agent: "curl/8", got: 2)
    }
    let found = try f.findings(HTTPCallHomeDetector.self)
    #expect(found.allSatisfy { $0.logOdds < Judge.bar })
    #expect(found.filter { $0.subject.hasPrefix("ca.") || $0.subject.contains("announce") }.isEmpty)
  }

  @Test func readingPagesSaysNothing() throws {
    var f = ObservationFixture()
    f.reading(Self.host, sites: 60)
    #expect(try odds(f).isEmpty)
  }

  /// Without `Host` and without look-ups every server is nameless, so that says nothing.
  @Test func namelessnessNeedsVisibleLookups() throws {
    for lookups in [0, 20] {
      var f = ObservationFixture()
      f.reading(Self.host)
      for n in 0..<16 { f.web(Double(n) * 600, Self.host, Self.server, nil, "POST", "/x", sent: 64, got: 2) }
      f.context.hosts[0].dnsLookups = UInt32(lookups)
      let found = try f.findings(HTTPCallHomeDetector.self)
      #expect(found.map { $0.summary.contains("bare address") } == [lookups > 0])
    }
  }

  @Test func whatOthersAskOfUsIsNotOurs() throws {
    var f = ObservationFixture()
    for n in 0..<20 {
      f.web(Double(n) * 600, Self.host, Self.server, "10.0.0.11", "POST", "/x", sent: 9, got: 1, .inbound)
    }
    #expect(try odds(f).isEmpty)
  }
}

@Suite struct HTTPShapeTests {
  @Test(arguments: [
    ("/a/123/b", "/a/#/b"), ("/g.php?id=55&v=a%20b#x", "/g.php?id=*&v=*"), ("/u/deadbeef01", "/u/*"),
    ("http://c.example/p/7", "/p/#"), ("http://c.example", "/"), ("/v2/x86", "/v#/x#"),
  ]) func templates(_ target: String, _ template: String) {
    #expect(HTTPShape.template(target) == template)
  }

  @Test func longTargetsAreCut() {
    #expect(HTTPShape.template("/" + String(repeating: "a/", count: 2000)).utf8.count <= HTTPShape.templateOctets)
  }

  @Test func suffixes() {
    #expect(HTTPShape.suffix(of: "/a.b/x.MIPS?y=z.exe") == "mips")
    #expect(HTTPShape.suffix(of: "http://h.example") == "")
    #expect(HTTPShape.suffix(of: "/a.b/x") == "")
  }
}
