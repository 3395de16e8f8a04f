import Mothlight
import Testing

@testable import MothlightStation

/// A sinkhole of a few zones, whose clock the test turns.
enum SinkFixture {
  /// 2026-06-01T12:00:00Z: within the orders below.
  static let second: Int64 = 1_780_315_200

  static let zonesText = """
    orders:
      - authority: { order: "2 BvR 1/26", issuer: "Amtsgericht Example", date: 2026-03-01 }
        family: Mariposa
        start: 2026-03-02
        end: 2027-03-01
        zones: [ "seized00.test", "deep.seized00.test", "*.dga.test" ]
      - authority: { order: "7 Gs 4/26", issuer: "Amtsgericht Example", date: 2026-03-01 }
        family: Palevo
        start: 2026-03-02
        end: 2026-07-01T00:00:00Z
        subdomains: false
        addresses: { ipv4: [192.0.2.81] }
        zones: [ "bare.test" ]
      - authority: { order: "old", issuer: "Amtsgericht Example", date: 2025-03-01 }
        family: Old
        start: 2025-03-02
        end: 2026-03-01
        zones: [ "ended.test" ]
    """

  static func settings(_ change: (inout DNSSettings) -> Void = { _ in }) throws -> DNSSettings {
    let ipv4 = try #require(IPAddress("192.0.2.80"))
    let ipv6 = try #require(IPAddress("2001:db8::80"))
    let loopback = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: 0)
    var settings = DNSSettings(
      listen: [loopback], servers: [try DomainName("ns1.sinkhole.test"), try DomainName("ns2.sinkhole.test")],
      mailbox: try #require(DomainName(mailbox: "hostmaster@sinkhole.test")),
      ownership: ["sinkholed domain", "abuse@sinkhole.test"], addresses: SinkAddresses(ipv4: [ipv4], ipv6: [ipv6]))
    settings.limits.perSecond = 0
    settings.nsid = Array("ns1".utf8)
    change(&settings)
    return settings
  }

  static func zones(_ text: String = zonesText, _ settings: DNSSettings) throws -> ServedZones {
    let file = try ZoneFile.read(Array(text.utf8), path: "zones.yaml")
    #expect(file.problems == [])
    return ServedZones(file, settings)
  }

  static let source = IPAddress(v4: 0xcb00_7105)
}

/// An answerer with a clock and a source of its own.
struct Sink: ~Copyable {
  var answerer: DNSAnswerer
  var context = QueryContext(
    source: SinkFixture.source, transport: .udp, second: SinkFixture.second, millisecond: 1_000_000)

  init(zones text: String = SinkFixture.zonesText, _ change: (inout DNSSettings) -> Void = { _ in }) throws {
    let settings = try SinkFixture.settings(change)
    answerer = DNSAnswerer(
      settings, zones: try SinkFixture.zones(text, settings), secrets: .random(), second: context.second,
      countRows: 1 << 12, seed: 7)
  }

  /// The octets of the reply; empty for none.
  mutating func octets(_ query: [UInt8]) -> [UInt8] {
    let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: DNSAnswerer.Bound.reply, alignment: 8)
    defer { reply.deallocate() }
    // A copy of exact size, so that reading past its end is found by a sanitiser.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: query.count, alignment: 1)
    copy.copyBytes(from: query)
    defer { copy.deallocate() }
    let length = answerer.answer(UnsafeRawBufferPointer(copy), context, into: reply)
    return Array(reply[..<length])
  }

  mutating func ask(_ query: WireQuery) throws -> WireReply {
    try #require(WireReply(octets(query.octets)), "no reply, or one that cannot be read")
  }

  mutating func counts() -> [QueryCount] {
    var rows: [QueryCount] = []
    answerer.takeCounts(second: context.second).visit { rows.append($0) }
    return rows
  }
}
