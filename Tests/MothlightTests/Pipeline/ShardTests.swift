import Testing

@testable import Mothlight

@Suite struct ShardTests {
  private static let home = Home(given: [Prefix(IPAddress(v4: 0x0a00_0000), length: 8)])
  private static let desktop = PipelineFixture.ours(5)
  private static let resolver = PipelineFixture.ours(1)
  private static let site = PipelineFixture.outside(9)

  private func shard(_ observations: [Observation]) -> Shard {
    var shard = Shard(home: Self.home, detectors: [])
    var batch = observations
    shard.process(&batch)
    shard.finish(isOneSided: false, served: shard.lookupsServedInside)
    return shard
  }

  private func lookup(
    from client: IPAddress, to server: IPAddress, port: UInt16 = 53, code: UInt16? = 0, anomalies: Anomalies = []
  ) -> Observation {
    let ends = Endpoints(client: client, server: server, clientPort: 40_000, serverPort: port, transport: .udp)
    let lookup = DNSLookup(
      ends: ends, name: "www.example.org", type: 1, responseCode: code, addresses: [Self.site], anomalies: anomalies)
    return Observation(time: Timestamp(seconds: 1_700_000_000), event: .dns(lookup))
  }

  @Test func anAnsweredQueryNamesItsAddresses() {
    let shard = shard([lookup(from: Self.desktop, to: PipelineFixture.outside(8))])
    #expect(shard.context.name(of: Self.site, knownTo: 0) == "www.example.org")
    #expect(shard.context.hosts.map(\.dnsLookups) == [1])
  }

  /// From outside, and from a neighbour: both can be forged by whoever reaches the host.
  @Test(arguments: [PipelineFixture.outside(8), PipelineFixture.ours(77)])
  func anAnswerNobodyAskedForNamesNothing(_ forger: IPAddress) {
    let speaks = lookup(from: Self.desktop, to: PipelineFixture.outside(7), code: nil)
    let shard = shard([speaks, lookup(from: Self.desktop, to: forger, anomalies: .unsolicitedAnswer)])
    #expect(shard.context.hosts.map(\.address) == [Self.desktop])
    #expect(shard.context.hosts.map(\.dnsLookups) == [1])
    #expect(shard.context.hosts.map(\.lookupsServed) == [0])
    #expect(shard.lookupsServedInside.isEmpty)
  }

  /// Each host once, however often it came back; and whoever is no peer of anybody's, not at all.
  @Test func usersOfAPeerAreCounted() {
    func flow(_ host: UInt32, _ peer: IPAddress, port: UInt16 = 443) -> Observation {
      let time = Timestamp(seconds: 1_700_000_000 + Int64(host))
      return Observation(
        time: time,
        event: .flow(
          Flow(
            source: PipelineFixture.ours(host), destination: peer, sourcePort: 40_000, destinationPort: port,
            transport: .tcp, first: time, last: time, sourcePackets: 3, destinationPackets: 3)))
    }
    let shard = shard([
      flow(5, Self.site), flow(6, Self.site), flow(6, Self.site, port: 80), flow(5, PipelineFixture.outside(10)),
      flow(5, Self.resolver),
    ])
    #expect(shard.users(of: Self.site) == 2)
    #expect(shard.users(of: PipelineFixture.outside(10)) == 1)
    #expect(shard.users(of: PipelineFixture.outside(11)) == 0)
    #expect(shard.users(of: Self.resolver) == 0, "a neighbour is no peer outside")
  }

  @Test func forgedAnswersMakeNoHosts() {
    let forged = (0..<50).map {
      lookup(from: PipelineFixture.ours(100 + $0), to: PipelineFixture.outside(8), anomalies: .unsolicitedAnswer)
    }
    #expect(shard(forged).context.hosts.isEmpty)
  }

  @Test func resolverInsideIsLearnt() {
    let own = lookup(from: Self.resolver, to: PipelineFixture.outside(8))
    let asked = (0..<60).map { _ in lookup(from: Self.desktop, to: Self.resolver) }
    let unanswered = (0..<60).map { _ in lookup(from: Self.desktop, to: PipelineFixture.ours(2), code: nil) }
    let neighbours = (0..<60).map { _ in lookup(from: Self.desktop, to: PipelineFixture.ours(3), port: 5355) }
    let shard = shard([own] + asked + unanswered + neighbours)
    #expect(shard.lookupsServedInside == [Self.resolver: 60])
    #expect(shard.context.hosts.first { $0.address == Self.resolver }?.lookupsServed == 60)
    #expect(shard.context.hosts.first { $0.address == Self.desktop }?.lookupsServed == 0)
  }

  @Test func serverForOutsidersIsLearntFromAnswersAlone() {
    let outsider = PipelineFixture.outside(30)
    let served = (0..<5).map { _ in lookup(from: outsider, to: Self.resolver) }
    let probed = (0..<5).map { _ in lookup(from: outsider, to: Self.resolver, code: nil) }
    #expect(shard(served + probed).context.hosts.map(\.lookupsServed) == [5])
  }
}
