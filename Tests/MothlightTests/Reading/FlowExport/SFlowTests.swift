import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

@Suite struct SFlowTests {
  private let flow: ExportedFlow = {
    var flow = ExportedFlow()
    flow.flags = 0x18
    return flow
  }()

  @Test(arguments: [false, true])
  func packetsAreMetered(_ isExpanded: Bool) throws {
    let collector = FlowCollector()
    var syn = flow
    syn.flags = 2
    var answer = flow.answer
    answer.flags = 0x12
    let samples = [syn, answer, flow].map {
      Fix.flowSample(Fix.frame($0, payload: 1000), rate: 512, isExpanded: isExpanded, frameOctets: 1054)
    }
    collector.take(Fix.sflow(samples))
    #expect(collector.counts.records == 3)
    #expect(collector.counts.unparsed == 0)
    #expect(collector.reports.first?.oneIn == 512)
    let out = try #require(collector.finished().first)
    #expect(collector.sampled.count == 1 && collector.whole.isEmpty)
    #expect(out.source == flow.source && out.destinationPort == 443)
    // Octets of the packets themselves, not of what was kept of them, and not multiplied.
    #expect(out.sourcePackets == 2 && out.sourceOctets == 2080)
    #expect(out.destinationPackets == 1 && out.destinationOctets == 1040)
    #expect(out.first == Fix.now)
  }

  /// One packet in one is no sample.
  @Test func rateOfOneIsWhole() {
    let collector = FlowCollector()
    collector.take(Fix.sflow([Fix.flowSample(Fix.frame(flow), rate: 1)]))
    collector.finish()
    #expect(collector.whole.count == 1 && collector.sampled.isEmpty)
  }

  @Test func countersArePassedOver() {
    let collector = FlowCollector()
    let counters = Fix.item(2, [UInt8](repeating: 0, count: 100))
    let expanded = Fix.item(4, [UInt8](repeating: 0, count: 40))
    let event = Fix.item(5, [UInt8](repeating: 0, count: 8))
    let vendor = Fix.item(8800 << 12 | 1, [1, 2, 3])
    collector.take(Fix.sflow([counters, expanded, event, vendor, Fix.flowSample(Fix.frame(flow), rate: 10)]))
    #expect(collector.counts.skipped == ["counter_sample": 2, "other_sample": 2])
    #expect(collector.counts.records == 1)
    #expect(collector.counts.unparsed == 0)
  }

  /// Switches that read the header themselves.
  @Test(arguments: [false, true])
  func packetRecords(_ isV6: Bool) throws {
    var o = Octets()
    o.u32(1500)
    o.u32(17)
    let source = isV6 ? IPAddress(high: 0x2001_0db8 << 32, low: 5) : IPAddress(v4: 0x0a00_0005)
    let destination = isV6 ? IPAddress(high: 0x2001_0db8 << 32, low: 6) : IPAddress(v4: 0xc000_0207)
    o.add(source.networkBytes + destination.networkBytes)
    o.u32(5000)
    o.u32(53)
    o.u32(0)
    o.u32(0)
    let collector = FlowCollector()
    collector.take(Fix.sflow([Fix.flowSample(records: [Fix.item(isV6 ? 4 : 3, o.bytes)], rate: 100)]))
    let out = try #require(collector.finished().first)
    #expect(out.source == source && out.destination == destination && out.transport == .udp)
    #expect(out.sourcePort == 5000 && out.destinationPort == 53)
    #expect(out.sourceOctets == 1500 && out.sourcePackets == 1 && out.first == Fix.now)
    #expect(collector.sampled.count == 1)
  }

  @Test func otherFramesAreCounted() {
    let collector = FlowCollector()
    var arp = [UInt8](repeating: 0, count: 60)
    arp[12] = 8
    arp[13] = 6
    var wireless = Octets()
    for value in [6, 100, 0, 0] { wireless.u32(value) }
    collector.take(
      Fix.sflow([
        Fix.flowSample(arp, rate: 10), Fix.flowSample(records: [Fix.item(1, wireless.bytes)], rate: 10),
        Fix.flowSample(records: [Fix.item(1001, [0, 0, 0, 1])], rate: 10),
      ]))
    #expect(collector.counts.skipped == ["not_ip": 2, "other_record": 1])
    #expect(collector.counts.records == 0)
  }

  @Test func lostDatagrams() {
    let collector = FlowCollector()
    for sequence in [1, 2, 7] { collector.take(Fix.sflow([], sequence: sequence)) }
    #expect(collector.lost == (0, 4))
  }

  /// Flows end though no further packet comes.
  @Test func idleFlowsEnd() {
    let collector = FlowCollector()
    collector.take(Fix.sflow([Fix.flowSample(Fix.frame(flow), rate: 512)]))
    collector.advance(to: Fix.now.advanced(bySeconds: 60))
    #expect(collector.sampled.isEmpty)
    collector.advance(to: Fix.now.advanced(bySeconds: 301))
    #expect(collector.sampled.count == 1)
  }

  @Test func agentIsNamed() throws {
    let collector = FlowCollector()
    let agent = IPAddress(high: 0x2001_0db8 << 32, low: 9)
    collector.take(Fix.sflow([Fix.flowSample(Fix.frame(flow), rate: 512)], agent: agent))
    let report = try #require(collector.reports.first)
    #expect(report.name == "192.0.2.1 agent 2001:db8::9 domain 0, sFlow v5")
    #expect(report.text == "1 records, sampled 1 in 512")
  }
}
