import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

/// Templates that come late, change, go, or are too many.
@Suite struct TemplateTests {
  private let flow = ExportedFlow()

  @Test(arguments: [true, false])
  func dataBeforeItsTemplateIsKept(_ isIPFIX: Bool) {
    let collector = FlowCollector()
    let fields = isIPFIX ? Fix.fields10 : Fix.fields9
    func message(_ sets: [[UInt8]]) -> [UInt8] { isIPFIX ? Fix.ipfix(sets) : Fix.netflow9(sets) }
    collector.take(message([Fix.set(256, Fix.record(flow, fields))]))
    #expect(collector.counts.records == 0)
    let later = Timestamp(seconds: Int64(Fix.seconds + 120))
    let template = Fix.set(isIPFIX ? 2 : 0, Fix.template(256, fields))
    collector.take(
      isIPFIX
        ? Fix.ipfix([template], seconds: Fix.seconds + 120)
        : Fix.netflow9([template], seconds: Fix.seconds + 120, uptime: Fix.uptime + 120_000), at: later)
    #expect(collector.counts.records == 1)
    let out = collector.finished()
    // The times are those of the message that the data came in.
    #expect(out.count == 1 && abs((out.first?.last.seconds(since: Fix.now) ?? 0) + 10) < 1)
    #expect(collector.heldOctets == 0)
    #expect(collector.counts[.noTemplate] == 0)
  }

  @Test func dataWithoutTemplateIsBounded() {
    var settings = FlowCollectorSettings()
    settings.heldSetsPerExporter = 3
    let collector = FlowCollector(settings)
    for n in 0..<10 { collector.take(Fix.netflow9([Fix.set(256, [1, 2, 3, 4])], sequence: n)) }
    #expect(collector.counts[.noTemplate] == 7)
    #expect(collector.heldOctets == 12)
    // What waits too long is given up, and counted.
    collector.advance(to: Fix.now.advanced(bySeconds: 3600))
    #expect(collector.counts[.noTemplate] == 10)
    #expect(collector.heldOctets == 0)
    #expect(collector.reports.first?.withoutTemplate == 10)
  }

  @Test func heldOctetsAreBoundedOverAllExporters() {
    var settings = FlowCollectorSettings()
    settings.heldOctetsMost = 100
    let collector = FlowCollector(settings)
    for n in 0..<10 { collector.take(Fix.netflow9([Fix.set(256, [UInt8](repeating: 0, count: 40))], domain: n)) }
    #expect(collector.heldOctets == 80)
    #expect(collector.counts[.noTemplate] == 8)
  }

  @Test func aChangedTemplateCounts() throws {
    let collector = FlowCollector()
    let other = Array(Fix.fields9.reversed())
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9))]))
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9))], sequence: 1))
    #expect(collector.counts.templatesChanged == 0)
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, other))], sequence: 2))
    #expect(collector.counts.templatesChanged == 1)
    collector.take(Fix.netflow9([Fix.set(256, Fix.record(flow, other))], sequence: 3))
    let out = try #require(collector.finished().first)
    #expect(out.source == flow.source && out.sourceOctets == 900)
    #expect(collector.lost.datagrams == 0)
  }

  @Test func withdrawnTemplatesAreGone() {
    let collector = FlowCollector()
    let both = Fix.template(300, Fix.fields10) + Fix.template(301, Fix.fields10)
    collector.take(Fix.ipfix([Fix.set(2, both)]))
    #expect(collector.reports.first?.templates == 2)
    collector.take(Fix.ipfix([Fix.set(2, [1, 44, 0, 0])]))
    #expect(collector.reports.first?.templates == 1)
    collector.take(Fix.ipfix([Fix.set(300, Fix.record(flow, Fix.fields10))]))
    #expect(collector.counts.records == 0)
    collector.take(Fix.ipfix([Fix.set(2, [0, 2, 0, 0])]))
    #expect(collector.reports.first?.templates == 0)
    #expect(collector.fieldCount == 0)
    #expect(collector.counts.templatesWithdrawn == 2)
  }

  /// A flood of templates pushes out its own, never those that data came for.
  @Test func floodOfTemplates() throws {
    var settings = FlowCollectorSettings()
    settings.templatesPerExporter = 16
    let collector = FlowCollector(settings)
    collector.take(
      Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9)), Fix.set(256, Fix.record(flow, Fix.fields9))]))
    for n in 0..<5000 {
      let template = Fix.template(257 + n, Fix.fields9)
      collector.take(Fix.netflow9([Fix.set(0, template)], sequence: n + 1))
    }
    #expect(collector.reports.first?.templates == 16)
    #expect(collector.counts.templatesPushedOut == 5000 - 15)
    #expect(collector.fieldCount == 160)
    collector.take(Fix.netflow9([Fix.set(256, Fix.record(flow, Fix.fields9))], sequence: 5001))
    #expect(collector.counts.records == 2)
  }

  /// Full of templates in use: new ones are refused until some have gone stale.
  @Test func usedTemplatesStay() {
    var settings = FlowCollectorSettings()
    settings.templatesPerExporter = 4
    let collector = FlowCollector(settings)
    for n in 256..<260 {
      collector.take(
        Fix.netflow9([Fix.set(0, Fix.template(n, Fix.fields9)), Fix.set(n, Fix.record(flow, Fix.fields9))]))
    }
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(300, Fix.fields9))]))
    #expect(collector.counts.templatesRefused == 1)
    let later = Timestamp(seconds: Int64(Fix.seconds + 3600))
    collector.take(
      Fix.netflow9([Fix.set(0, Fix.template(300, Fix.fields9))], seconds: Fix.seconds + 3600), at: later)
    #expect(collector.counts.templatesRefused == 1 && collector.counts.templatesPushedOut == 1)
  }

  @Test func fieldsAreBounded() {
    var settings = FlowCollectorSettings()
    settings.fieldsPerTemplate = 20
    settings.fieldsMost = 50
    let collector = FlowCollector(settings)
    let long = Fix.template(256, [Fix.Field](repeating: Fix.Field(id: 1, length: 4), count: 21))
    let after = Fix.template(257, Fix.fields9)
    collector.take(Fix.netflow9([Fix.set(0, long + after)]))
    #expect(collector.counts.templatesRefused == 1)
    #expect(collector.counts.templates == 1)
    for n in 0..<10 { collector.take(Fix.netflow9([Fix.set(0, after)], domain: 10 + n)) }
    #expect(collector.fieldCount == 50)
    #expect(collector.counts.templatesRefused == 1 + 6)
  }

  @Test func exportersAreBounded() {
    var settings = FlowCollectorSettings()
    settings.exportersMost = 8
    let collector = FlowCollector(settings)
    let genuine = Fix.netflow9([
      Fix.set(0, Fix.template(256, Fix.fields9)), Fix.set(256, Fix.record(flow, Fix.fields9)),
    ])
    collector.take(genuine)
    // Forged sources with templates and no flows make room for each other only.
    for n in 0..<1000 {
      let forged = IPAddress(v4: 0xc633_6400 | UInt32(n))
      collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9))]), from: forged)
    }
    #expect(collector.reports.count == 8)
    #expect(collector.counts.exportersPushedOut == 1000 - 7)
    #expect(collector.fieldCount == 80)
    collector.take(Fix.netflow9([Fix.set(256, Fix.record(flow, Fix.fields9))], sequence: 1))
    #expect(collector.counts.records == 2)
    // All at work: a newcomer is refused, and counted.
    for n in 0..<8 { collector.take(Fix.netflow5([flow]), from: IPAddress(v4: 0x0a0a_0000 | UInt32(n))) }
    #expect(collector.counts[.exporterRefused] == 1)
  }

  /// Padding, and templates that make no sense, end their set and nothing else.
  @Test func damagedTemplates() {
    let collector = FlowCollector()
    let good = Fix.set(0, Fix.template(256, Fix.fields9))
    let data = Fix.set(256, Fix.record(flow, Fix.fields9))
    for bad: [UInt8] in [
      [0, 5, 0, 1, 0, 8, 0, 4],  // id below 256
      [1, 0, 0xff, 0xff, 0, 8, 0, 4],  // more fields than there are
      [1, 0, 0, 1, 0, 8, 0, 0],  // records without octets
      [1, 0, 0, 1, 0, 8, 0xff, 0xff],  // variable length in NetFlow v9
    ] {
      let before = collector.counts.unparsed
      collector.take(Fix.netflow9([Fix.set(0, bad), good, data]))
      #expect(collector.counts.unparsed == before + 1, "\(bad)")
    }
    #expect(collector.counts.records == 4)
    collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9) + [0, 0, 0, 0])]))
    #expect(collector.counts.unparsed == 4)
  }
}
