import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

/// Each format from the octets to the flow, by packets that were made by hand.
@Suite struct FlowCollectorTests {
  private let flow = ExportedFlow()

  private func expectPaired(_ flows: [Flow], scatterSeconds: Double = 0.002) throws {
    #expect(flows.count == 1)
    let out = try #require(flows.first)
    #expect(out.source == flow.source && out.destination == flow.destination)
    #expect(out.sourcePort == 40_000 && out.destinationPort == 443 && out.transport == .tcp)
    #expect(out.sourcePackets == 9 && out.sourceOctets == 900)
    #expect(out.destinationPackets == 7 && out.destinationOctets == 7000)
    #expect(out.state == .closed)
    #expect(abs(out.first.seconds(since: Fix.now) + 20) <= scatterSeconds)
    #expect(abs(out.last.seconds(since: Fix.now) + 10) <= scatterSeconds)
  }

  @Test func netflow5() throws {
    let collector = FlowCollector()
    collector.take(Fix.netflow5([flow, flow.answer]))
    #expect(collector.counts.records == 2)
    try expectPaired(collector.finished())
    #expect(collector.sampled.isEmpty)
  }

  /// A replay of old records: what waits for its other direction is not old by our clock.
  @Test func replayedRecordsWaitAsLongAsOthers() throws {
    let later = Fix.now.advanced(bySeconds: 180 * 86_400)
    var settings = FlowCollectorSettings()
    settings.trustsExporterClock = true
    let collector = FlowCollector(settings)
    collector.take(Fix.netflow5([flow]), at: later)
    collector.advance(to: later.advanced(bySeconds: 1))
    #expect(collector.whole.isEmpty)
    collector.take(Fix.netflow5([flow.answer], sequence: 1), at: later.advanced(bySeconds: 2))
    #expect(collector.whole.count == 1)
    try expectPaired(collector.finished())

    let alone = FlowCollector(settings)
    alone.take(Fix.netflow5([flow]), at: later)
    alone.advance(to: later.advanced(bySeconds: settings.pairingSeconds - 1))
    #expect(alone.whole.isEmpty)
    alone.advance(to: later.advanced(bySeconds: settings.pairingSeconds + 1))
    #expect(alone.whole.count == 1)
  }

  @Test func netflow9() throws {
    let collector = FlowCollector()
    let template = Fix.set(0, Fix.template(256, Fix.fields9))
    let data = Fix.set(256, Fix.record(flow, Fix.fields9) + Fix.record(flow.answer, Fix.fields9))
    collector.take(Fix.netflow9([template, data]))
    try expectPaired(collector.finished())
    #expect(collector.counts.templates == 1 && collector.counts.unparsed == 0)
  }

  @Test func ipfix() throws {
    let collector = FlowCollector()
    let template = Fix.set(2, Fix.template(300, Fix.fields10))
    let data = Fix.set(300, Fix.record(flow, Fix.fields10) + Fix.record(flow.answer, Fix.fields10))
    collector.take(Fix.ipfix([template, data]))
    try expectPaired(collector.finished())
  }

  /// RFC 5103: both directions in one record.
  @Test func ipfixBiflow() throws {
    let reverse = [1, 2, 6].map { Fix.Field(id: $0, length: $0 == 6 ? 1 : 4, enterprise: 29_305) }
    let fields = Fix.fields10 + reverse
    let collector = FlowCollector()
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), Fix.set(300, Fix.record(flow, fields))]))
    // Nothing waits for another direction.
    #expect(collector.whole.count == 1)
    try expectPaired(collector.finished())
  }

  /// Who put the server first is turned round, and says that it is a guess.
  @Test func biflowFromTheServerIsTurned() throws {
    let reverse = [1, 2].map { Fix.Field(id: $0, length: 4, enterprise: 29_305) }
    let fields = Fix.fields10 + reverse
    var turned = flow
    swap(&turned.source, &turned.destination)
    swap(&turned.sourcePort, &turned.destinationPort)
    let collector = FlowCollector()
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), Fix.set(300, Fix.record(turned, fields))]))
    let out = try #require(collector.finished().first)
    #expect(out.source == flow.source && out.destinationPort == 443)
    #expect(out.sourcePackets == 7 && out.destinationPackets == 9)
    #expect(out.anomalies.contains(.directionGuessed))
  }

  /// A length of one octet, and of three where it is 255 (RFC 7011 section 7).
  @Test(arguments: [3, 254, 255, 700])
  func variableLength(_ octets: Int) throws {
    var fields = Fix.fields10
    fields.insert(Fix.Field(id: 82, length: 65_535), at: 4)
    func record(_ flow: ExportedFlow) -> [UInt8] {
      let before = Fix.record(flow, Array(fields[..<4]))
      let after = Fix.record(flow, Array(fields[5...]))
      var middle = Octets()
      if octets < 255 {
        middle.u8(octets)
      } else {
        middle.u8(255)
        middle.u16(octets)
      }
      middle.add([UInt8](repeating: 0x61, count: octets))
      return before + middle.bytes + after
    }
    let collector = FlowCollector()
    let data = Fix.set(300, record(flow) + record(flow.answer))
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), data]))
    #expect(collector.counts.records == 2)
    try expectPaired(collector.finished())
  }

  /// Elements of others are passed over by their length.
  @Test func enterpriseElements() throws {
    var fields = Fix.fields10
    fields.insert(Fix.Field(id: 8, length: 6, enterprise: 9), at: 0)
    let collector = FlowCollector()
    let data = Fix.set(300, Fix.record(flow, fields.map { $0 }) + Fix.record(flow.answer, fields))
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), data]))
    try expectPaired(collector.finished())
  }

  @Test(arguments: [(150, 151, 4, 1.0), (154, 155, 8, 0.002), (156, 157, 8, 0.002), (158, 159, 4, 0.002)])
  func kindsOfTime(_ first: Int, _ last: Int, _ length: Int, _ scatter: Double) throws {
    var fields = Array(Fix.fields10.dropLast(2))
    fields += [Fix.Field(id: first, length: length), Fix.Field(id: last, length: length)]
    let collector = FlowCollector()
    let data = Fix.set(300, Fix.record(flow, fields) + Fix.record(flow.answer, fields))
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), data]))
    try expectPaired(collector.finished(), scatterSeconds: scatter)
  }

  /// IPFIX in uptime: when the exporter started is in its options (element 160).
  @Test func ipfixInUptime() throws {
    let fields = Array(Fix.fields10.dropLast(2)) + [Fix.Field(id: 22, length: 4), Fix.Field(id: 21, length: 4)]
    let optionFields = [Fix.Field(id: 149, length: 4), Fix.Field(id: 160, length: 8)]
    var boot = Octets()
    boot.u32(1)
    boot.u64(UInt64(Fix.seconds * 1000 - Fix.uptime))
    let collector = FlowCollector()
    collector.take(
      Fix.ipfix([
        Fix.set(3, Fix.optionsTemplate(400, optionFields, scopes: 1, isIPFIX: true)), Fix.set(400, boot.bytes),
      ]))
    let data = Fix.set(300, Fix.record(flow, fields) + Fix.record(flow.answer, fields))
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(300, fields)), data], sequence: 1))
    try expectPaired(collector.finished())
    #expect(collector.counts.optionsRecords == 1)
    #expect(collector.lost.records == 0)
  }

  @Test func addressesOfBothFamiliesInOneTemplate() throws {
    let six = IPAddress(high: 0x2001_0db8_0000_0000, low: 5)
    var v6 = flow
    v6.source = six
    v6.destination = IPAddress(high: 0x2001_0db8_0000_0001, low: 7)
    let fields = [Fix.Field(id: 8, length: 4), Fix.Field(id: 12, length: 4)]
    let more = [Fix.Field(id: 27, length: 16), Fix.Field(id: 28, length: 16)] + Array(Fix.fields9.dropFirst(2))
    let record = [UInt8](repeating: 0, count: 8) + Fix.record(v6, more)
    let collector = FlowCollector()
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, fields + more)), Fix.set(256, record)]))
    let out = try #require(collector.finished().first)
    #expect(out.source == six && out.destination == v6.destination)
  }

  @Test func icmpTypeAndCode() throws {
    var ping = flow
    ping.transport = 1
    ping.sourcePort = 0
    ping.destinationPort = 8 << 8
    ping.flags = 0
    let collector = FlowCollector()
    collector.take(Fix.netflow5([ping]))
    let out = try #require(collector.finished().first)
    #expect(out.transport == .icmp && out.sourcePort == 8 && out.destinationPort == 0)
    #expect(out.state == .unanswered)
  }

  @Test func otherVersionsAreNamed() {
    let collector = FlowCollector()
    for version in [1, 7, 8, 11] {
      var o = Octets()
      o.u16(version)
      o.add([UInt8](repeating: 0, count: 100))
      collector.take(o.bytes)
    }
    collector.take([])
    #expect(collector.counts.skipped == ["unknown_format": 5])
    #expect(collector.reports.isEmpty)
  }

  @Test func onlyThoseWhoMay() throws {
    var settings = FlowCollectorSettings()
    settings.exporters = [try #require(Prefix("192.0.2.0/28"))]
    let collector = FlowCollector(settings)
    collector.take(Fix.netflow5([flow]))
    collector.take(Fix.netflow5([flow]), from: IPAddress(v4: 0xc000_02f0))
    #expect(collector.counts.skipped == ["exporter_not_allowed": 1])
    #expect(collector.finished().count == 1)
  }
}
