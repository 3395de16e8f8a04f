import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

/// What must hold whatever comes: nothing traps, bounds hold, and what was whole before a damage is read.
@Suite struct ExportPropertyTests {
  struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  private static let flow = ExportedFlow()

  private static let packets: [(name: String, bytes: [UInt8])] = {
    let pair9 = Fix.record(flow, Fix.fields9) + Fix.record(flow.answer, Fix.fields9)
    let reverse = [1, 2, 6].map { Fix.Field(id: $0, length: $0 == 6 ? 1 : 4, enterprise: 29_305) }
    let text = Fix.Field(id: 82, length: 65_535)
    let many = Fix.fields10 + reverse + [text]
    let scope = [Fix.Field(id: 1, length: 4), Fix.Field(id: 48, length: 1), Fix.Field(id: 50, length: 4)]
    let options = Fix.optionsTemplate(400, scope, scopes: 1, isIPFIX: false)
    return [
      ("v5", Fix.netflow5([flow, flow.answer, flow])),
      (
        "v9",
        Fix.netflow9([
          Fix.set(1, options), Fix.set(400, [0, 0, 0, 1, 1, 0, 0, 1, 0]), Fix.set(0, Fix.template(256, Fix.fields9)),
          Fix.set(256, pair9),
        ])
      ),
      ("ipfix", Fix.ipfix([Fix.set(2, Fix.template(256, many)), Fix.set(256, Fix.record(flow, many))])),
      (
        "sflow",
        Fix.sflow([
          Fix.item(2, [UInt8](repeating: 1, count: 44)), Fix.flowSample(Fix.frame(flow, payload: 60), rate: 100),
          Fix.flowSample(Fix.frame(flow.answer), rate: 100, isExpanded: true),
        ])
      ),
    ]
  }()

  private func small() -> FlowCollectorSettings {
    var settings = FlowCollectorSettings()
    settings.exportersMost = 4
    settings.templatesPerExporter = 8
    settings.fieldsMost = 200
    settings.heldOctetsMost = 1024
    settings.waitingMost = 64
    settings.sampledFlowsMost = 64
    return settings
  }

  private func checkBounds(_ collector: FlowCollector, _ settings: FlowCollectorSettings) {
    #expect(collector.heldOctets >= 0 && collector.heldOctets <= settings.heldOctetsMost)
    #expect(collector.fieldCount >= 0 && collector.fieldCount <= settings.fieldsMost)
    let reports = collector.reports
    #expect(reports.count <= settings.exportersMost)
    #expect(reports.allSatisfy { $0.templates <= settings.templatesPerExporter })
    #expect(
      collector.fieldCount == collector.exporters.exporters.values.reduce(0) { $0 + $1.templates.fieldCount })
    #expect(
      collector.heldOctets
        == collector.exporters.exporters.values.reduce(0) { $0 + $1.held.reduce(0) { $0 + $1.octets.count } })
  }

  /// Cut anywhere: never more records than in the whole, and none that is not in it.
  @Test(arguments: 0..<4)
  func cutAnywhere(_ n: Int) {
    let bytes = Self.packets[n].bytes
    let whole = FlowCollector()
    whole.take(bytes)
    #expect(whole.counts.unparsed == 0)
    let all = Set(whole.finished().map { [$0.source, $0.destination] })
    #expect(!all.isEmpty)
    var last: UInt64 = 0
    for length in 0...bytes.count {
      let collector = FlowCollector()
      collector.take(Array(bytes[..<length]))
      #expect(collector.counts.records >= last || n == 3)
      last = max(last, collector.counts.records)
      #expect(collector.counts.records <= whole.counts.records)
      for flow in collector.finished() {
        #expect(all.contains([flow.source, flow.destination]) || all.contains([flow.destination, flow.source]))
      }
    }
    #expect(last == whole.counts.records)
  }

  /// Octets flipped at random, in long runs through one collector, so that damage meets state.
  @Test(arguments: 0..<4)
  func flippedOctets(_ n: Int) {
    var random = Random(state: UInt64(n) + 11)
    let settings = small()
    let collector = FlowCollector(settings)
    var now = Fix.now
    for round in 0..<3000 {
      var bytes = Self.packets[n].bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      collector.take(bytes, from: IPAddress(v4: UInt32.random(in: 1...6, using: &random)), at: now)
      if round % 50 == 0 {
        now = now.advanced(bySeconds: 30)
        collector.advance(to: now)
        checkBounds(collector, settings)
      }
    }
    for o in collector.finished() { #expect(o.last >= o.first) }
  }

  /// Templates of random fields and lengths, and random data for them.
  @Test func randomTemplates() {
    var random = Random(state: 5)
    let settings = small()
    let collector = FlowCollector(settings)
    let ids =
      Array(1...62) + Array(82...90) + [136, 139] + Array(148...165) + [176, 177, 231, 232, 233, 239]
      + Array(298...312) + Array(321...326)
    for _ in 0..<4000 {
      let isIPFIX = Bool.random(using: &random)
      let count = Int.random(in: 1...12, using: &random)
      let fields = (0..<count).map { _ in
        Fix.Field(
          id: ids.randomElement(using: &random) ?? 1,
          length: isIPFIX && Int.random(in: 0..<8, using: &random) == 0
            ? 65_535 : Int.random(in: 0...17, using: &random),
          enterprise: isIPFIX && Int.random(in: 0..<6, using: &random) == 0 ? 29_305 : 0)
      }
      let id = Int.random(in: 256..<270, using: &random)
      let data = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let isOptions = Int.random(in: 0..<5, using: &random) == 0
      let template =
        isOptions
        ? Fix.optionsTemplate(id, fields, scopes: Int.random(in: 0...count, using: &random), isIPFIX: isIPFIX)
        : Fix.template(id, fields)
      let kind = isIPFIX ? (isOptions ? 3 : 2) : (isOptions ? 1 : 0)
      let sets = [Fix.set(kind, template), Fix.set(Int.random(in: 256..<270, using: &random), data)]
      collector.take(isIPFIX ? Fix.ipfix(sets) : Fix.netflow9(sets))
    }
    checkBounds(collector, settings)
    #expect(collector.counts.records > 1000)
    #expect(collector.counts.templatesChanged > 100)
  }

  /// Whatever the order of packets, every record is counted once: read, left out with a reason, or still waiting.
  @Test func nothingIsLostInTheBooks() {
    var random = Random(state: 9)
    let collector = FlowCollector()
    var sent = 0
    for n in 0..<500 {
      var flow = Self.flow
      flow.source = IPAddress(v4: UInt32.random(in: 1...5000, using: &random))
      flow.sourcePort = Int.random(in: 1024...65_535, using: &random)
      collector.take(Fix.netflow5([flow, flow.answer], sequence: 2 * n))
      sent += 2
    }
    let flows = collector.finished()
    #expect(collector.counts.records == UInt64(sent))
    #expect(flows.reduce(0) { $0 + Int($1.sourcePackets) + Int($1.destinationPackets) } == 500 * 16)
    #expect(flows.reduce(0) { $0 + $1.sourceOctets + $1.destinationOctets } == 500 * 7900)
  }
}
