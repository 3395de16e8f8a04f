import Mothlight
import Testing

@testable import MothlightStation

@Suite struct DNSAnswererTests {
  @Test func deepestZoneAnswers() throws {
    var sink = try Sink()
    #expect(try sink.ask(WireQuery("a.deep.seized00.test", 15)).authorities.map(\.name) == ["deep.seized00.test"])
    #expect(try sink.ask(WireQuery("a.other.seized00.test", 15)).authorities.map(\.name) == ["seized00.test"])
    #expect(try sink.ask(WireQuery("deep.seized00.test", 6)).answers.map(\.name) == ["deep.seized00.test"])
  }

  /// `*.dga.test`: each name below is a zone, the parent is not ours.
  @Test func everyChildOfAParentIsAZone() throws {
    var sink = try Sink()
    #expect(try sink.ask(WireQuery("dga.test", 1)).code == 5)
    #expect(try sink.ask(WireQuery("qwzx.dga.test", 6)).answers.map(\.name) == ["qwzx.dga.test"])
    #expect(try sink.ask(WireQuery("www.qwzx.dga.test", 15)).authorities.map(\.name) == ["qwzx.dga.test"])
    #expect(try sink.ask(WireQuery("www.qwzx.dga.test", 1)).answers.count == 1)
  }

  @Test func withoutSubdomainsNamesBelowDoNotExist() throws {
    var sink = try Sink()
    let apex = try sink.ask(WireQuery("bare.test", 1))
    #expect(apex.answers.map(\.content) == [[192, 0, 2, 81]], "the order's own address")
    #expect(try sink.ask(WireQuery("bare.test", 28, edns: 0)).hasSOA, "no IPv6 of its own: no data")
    let below = try sink.ask(WireQuery("www.bare.test", 1, edns: 0))
    #expect(below.code == 3 && below.hasSOA && below.answers.isEmpty && below.isAuthoritative)
    #expect(sink.answerer.counters[.nxdomain] == 1)
  }

  @Test func nothingIsServedBeforeItsStartOrPastItsEnd() throws {
    var sink = try Sink()
    #expect(try sink.ask(WireQuery("ended.test", 1)).code == 5)
    // The end of 'bare.test' is a moment, that of 'seized00.test' the whole of a day.
    sink.context.second = 1_782_863_999
    #expect(try sink.ask(WireQuery("bare.test", 1)).code == 0)
    sink.context.second += 1
    #expect(try sink.ask(WireQuery("bare.test", 1)).code == 5)
    #expect(try sink.ask(WireQuery("seized00.test", 1)).code == 0)
    sink.context.second = Int64(CivilDate.daysSinceEpoch(year: 2027, month: 3, day: 2)) * 86_400 - 1
    #expect(try sink.ask(WireQuery("seized00.test", 1)).code == 0)
    sink.context.second += 1
    #expect(try sink.ask(WireQuery("seized00.test", 1)).code == 5)
    sink.context.second = Int64(CivilDate.daysSinceEpoch(year: 2026, month: 3, day: 1)) * 86_400
    #expect(try sink.ask(WireQuery("seized00.test", 1)).code == 5)
  }

  /// An order may be followed by its renewal, which names the same zones.
  @Test func renewalTakesOverAtItsStart() throws {
    let text = """
      orders:
        - authority: { order: "1", issuer: "Court", date: 2026-01-01 }
          family: First
          start: 2026-01-01
          end: 2026-06-30
          zones: [ a.test ]
        - authority: { order: "2", issuer: "Court", date: 2026-05-01 }
          family: Second
          start: 2026-07-01
          end: 2026-12-31
          addresses: { ipv4: [192.0.2.9] }
          zones: [ a.test ]
      """
    var sink = try Sink(zones: text)
    #expect(try sink.ask(WireQuery("a.test", 1)).answers.map(\.content) == [[192, 0, 2, 80]])
    #expect(sink.counts().map(\.family) == ["First"])
    sink.context.second = Int64(CivilDate.daysSinceEpoch(year: 2026, month: 7, day: 1)) * 86_400
    #expect(try sink.ask(WireQuery("a.test", 1)).answers.map(\.content) == [[192, 0, 2, 9]])
    #expect(sink.counts().map(\.family) == ["Second"])
  }

  @Test func ownershipIsToldAtTheApex() throws {
    var sink = try Sink { $0.ownership = ["Example CERT", "abuse@cert.example"] }
    sink.context.transport = .tcp
    let reply = try sink.ask(WireQuery("seized00.test", 16))
    #expect(
      reply.answers.map(\.content) == [
        [12] + Array("Example CERT".utf8) + [18] + Array("abuse@cert.example".utf8)
      ])
    #expect(try sink.ask(WireQuery("www.seized00.test", 16)).answers.isEmpty)
  }

  @Test func negativeTTLIsTheLesser() throws {
    var sink = try Sink {
      $0.ttlSeconds = 3600
      $0.negativeTTLSeconds = 60
    }
    let denied = try sink.ask(WireQuery("seized00.test", 15))
    #expect(denied.authorities.map(\.ttl) == [60])
    #expect(denied.authorities[0].content.suffix(4) == [0, 0, 0, 60])
    #expect(try sink.ask(WireQuery("seized00.test", 1)).answers.map(\.ttl) == [3600])
    // The newest order's start: the same on every server.
    let soa = try sink.ask(WireQuery("seized00.test", 6)).answers[0].content
    let serial = soa.suffix(20).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    #expect(serial == 2_026_030_201)
  }

  /// Names of servers that share nothing, everything, or their end with the question.
  @Test(arguments: ["ns.other.example", "ns1.seized00.test", "seized00.test", "ns.test"])
  func namesAreCompressedAndRight(_ server: String) throws {
    let (name, mailbox) = (try DomainName(server), try DomainName("abuse.cert.example"))
    var sink = try Sink {
      $0.servers = [name]
      $0.mailbox = mailbox
    }
    sink.context.transport = .tcp
    for asked in ["seized00.test", "x.y.seized00.test"] {
      let reply = try sink.ask(WireQuery(asked, 15))
      #expect(reply.authorities.map(\.text) == ["\(server) abuse.cert.example"])
      #expect(reply.authorities.map(\.name) == ["seized00.test"])
    }
    #expect(try sink.ask(WireQuery("seized00.test", 2)).answers.map(\.text) == [server])
  }

  @Test func whatDoesNotFitIsTruncated() throws {
    let servers = try (1...8).map { try DomainName("ns\($0).operator-of-a-sinkhole-\($0).example") }
    var sink = try Sink { $0.servers = servers }
    let udp = try sink.ask(WireQuery("seized00.test", 2))
    #expect(udp.isTruncated && udp.answers.isEmpty && udp.code == 0)
    #expect(sink.answerer.counters.truncated == 1)
    sink.context.transport = .tcp
    let tcp = try sink.ask(WireQuery("seized00.test", 2))
    #expect(!tcp.isTruncated && tcp.answers.map(\.text) == servers.map(\.description))
  }

  /// A valid cookie lifts the bound on amplification, up to the client's payload.
  @Test func cookiesProveTheAddress() throws {
    let servers = try (1...8).map { try DomainName("ns\($0).operator-of-a-sinkhole-\($0).example") }
    var sink = try Sink { $0.servers = servers }
    let client = [UInt8](0..<8)
    let query = WireQuery("seized00.test", 2, edns: 0).with { $0.options = [(10, client)] }
    let first = try sink.ask(query)
    #expect(first.isTruncated)
    let cookie = try #require(first.option(10))
    let second = try sink.ask(query.with { $0.options = [(10, cookie)] })
    #expect(!second.isTruncated && second.answers.count == 8 && second.option(10) == cookie)
    sink.context.source = IPAddress(v4: 0xcb00_7106)
    #expect(try sink.ask(query.with { $0.options = [(10, cookie)] }).isTruncated, "another address")
    sink.context.source = SinkFixture.source
    sink.context.second += 2000
    let renewed = try #require(try sink.ask(query.with { $0.options = [(10, cookie)] }).option(10))
    #expect(renewed != cookie && renewed.starts(with: client))
    #expect(sink.answerer.counters.cookiesValid == 2 && sink.answerer.counters.cookiesInvalid == 1)
    #expect(sink.answerer.counters.cookiesClientOnly == 1)
  }

  @Test func withoutCookiesNoneIsGiven() throws {
    var sink = try Sink { $0.usesCookies = false }
    let query = WireQuery("seized00.test", 1, edns: 0).with { $0.options = [(10, Array(0..<8))] }
    #expect(try sink.ask(query).option(10) == nil)
  }

  @Test func rateLimitSlipsAndDrops() throws {
    var sink = try Sink {
      $0.limits = .init(perSecond: 10, slip: 2)
    }
    var (sent, slipped, silent) = (0, 0, 0)
    for _ in 0..<100 {
      guard let reply = WireReply(sink.octets(WireQuery("seized00.test", 1).octets)) else {
        silent += 1
        continue
      }
      if reply.isTruncated { slipped += 1 } else { sent += 1 }
    }
    #expect((sent, slipped, silent) == (20, 40, 40))
    #expect(sink.answerer.counters[.rateLimitedTruncated] == 40 && sink.answerer.counters[.rateLimitedDropped] == 40)
    sink.context.transport = .tcp
    #expect(try !sink.ask(WireQuery("seized00.test", 1)).isTruncated, "TCP is never limited")
    sink.context.transport = .udp
    // Errors are dropped alone: nobody needs them over TCP.
    for _ in 0..<100 { _ = sink.octets(WireQuery("other.test", 1).octets) }
    #expect(sink.answerer.counters[.refused] == 20)
  }

  @Test func everyQueryEndsInOneOutcome() throws {
    var sink = try Sink { $0.limits = .init(perSecond: 3, slip: 2) }
    var generator = SplitMix(state: 3)
    for _ in 0..<3000 { _ = sink.octets(QueryMutations.next(&generator)) }
    let total = DNSCounters.Outcome.allCases.reduce(0) { $0 + sink.answerer.counters[$1] }
    #expect(total == 3000 && sink.answerer.counters.queriesUDP == 3000)
    let text = sink.answerer.counters.prometheusText
    #expect(text.contains("mothlight_dns_queries_total{transport=\"udp\"} 3000\n"))
    #expect(text.contains("# TYPE mothlight_dns_outcomes_total counter\n"))
    #expect(text.contains("outcome=\"rate_limited_dropped\"} \(sink.answerer.counters[.rateLimitedDropped])\n"))
  }

  /// R20: nothing in a reply is ours alone; HINFO's text is that of RFC 8482.
  @Test func nothingNamesTheSoftware() throws {
    var sink = try Sink()
    sink.context.transport = .tcp
    for type: UInt16 in [1, 2, 6, 16, 28, 255, 1000] {
      let octets = sink.octets(WireQuery("seized00.test", type, edns: 0).octets)
      #expect(!String(decoding: octets, as: UTF8.self).lowercased().contains("moth"))
    }
  }
}
