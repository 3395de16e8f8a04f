import Mothlight

@testable import MothlightStation

private let zones = """
  orders:
    - authority: { order: a, issuer: b, date: 2026-01-01 }
      family: F
      start: 2026-01-01
      end: 2099-01-01
      zones: [ owned.test, deep.owned.test, "*.dga.test" ]
    - authority: { order: c, issuer: b, date: 2026-01-01 }
      family: G
      start: 2026-01-01
      end: 2099-01-01
      subdomains: false
      zones: [ bare.test ]
  """

private func settings() -> DNSSettings? {
  guard let server = try? DomainName("ns1.sink.test"), let mailbox = DomainName(mailbox: "abuse@sink.test") else {
    return nil
  }
  var settings = DNSSettings(
    listen: [], servers: [server], mailbox: mailbox, ownership: ["somebody", "abuse@sink.test"],
    addresses: SinkAddresses(ipv4: [IPAddress(v4: 0xc000_0201)], ipv6: []))
  settings.nsid = Array(repeating: 0x6e, count: DNSSettings.Bound.nsid)
  settings.limits.perSecond = 0
  return settings
}

/// One answerer for all inputs, as in a server. Over UDP nothing may come back three times as long.
nonisolated(unsafe) private let sink: UnsafeMutablePointer<DNSAnswerer> = {
  guard let settings = settings(), let file = try? ZoneFile.read(Array(zones.utf8), path: "zones") else {
    fatalError("the fixture of the fuzzer is broken")
  }
  let sink = UnsafeMutablePointer<DNSAnswerer>.allocate(capacity: 1)
  sink.initialize(
    to: DNSAnswerer(
      settings, zones: ServedZones(file, settings), secrets: .random(), second: 1_780_315_200, countRows: 1 << 10))
  return sink
}()

func fuzzSinkholeDNS(_ bytes: RawSpan) {
  let reply = UnsafeMutableRawBufferPointer.allocate(byteCount: DNSAnswerer.Bound.reply, alignment: 8)
  defer { reply.deallocate() }
  bytes.withUnsafeBytes { query in
    for transport: QueryContext.Transport in [.udp, .tcp] {
      let context = QueryContext(
        source: IPAddress(v4: 0xcb00_7105), transport: transport, second: 1_780_315_200, millisecond: 1)
      let length = sink.pointee.answer(query, context, into: reply)
      guard length > 0 else { continue }
      precondition(length <= reply.count && reply[2] & 0x80 != 0, "a reply says that it is one")
      precondition(transport == .tcp || length < 3 * query.count, "amplification")
    }
  }
}

func fuzzSinkholeFiles(_ bytes: RawSpan) {
  let octets = bytes.withUnsafeBytes { Array($0) }
  if let file = try? ZoneFile.read(octets, path: "fuzz"), let settings = settings() {
    // A list that is named could be any file of this machine.
    _ = try? Preflight(today: 20_000).check(file)
    _ = ServedZones(file, settings).nameCount
  }
  _ = try? SinkholeConfiguration.read(octets, path: "fuzz")
}

/// The rest is a reply to a question whose id it may choose.
func fuzzStubReply(_ bytes: RawSpan) {
  let reply = bytes.withUnsafeBytes { Array($0) }
  guard reply.count > 12 else { return }
  let question = reply[12...].prefix { $0 != 0 } + [0, 0, 2, 0, 1]
  _ = StubReply.read(reply, to: Array(reply[..<2]) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question)
}
