import Testing

@testable import Mothlight

@Suite struct VisitorJudgementTests {
  @Test func signsBecomeLabels() {
    typealias Judge = VisitorJudgement
    #expect(Judge.label(for: []) == .none)
    #expect(Judge.label(for: [.referer, .askedForSite]) == .referer)
    #expect(Judge.label(for: [.hostingNetwork, .manyBotnets]) == .sandbox)
    #expect(Judge.label(for: [.crawlerAgent, .manyPorts]) == .scanner)
    #expect(Judge.label(for: [.researcherNetwork, .scannerAgent]) == .researcher)
    #expect(Judge.merged(.scanner, .siteAsker) == .scanner)
    #expect(Judge.visitor(.siteAsker, level: .recognised) == .scanner)
    #expect(Judge.visitor(.siteAsker, level: .repeated) == nil, "somebody else behind the address looked at the page")
    #expect(Judge.visitor(.scanner, level: .repeated) == .scanner)
    #expect(!Judge.isVictim(nil, level: .shaped) && Judge.isVictim(nil, level: .recognised))
  }

  @Test func wordsOfRequests() throws {
    func signs(_ target: String, _ fields: [String]) throws -> VisitorSigns {
      let view = try #require(RequestView(whole: SinkholeFixture.get(target, fields)))
      return VisitorWords.signs(view.exchange)
    }
    #expect(try signs("/robots.txt", []) == .askedForSite)
    #expect(try signs("/x", ["Referer: http://shop.example/"]) == .referer)
    #expect(try signs("/x", ["User-Agent: Mozilla/5.0 zgrab/0.x"]) == .scannerAgent)
    #expect(try signs("/x", ["User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1)"]) == .crawlerAgent)
    #expect(try signs("/x", ["User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"]) == [])
  }

  @Test func networksNest() throws {
    func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text)) }
    let networks = VisitorNetworks(
      scanners: [try prefix("198.51.100.0/26"), try prefix("2001:db8:5::/48")], researchers: [try prefix("192.0.2.7")],
      hosting: [try prefix("198.51.100.0/24")])
    #expect(networks.signs(of: v4("198.51.100.9")) == [.scannerNetwork, .hostingNetwork])
    #expect(networks.signs(of: v4("198.51.100.200")) == .hostingNetwork)
    #expect(networks.signs(of: v4("192.0.2.7")) == .researcherNetwork)
    #expect(networks.signs(of: v4("192.0.2.8")) == [])
    #expect(networks.signs(of: v4("2001:db8:5:1::1")) == .scannerNetwork)
  }

  @Test func manyPortsMakeAScanner() throws {
    let fixture = try SinkholeFixture()
    for port in 1...60 as ClosedRange<UInt16> { fixture.udp(v4("198.51.100.7"), [0], port: port &* 97) }
    for port in [3431, 3433, 3434, 3435, 3437, 5906, 5907] as [UInt16] { fixture.udp(v4("198.51.100.8"), port: port) }
    #expect(fixture.tally.flush())
    let rows = Dictionary(uniqueKeysWithValues: fixture.sink.sightings.map { ($0.source.v4 & 255, $0) })
    #expect(rows[7]?.visitor == .scanner)
    #expect(rows[8]?.visitor == nil, "the ports of one kit")
  }

  @Test func manyBotnetsWithinMinutesMakeASandbox() throws {
    let fixture = try SinkholeFixture()
    let families = ["Ramnit", "Sality", "Virut", "Necurs", "Conficker"]
    for (step, family) in families.enumerated() {
      fixture.at(Int64(step) * 60)
      fixture.tcp(v4("198.51.100.7"), [], family: family)
      fixture.at(Int64(step) * 60 + 1)
    }
    let slow = try SinkholeFixture()
    for (step, family) in families.enumerated() {
      slow.at(Int64(step) * 4000)
      slow.tcp(v4("198.51.100.7"), [], family: family)
    }
    #expect(fixture.tally.flush() && slow.tally.flush())
    #expect(fixture.sink.sightings.count == 5 && fixture.sink.sightings.allSatisfy { $0.visitor == .sandbox })
    #expect(slow.sink.sightings.allSatisfy { $0.visitor == nil })
  }

  /// Who calls by a name that no bot was given has guessed it or read it somewhere (R11).
  @Test func namesThatNoBotWasGivenLabelAScanner() throws {
    let networks = VisitorNetworks(unannounced: ["XQ7.seized.example."])
    let fixture = try SinkholeFixture(networks: networks, families: ["xq7.seized.example": "Sality"])
    let target = "/i/logo.gif?1a2b3c=-42&id=7"
    fixture.tcp(v4("198.51.100.1"), SinkholeFixture.get(target, host: "xq7.SEIZED.example:80"), family: "Sality")
    fixture.tcp(v4("198.51.100.2"), SinkholeFixture.get(target, host: "other.seized.example"), family: "Sality")
    #expect(fixture.tally.flush())
    let visitors = Dictionary(uniqueKeysWithValues: fixture.sink.sightings.map { ($0.source, $0.visitor) })
    #expect(visitors[v4("198.51.100.1")] == .scanner)
    #expect(visitors[v4("198.51.100.2")] == .some(nil))
  }
}
