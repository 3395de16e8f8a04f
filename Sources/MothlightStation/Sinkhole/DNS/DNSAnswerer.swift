import Mothlight

/// Where and when a query came.
public struct QueryContext: Sendable {
  public enum Transport: Sendable { case udp, tcp }

  public var source: IPAddress
  public var transport: Transport
  /// Of the wall clock, since the epoch: ends of orders and cookies.
  public var second: Int64
  /// Of a clock that only goes forward: the rate limit.
  public var millisecond: Int64

  public init(source: IPAddress, transport: Transport, second: Int64, millisecond: Int64) {
    self.source = source
    self.transport = transport
    self.second = second
    self.millisecond = millisecond
  }
}

/// The authoritative server without its sockets: octets of a query in, octets of the reply out, or nothing.
///
/// It follows nothing, asks nobody, transfers nothing, and knows only the zones of orders that are served now. One per
/// thread; a query allocates nothing.
public struct DNSAnswerer: ~Copyable {
  public enum Bound {
    /// Octets that a reply may need over TCP.
    public static let reply = 4096
    /// A reply over UDP to an address that was not proven is shorter than so many times its query.
    public static let amplification = 3
    /// What a client without EDNS takes (RFC 1035 section 4.2.1).
    public static let plainPayload = 512
  }

  public private(set) var counters = DNSCounters()
  let settings: DNSSettings
  private var zones: ServedZones
  private var secrets: CookieSecrets
  private var limiter: ResponseRateLimiter
  private var counts: QueryCounts
  private let countCapacity: Int
  private let scratch: UnsafeMutablePointer<UInt8>
  private let name: QueryName

  public init(
    _ settings: DNSSettings, zones: ServedZones, secrets: CookieSecrets, second: Int64, countRows: Int? = nil,
    seed: UInt64 = .random(in: .min ... .max)
  ) {
    self.settings = settings
    self.zones = zones
    self.secrets = secrets
    limiter = ResponseRateLimiter(settings.limits, seed: seed)
    countCapacity = countRows ?? QueryCounts.Bound.rows
    counts = QueryCounts(zones: zones, hour: Int(second / 3600), capacity: countCapacity)
    scratch = .allocate(capacity: 512)
    scratch.initialize(repeating: 0, count: 512)
    name = QueryName(octets: scratch, starts: scratch + 256)
  }

  deinit { scratch.deallocate() }

  /// Serves other zones from the next query on. What was counted so far has to be taken before.
  mutating func serve(_ zones: ServedZones, secrets: CookieSecrets, second: Int64) -> QueryCounts {
    (self.zones, self.secrets) = (zones, secrets)
    return takeCounts(second: second)
  }

  /// What was counted since the last time; counting goes on in an empty table.
  mutating func takeCounts(second: Int64) -> QueryCounts {
    let taken = counts
    counters.coarselyCounted &+= taken.coarse
    counters.uncounted &+= taken.uncounted
    counts = QueryCounts(zones: zones, hour: Int(second / 3600), capacity: countCapacity)
    return taken
  }

  var hasCounts: Bool { !counts.isEmpty }
  var countedHour: Int { counts.hour }

  /// Answers one query.
  /// - Parameters:
  ///   - query: a datagram, or a message of a stream without its length.
  ///   - reply: `Bound.reply` octets.
  /// - Returns: octets of the reply; 0 for none.
  /// - Complexity: O(octets of the query).
  public mutating func answer(
    _ query: UnsafeRawBufferPointer, _ context: QueryContext, into reply: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard let out = reply.baseAddress, reply.count >= Bound.reply else { return 0 }
    if context.transport == .udp { counters.queriesUDP &+= 1 } else { counters.queriesTCP &+= 1 }
    counters.bytesIn &+= UInt64(truncatingIfNeeded: query.count)
    guard query.count >= 12 else {
      counters.count(.runtDropped)
      return 0
    }
    var read = DNSQuery()
    read.id = query.network16(0)
    read.flags = query.network16(2)
    // Two servers must not be made to answer each other.
    guard !read.isResponse else {
      counters.count(.responseDropped)
      return 0
    }
    let length = respond(query, &read, context, out)
    counters.bytesOut &+= UInt64(truncatingIfNeeded: length)
    return length
  }

  private mutating func respond(
    _ query: UnsafeRawBufferPointer, _ read: inout DNSQuery, _ context: QueryContext, _ out: UnsafeMutableRawPointer
  ) -> Int {
    guard read.opcode == 0 else {
      // Transfers' announcements and updates are known and refused; the rest is not known.
      let isKnown = read.opcode == 4 || read.opcode == 5
      return bareReply(read, isKnown ? 5 : 4, isKnown ? .refused : .notimp, context, out)
    }
    let shape = DNSQuery.read(query, name, into: &read)
    if shape == .malformed {
      // What could not be read to its end is not given back.
      return bareReply(read, 1, .formerr, context, out)
    }
    let check = check(query, read, context)
    var draft = ReplyDraft(query, read, context, settings, check, out)
    let kind = decide(shape, &draft, context)
    if context.transport == .udp, !draft.isProven {
      switch limiter.decide(context.source, kind, millisecond: context.millisecond) {
      case .send: break
      case .slip where kind != .error:
        counters.count(.rateLimitedTruncated)
        return draft.finishTruncated(secrets)
      case .slip, .drop:
        counters.count(.rateLimitedDropped)
        counters.limiterEvictions = limiter.evictions
        return 0
      }
    }
    counters.count(draft.outcome)
    let length = draft.finish(secrets)
    if draft.isTruncated { counters.truncated &+= 1 }
    return length
  }

  /// Header alone, for what has no question that could be given back.
  private mutating func bareReply(
    _ read: DNSQuery, _ code: UInt16, _ outcome: DNSCounters.Outcome, _ context: QueryContext,
    _ out: UnsafeMutableRawPointer
  ) -> Int {
    if context.transport == .udp,
      limiter.decide(context.source, .error, millisecond: context.millisecond) != .send
    {
      counters.count(.rateLimitedDropped)
      return 0
    }
    counters.count(outcome)
    var writer = ReplyWriter(out, at: 0, limit: 12)
    writer.network16(read.id)
    writer.network16(0x8000 | read.flags & 0x7900 | code)
    writer.network32(0)
    writer.network32(0)
    return writer.at
  }

  private mutating func check(
    _ query: UnsafeRawBufferPointer, _ read: DNSQuery, _ context: QueryContext
  ) -> CookieSecrets.Check? {
    guard settings.usesCookies, read.cookie != .none, let base = query.baseAddress else { return nil }
    guard read.cookie == .both else {
      counters.cookiesClientOnly &+= 1
      return .invalid
    }
    let check = secrets.check(
      client: base + read.clientCookie, server: base + read.serverCookie, length: read.serverCookieLength,
      address: context.source, second: context.second)
    if check == .invalid { counters.cookiesInvalid &+= 1 } else { counters.cookiesValid &+= 1 }
    return check
  }

  /// Fills the draft; says which limit the reply falls under.
  private mutating func decide(
    _ shape: DNSQuery.Shape, _ draft: inout ReplyDraft, _ context: QueryContext
  ) -> ResponseRateLimiter.Kind {
    let read = draft.query
    switch shape {
    case .malformed: return draft.fail(1, .formerr)
    case .badVersion: return draft.fail(16, .badvers)
    case .signed: return draft.fail(9, .notauth)
    case .cookieOnly: return draft.fail(0, .cookieOnly)
    case .question: break
    }
    guard read.class == 1 else { return draft.fail(5, .refused) }
    switch read.type {
    case 251, 252: return draft.fail(5, .refused)
    // OPT, TKEY and TSIG are no questions.
    case 41, 249, 250: return draft.fail(1, .formerr)
    // Reserved, and types for mailboxes that nobody has kept (RFC 1035 section 3.2.3).
    case 0, 253, 254: return draft.fail(4, .notimp)
    default: break
    }
    guard let match = zones.match(name, labels: read.labels, length: read.nameLength, second: context.second) else {
      return draft.fail(5, .refused)
    }
    let start = match.labels == read.labels ? 0 : Int(name.starts[read.labels &- match.labels])
    observe(read, match, zoneLength: read.nameLength &- start, isVerified: draft.isProven, context)
    let body = zones.bodies[zones.bodyOf[match.order]]
    let covers = zones.orders[match.order].coversSubdomains
    return draft.answer(body, name, apex: start, coversSubdomains: covers)
  }

  private func observe(
    _ read: DNSQuery, _ match: ServedZones.Match, zoneLength: Int, isVerified: Bool, _ context: QueryContext
  ) {
    let key = QueryCounts.Key(
      resolver: context.source, subnet: read.subnet, type: read.type, order: match.order, isVerified: isVerified)
    if settings.observes == .names {
      counts.count(key, name: name.octets, length: read.nameLength, zoneLength: zoneLength)
    } else {
      counts.count(key, name: name.octets + (read.nameLength &- zoneLength), length: zoneLength, zoneLength: zoneLength)
    }
  }
}
