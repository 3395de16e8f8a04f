import Glibc
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct DelegationProbeTests {
  private func probe(_ replies: [UInt16: StubReply]) throws -> [String] {
    let servers = [try DomainName("ns1.sink.example"), try DomainName("ns2.sink.example")]
    let own = SinkAddresses(ipv4: [IPAddress(v4: 0xc000_0250)], ipv6: [])
    let probe = DelegationProbe(servers: servers, addresses: own) { _, type in replies[type] }
    return probe.check(try DomainName("a.test"), path: "z.yaml", line: 2).map(\.description)
  }

  private var delegated: StubReply {
    get throws {
      StubReply(
        code: 0, isTruncated: false, servers: [try DomainName("ns2.sink.example"), try DomainName("ns1.sink.example")])
    }
  }

  private func leads(to address: UInt32) -> StubReply {
    StubReply(code: 0, isTruncated: false, addresses: [IPAddress(v4: address)])
  }

  @Test func readyZone() throws {
    #expect(try probe([2: delegated, 1: leads(to: 0xc000_0250)]) == [])
  }

  @Test func whatStandsInTheWay() throws {
    #expect(try probe([:]) == ["error: z.yaml:2: 'a.test' could not be looked up: the resolver gave no answer"])
    #expect(
      try probe([2: StubReply(code: 3, isTruncated: false)]) == [
        "error: z.yaml:2: 'a.test' does not exist (NXDOMAIN): it is not delegated to anybody"
      ])
    #expect(
      try probe([2: StubReply(code: 0, isTruncated: false)]) == [
        "error: z.yaml:2: 'a.test' is no zone: it has no name servers of its own"
      ])
    #expect(
      try probe([2: StubReply(code: 2, isTruncated: false)]).first?.hasSuffix("gave code 2 for its name servers")
        == true)
    let signed = StubReply(code: 0, isTruncated: false, signers: 2)
    #expect(try probe([2: delegated, 43: signed]).first?.contains("still has 2 DS records") == true)
    #expect(
      try probe([2: delegated, 1: leads(to: 1)]) == [
        "error: z.yaml:2: 'a.test' leads to 0.0.0.1, which is not the sinkhole"
      ])
    let foreign = StubReply(code: 0, isTruncated: false, servers: [try DomainName("ns.host.example")])
    #expect(
      try probe([2: foreign, 1: leads(to: 0x0102_0304)]) == [
        "error: z.yaml:2: 'a.test' is delegated to ns.host.example, not to ns1.sink.example, ns2.sink.example",
        "warning: z.yaml:2: 'a.test' leads to 1.2.3.4 now: look whether innocents use it",
      ])
  }

  /// Our own server stands in for the resolver: over UDP, and over TCP when a reply is cut.
  @Test func asksOverLoopback() throws {
    let servers = try (1...8).map { try DomainName("ns\($0).operator-of-a-sinkhole-\($0).example") }
    let running = try RunningServer { $0.servers = servers }
    let stub = StubResolver(running.address)
    let name = try DomainName("seized00.test")
    #expect(stub.ask(name, 1)?.addresses == [IPAddress(v4: 0xc000_0250)])
    #expect(stub.ask(name, 28)?.addresses == [IPAddress(high: 0x2001_0db8_0000_0000, low: 0x80)])
    #expect(stub.ask(name, 2).map { Set($0.servers) } == Set(servers), "too long for UDP")
    #expect(stub.ask(try DomainName("other.test"), 1)?.code == 5)
    let addresses = SinkAddresses(
      ipv4: [IPAddress(v4: 0xc000_0250)], ipv6: [IPAddress(high: 0x2001_0db8_0000_0000, low: 0x80)])
    let probe = DelegationProbe(stub, servers: servers, addresses: addresses)
    #expect(probe.check(name, path: "z.yaml", line: 2) == [])
    _ = running.stop()
    #expect(running.server.counters.queriesTCP >= 2)
  }

  @Test func silenceIsNoAnswer() throws {
    let running = try RunningServer()
    let address = running.address
    _ = running.stop()
    let stub = StubResolver(address, waitMilliseconds: 50)
    #expect(stub.ask(try DomainName("seized00.test"), 1) == nil)
  }

  /// Replies that fit no question, or are damaged, are none.
  @Test func damagedRepliesAreNone() throws {
    let query = WireQuery("seized00.test", 2).octets
    var sink = try Sink()
    sink.context.transport = .tcp
    let reply = sink.octets(query)
    #expect(StubReply.read(reply, to: query)?.servers.count == 2)
    #expect(StubReply.read(query, to: query) == nil, "a question is no reply")
    #expect(StubReply.read(reply, to: WireQuery("seized01.test", 2).octets) == nil)
    #expect(StubReply.read(reply, to: WireQuery("seized00.test", 2).with { $0.id = 9 }.octets) == nil)
    for length in 0..<reply.count { #expect(StubReply.read(Array(reply[..<length]), to: query) == nil) }
    var generator = SplitMix(state: 5)
    for _ in 0..<20_000 {
      var damaged = reply
      for _ in 0..<4 {
        damaged[Int.random(in: query.count..<reply.count, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      let read = StubReply.read(damaged, to: query)
      #expect((read?.servers.count ?? 0) <= 2)
    }
  }
}
