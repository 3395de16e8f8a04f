/// DNS over one TCP connection: messages with a two-octet length in front (RFC 1035 section 4.2.2, RFC 7766).
struct DNSStream {
  private struct Lane {
    var buffer: [UInt8] = []
    var isLost = false
  }

  private var fromClient = Lane()
  private var fromServer = Lane()
  /// Pipelined queries of one connection.
  private var lookups = OpenLookups(limit: 64)
  private let base: Anomalies
  private(set) var anomalies: Anomalies = []

  init(base: Anomalies) { self.base = base }

  var isDone: Bool { fromClient.isLost && fromServer.isLost }

  mutating func feed(
    _ bytes: RawSpan, fromClient side: Bool, ends: Endpoints, at time: Timestamp, into out: inout [Observation]
  ) {
    var lane = side ? fromClient : fromServer
    guard !lane.isLost else { return }
    if side { fromClient.buffer = [] } else { fromServer.buffer = [] }
    lane.buffer.append(bytes, upTo: 65_537)
    var start = 0
    while lane.buffer.count &- start >= 2 {
      let length = Int(lane.buffer.span.bytes.u16(start))
      // Zone transfers bring messages that are not look-ups; giving up keeps memory small.
      guard length >= 12, length <= Limits.streamPrefixOctets else {
        lane.isLost = true
        break
      }
      guard lane.buffer.count &- start &- 2 >= length else { break }
      take(
        lane.buffer.span.bytes.extracting((start &+ 2)..<(start &+ 2 &+ length)), fromClient: side, ends: ends,
        at: time, into: &out)
      start &+= 2 &+ length
    }
    lane.buffer = lane.isLost ? [] : Array(lane.buffer[start...])
    if side { fromClient = lane } else { fromServer = lane }
  }

  private mutating func take(
    _ bytes: RawSpan, fromClient side: Bool, ends: Endpoints, at time: Timestamp, into out: inout [Observation]
  ) {
    do {
      let message = try DNSMessage(bytes)
      guard message.opcode == 0 else { return }
      anomalies.formUnion(message.anomalies)
      lookups.take(
        message, ends: message.isResponse == side ? ends.turned : ends, octets: bytes.byteCount, anomalies: base,
        at: time, into: &out)
    } catch {
      anomalies.insert(.malformedDNS)
    }
  }

  mutating func skip(fromClient side: Bool) {
    if side { fromClient = Lane(isLost: true) } else { fromServer = Lane(isLost: true) }
  }

  mutating func finish(into out: inout [Observation]) { lookups.finish(into: &out) }
}

extension Endpoints {
  /// The same pair with the roles exchanged.
  var turned: Endpoints {
    Endpoints(
      client: server, server: client, clientPort: serverPort, serverPort: clientPort, transport: transport,
      origin: origin)
  }
}
