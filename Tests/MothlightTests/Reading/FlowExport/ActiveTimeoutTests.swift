import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

@Suite struct ActiveTimeoutTests {
  private let flow = ExportedFlow()

  /// What the exporter cut goes on: the pair table takes the next record for the same conversation.
  @Test func activeTimeoutsAreOneConversation() throws {
    let fields = Fix.fields10 + [Fix.Field(id: 136, length: 1)]
    let collector = FlowCollector()
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields))]))
    var pairs = PairTable()
    for minute in 0..<5 {
      let at = Fix.seconds + 60 * minute
      var part = flow
      part.firstAgo = 60_000
      part.lastAgo = 500
      part.flags = minute == 0 ? 0x1a : 0x18
      func cut(_ flow: ExportedFlow) -> [UInt8] { Fix.record(flow, fields, seconds: at).dropLast() + [2] }
      collector.take(
        Fix.ipfix([Fix.set(300, cut(part) + cut(part.answer))], sequence: 2 * minute, seconds: at),
        at: Timestamp(seconds: Int64(at)))
    }
    let flows = collector.finished().sorted { $0.first < $1.first }
    #expect(flows.count == 5)
    #expect(flows.allSatisfy { $0.anomalies.contains(.cutByTimeout) && $0.destinationOctets == 7000 })
    for flow in flows { _ = pairs.update(flow, host: 0, peer: flow.destination, isInside: false) }
    #expect(pairs.pairs.count == 1)
    #expect(pairs.pairs[0].starts == 1)
    #expect(pairs.pairs[0].octetsIn == 35_000)
    #expect(abs(pairs.pairs[0].longest - 299.5) < 1)
  }
}
