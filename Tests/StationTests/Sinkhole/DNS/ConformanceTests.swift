import Testing

@testable import MothlightStation

/// What a client may rely on, check by check: the list of ISC's DNS compliance testing and the RFCs named.
@Suite struct ConformanceTests {
  static let zone = "seized00.test"
  static let client: [UInt8] = Array(0..<8)

  struct Check: Sendable, CustomStringConvertible {
    var description: String
    var query: @Sendable () -> [UInt8]
    var holds: @Sendable (WireReply?) -> Bool
  }

  private static func check(
    _ words: String, _ query: @escaping @Sendable @autoclosure () -> WireQuery,
    _ holds: @escaping @Sendable (WireReply) -> Bool
  ) -> Check {
    Check(description: words, query: { query().octets }, holds: { $0.map(holds) ?? false })
  }

  private static func raw(
    _ words: String, _ query: @escaping @Sendable @autoclosure () -> [UInt8],
    _ holds: @escaping @Sendable (WireReply?) -> Bool
  ) -> Check {
    Check(description: words, query: query, holds: holds)
  }

  private static func soa(_ edns: UInt8? = nil, _ change: (inout WireQuery) -> Void = { _ in }) -> WireQuery {
    WireQuery(zone, 6, edns: edns).with(change)
  }

  static let edns: [Check] = [
    check("SOA without EDNS (RFC 1035)", soa()) { $0.code == 0 && $0.isAuthoritative && $0.opt == nil },
    check("EDNS 0 (RFC 6891)", soa(0)) { $0.code == 0 && $0.opt?.ttl == 0 && $0.answers.count == 1 },
    check("EDNS 1: BADVERS (RFC 6891 6.1.3)", soa(1)) {
      $0.code == 16 && $0.opt?.ttl == 0x0100_0000 && $0.answers.isEmpty
    },
    check("unknown option ignored (RFC 6891 6.1.2)", soa(0) { $0.options = [(100, [])] }) {
      $0.code == 0 && $0.option(100) == nil
    },
    check("EDNS 1 with an option", soa(1) { $0.options = [(100, [])] }) { $0.code == 16 && $0.option(100) == nil },
    check("unknown EDNS flag cleared", soa(0) { $0.ednsFlags = 0x40 }) { $0.code == 0 && $0.opt?.ttl == 0 },
    check("DO copied (RFC 3225)", soa(0) { $0.ednsFlags = 0x8000 }) { $0.opt?.ttl == 0x8000 },
    check("two OPT: FORMERR (RFC 6891 6.1.1)", soa(0) { $0.optCount = 2 }) { $0.code == 1 },
    check("payload below 512 is 512 (RFC 6891 6.2.5)", soa(0) { $0.payload = 100 }) { $0.code == 0 && !$0.isTruncated },
    check("NSID (RFC 5001)", soa(0) { $0.options = [(3, [])] }) { $0.option(3) == Array("ns1".utf8) },
    check("NSID only when asked", soa(0)) { $0.option(3) == nil },
    check("client cookie: both halves (RFC 7873, 9018)", soa(0) { $0.options = [(10, client)] }) {
      $0.code == 0 && $0.option(10)?.count == 24 && $0.option(10)?.starts(with: client) == true
    },
    check("cookie of 5 octets: FORMERR (RFC 7873 5.2.2)", soa(0) { $0.options = [(10, Array(client[..<5]))] }) {
      $0.code == 1
    },
    check("client subnet not given back (RFC 7871)", soa(0) { $0.options = [(8, [0, 1, 24, 0, 192, 0, 2])] }) {
      $0.code == 0 && $0.option(8) == nil
    },
    check(
      "client subnet with host bits: FORMERR (RFC 7871 7.1.2)", soa(0) { $0.options = [(8, [0, 1, 23, 0, 192, 0, 3])] }
    ) { $0.code == 1 },
    check(
      "cookie without a question (RFC 7873 5.4)",
      WireQuery([], 0, edns: 0).with {
        $0.questions = 0
        $0.options = [(10, client)]
      }
    ) { $0.code == 0 && $0.question == [] && $0.option(10)?.count == 24 },
  ]

  static let names: [Check] = [
    check("unknown type: NODATA (RFC 3597, 2308)", WireQuery(zone, 1000)) {
      $0.code == 0 && $0.answers.isEmpty && $0.hasSOA
    },
    check("MX: NODATA", WireQuery(zone, 15)) { $0.code == 0 && $0.answers.isEmpty && $0.hasSOA },
    check("DS: NODATA, so nothing is signed", WireQuery(zone, 43)) { $0.code == 0 && $0.answers.isEmpty && $0.hasSOA },
    check("wildcard (RFC 4592)", WireQuery("b.a." + zone, 1)) {
      $0.code == 0 && $0.answers.count == 1 && $0.answers[0].name == "b.a." + zone
        && $0.answers[0].content == [192, 0, 2, 80]
    },
    check("AAAA", WireQuery(zone, 28)) { $0.answers.count == 1 && $0.answers[0].content.count == 16 },
    check("NS at the apex", WireQuery(zone, 2, edns: 0)) {
      $0.answers.map(\.text) == ["ns1.sinkhole.test", "ns2.sinkhole.test"]
    },
    check("NS below the apex: NODATA", WireQuery("www." + zone, 2)) { $0.code == 0 && $0.answers.isEmpty && $0.hasSOA },
    check("SOA names", soa()) { $0.answers.map(\.text) == ["ns1.sinkhole.test hostmaster.sinkhole.test"] },
    check("outside: REFUSED, nothing else", WireQuery("x.not-ours.test", 1)) {
      $0.code == 5 && $0.answers.isEmpty && $0.authorities.isEmpty && !$0.isAuthoritative
    },
    check("root: REFUSED, no upward referral", WireQuery(".", 2)) { $0.code == 5 && $0.authorities.isEmpty },
    check("case kept (RFC 4343)", WireQuery("rAnDoM." + "SEIZED00.test", 1)) {
      $0.code == 0 && $0.question.starts(with: WireQuery.wire("rAnDoM.SEIZED00.test"))
    },
    check("ANY: one record (RFC 8482)", WireQuery(zone, 255, edns: 0)) { $0.answers.map(\.type) == [13] },
    check("class CH: REFUSED", WireQuery("version.bind", 16).with { $0.class = 3 }) { $0.code == 5 },
    check("class HS: REFUSED", soa { $0.class = 4 }) { $0.code == 5 },
    check("AXFR over UDP: REFUSED", WireQuery(zone, 252)) { $0.code == 5 && $0.answers.isEmpty },
    check("TSIG as a question: FORMERR", WireQuery(zone, 250)) { $0.code == 1 },
    check("MAILB: NOTIMP", WireQuery(zone, 253)) { $0.code == 4 },
    check("IXFR: REFUSED", WireQuery(zone, 251)) { $0.code == 5 && $0.answers.isEmpty },
  ]

  static let headers: [Check] = [
    check("RD copied, RA clear", soa { $0.flags = 0x100 }) { $0.flags & 0x180 == 0x100 },
    check("Z and AD cleared, CD copied (RFC 4035 3.1.6)", soa { $0.flags = 0x70 }) {
      $0.code == 0 && $0.flags & 0x70 == 0x10
    },
    check("opcode 15: NOTIMP, opcode kept", soa { $0.flags = 15 << 11 }) { $0.code == 4 && $0.flags >> 11 & 15 == 15 },
    check("STATUS: NOTIMP", soa { $0.flags = 2 << 11 }) { $0.code == 4 && $0.flags >> 11 & 15 == 2 },
    check("NOTIFY: REFUSED (RFC 1996)", soa { $0.flags = 4 << 11 | 0x400 }) { $0.code == 5 && $0.flags & 0x400 == 0 },
    check("UPDATE: REFUSED (RFC 2136)", soa { $0.flags = 5 << 11 }) { $0.code == 5 },
    raw("QR set: silence", soa { $0.flags = 0x8000 }.octets) { $0 == nil },
    check("two questions: FORMERR (RFC 9619)", soa { $0.questions = 2 }) { $0.code == 1 },
    raw("no question: FORMERR", Array(soa { $0.questions = 0 }.octets[..<12])) { $0?.code == 1 },
    raw("eight octets: silence", Array(soa().octets[..<8])) { $0 == nil },
    raw("cut question: FORMERR", Array(soa().octets[..<17])) { $0?.code == 1 && $0?.question == [] },
    check("name that points at itself: FORMERR", WireQuery([0xc0, 0x0c], 6)) { $0.code == 1 },
    check("label type 01: FORMERR", WireQuery([0x45] + [UInt8](repeating: 0x61, count: 69) + [0], 6)) { $0.code == 1 },
    check("name of 257 octets: FORMERR", WireQuery(long(4, 63), 6)) { $0.code == 1 },
    check(
      "name of 255 octets: read",
      WireQuery(Array(long(3, 63)[..<192]) + [61] + [UInt8](repeating: 0x61, count: 61) + [0], 6)
    ) {
      $0.code == 5
    },
    raw("octets after the end: FORMERR", soa().octets + Array("garbage!".utf8)) { $0?.code == 1 },
    raw("record in the answer section of a query: FORMERR", patched(7, 1)) { $0?.code == 1 },
  ]

  private static func long(_ labels: Int, _ length: Int) -> [UInt8] {
    (0..<labels).flatMap { _ in [UInt8(length)] + [UInt8](repeating: 0x61, count: length) } + [0]
  }

  private static func patched(_ at: Int, _ value: UInt8) -> [UInt8] {
    var octets = soa().octets
    octets[at] = value
    return octets
  }

  @Test(arguments: edns + names + headers)
  func replies(_ check: Check) throws {
    var sink = try Sink()
    let query = check.query()
    let octets = sink.octets(query)
    let reply = WireReply(octets)
    #expect(octets.isEmpty || reply != nil, "a reply that cannot be read")
    #expect(octets.isEmpty || octets[..<2] == query[..<2], "another id")
    #expect(check.holds(reply), "\(String(describing: reply))")
  }
}
