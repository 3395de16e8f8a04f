/// What a meter would have measured of a conversation: counts, times, flags. Made by unfolding it once.
struct ConversationSummary: Sendable {
  /// Microseconds from the start of the scenario.
  var first: Int64 = 0
  var last: Int64 = 0
  var client = Direction()
  var server = Direction()
  /// Zeek's letters in order of first appearance, upper case for the client.
  var history: [UInt8] = []
  /// Time of the first packet of each step in its first cycle; `Int64.max` when it was not captured.
  var stepTimes: [Int64] = []

  struct Direction: Sendable {
    var packets = 0
    var ipOctets = 0
    var payload = 0
    var flags: PlannedPacket.TCPFlags = []
    /// Time of its first packet.
    var first = Int64.max
  }

  /// `nil` when not one packet falls into the capture.
  init?(_ conversation: Conversation, end: Int64) {
    var packets = ConversationPackets(conversation, end: end)
    let isTCP = conversation.transport == .tcp
    stepTimes = [Int64](repeating: .max, count: conversation.steps.count)
    while let packet = packets.next() {
      if client.packets + server.packets == 0 { first = packet.time }
      last = packet.time
      let header = isTCP ? (packet.flags.contains(.syn) ? 52 : 40) : 28
      let count = { (direction: inout Direction) in
        direction.packets += 1
        direction.ipOctets += header + packet.length
        direction.payload += packet.length
        direction.flags.formUnion(packet.flags)
        direction.first = min(direction.first, packet.time)
      }
      if packet.fromClient { count(&client) } else { count(&server) }
      if packet.step >= 0, packet.offset == 0, stepTimes[packet.step] == .max { stepTimes[packet.step] = packet.time }
      for letter in Self.letters(packet, isTCP: isTCP) where !history.contains(letter) { history.append(letter) }
    }
    guard client.packets + server.packets > 0 else { return nil }
  }

  /// `S` SYN, `H` SYN with ACK, `A` bare ACK, `D` data, `F` FIN, `R` RST (Zeek documentation, conn.log `history`).
  private static func letters(_ packet: PlannedPacket, isTCP: Bool) -> [UInt8] {
    var out: [UInt8] = []
    if packet.flags.contains(.syn) {
      out.append(packet.flags.contains(.ack) ? 0x48 : 0x53)
    } else if packet.length > 0 {
      out.append(0x44)
    } else if isTCP, packet.flags == .ack {
      out.append(0x41)
    }
    if packet.flags.contains(.fin) { out.append(0x46) }
    if packet.flags.contains(.reset) { out.append(0x52) }
    return packet.fromClient ? out : out.map { $0 | 0x20 }
  }

  /// Zeek's `conn_state` for conversations seen from their first packet on.
  func zeekState(_ transport: Transport) -> String {
    guard transport == .tcp else {
      return server.packets == 0 ? "S0" : client.packets == 0 ? "SHR" : "SF"
    }
    if server.packets == 0 { return "S0" }
    if !server.flags.contains(.syn) { return server.flags.contains(.reset) ? "REJ" : "S0" }
    if client.flags.contains(.reset) { return "RSTO" }
    if server.flags.contains(.reset) { return "RSTR" }
    switch (client.flags.contains(.fin), server.flags.contains(.fin)) {
    case (true, true): return "SF"
    case (true, false): return "S2"
    case (false, true): return "S3"
    case (false, false): return "S1"
    }
  }

  func flowState(_ transport: Transport) -> ConnectionState {
    switch zeekState(transport) {
    case "S0": .unanswered
    case "REJ": .refused
    case "RSTO", "RSTR": .reset
    case "SF": transport == .tcp ? .closed : .established
    default: .established
    }
  }

  /// The conversation as the library's own word for it.
  func flow(_ conversation: Conversation, epoch: Int64) -> Flow {
    let service: Service =
      switch conversation.service {
      case "dns": .dns
      case "http": .http
      case "ssl": .tls
      case "ssh": .ssh
      case "irc": .irc
      case "smtp": .smtp
      case "ntp": .ntp
      default: .unknown
      }
    return Flow(
      source: conversation.client, destination: conversation.server, sourcePort: conversation.clientPort,
      destinationPort: conversation.serverPort, transport: conversation.transport,
      first: Timestamp(nanoseconds: (epoch + first) * 1000), last: Timestamp(nanoseconds: (epoch + last) * 1000),
      state: flowState(conversation.transport), service: service, sourceOctets: UInt64(client.ipOctets),
      destinationOctets: UInt64(server.ipOctets), sourcePayload: UInt64(client.payload),
      destinationPayload: UInt64(server.payload), sourcePackets: UInt32(clamping: client.packets),
      destinationPackets: UInt32(clamping: server.packets))
  }
}
