import Testing

@testable import Mothlight

private typealias Fix = ExportFixture

/// Clocks, sequence numbers and sampling of exporters.
@Suite struct ExporterTests {
  private let flow = ExportedFlow()

  private func wrong(_ seconds: Int, _ format: ExportFormat) -> [UInt8] {
    let at = Fix.seconds + seconds
    switch format {
    case .netflow5: return Fix.netflow5([flow], seconds: at)
    case .netflow9:
      return Fix.netflow9(
        [Fix.set(0, Fix.template(256, Fix.fields9)), Fix.set(256, Fix.record(flow, Fix.fields9))], seconds: at)
    default:
      let record = Fix.record(flow, Fix.fields10, seconds: at)
      return Fix.ipfix([Fix.set(2, Fix.template(256, Fix.fields10)), Fix.set(256, record)], seconds: at)
    }
  }

  /// A clock that is off by years is corrected by how far it is off, in every format that has one.
  @Test(
    arguments: [-1_000_000_000, -3600, 3600, 400_000_000],
    [ExportFormat.netflow5, .netflow9, .ipfix])
  func wrongClock(_ seconds: Int, _ format: ExportFormat) throws {
    let collector = FlowCollector()
    collector.take(wrong(seconds, format))
    let out = try #require(collector.finished().first)
    #expect(abs(out.first.seconds(since: Fix.now) + 20) < 0.01)
    #expect(abs(out.last.seconds(since: Fix.now) + 10) < 0.01)
    let report = try #require(collector.reports.first)
    #expect(report.clockOffsetSeconds == Double(-seconds))
    #expect(report.text.contains("clock \(seconds < 0 ? "behind" : "ahead") by \(abs(seconds)) s, corrected"))
  }

  @Test func smallErrorsAreLeft() throws {
    let collector = FlowCollector()
    collector.take(wrong(45, .netflow5))
    let out = try #require(collector.finished().first)
    #expect(abs(out.last.seconds(since: Fix.now) - 35) < 0.01)
    #expect(collector.reports.first?.clockOffsetSeconds == 0)
  }

  /// A clock that drifts along the bound does not jump to and fro, and one that is set right is believed again.
  @Test func clockIsFollowed() {
    var time = ExporterTime(toleranceSeconds: 60)
    func note(_ away: Double) -> Double {
      var clock = ExportClock(exported: Fix.now.advanced(bySeconds: -away).nanoseconds)
      time.note(&clock, at: Fix.now.nanoseconds)
      return Double(time.offset) / 1e9
    }
    #expect(note(59.9) == 0)
    #expect(note(60.1) == 60.1)
    #expect(note(59.9) == 60.1)
    #expect(note(65) == 60.1)
    #expect(note(71) == 71)
    #expect(note(31) == 31)
    #expect(note(2) == 0)
    #expect(time.steps == 4)
  }

  /// Whole seconds in headers must not shake times that are counted in milliseconds of uptime.
  @Test func startIsExact() {
    var time = ExporterTime(toleranceSeconds: 60)
    let boot = Fix.now.nanoseconds
    var last: Int64 = 0
    for n in 0..<50 {
      let uptime = 10_000 + n * 337
      let seconds = (boot + Int64(uptime) * 1_000_000) / 1_000_000_000
      var clock = ExportClock(exported: seconds * 1_000_000_000, uptimeMilliseconds: UInt32(uptime))
      time.note(&clock, at: boot + Int64(uptime) * 1_000_000)
      last = clock.time(uptime: 5000) ?? 0
    }
    #expect(abs(last - (boot + 5_000_000_000)) < 30_000_000)
  }

  /// Uptime wraps after 49.7 days: flows from before the wrap have the larger numbers.
  @Test func uptimeWraps() throws {
    var before = flow
    before.firstAgo = 20_000
    before.lastAgo = 10_000
    let collector = FlowCollector()
    var packet = Fix.netflow5([before], uptime: 15_000)
    // First: 5 s before the wrap.
    let first = UInt32(bitPattern: -5000)
    for i in 0..<4 { packet[24 + 24 + i] = UInt8(truncatingIfNeeded: first >> UInt32(24 - 8 * i)) }
    collector.take(packet)
    let out = try #require(collector.finished().first)
    #expect(abs(out.first.seconds(since: Fix.now) + 20) < 0.01)
    #expect(abs(out.last.seconds(since: Fix.now) + 10) < 0.01)
  }

  @Test func impossibleTimesAreRefused() {
    let collector = FlowCollector()
    var old = flow
    old.lastAgo = 4_000_000
    old.firstAgo = 4_010_000
    var future = flow
    future.lastAgo = -90_000
    collector.take(Fix.netflow5([old, future, flow]))
    #expect(collector.counts.skipped == ["impossible_time": 2])
    #expect(collector.finished().count == 1)
    var settings = FlowCollectorSettings()
    settings.trustsExporterClock = true
    let trusting = FlowCollector(settings)
    trusting.take(wrong(-500_000_000, .netflow5))
    #expect(trusting.finished().first?.first.seconds(since: Fix.now) == -500_000_020)
  }

  /// A flow without end reaches back a day at most.
  @Test func longFlowsAreCut() throws {
    let fields = Fix.fields10
    var long = flow
    long.firstAgo = 5 * 86_400_000
    let collector = FlowCollector()
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(256, fields)), Fix.set(256, Fix.record(long, fields))]))
    let out = try #require(collector.finished().first)
    #expect(out.duration == 86_400)
  }

  @Test func lostRecordsOfVersion5() {
    let collector = FlowCollector()
    collector.take(Fix.netflow5([flow, flow.answer], sequence: 100))
    collector.take(Fix.netflow5([flow, flow.answer], sequence: 102))
    collector.take(Fix.netflow5([flow, flow.answer], sequence: 134))
    #expect(collector.lost == (30, 0))
    // The one that was overtaken comes after all.
    collector.take(Fix.netflow5([flow, flow.answer], sequence: 110))
    #expect(collector.lost == (28, 0))
    // Each engine counts by itself.
    collector.take(Fix.netflow5([flow], sequence: 7, engine: 3))
    #expect(collector.lost == (28, 0))
    #expect(collector.reports.map(\.late).reduce(0, +) == 1)
  }

  @Test func lostPacketsOfVersion9() {
    let collector = FlowCollector()
    for sequence in [5, 6, 9, 10] {
      collector.take(Fix.netflow9([Fix.set(0, Fix.template(256, Fix.fields9))], sequence: sequence))
    }
    #expect(collector.lost == (0, 2))
  }

  /// Between messages whose records could not be counted nothing is claimed.
  @Test func unknownRecordsAreNoLoss() {
    let collector = FlowCollector()
    collector.take(Fix.ipfix([Fix.set(256, [1, 2, 3, 4])], sequence: 10))
    collector.take(Fix.ipfix([Fix.set(2, Fix.template(256, Fix.fields10))], sequence: 40))
    collector.take(Fix.ipfix([Fix.set(256, Fix.record(flow, Fix.fields10))], sequence: 40))
    collector.take(Fix.ipfix([Fix.set(256, Fix.record(flow, Fix.fields10))], sequence: 41))
    #expect(collector.lost == (0, 0))
    collector.take(Fix.ipfix([Fix.set(256, Fix.record(flow, Fix.fields10))], sequence: 50))
    #expect(collector.lost == (8, 0))
  }

  @Test func restartsAreNoLoss() {
    var tracker = SequenceTracker(.records)
    tracker.note(4_000_000, .init(records: 30))
    tracker.note(0, .init(records: 30))
    tracker.note(30, .init(records: 30))
    #expect(tracker.lost == 0 && tracker.restarts == 1)
    // The counter of 32 bits wraps.
    var wrapping = SequenceTracker(.records)
    wrapping.note(UInt32.max - 9, .init(records: 30))
    wrapping.note(20, .init(records: 30))
    #expect(wrapping.lost == 0 && wrapping.restarts == 0)
  }

  /// Whatever an exporter counts, and whatever it should: the way is found, and a real loss with it.
  @Test(arguments: SequenceTracker.Way.allCases, [SequenceTracker.Way.records, .messages])
  func wayIsFound(_ way: SequenceTracker.Way, _ standard: SequenceTracker.Way) {
    var tracker = SequenceTracker(standard)
    var sequence: UInt32 = 1
    for n in 0..<60 {
      let content = SequenceTracker.Content(records: 10 + n % 3, options: n % 7 == 0 ? 1 : 0)
      let records = UInt32(content.records ?? 0)
      let counted: UInt32 =
        switch way {
        case .messages: 1
        case .records, .recordsIncluded: records
        case .recordsWithoutOptions, .recordsIncludedWithoutOptions: records - UInt32(content.options)
        }
      let isBefore = way == .records || way == .recordsWithoutOptions
      if !isBefore { sequence += counted }
      if n != 30 { tracker.note(sequence, content) }
      if isBefore { sequence += counted }
    }
    #expect(tracker.way == way)
    // Message 30 of 10 records.
    #expect(tracker.lost == (way == .messages ? 1 : 10))
    #expect(tracker.late == 0 && tracker.restarts == 0)
  }

  @Test(arguments: [0, 1, 100, 0x4000 | 64])
  func samplingOfVersion5(_ header: Int) {
    let collector = FlowCollector()
    collector.take(Fix.netflow5([flow, flow.answer], sampling: header))
    collector.finish()
    let oneIn = max(1, header & 0x3fff)
    #expect(collector.reports.first?.oneIn == UInt32(oneIn))
    #expect(collector.sampled.count == (oneIn > 1 ? 1 : 0))
    #expect(collector.whole.count == (oneIn > 1 ? 0 : 1))
    // The rate is told and multiplies nothing.
    guard case .flow(let out)? = (collector.sampled + collector.whole).first?.event else {
      Issue.record("no flow")
      return
    }
    #expect(out.sourceOctets == 900)
  }

  /// What the options say: NetFlow v9 in general and by sampler, IPFIX by RFC 5477.
  @Test(arguments: [
    ([(34, 4, 500), (35, 1, 2)], false, 500), ([(50, 4, 128), (49, 1, 2)], false, 128),
    ([(305, 4, 10), (306, 4, 990)], true, 100), ([(309, 4, 1), (310, 4, 4000)], true, 4000),
  ])
  func samplingByOptions(_ values: [(Int, Int, Int)], _ isIPFIX: Bool, _ oneIn: Int) {
    let scope = isIPFIX ? Fix.Field(id: 144, length: 4) : Fix.Field(id: 1, length: 4)
    let fields = [scope] + values.map { Fix.Field(id: $0.0, length: $0.1) }
    var record = Octets()
    record.u32(1)
    for value in values { record.unsigned(UInt64(value.2), length: value.1) }
    let template = Fix.optionsTemplate(400, fields, scopes: 1, isIPFIX: isIPFIX)
    let flows = isIPFIX ? Fix.fields10 : Fix.fields9
    let sets = [
      Fix.set(isIPFIX ? 3 : 1, template), Fix.set(400, record.bytes),
      Fix.set(isIPFIX ? 2 : 0, Fix.template(256, flows)), Fix.set(256, Fix.record(flow, flows)),
    ]
    let collector = FlowCollector()
    collector.take(isIPFIX ? Fix.ipfix(sets) : Fix.netflow9(sets))
    collector.finish()
    #expect(collector.counts.optionsRecords == 1 && collector.counts.unparsed == 0)
    #expect(collector.reports.first?.oneIn == UInt32(oneIn))
    #expect(collector.sampled.count == 1 && collector.whole.isEmpty)
  }

  @Test func samplersAreToldApart() {
    let options = [Fix.Field(id: 1, length: 4), Fix.Field(id: 48, length: 1), Fix.Field(id: 50, length: 4)]
    let flows = Fix.fields9 + [Fix.Field(id: 48, length: 1)]
    func sampler(_ id: Int, _ oneIn: Int) -> [UInt8] {
      var o = Octets()
      o.u32(1)
      o.u8(id)
      o.u32(oneIn)
      return o.bytes
    }
    func record(_ id: UInt8) -> [UInt8] { Fix.record(flow, Fix.fields9) + [id] }
    let collector = FlowCollector()
    collector.take(
      Fix.netflow9([
        Fix.set(1, Fix.optionsTemplate(400, options, scopes: 1, isIPFIX: false)),
        Fix.set(400, sampler(1, 1) + sampler(2, 1000)), Fix.set(0, Fix.template(256, flows)),
        Fix.set(256, record(1) + record(2) + record(2)),
      ]))
    collector.finish()
    #expect(collector.whole.count == 1 && collector.sampled.count == 2)
  }

  @Test func samplingAsGiven() throws {
    var settings = FlowCollectorSettings()
    settings.sampling = [.init(exporters: try #require(Prefix("192.0.2.0/24")), oneIn: 256)]
    let collector = FlowCollector(settings)
    collector.take(Fix.netflow5([flow]))
    collector.finish()
    #expect(collector.sampled.count == 1 && collector.reports.first?.oneIn == 256)
  }
}
