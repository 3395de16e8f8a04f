/// The only place that makes records, and so the only one through which anything of a message can leave.
extension CheckInTally {
  func sighting<Key: SourceKey>(_ record: SourceRecord, _ key: Key) -> Sighting {
    let level = EvidenceLevel(number: record.level)
    let source =
      Key.bitWidth == 32
      ? IPAddress(v4: UInt32(truncatingIfNeeded: key)) : IPAddress(high: UInt64(truncatingIfNeeded: key), low: 0)
    return Sighting(
      source: source, sourcePort: record.sourcePort, botnet: words[record.botnet],
      hour: UInt32(clamping: baseHour &+ Int64(record.hour)), firstSecond: record.first, lastSecond: record.last,
      // The last port stands for all: of the others only their groups are known.
      count: record.count, ports: [record.destinationPort], hasMorePorts: record.ports.nonzeroBitCount > 1,
      transport: record.isStream ? .tcp : .udp, level: level, visitor: visitor(record, level),
      ruleVersion: recogniser.version, samplingFactor: 1 << UInt32(record.factor))
  }

  private func visitor(_ record: SourceRecord, _ level: EvidenceLevel) -> VisitorClass? {
    VisitorJudgement.visitor(VisitorJudgement.Label(rawValue: record.visitor) ?? .none, level: level)
  }

  /// - Parameter personal: the matching rule declares personal data.
  func sample(
    _ record: SourceRecord, _ facts: CheckInFacts, _ recognition: Recognition, isUniform: Bool, personal: Bool
  ) -> SpoolRecord {
    let (application, prefix) = kept(facts.content, personal: personal)
    let ends = facts.ends
    return .sample(
      CheckIn(
        time: Timestamp(seconds: second), source: ends.client, sourcePort: ends.clientPort, destination: ends.server,
        destinationPort: ends.serverPort, transport: ends.transport, family: words[recognition.botnet],
        rule: recognition.rule == 0 ? nil : words[recognition.rule], level: recognition.level,
        visitor: visitor(record, EvidenceLevel(number: record.level)), payloadOctets: UInt32(clamping: facts.octets),
        prefix: prefix, application: application, samplingFactor: sampling.factor), isUniform ? .uniform : .firstOfDay)
  }

  private func kept(_ content: CheckInFacts.Content, personal: Bool) -> (ApplicationShape, [UInt8]) {
    switch content {
    case .silence: (.raw, [])
    case .datagram(let bytes): (.udp, Redaction.prefix(bytes.bytes, declares: personal))
    case .stream(let content, let bytes):
      switch content {
      case .silence: (.raw, [])
      case .raw: (.raw, Redaction.prefix(bytes.bytes, declares: personal))
      // Registrations and requests are kept by their facts; their octets are words.
      case .irc: (.irc(commands: Redaction.commands(bytes.bytes)), [])
      case .http(let view): (.http(request(view.exchange, personal: personal)), [])
      case .tls(let hello):
        (
          .tls(
            TLSShapeSeen(
              serverName: Redaction.cut(hello.serverName ?? ""), alpn: Redaction.cut(hello.alpn.joined(separator: ",")),
              ja3: hello.ja3 ?? "", ja4: hello.ja4 ?? "")), []
        )
      }
    }
  }

  private func request(_ exchange: HTTPExchange, personal: Bool) -> HTTPShapeSeen {
    var agent = Redaction.agent(exchange.userAgent, declares: personal) ?? ""
    // With the day's key it can be compared within a day, and looked up in no list.
    if agent.isEmpty, let own = exchange.userAgent {
      agent = "#" + String(mix64(Self.fnv1a(own) ^ sampling.salt), radix: 16)
    }
    return HTTPShapeSeen(
      method: String(exchange.method.prefix(16)), host: Redaction.cut(exchange.host ?? ""),
      target: Redaction.cut(Redaction.uriShape(exchange.target, declares: personal)),
      headerOrder: Self.fnv1a(exchange.headerNames.joined(separator: "\n")), userAgent: agent,
      bodyOctets: UInt32(clamping: exchange.requestBodyOctets))
  }

  /// FNV-1a of 64 bits (Fowler, Noll, Vo).
  private static func fnv1a(_ text: String) -> UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in text.utf8 { digest = (digest ^ UInt64(octet)) &* 0x100_0000_01b3 }
    return digest
  }
}

extension EvidenceLevel {
  var number: UInt16 { UInt16(rawValue) }
  init(number: UInt16) { self = EvidenceLevel(rawValue: UInt8(truncatingIfNeeded: number)) ?? .connected }
}
