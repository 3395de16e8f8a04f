import Mothlight

/// Receives, decodes, hands on, and keeps the books; on the thread of its source.
final class CollectorLoop {
  /// Longest that counters lag behind, milliseconds.
  private static let tickMilliseconds: Int64 = 1000
  /// Batches received before the queue, the clock and the stop signal are looked at again.
  private static let callsMost = 16
  /// Batches received after the stop signal: what a full buffer holds, and no more of a flood.
  private static let lastCallsMost = 4096

  private let settings: CollectorSettings
  private let receiver: ExportReceiver
  private let meter: SourceMeter
  private let sink: any ObservationSink
  private let collector: FlowCollector
  /// What earlier runs of the source had counted.
  private let before: SourceHealth
  private var used: UInt64 = 0

  init(
    _ settings: CollectorSettings, _ receiver: ExportReceiver, _ meter: SourceMeter, _ sink: any ObservationSink
  ) {
    self.settings = settings
    self.receiver = receiver
    self.meter = meter
    self.sink = sink
    collector = FlowCollector(settings.flows)
    before = meter.health
  }

  /// Until the stop signal.
  func run() {
    meter.update { health in
      health.place = "udp \(receiver.address)"
      health.trouble = nil
      health.retryAt = nil
    }
    meter.enter(.running, at: Clock.now())
    var next = Clock.milliseconds() + Self.tickMilliseconds
    var more = false
    while true {
      let wake = receiver.wait(milliseconds: more ? 0 : Int32(clamping: max(0, next - Clock.milliseconds())))
      if wake == .stop { break }
      more = false
      if wake == .datagrams {
        for _ in 0..<Self.callsMost {
          more = receiver.receive(into: collector, at: Clock.now())
          handOn()
          if !more { break }
        }
      }
      let now = Clock.milliseconds()
      guard now >= next else { continue }
      next = now + Self.tickMilliseconds
      collector.advance(to: Clock.now())
      handOn()
      tell()
    }
    // What the kernel still holds was sent before the stop.
    for _ in 0..<Self.lastCallsMost where receiver.receive(into: collector, at: Clock.now()) { handOn() }
    collector.finish()
    handOn()
    tell()
  }

  private func handOn() {
    offer(collector.whole, .whole)
    offer(collector.sampled, .sampled)
    collector.whole.removeAll(keepingCapacity: true)
    collector.sampled.removeAll(keepingCapacity: true)
  }

  private func offer(_ observations: [Observation], _ lane: Observatory.Lane) {
    var lost = 0
    var start = 0
    while start < observations.count {
      let end = min(observations.count, start + Limits.batch)
      if sink.offer(Array(observations[start..<end]), in: lane) {
        used &+= UInt64(end - start)
      } else {
        lost += end - start
      }
      start = end
    }
    meter.drop("queue", lost)
  }

  private func tell() {
    let counts = collector.counts
    let lost = collector.lost
    let drops = receiver.pollDrops()
    let reports = collector.reports
    let shown = settings.exportersShown
    let used = used
    let buffer = receiver.receiveBufferOctets
    meter.drop("kernel", Int(clamping: drops))
    meter.update { [before] health in
      health.octets = before.octets &+ counts.octets
      health.records = before.records &+ counts.records
      health.used = before.used &+ used
      health.unparsed = before.unparsed &+ counts.unparsed
      health.newest = counts.newest ?? before.newest
      health.isSampled = !reports.isEmpty && reports.allSatisfy { $0.oneIn > 1 }
      for (word, count) in counts.skipped { health.skipped[word] = (before.skipped[word] ?? 0) &+ count }
      for (word, count) in [("lost_records", lost.records), ("lost_datagrams", lost.datagrams)] where count > 0 {
        health.dropped[word] = (before.dropped[word] ?? 0) &+ count
      }
      health.details = Self.details(counts, reports, shown: shown, bufferOctets: buffer)
      health.trouble = Self.trouble(reports)
    }
  }

  static func details(
    _ counts: CollectorCounts, _ reports: [ExporterReport], shown: Int, bufferOctets: Int
  ) -> [String: String] {
    var details = [
      "datagrams": "\(counts.datagrams)", "exporters": "\(reports.count)",
      "receive buffer": "\(bufferOctets >> 10) KiB",
    ]
    let others: [(String, UInt64)] = [
      ("options records", counts.optionsRecords), ("templates", counts.templates),
      ("templates changed", counts.templatesChanged), ("templates withdrawn", counts.templatesWithdrawn),
      ("templates refused", counts.templatesRefused), ("templates pushed out", counts.templatesPushedOut),
      ("exporters pushed out", counts.exportersPushedOut),
      ("records without other direction for want of room", counts.unpaired),
    ]
    for (name, count) in others where count > 0 { details[name] = "\(count)" }
    for report in reports.prefix(shown) { details["exporter \(report.name)"] = report.text }
    if reports.count > shown { details["exporters not shown"] = "\(reports.count - shown)" }
    return details
  }

  /// The worst of what an operator should mend, one line.
  static func trouble(_ reports: [ExporterReport]) -> String? {
    if let wrong = reports.first(where: { $0.clockOffsetSeconds != 0 }) {
      let seconds = Int(abs(wrong.clockOffsetSeconds).rounded())
      return "\(wrong.name): its clock is \(seconds) s off; times are corrected; set up NTP there"
    }
    if let old = reports.first(where: { $0.badTimes > $0.flows }) {
      return "\(old.name): most of its flows ended long before they came, so they are left out; is it a replay?"
    }
    if let waiting = reports.first(where: { $0.records == 0 && $0.datagrams > 100 && $0.format != .sflow5 }) {
      return "\(waiting.name): no template came yet; let it send templates every minute"
    }
    return nil
  }
}
