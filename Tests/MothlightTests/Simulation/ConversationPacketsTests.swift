import Testing

@testable import Mothlight

@Suite("Conversation packets") struct ConversationPacketsTests {
  static let client = IPAddress(v4: 0xc0a8_0a0a)
  static let server = IPAddress(v4: 0xc612_0001)

  static func conversation(_ transport: Transport = .tcp) -> Conversation {
    Conversation(
      start: 10, client: client, server: server, clientPort: 50_000, serverPort: 443, transport: transport,
      roundTrip: 0.02)
  }

  static func unfold(_ conversation: Conversation, end: Int64 = .max) -> [PlannedPacket] {
    var packets = ConversationPackets(conversation, end: end)
    var out: [PlannedPacket] = []
    while let packet = packets.next() { out.append(packet) }
    return out
  }

  @Test func completeConnection() throws {
    var conversation = Self.conversation()
    conversation.steps = [.client(.opaque(100)), .server(.opaque(4000))]
    let packets = Self.unfold(conversation)
    let shape = packets.map { ($0.fromClient ? "c" : "s") + "\($0.flags.rawValue)/\($0.length)" }
    #expect(
      shape == [
        "c2/0", "s18/0", "c16/0", "c24/100", "s16/1460", "s16/1460", "c16/0", "s24/1080", "c16/0", "c17/0", "s17/0",
        "c16/0",
      ])
    // Each side's numbers run on without holes: SYN and FIN count one each.
    for side in [true, false] {
      var expected: UInt32?
      for packet in packets where packet.fromClient == side {
        if let expected { #expect(packet.sequence == expected) }
        let extra: UInt32 = packet.flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1
        expected = packet.sequence &+ UInt32(packet.length) &+ extra
      }
    }
    #expect(zip(packets, packets.dropFirst()).allSatisfy { $0.time <= $1.time })
    let summary = try #require(ConversationSummary(conversation, end: .max))
    #expect(String(decoding: summary.history, as: UTF8.self) == "ShADdFf")
    #expect(summary.zeekState(.tcp) == "SF")
    #expect(summary.client.payload == 100)
    #expect(summary.server.payload == 4000)
    #expect(summary.client.ipOctets == 52 + 6 * 40 + 100)
    #expect(summary.server.ipOctets == 52 + 4 * 40 + 4000)
  }

  @Test func failures() throws {
    var conversation = Self.conversation()
    conversation.opening = .ignored(attempts: 3)
    let retries = Self.unfold(conversation)
    #expect(retries.map(\.time) == [10_000_000, 11_000_000, 13_000_000])
    #expect(Set(retries.map(\.sequence)).count == 1)
    #expect(ConversationSummary(conversation, end: .max)?.zeekState(.tcp) == "S0")
    conversation.opening = .refused
    let refused = Self.unfold(conversation)
    #expect(refused.count == 2)
    #expect(refused[1].flags == [.reset, .ack])
    #expect(refused[1].acknowledgement == refused[0].sequence &+ 1)
    #expect(ConversationSummary(conversation, end: .max)?.zeekState(.tcp) == "REJ")
  }

  @Test func captureEndCuts() throws {
    var conversation = Self.conversation()
    conversation.steps = [.client(.opaque(10), after: 5), .server(.opaque(10))]
    let all = Self.unfold(conversation)
    for count in 0...all.count {
      let end = count < all.count ? all[count].time : .max
      let cut = Self.unfold(conversation, end: end)
      #expect(cut.count <= count)
      #expect(cut.allSatisfy { $0.time < end })
    }
    #expect(ConversationSummary(conversation, end: 10_000_000) == nil)
    #expect(ConversationSummary(conversation, end: 12_000_000)?.zeekState(.tcp) == "S1")
  }

  @Test func cyclesRepeatTheTail() {
    var conversation = Self.conversation(.udp)
    conversation.steps = [.client(.opaque(7)), .client(.opaque(3), after: 240), .server(.opaque(3))]
    conversation.cycleStart = 1
    conversation.cycles = 5
    let packets = Self.unfold(conversation)
    #expect(packets.map(\.length) == [7] + [Int](repeating: 3, count: 10))
    #expect(packets.filter(\.fromClient).count == 6)
  }

  @Test func tlsPayloadCountsRecords() {
    #expect(Conversation.Payload.tls(1).count == 23)
    #expect(Conversation.Payload.tls(16_368).count == 16_390)
    #expect(Conversation.Payload.tls(16_369).count == 16_369 + 44)
  }
}
