/// Why a row gave no observation.
enum RowRefusal: Error {
  /// Left out on purpose.
  case skipped(StaticString)
  /// Not what the format says.
  case damaged(StaticString)
}

extension ZeekRow {
  /// A conn.log record as a flow (Zeek documentation, `Conn::Info`).
  @inline(__always)
  func flow(_ origin: RecordOrigin) throws(RowRefusal) -> Flow {
    guard let first = time else { throw .skipped(RecordTally.noUsableTime) }
    let ends = try endpoints(origin, default: nil)
    let transport = ends.transport
    let duration = bytes(.duration).flatMap { ASCIINumber.nanoseconds($0) } ?? 0
    let (last, overflow) = first.nanoseconds.addingReportingOverflow(max(0, duration))
    let sourcePayload = count(.originBytes)
    let destinationPayload = count(.responderBytes)
    let sourcePackets = count(.originPackets) ?? 0
    let destinationPackets = count(.responderPackets) ?? 0
    let sourceOctets = count(.originIPBytes) ?? sourcePayload ?? 0
    let destinationOctets = count(.responderIPBytes) ?? destinationPayload ?? 0
    let answered = destinationPackets > 0 || destinationOctets > 0
    return Flow(
      source: ends.client, destination: ends.server, sourcePort: ends.clientPort, destinationPort: ends.serverPort,
      transport: transport, first: first, last: overflow ? first : Timestamp(nanoseconds: last),
      state: state(transport, type: ends.clientPort, answered: answered),
      service: bytes(.service).map { LogText.service($0) } ?? .unknown, sourceOctets: sourceOctets,
      destinationOctets: destinationOctets, sourcePayload: sourcePayload ?? Flow.unknownCount,
      destinationPayload: destinationPayload ?? Flow.unknownCount, sourcePackets: UInt32(clamping: sourcePackets),
      destinationPackets: UInt32(clamping: destinationPackets), anomalies: anomalies, origin: origin)
  }

  /// The two ends; `transport` is for logs that do not name it.
  @inline(__always)
  func endpoints(_ origin: RecordOrigin, default transport: Transport?) throws(RowRefusal) -> Endpoints {
    guard let client = bytes(.originHost).flatMap({ IPAddress(ascii: $0) }) else {
      throw .damaged("id.orig_h is no address")
    }
    guard let server = bytes(.responderHost).flatMap({ IPAddress(ascii: $0) }) else {
      throw .damaged("id.resp_h is no address")
    }
    guard let clientPort = port(.originPort), let serverPort = port(.responderPort) else {
      throw .damaged("a port is no number below 65536")
    }
    var actual = transport
    if let text = bytes(.transport) { actual = Self.transport(text, isV6: !client.isV4) }
    return Endpoints(
      client: client, server: server, clientPort: clientPort, serverPort: serverPort,
      transport: actual ?? Transport(rawValue: 255), origin: origin)
  }

  @inline(__always)
  private func port(_ field: ZeekField) -> UInt16? {
    guard let text = bytes(field) else { return 0 }
    return ASCIINumber.port(text)
  }

  /// Zeek prints `icmp` for both versions and `unknown_transport` for the rest.
  @inline(__always)
  private static func transport(_ text: UnsafeRawBufferPointer, isV6: Bool) -> Transport {
    guard text.count > 0 else { return Transport(rawValue: 255) }
    switch text[0] {
    case 0x74: return .tcp
    case 0x75: return text.count == 3 ? .udp : Transport(rawValue: 255)
    case 0x69: return isV6 ? .icmp6 : .icmp
    case 0x73: return .sctp
    default: return Transport(rawValue: 255)
    }
  }

  /// Zeek's `conn_state` in our words; ICMP is always `OTH` there, so the counters decide.
  @inline(__always)
  private func state(_ transport: Transport, type: UInt16, answered: Bool) -> ConnectionState {
    guard let text = bytes(.connectionState) else {
      return transport == .tcp ? .unknown : answered ? .established : .unanswered
    }
    switch ShortWord(text) {
    case "s0", "rstos0", "sh": return .unanswered
    case "rej": return .refused
    case "sf", "s2", "s3": return .closed
    case "s1": return .established
    case "rsto", "rstr": return .reset
    case "rstrh", "shr": return .midstream
    case "oth":
      guard transport.isICMP else { return .midstream }
      // Only a request wants an answer (RFC 792, RFC 4443); an error message stands alone.
      return answered ? .established : type == 8 || type == 128 ? .unanswered : .unknown
    default: return .unknown
    }
  }

  /// What `history` tells beyond the state (Zeek documentation, `Conn::Info$history`).
  @inline(__always)
  private var anomalies: Anomalies {
    var found: UInt32 = 0
    guard let text = bytes(.history) else { return [] }
    for letter in text {
      switch letter {
      case 0x54, 0x74: found |= Anomalies.retransmission.rawValue
      case 0x47, 0x67: found |= Anomalies.sequenceGap.rawValue
      case 0x49, 0x69, 0x51, 0x71: found |= Anomalies.badTCPFlags.rawValue
      case 0x5e: found |= Anomalies.directionGuessed.rawValue
      default: break
      }
    }
    return Anomalies(rawValue: found)
  }
}
