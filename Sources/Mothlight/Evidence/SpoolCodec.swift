/// Records of one block to octets and back. Texts that repeat are defined once a block and referred to by number.
struct SpoolEncoder {
  private(set) var octets = SpoolOctets()
  private(set) var records = 0
  private var numbers: [String: UInt64] = [:]

  enum Kind: UInt8 {
    case text = 0
    case sighting, sample, dnsCount, notice
    /// Belongs to the sighting in front of it; readers from before it pass it over.
    case identities
  }

  /// Octets kept of a name, a rule, a notice or a field of a request.
  static let textOctets = 256

  var isEmpty: Bool { records == 0 }

  mutating func clear() {
    octets.clear()
    records = 0
    numbers.removeAll(keepingCapacity: true)
  }

  mutating func append(_ record: SpoolRecord) {
    var body = SpoolOctets()
    let kind: Kind
    switch record {
    case .sighting(let sighting):
      kind = .sighting
      encode(sighting, into: &body)
    case .sample(let sample, let reason):
      kind = .sample
      body.append([reason.rawValue])
      encode(sample, into: &body)
    case .dnsCount(let count):
      kind = .dnsCount
      encode(count, into: &body)
    case .notice(let notice):
      kind = .notice
      notice.encode(into: &body)
    }
    frame(kind, body)
    if case .sighting(let sighting) = record, !sighting.identities.isEmpty { encode(sighting.identities) }
    records += 1
  }

  private mutating func encode(_ identities: [IdentityCount]) {
    var body = SpoolOctets()
    let listed = identities.prefix(Sighting.identitiesMost)
    body.number(UInt64(listed.count))
    for item in listed {
      body.fixed(item.identity)
      body.number(UInt64(item.count))
    }
    frame(.identities, body)
  }

  private mutating func frame(_ kind: Kind, _ body: SpoolOctets) {
    octets.append([kind.rawValue])
    octets.number(UInt64(body.bytes.count))
    octets.append(body.bytes)
  }

  /// Number of a text, defined before its first use in the block.
  private mutating func number(of text: String) -> UInt64 {
    if let known = numbers[text] { return known }
    var body = SpoolOctets()
    body.append(text.utf8.prefix(Self.textOctets))
    frame(.text, body)
    let number = UInt64(numbers.count)
    numbers[text] = number
    return number
  }

  private func put(_ address: IPAddress, _ body: inout SpoolOctets) {
    let bytes = address.networkBytes
    body.append([UInt8(bytes.count)])
    body.append(bytes)
  }

  private mutating func encode(_ s: Sighting, into body: inout SpoolOctets) {
    put(s.source, &body)
    body.fixed(s.sourcePort)
    body.append([s.transport.rawValue, s.level.rawValue, Self.code(s.visitor), s.hasMorePorts ? 1 : 0])
    body.number(UInt64(s.hour))
    body.number(UInt64(s.firstSecond))
    body.number(UInt64(s.lastSecond))
    body.number(UInt64(s.count))
    body.number(UInt64(s.ruleVersion))
    body.number(UInt64(s.samplingFactor))
    body.number(number(of: s.botnet))
    let ports = s.ports.prefix(Sighting.portsMost)
    body.append([UInt8(ports.count)])
    for port in ports { body.fixed(port) }
  }

  private mutating func encode(_ c: CheckIn, into body: inout SpoolOctets) {
    body.number(UInt64(bitPattern: c.time.nanoseconds))
    put(c.source, &body)
    body.fixed(c.sourcePort)
    put(c.destination, &body)
    body.fixed(c.destinationPort)
    body.append([c.transport.rawValue, c.level.rawValue, Self.code(c.visitor)])
    body.number(UInt64(c.payloadOctets))
    body.number(UInt64(c.samplingFactor))
    body.number(number(of: c.family))
    body.number(number(of: c.rule ?? ""))
    let prefix = c.prefix.prefix(CheckIn.prefixOctetsMost)
    body.number(UInt64(prefix.count))
    body.append(prefix)
    switch c.application {
    case .raw: body.append([0])
    case .udp: body.append([1])
    case .http(let h):
      body.append([2])
      for text in [h.method, h.host, h.target, h.userAgent] { body.text(text, most: CheckIn.textOctetsMost) }
      body.fixed(h.headerOrder)
      body.number(UInt64(h.bodyOctets))
    case .tls(let t):
      body.append([3])
      for text in [t.serverName, t.alpn, t.ja3, t.ja4] { body.text(text, most: CheckIn.textOctetsMost) }
    case .irc(let commands):
      body.append([4])
      body.text(commands, most: CheckIn.textOctetsMost)
    }
  }

  private mutating func encode(_ d: ResolverCount, into body: inout SpoolOctets) {
    put(d.resolver, &body)
    if let subnet = d.clientNetwork {
      put(subnet.address, &body)
      body.append([UInt8(clamping: subnet.length)])
    } else {
      body.append([0])
    }
    body.number(number(of: d.botnet))
    body.number(number(of: d.name))
    body.fixed(d.type)
    body.number(UInt64(d.hour))
    body.number(UInt64(d.count))
  }

  /// 0 for none.
  static func code(_ visitor: VisitorClass?) -> UInt8 {
    visitor.flatMap { VisitorClass.allCases.firstIndex(of: $0) }.map { UInt8($0 + 1) } ?? 0
  }
}

/// One block's records. `nil` from `next` means the end, or octets that are no record: `isDamaged` tells.
struct SpoolDecoder {
  private var cursor: SpoolCursor
  private var texts: [String] = []
  private(set) var isDamaged = false

  init(_ payload: [UInt8]) { cursor = SpoolCursor(payload) }

  mutating func next() -> SpoolRecord? {
    while !cursor.isAtEnd {
      guard let kind = cursor.take(1)?.first, let length = cursor.number(),
        let body = cursor.take(Int(clamping: length))
      else { break }
      var inner = SpoolCursor(body)
      switch SpoolEncoder.Kind(rawValue: kind) {
      case .text:
        guard texts.count < 1 << 20 else { break }
        texts.append(String(decoding: body, as: UTF8.self))
        continue
      case .sighting:
        if var record = sighting(&inner), let identities = identities() {
          record.identities = identities
          return .sighting(record)
        }
      case .sample:
        if let reason = inner.take(1)?.first.flatMap(SampleReason.init), let record = sample(&inner) {
          return .sample(record, reason)
        }
      case .dnsCount: if let record = dnsCount(&inner) { return .dnsCount(record) }
      case .notice: if let record = Notice(&inner) { return .notice(record) }
      // Kinds of a later version are passed over, and identities without their sighting.
      case .identities, nil: continue
      }
      break
    }
    isDamaged = isDamaged || !cursor.isAtEnd
    return nil
  }

  /// Those of the sighting that was just read, if they follow; `nil` when they are no identities.
  private mutating func identities() -> [IdentityCount]? {
    var ahead = cursor
    guard ahead.take(1)?.first == SpoolEncoder.Kind.identities.rawValue, let length = ahead.number(),
      let body = ahead.take(Int(clamping: length))
    else { return [] }
    var inner = SpoolCursor(body)
    guard let count = inner.number(), count <= UInt64(Sighting.identitiesMost) else { return nil }
    var out: [IdentityCount] = []
    for _ in 0..<count {
      guard let identity = inner.fixed(UInt64.self), identity != 0, let contacts = inner.number() else { return nil }
      out.append(IdentityCount(identity: identity, count: UInt32(clamping: contacts)))
    }
    cursor = ahead
    return out
  }

  private func text(_ cursor: inout SpoolCursor) -> String? {
    guard let n = cursor.number(), n < UInt64(texts.count) else { return nil }
    return texts[Int(n)]
  }

  private func address(_ cursor: inout SpoolCursor) -> IPAddress? {
    guard let length = cursor.take(1)?.first, length == 4 || length == 16, let bytes = cursor.take(Int(length)) else {
      return nil
    }
    return address(bytes)
  }

  private func address(_ bytes: [UInt8]) -> IPAddress {
    if bytes.count == 4 { return IPAddress(v4: bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) }
    return IPAddress(
      high: bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) },
      low: bytes[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  /// The visitor of a code; the outer `nil` for one that there is not.
  private static func visitor(_ code: UInt8) -> VisitorClass?? {
    guard code > 0 else { return .some(nil) }
    return Int(code) <= VisitorClass.allCases.count ? VisitorClass.allCases[Int(code) - 1] : nil
  }

  private func sighting(_ c: inout SpoolCursor) -> Sighting? {
    guard let source = address(&c), let port = c.fixed(UInt16.self), let codes = c.take(4),
      let level = EvidenceLevel(rawValue: codes[1]), let visitor = Self.visitor(codes[2]), let hour = c.number(),
      let first = c.number(), let last = c.number(), first < 3600, last < 3600, let count = c.number(),
      let version = c.number(), let factor = c.number(), let botnet = text(&c), let length = c.take(1)?.first,
      Int(length) <= Sighting.portsMost
    else { return nil }
    var ports: [UInt16] = []
    for _ in 0..<length {
      guard let port = c.fixed(UInt16.self) else { return nil }
      ports.append(port)
    }
    return Sighting(
      source: source, sourcePort: port, botnet: botnet, hour: UInt32(clamping: hour), firstSecond: UInt16(first),
      lastSecond: UInt16(last), count: UInt32(clamping: count), ports: ports, hasMorePorts: codes[3] != 0,
      transport: Transport(rawValue: codes[0]), level: level, visitor: visitor, ruleVersion: UInt32(clamping: version),
      samplingFactor: UInt32(clamping: factor))
  }

  private func sample(_ c: inout SpoolCursor) -> CheckIn? {
    guard let time = c.number(), let source = address(&c), let port = c.fixed(UInt16.self),
      let destination = address(&c), let destinationPort = c.fixed(UInt16.self), let codes = c.take(3),
      let level = EvidenceLevel(rawValue: codes[1]), let visitor = Self.visitor(codes[2]), let octets = c.number(),
      let factor = c.number(), let family = text(&c), let rule = text(&c), let length = c.number(),
      length <= UInt64(CheckIn.prefixOctetsMost), let prefix = c.take(Int(length)), let application = application(&c)
    else { return nil }
    return CheckIn(
      time: Timestamp(nanoseconds: Int64(bitPattern: time)), source: source, sourcePort: port, destination: destination,
      destinationPort: destinationPort, transport: Transport(rawValue: codes[0]), family: family,
      rule: rule.isEmpty ? nil : rule, level: level, visitor: visitor, payloadOctets: UInt32(clamping: octets),
      prefix: prefix, application: application, samplingFactor: UInt32(clamping: factor))
  }

  private func application(_ c: inout SpoolCursor) -> ApplicationShape? {
    func texts(_ count: Int) -> [String]? {
      var out: [String] = []
      for _ in 0..<count {
        guard let text = c.text(most: CheckIn.textOctetsMost) else { return nil }
        out.append(text)
      }
      return out
    }
    switch c.take(1)?.first {
    case 0: return .raw
    case 1: return .udp
    case 2:
      guard let t = texts(4), let order = c.fixed(UInt64.self), let body = c.number() else { return nil }
      return .http(
        HTTPShapeSeen(
          method: t[0], host: t[1], target: t[2], headerOrder: order, userAgent: t[3],
          bodyOctets: UInt32(clamping: body)))
    case 3: return texts(4).map { .tls(TLSShapeSeen(serverName: $0[0], alpn: $0[1], ja3: $0[2], ja4: $0[3])) }
    case 4: return texts(1).map { .irc(commands: $0[0]) }
    default: return nil
    }
  }

  private func dnsCount(_ c: inout SpoolCursor) -> ResolverCount? {
    guard let resolver = address(&c), let length = c.take(1)?.first else { return nil }
    var subnet: Prefix?
    if length > 0 {
      guard length == 4 || length == 16, let bytes = c.take(Int(length)), let bits = c.take(1)?.first else {
        return nil
      }
      subnet = Prefix(address(bytes), length: Int(bits))
    }
    guard let botnet = text(&c), let name = text(&c), let type = c.fixed(UInt16.self), let hour = c.number(),
      let count = c.number()
    else { return nil }
    return ResolverCount(
      resolver: resolver, clientNetwork: subnet, name: name, type: type, botnet: botnet, hour: UInt32(clamping: hour),
      count: UInt32(clamping: count))
  }
}
