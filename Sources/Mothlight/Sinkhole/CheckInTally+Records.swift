/// The only place that makes records, and so the only one through which anything of a message can leave.
extension CheckInTally {
  func sighting<Key: SourceKey>(_ record: SourceRecord, _ key: Key) -> Sighting {
    let level = EvidenceLevel(number: record.level)
    let hour = baseHour &+ Int64(record.hour)
    let source =
      Key.bitWidth == 32
      ? IPAddress(v4: UInt32(truncatingIfNeeded: key)) : IPAddress(high: UInt64(truncatingIfNeeded: key), low: 0)
    return Sighting(
      source: source, sourcePort: record.sourcePort, botnet: words[record.botnet], hour: Int(hour),
      first: Timestamp(seconds: hour &* 3600 &+ Int64(record.first)),
      last: Timestamp(seconds: hour &* 3600 &+ Int64(record.last)), count: UInt64(record.count),
      transport: record.isStream ? .tcp : .udp, destinationPort: record.destinationPort,
      portGroups: record.ports.nonzeroBitCount, level: level, visitor: visitor(record, level),
      rule: record.rule == 0 ? nil : words[record.rule], ruleVersion: recogniser.version,
      samplingFactor: 1 << UInt32(record.factor))
  }

  private func visitor(_ record: SourceRecord, _ level: EvidenceLevel) -> Visitor? {
    VisitorJudgement.visitor(VisitorJudgement.Label(rawValue: record.visitor) ?? .none, level: level)
  }

  /// - Parameter personal: the matching rule declares personal data.
  func sample(
    _ record: SourceRecord, _ facts: CheckInFacts, _ recognition: Recognition, isUniform: Bool, personal: Bool
  ) -> SpoolRecord {
    var prefix: [UInt8] = []
    let application: CheckIn.Application
    switch facts.content {
    case .silence: application = .silence
    case .datagram(let bytes):
      prefix = Redaction.prefix(bytes.bytes, declares: personal)
      application = .datagram
    case .stream(let content, let bytes):
      switch content {
      case .silence: application = .silence
      case .raw:
        prefix = Redaction.prefix(bytes.bytes, declares: personal)
        application = .raw
      // Registrations and requests are kept by their facts; their octets are words.
      case .irc: application = .irc
      case .http(let view): application = .http(request(view.exchange, personal: personal))
      case .tls(let hello):
        application = .tls(
          .init(
            version: hello.version, serverName: hello.serverName, alpn: hello.alpn, ja3: hello.ja3 ?? "",
            ja4: hello.ja4 ?? ""))
      }
    }
    return .sample(
      CheckIn(
        time: Timestamp(seconds: second), ends: facts.ends, family: words[recognition.botnet],
        rule: recognition.rule == 0 ? nil : words[recognition.rule], level: recognition.level,
        visitor: visitor(record, EvidenceLevel(number: record.level)), payloadOctets: UInt32(clamping: facts.octets),
        prefix: prefix, application: application, samplingFactor: sampling.factor, isUniformSample: isUniform))
  }

  private func request(_ exchange: HTTPExchange, personal: Bool) -> CheckIn.Request {
    CheckIn.Request(
      method: String(exchange.method.prefix(16)), host: exchange.host.map { String($0.prefix(253)) },
      uriShape: Redaction.uriShape(exchange.target, declares: personal),
      headerOrder: Hex.encode(bigEndian: Self.hash(exchange.headerNames.joined(separator: "\n"), key: 0)),
      userAgent: Redaction.agent(exchange.userAgent, declares: personal),
      userAgentHash: exchange.userAgent.map { Hex.encode(bigEndian: Self.hash($0, key: sampling.salt)) } ?? "",
      hasReferer: exchange.referer != nil, bodyOctets: exchange.requestBodyOctets)
  }

  /// FNV-1a, mixed with a key: tells texts apart, and with a key of the day cannot be looked up in a list on another.
  private static func hash(_ text: String, key: UInt64) -> UInt64 {
    var digest = 0xcbf2_9ce4_8422_2325 ^ key
    for octet in text.utf8 { digest = (digest ^ UInt64(octet)) &* 0x100_0000_01b3 }
    return mix64(digest ^ key)
  }
}

extension EvidenceLevel {
  var number: UInt16 { UInt16(rawValue) }
  init(number: UInt16) { self = EvidenceLevel(rawValue: UInt8(truncatingIfNeeded: number)) ?? .connected }
}

extension Hex {
  fileprivate static func encode(bigEndian value: UInt64) -> String {
    encode((0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) })
  }
}
