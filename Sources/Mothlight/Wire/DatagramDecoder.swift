/// Decodes UDP payloads one by one: payload rules, DNS with its answers paired, QUIC hellos, and names of a few others.
struct DatagramDecoder {
  private var lookups = OpenLookups()
  private var quic = QUICHandshakes()

  init() {}

  /// Takes one payload; `ends.client` is the flow's initiator. Returns what it was recognised as.
  mutating func decode(
    _ bytes: RawSpan, ends: Endpoints, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) -> Service {
    guard bytes.byteCount > 0 else { return .unknown }
    if PayloadRules.mayMatch(datagram: bytes, fromClient: fromClient),
      let rule = PayloadRules.match(datagram: bytes, serverPort: ends.serverPort, fromClient: fromClient)
    {
      let match = PayloadMatch(
        ends: ends, rule: rule.id, payloadOctets: UInt32(clamping: bytes.byteCount), fromClient: fromClient)
      out.append(Observation(time: time, event: .payload(match)))
      if rule.evidence == .strong { return .unknown }
    }
    if ends.serverPort == 53 || ends.clientPort == 53 {
      return dns(bytes, ends: ends, fromClient: fromClient, isOddPort: false, at: time, into: &out)
    }
    if Self.isLocalNaming(ends.serverPort) || Self.isLocalNaming(ends.clientPort) {
      return bytes.byteCount >= 12 && bytes.u8(2) & 0x70 == 0 && bytes.u16(4) < 64 ? .dns : .unknown
    }
    if bytes.u8(0) & 0x80 != 0, QUIC.isLongHeader(bytes) {
      if fromClient, let (event, began) = quic.take(bytes, ends: ends, at: time) {
        var marked = event
        marked.anomalies.formUnion(UsualPorts.anomaly(ends.serverPort, .quic))
        out.append(Observation(time: began, event: .tls(marked)))
      }
      return .quic
    }
    if let named = Self.byPort(bytes, ends) { return named }
    if bytes.u8(0) == 0x64, Self.isDHT(bytes) { return .bittorrent }
    if DNSMessage.isPlausible(bytes) {
      return dns(bytes, ends: ends, fromClient: fromClient, isOddPort: true, at: time, into: &out)
    }
    return .unknown
  }

  /// Emits look-ups that have waited longer than `OpenLookups.timeoutSeconds`; `time` is the present event time.
  mutating func expire(before time: Timestamp, into out: inout [Observation]) {
    lookups.expire(before: time, into: &out)
  }

  mutating func finish(into out: inout [Observation]) { lookups.finish(into: &out) }

  private mutating func dns(
    _ bytes: RawSpan, ends: Endpoints, fromClient: Bool, isOddPort: Bool, at time: Timestamp,
    into out: inout [Observation]
  ) -> Service {
    guard let message = try? DNSMessage(bytes) else { return .unknown }
    if isOddPort, !DNSMessage.isConvincing(bytes, message) { return .unknown }
    guard message.opcode == 0 else { return .dns }
    // The side that sets QR answers, whoever was seen first.
    let asker = message.isResponse == fromClient ? ends.turned : ends
    lookups.take(
      message, ends: asker, octets: bytes.byteCount, anomalies: isOddPort ? .protocolOnOddPort : [], at: time,
      into: &out)
    return .dns
  }

  /// mDNS (RFC 6762), LLMNR (RFC 4795), NetBIOS names (RFC 1002): local chatter that says nothing about botnets.
  private static func isLocalNaming(_ port: UInt16) -> Bool { port == 5353 || port == 5355 || port == 137 }

  private static func byPort(_ bytes: RawSpan, _ ends: Endpoints) -> Service? {
    let count = bytes.byteCount
    if ends.serverPort == 123 || ends.clientPort == 123 {
      // RFC 5905 section 7.3; control and private messages are shorter.
      let first = bytes.u8(0)
      let version = first >> 3 & 7
      let isShape = version >= 1 && version <= 4 && first & 7 != 0 && count >= (first & 7 >= 6 ? 8 : 48)
      if isShape { return .ntp }
    }
    let isDHCP = ends.serverPort == 67 || ends.serverPort == 68
    // The magic cookie of RFC 2131 section 3.
    if isDHCP, count >= 240, bytes.u32(236) == 0x6382_5363 { return .dhcp }
    return nil
  }

  /// A KRPC message of the Mainline DHT (BEP 5): a bencoded dictionary with a query, an answer or an error.
  private static func isDHT(_ bytes: RawSpan) -> Bool {
    bytes.has("d1:ad2:id20:") || bytes.has("d1:rd2:id20:") || bytes.has("d1:el") || bytes.has("d2:ip")
      || bytes.has("d1:t") || bytes.has("d1:q")
  }
}
