import Mothlight

/// A reply in the making: the question as it came, then records, then OPT; cut to the question when it grows too long.
struct ReplyDraft {
  let query: DNSQuery
  private(set) var outcome: DNSCounters.Outcome = .answer
  /// Over TCP, or with a cookie that only this address can have.
  let isProven: Bool
  private(set) var isTruncated = false

  private let octets: UnsafeRawBufferPointer
  private let context: QueryContext
  private let settings: DNSSettings
  private let cookie: CookieSecrets.Check?
  private var writer: ReplyWriter
  private let optOctets: Int
  private var code: UInt16 = 0
  private var isAuthoritative = false
  private var answers: UInt16 = 0
  private var authorities: UInt16 = 0

  init(
    _ octets: UnsafeRawBufferPointer, _ query: DNSQuery, _ context: QueryContext, _ settings: DNSSettings,
    _ cookie: CookieSecrets.Check?, _ out: UnsafeMutableRawPointer
  ) {
    self.octets = octets
    self.query = query
    self.context = context
    self.settings = settings
    self.cookie = cookie
    isProven = context.transport == .tcp || cookie == .valid || cookie == .ageing
    var opt = 0
    if query.hasOPT {
      opt = 11
      if cookie != nil { opt &+= 12 &+ CookieSecrets.octets }
      if query.wantsNSID, !settings.nsid.isEmpty { opt &+= 4 &+ settings.nsid.count }
    }
    optOctets = opt
    let limit = Self.limit(octets.count, query, context, settings, isProven: isProven)
    writer = ReplyWriter(out, at: 12, limit: max(12, limit &- opt))
    if query.questionEnd > 12, let base = octets.baseAddress { writer.octets(base + 12, query.questionEnd &- 12) }
  }

  /// Octets that the whole reply may have.
  private static func limit(
    _ count: Int, _ query: DNSQuery, _ context: QueryContext, _ settings: DNSSettings, isProven: Bool
  ) -> Int {
    guard context.transport == .udp else { return DNSAnswerer.Bound.reply }
    let plain = DNSAnswerer.Bound.plainPayload
    let payload = query.hasOPT ? min(settings.udpPayload, max(plain, Int(query.payload))) : plain
    return isProven ? payload : min(payload, DNSAnswerer.Bound.amplification &* count &- 1)
  }

  /// A reply without records.
  mutating func fail(
    _ code: UInt16, _ outcome: DNSCounters.Outcome
  ) -> ResponseRateLimiter.Kind {
    (self.code, self.outcome) = (code, outcome)
    return .error
  }

  /// - Parameter apex: where the zone's name begins in the question's; 0 for the zone itself.
  mutating func answer(
    _ body: ZoneBody, _ name: QueryName, apex: Int, coversSubdomains: Bool
  ) -> ResponseRateLimiter.Kind {
    isAuthoritative = true
    guard apex == 0 || coversSubdomains else { return deny(body, name, apex, 3, .nxdomain) }
    switch query.type {
    case 1 where body.ipv4Count > 0:
      writer.octets(body.ipv4)
      answers = body.ipv4Count
    case 28 where body.ipv6Count > 0:
      writer.octets(body.ipv6)
      answers = body.ipv6Count
    case 255:
      writer.octets(body.host)
      answers = 1
    case 2 where apex == 0:
      for index in body.servers.members.indices { server(index, body, name) }
    case 6 where apex == 0:
      startOfAuthority(body, name, apex: 0, ttl: body.ttl)
      answers = 1
    case 16 where apex == 0 && !body.text.isEmpty:
      writer.octets(body.text)
      answers = 1
    default: return deny(body, name, apex, 0, .nodata)
    }
    return .answer
  }

  private var firstName = 0

  private mutating func server(_ index: Int, _ body: ZoneBody, _ name: QueryName) {
    writer.network16(0xc00c)
    writer.network32(0x0002_0001)
    writer.network32(body.ttl)
    let length = writer.at
    writer.network16(0)
    if index == 0 { firstName = writer.at }
    writer.name(index, of: body.servers, first: firstName, question: name, query)
    writer.patch16(writer.at &- length &- 2, at: length)
    answers &+= 1
  }

  /// RFC 2308: the zone's SOA in the authority section says for how long "no" holds.
  private mutating func deny(
    _ body: ZoneBody, _ name: QueryName, _ apex: Int, _ code: UInt16,
    _ outcome: DNSCounters.Outcome
  ) -> ResponseRateLimiter.Kind {
    (self.code, self.outcome) = (code, outcome)
    startOfAuthority(body, name, apex: apex, ttl: min(body.ttl, body.negativeTTL))
    authorities = 1
    return .negative
  }

  private mutating func startOfAuthority(_ body: ZoneBody, _ name: QueryName, apex: Int, ttl: UInt32) {
    writer.network16(0xc000 | UInt16(truncatingIfNeeded: 12 &+ apex))
    writer.network32(0x0006_0001)
    writer.network32(ttl)
    let length = writer.at
    writer.network16(0)
    let first = writer.at
    writer.name(0, of: body.authority, first: first, question: name, query)
    writer.name(1, of: body.authority, first: first, question: name, query)
    writer.octets(body.timers)
    writer.patch16(writer.at &- length &- 2, at: length)
  }

  // MARK: The end

  /// Asks the client to come over TCP, without records.
  mutating func finishTruncated(_ secrets: CookieSecrets) -> Int {
    cut()
    code = 0
    return close(secrets)
  }

  mutating func finish(_ secrets: CookieSecrets) -> Int {
    if writer.isOver {
      if context.transport == .tcp {
        // Longer than any reply that the settings allow; a client is told, not left waiting.
        code = 2
        isAuthoritative = false
      }
      cut()
      isTruncated = context.transport == .udp
    }
    return close(secrets)
  }

  private mutating func cut() {
    isTruncated = true
    (answers, authorities) = (0, 0)
    writer.rewind(to: query.questionEnd, limit: DNSAnswerer.Bound.reply)
  }

  private mutating func close(_ secrets: CookieSecrets) -> Int {
    writer.limit = DNSAnswerer.Bound.reply
    if query.hasOPT { option(secrets) }
    let length = writer.at
    var header = ReplyWriter(writer.base, at: 0, limit: 12)
    header.network16(query.id)
    // RD and CD are given back (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6); RA, Z and AD are never set.
    let flags = 0x8000 | query.flags & 0x0110 | (isAuthoritative ? 0x0400 : 0) | (isTruncated ? 0x0200 : 0)
    header.network16(flags | code & 15)
    header.network16(query.questionEnd > 12 ? 1 : 0)
    header.network16(answers)
    header.network16(authorities)
    header.network16(query.hasOPT ? 1 : 0)
    return length
  }

  private mutating func option(_ secrets: CookieSecrets) {
    writer.octet(0)
    writer.network16(41)
    writer.network16(UInt16(clamping: settings.udpPayload))
    writer.octet(UInt8(truncatingIfNeeded: code >> 4))
    writer.octet(0)
    writer.network16(query.wantsDNSSEC ? 0x8000 : 0)
    writer.network16(UInt16(truncatingIfNeeded: optOctets &- 11))
    if let cookie, let base = octets.baseAddress {
      writer.network16(10)
      writer.network16(UInt16(8 + CookieSecrets.octets))
      writer.octets(base + query.clientCookie, 8)
      if cookie == .valid {
        // Still young: it is given back as it is.
        writer.octets(base + query.serverCookie, CookieSecrets.octets)
      } else {
        withUnsafeTemporaryAllocation(byteCount: CookieSecrets.octets, alignment: 8) { fresh in
          guard let start = fresh.baseAddress else { return }
          secrets.make(
            client: base + query.clientCookie, address: context.source, second: context.second, into: start)
          writer.octets(start, CookieSecrets.octets)
        }
      }
    }
    if query.wantsNSID, !settings.nsid.isEmpty {
      writer.network16(3)
      writer.network16(UInt16(clamping: settings.nsid.count))
      writer.octets(settings.nsid)
    }
  }
}
