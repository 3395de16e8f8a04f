import Testing

@testable import Mothlight

@Suite struct HomeTests {
  private func learn(_ pairs: [(String, String)]) throws -> Home {
    var learner = HomeLearner()
    for (source, destination) in pairs {
      let flow = Flow(
        source: try #require(IPAddress(source)), destination: try #require(IPAddress(destination)), sourcePort: 40_000,
        destinationPort: 80, transport: .tcp, first: Timestamp(seconds: 1), last: Timestamp(seconds: 2))
      learner.observe(Observation(time: flow.first, event: .flow(flow)))
    }
    return learner.learn()
  }

  @Test func privateSpaceIsHome() throws {
    let home = try learn((0..<50).map { ("192.168.1.5", "45.0.0.\($0)") })
    #expect(home.contains(IPAddress(v4: 0xc0a8_0105)) && !home.contains(IPAddress(v4: 0x2d00_0001)))
  }

  @Test func aCampusIsLearnedFromItsTraffic() throws {
    let home = try learn(
      (0..<200).map { i in i % 2 == 0 ? ("147.32.\(i).7", "45.\(i).0.1") : ("60.\(i).1.1", "147.32.\(i % 60).9") })
    #expect(home.prefixes.map(\.description) == ["147.32.0.0/16"])
    #expect(!home.contains(IPAddress(v4: 0x2d00_0001)))
  }

  @Test func aVictimOfManyAttackersIsHomeNotTheAttackers() throws {
    let home = try learn((0..<300).map { ("\(20 + $0 % 100).\($0 % 250).3.4", "147.32.81.167") })
    #expect(home.prefixes.map(\.description) == ["147.32.81.0/24"])
  }

  @Test func theOperatorsWordCountsAlone() throws {
    let home = Home(given: [try #require(Prefix("203.0.113.0/24"))])
    let ours = try #require(IPAddress("203.0.113.9"))
    let other = try #require(IPAddress("192.168.1.1"))
    #expect(home.contains(ours) && !home.contains(other))
  }

  @Test func orientationFollowsTheEnds() throws {
    let home = try learn([("192.168.1.5", "45.0.0.1")])
    let us = try #require(IPAddress("192.168.1.5"))
    let other = try #require(IPAddress("192.168.1.6"))
    let them = try #require(IPAddress("45.0.0.1"))
    let group = try #require(IPAddress("239.255.255.250"))
    #expect(home.orient(us, them) == (.outbound, false))
    #expect(home.orient(them, us) == (.inbound, true))
    #expect(home.orient(us, other) == (.inside, false))
    #expect(home.orient(us, group) == (.foreign, false))
    #expect(home.orient(them, group) == (.foreign, false))
  }
}
