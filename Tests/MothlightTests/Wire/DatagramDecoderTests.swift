import Testing

@testable import Mothlight

@Suite struct DatagramDecoderTests {
  private let ends = WireFixture.ends(53, .udp)

  private func feed(
    _ decoder: inout DatagramDecoder, _ bytes: [UInt8], _ ends: Endpoints, fromClient: Bool = true,
    at second: Int64 = 0,
    _ out: inout [Observation]
  ) -> Service {
    decoder.decode(bytes.span.bytes, ends: ends, fromClient: fromClient, at: WireFixture.at(second), into: &out)
  }

  @Test func pairsQueryWithAnswer() throws {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    #expect(feed(&decoder, WireFixture.query(id: 9, "Evil.Example"), ends, &out) == .dns)
    #expect(out.isEmpty)
    let answer = WireFixture.answer(id: 9, "eVIL.example", records: [(1, 30, [192, 0, 2, 1])])
    #expect(feed(&decoder, answer, ends, fromClient: false, at: 1, &out) == .dns)
    decoder.finish(into: &out)
    #expect(out.count == 1)
    let lookup = try #require(out.first?.dns)
    #expect(lookup.name == "evil.example")
    #expect(lookup.responseCode == DNSLookup.noError)
    #expect(lookup.addresses.map(\.description) == ["192.0.2.1"])
    #expect(lookup.responseOctets == UInt32(answer.count))
    #expect(lookup.ends == ends)
    #expect(out.first?.time == WireFixture.at(0))
  }

  @Test func answerAloneIsTold() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    // The capture began with the answer, so the flow's initiator is the server.
    let answer = WireFixture.answer(id: 9, "x.y", code: 3)
    #expect(feed(&decoder, answer, ends.turned, &out) == .dns)
    #expect(out.first?.dns?.responseCode == DNSLookup.nxDomain)
    #expect(out.first?.dns?.ends == ends)
    #expect(out.first?.dns?.anomalies == .unsolicitedAnswer)
  }

  @Test func foreignAnswerDoesNotPair() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    _ = feed(&decoder, WireFixture.query(id: 9, "x.y"), ends, &out)
    _ = feed(&decoder, WireFixture.answer(id: 9, "other.y"), ends, fromClient: false, &out)
    _ = feed(&decoder, WireFixture.answer(id: 8, "x.y"), ends, fromClient: false, &out)
    decoder.finish(into: &out)
    #expect(out.compactMap(\.dns).map(\.responseCode) == [0, 0, nil])
    #expect(out.compactMap(\.dns).map { $0.anomalies.contains(.unsolicitedAnswer) } == [true, true, false])
  }

  @Test func repeatsAreOneLookup() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    for second in [0, 1, 2] { _ = feed(&decoder, WireFixture.query(id: 9, "x.y"), ends, at: Int64(second), &out) }
    for _ in 0..<3 { _ = feed(&decoder, WireFixture.answer(id: 9, "x.y"), ends, fromClient: false, at: 3, &out) }
    decoder.finish(into: &out)
    #expect(out.count == 1)
  }

  @Test func unansweredIsToldAfterTenSeconds() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    _ = feed(&decoder, WireFixture.query(id: 9, "x.y"), ends, &out)
    decoder.expire(before: WireFixture.at(10), into: &out)
    #expect(out.isEmpty)
    decoder.expire(before: WireFixture.at(11), into: &out)
    #expect(out.count == 1)
    #expect(out.first?.dns?.responseCode == nil)
    decoder.finish(into: &out)
    #expect(out.count == 1)
  }

  @Test func oldestGoesFirstWhenFull() throws {
    var lookups = OpenLookups(limit: 3)
    var out: [Observation] = []
    for id in 0..<5 {
      let message = try DNSMessage(WireFixture.query(id: id, "n\(id).x").span.bytes)
      lookups.take(message, ends: ends, octets: 0, anomalies: [], at: WireFixture.at(0), into: &out)
    }
    #expect(lookups.count == 3)
    #expect(out.compactMap(\.dns).map(\.name) == ["n0.x", "n1.x"])
    lookups.finish(into: &out)
    #expect(out.compactMap(\.dns).map(\.name) == (0..<5).map { "n\($0).x" })
    #expect(lookups.count == 0)
  }

  @Test func manyTransactionsKeepTheTableSmall() throws {
    var lookups = OpenLookups(limit: 100)
    var out: [Observation] = []
    for id in 0..<20_000 {
      let query = try DNSMessage(WireFixture.query(id: id & 0xffff, "a.x").span.bytes)
      let answer = try DNSMessage(WireFixture.answer(id: id & 0xffff, "a.x").span.bytes)
      lookups.take(query, ends: ends, octets: 0, anomalies: [], at: WireFixture.at(Int64(id)), into: &out)
      lookups.take(answer, ends: ends, octets: 0, anomalies: [], at: WireFixture.at(Int64(id)), into: &out)
    }
    #expect(out.count == 20_000)
    #expect(lookups.count == 0)
  }

  @Test func oddPortIsMarkedWhenConvincing() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    let odd = WireFixture.ends(5300, .udp)
    #expect(feed(&decoder, WireFixture.query(id: 9, "x.example"), odd, &out) == .dns)
    #expect(feed(&decoder, WireFixture.query(id: 9, "x.example") + [1], odd, &out) == .unknown)
    decoder.finish(into: &out)
    #expect(out.compactMap(\.dns).map(\.anomalies) == [.protocolOnOddPort])
  }

  @Test(arguments: [UInt16(5353), 5355, 137]) func localNamesGiveNoLookups(_ port: UInt16) {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    #expect(feed(&decoder, WireFixture.query(id: 0, "printer.local"), WireFixture.ends(port, .udp), &out) == .dns)
    decoder.finish(into: &out)
    #expect(out.isEmpty)
  }

  @Test func namesOtherServices() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    #expect(feed(&decoder, [0x23] + [UInt8](repeating: 0, count: 47), WireFixture.ends(123, .udp), &out) == .ntp)
    let dhcp = [1] + [UInt8](repeating: 0, count: 235) + [0x63, 0x82, 0x53, 0x63, 255]
    #expect(feed(&decoder, dhcp, WireFixture.ends(67, .udp, clientPort: 68), &out) == .dhcp)
    #expect(feed(&decoder, Array("d1:ad2:id20:".utf8), WireFixture.ends(6881, .udp), &out) == .bittorrent)
    #expect(feed(&decoder, [1, 2, 3, 4], WireFixture.ends(9, .udp), &out) == .unknown)
    #expect(feed(&decoder, [], WireFixture.ends(53, .udp), &out) == .unknown)
    #expect(out.isEmpty)
  }

  @Test func ruleMatchesAreTold() {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    let port = WireFixture.ends(3431, .udp)
    #expect(feed(&decoder, WireFixture.hex("610102988988cb"), port, &out) == .unknown)
    #expect(feed(&decoder, WireFixture.hex("800102"), port, fromClient: false, &out) == .unknown)
    #expect(out.compactMap(\.rule) == ["bfbot-join", "bfbot-keepalive-ack"])
  }

  @Test func damageNeverTraps() throws {
    var random = WireFixture.Random(state: 3)
    let seeds = [
      WireFixture.answer(id: 1, "ab.cd", records: [(5, 1, [1, 0x7a, 0xc0, 0x0c]), (16, 1, [2, 1, 2])]),
      WireFixture.query(id: 1, "ab.cd"), try QUICTests.seal([1], padTo: 60),
    ]
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    for round in 0..<6000 {
      var bytes = seeds[round % seeds.count]
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
      let ports: [UInt16] = [53, 443, 5300, 5353]
      let port = ports[Int.random(in: 0..<4, using: &random)]
      let ends = WireFixture.ends(port, .udp, clientPort: UInt16.random(in: 1024...2000, using: &random))
      _ = feed(&decoder, bytes, ends, fromClient: Bool.random(using: &random), at: Int64(round), &out)
    }
    decoder.finish(into: &out)
    #expect(out.count <= 6000)
  }
}
