/// Records of one block to octets and back. Texts that repeat are defined once a block and referred to by number.
struct SpoolEncoder {
  private(set) var octets = SpoolOctets()
  private(set) var records = 0
  private var numbers: [String: UInt64] = [:]

  enum Kind: UInt8 {
    case text = 0
    case sighting, sample, dnsCount, notice
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
    case .sample(let sample):
      kind = .sample
      encode(sample, into: &body)
    case .dnsCount(let count):
      kind = .dnsCount
      encode(count, into: &body)
    case .notice(let notice):
      kind = .notice
      body.number(UInt64(bitPattern: notice.time.nanoseconds))
      body.append([notice.kind.rawValue])
      body.number(notice.value)
      body.text(notice.text, most: Self.textOctets)
    }
    frame(kind, body)
    records += 1
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
    body.fixed(s.destinationPort)
    body.fixed(s.portGroups)
    body.append([s.transport.rawValue, s.level.rawValue, Self.code(s.visitor)])
    body.number(UInt64(clamping: s.hour))
    body.number(Self.second(s.first))
    body.number(Self.second(s.last))
    body.number(s.count)
    body.number(UInt64(s.factor))
    body.number(number(of: s.botnet))
    body.number(number(of: s.rule))
  }

  private mutating func encode(_ c: CheckIn, into body: inout SpoolOctets) {
    body.number(UInt64(bitPattern: c.time.nanoseconds))
    put(c.source, &body)
    body.fixed(c.sourcePort)
    put(c.destination, &body)
    body.fixed(c.destinationPort)
    body.append([c.transport.rawValue, c.level.rawValue, Self.code(c.visitor), c.isUniform ? 1 : 0])
    body.number(c.payloadOctets)
    body.number(UInt64(c.factor))
    body.number(number(of: c.family))
    body.number(number(of: c.rule ?? ""))
    let prefix = c.prefix.prefix(CheckIn.prefixOctets)
    body.number(UInt64(prefix.count))
    body.append(prefix)
    switch c.application {
    case .raw: body.append([0])
    case .http(let h):
      body.append([1])
      for text in [h.method, h.host, h.uriShape, h.userAgent] { body.text(text, most: Self.textOctets) }
      body.fixed(h.headerOrderHash)
      body.number(h.bodyOctets)
      body.append([h.hasReferer ? 1 : 0])
    case .tls(let t):
      body.append([2])
      for text in [t.serverName, t.alpn, t.ja3, t.ja4] { body.text(text, most: Self.textOctets) }
    case .irc(let commands):
      body.append([3])
      body.text(commands, most: Self.textOctets)
    }
  }

  private mutating func encode(_ d: DNSCount, into body: inout SpoolOctets) {
    put(d.resolver, &body)
    if let subnet = d.clientSubnet {
      put(subnet.address, &body)
      body.append([UInt8(clamping: subnet.address.isV4 ? subnet.bits - 96 : subnet.bits)])
    } else {
      body.append([0])
    }
    body.number(number(of: d.family))
    body.number(number(of: d.name))
    body.fixed(d.type)
    body.number(UInt64(clamping: d.hour))
    body.number(d.count)
    body.number(UInt64(d.factor))
  }

  static func code(_ visitor: Visitor?) -> UInt8 {
    visitor.flatMap { Visitor.allCases.firstIndex(of: $0) }.map { UInt8($0 + 1) } ?? 0
  }

  private static func second(_ time: Timestamp) -> UInt64 { UInt64(max(0, time.nanoseconds / 1_000_000_000)) }
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
      case .sighting: if let record = sighting(&inner) { return .sighting(record) }
      case .sample: if let record = sample(&inner) { return .sample(record) }
      case .dnsCount: if let record = dnsCount(&inner) { return .dnsCount(record) }
      case .notice: if let record = notice(&inner) { return .notice(record) }
      // Kinds of a later version are passed over.
      case nil: continue
      }
      break
    }
    isDamaged = isDamaged || !cursor.isAtEnd
    return nil
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
  private static func visitor(_ code: UInt8) -> Visitor?? {
    guard code > 0 else { return .some(nil) }
    return Int(code) <= Visitor.allCases.count ? Visitor.allCases[Int(code) - 1] : nil
  }

  private func sighting(_ c: inout SpoolCursor) -> Sighting? {
    guard let source = address(&c), let port = c.fixed(UInt16.self), let destination = c.fixed(UInt16.self),
      let groups = c.fixed(UInt16.self), let codes = c.take(3), let level = EvidenceLevel(rawValue: codes[1]),
      let visitor = Self.visitor(codes[2]), let hour = c.number(), let first = c.number(), let last = c.number(),
      let count = c.number(), let factor = c.number(), let botnet = text(&c), let rule = text(&c)
    else { return nil }
    return Sighting(
      source: source, sourcePort: port, destinationPort: destination, portGroups: groups,
      transport: Transport(rawValue: codes[0]), botnet: botnet, hour: Int(clamping: hour),
      first: Timestamp(seconds: Int64(clamping: first)), last: Timestamp(seconds: Int64(clamping: last)), count: count,
      level: level, visitor: visitor, factor: UInt32(clamping: factor), rule: rule)
  }

  private func sample(_ c: inout SpoolCursor) -> CheckIn? {
    guard let time = c.number(), let source = address(&c), let port = c.fixed(UInt16.self),
      let destination = address(&c), let destinationPort = c.fixed(UInt16.self), let codes = c.take(4),
      let level = EvidenceLevel(rawValue: codes[1]), let visitor = Self.visitor(codes[2]), let octets = c.number(),
      let factor = c.number(), let family = text(&c), let rule = text(&c), let length = c.number(),
      length <= UInt64(CheckIn.prefixOctets), let prefix = c.take(Int(length)), let application = application(&c)
    else { return nil }
    return CheckIn(
      time: Timestamp(nanoseconds: Int64(bitPattern: time)), source: source, sourcePort: port, destination: destination,
      destinationPort: destinationPort, transport: Transport(rawValue: codes[0]), prefix: prefix, payloadOctets: octets,
      family: family, rule: rule.isEmpty ? nil : rule, level: level, visitor: visitor, application: application,
      factor: UInt32(clamping: factor), isUniform: codes[3] != 0)
  }

  private func application(_ c: inout SpoolCursor) -> CheckInApplication? {
    func texts(_ count: Int) -> [String]? {
      var out: [String] = []
      for _ in 0..<count {
        guard let text = c.text(most: SpoolEncoder.textOctets) else { return nil }
        out.append(text)
      }
      return out
    }
    switch c.take(1)?.first {
    case 0: return .raw
    case 1:
      guard let t = texts(4), let hash = c.fixed(UInt64.self), let body = c.number(), let referer = c.take(1)?.first
      else { return nil }
      return .http(
        .init(
          method: t[0], host: t[1], uriShape: t[2], userAgent: t[3], headerOrderHash: hash, bodyOctets: body,
          hasReferer: referer != 0))
    case 2:
      guard let t = texts(4) else { return nil }
      return .tls(.init(serverName: t[0], alpn: t[1], ja3: t[2], ja4: t[3]))
    case 3: return texts(1).map { .irc(commands: $0[0]) }
    default: return nil
    }
  }

  private func dnsCount(_ c: inout SpoolCursor) -> DNSCount? {
    guard let resolver = address(&c), let length = c.take(1)?.first else { return nil }
    var subnet: Prefix?
    if length > 0 {
      guard length == 4 || length == 16, let bytes = c.take(Int(length)), let bits = c.take(1)?.first else {
        return nil
      }
      subnet = Prefix(address(bytes), length: Int(bits))
    }
    guard let family = text(&c), let name = text(&c), let type = c.fixed(UInt16.self), let hour = c.number(),
      let count = c.number(), let factor = c.number()
    else { return nil }
    return DNSCount(
      resolver: resolver, clientSubnet: subnet, family: family, name: name, type: type, hour: Int(clamping: hour),
      count: count, factor: UInt32(clamping: factor))
  }

  private func notice(_ c: inout SpoolCursor) -> SpoolNotice? {
    guard let time = c.number(), let code = c.take(1)?.first, let kind = SpoolNotice.Kind(rawValue: code),
      let value = c.number(), let text = c.text(most: SpoolEncoder.textOctets)
    else { return nil }
    return SpoolNotice(time: Timestamp(nanoseconds: Int64(bitPattern: time)), kind: kind, value: value, text: text)
  }
}
