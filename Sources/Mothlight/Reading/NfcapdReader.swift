/// Reads nfcapd files through an installed nfdump (JSON output, streamed): unidirectional records become flows.
///
/// Octets are IP octets as exported. A record is usable when it has flow times and, unless `trustsExporterClock`, a
/// time at which the collector received it: flow times are the exporter's uptime arithmetic alone (RFC 3954 section
/// 5.1), so without a receive time nothing holds them against a real clock.
public final class NfcapdReader: RecordReader {
  /// Also take records without a receive time, on the exporter's word.
  public let trustsExporterClock: Bool
  private let path: String
  private let index: UInt32
  private let total: UInt64?
  private let process = NfdumpProcess()
  private var lines: TextLines
  private let tally: RecordTally
  private var record = NfdumpRecord()
  private var biflow = Biflow()
  private var flows: [Flow] = []
  private var recordNumber: UInt64 = 0
  private var ended = false

  /// - Throws: `toolMissing` without nfdump, `toolFailed` when it cannot be started.
  public init(
    path: String, index: UInt32, total: UInt64? = nil, tool: String = "nfdump", trustsExporterClock: Bool = false
  )
    throws(SourceError)
  {
    guard let tool = NfdumpProcess.find(tool) else {
      throw SourceError(.toolMissing, "\(path): is an nfcapd file; install the package nfdump to read it")
    }
    self.path = path
    self.index = index
    self.total = total
    self.trustsExporterClock = trustsExporterClock
    tally = RecordTally(path: path, format: "nfcapd")
    if let rate = try Self.samplingRate(tool, path) {
      tally.summary.isSampled = true
      tally.warn("\(path): the exporter sampled 1 packet in \(rate), so counts and gaps say little")
    }
    let output = try process.start(tool, ["-r", path, "-q", "-o", "json"])
    lines = TextLines(try ByteWindow(descriptor: output, name: path))
  }

  public var summary: InputSummary {
    var summary = tally.current(lines.window.offset)
    if let total { summary.octets = total }
    return summary
  }
  public var progress: (read: UInt64, total: UInt64?) { (ended ? total ?? 0 : 0, total) }

  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    let start = batch.count
    if ended { return false }
    while batch.count - start < limit {
      guard let line = try lines.next() else {
        ended = true
        try end(into: &batch)
        break
      }
      guard record.take(line) else { continue }
      recordNumber &+= 1
      tally.countRecord()
      add(into: &batch)
    }
    return batch.count > start
  }

  private func add(into batch: inout [Observation]) {
    do throws(RowRefusal) {
      let taken = try record.record(
        RecordOrigin(input: index, record: recordNumber), needsReceived: !trustsExporterClock)
      if record.isSampled, !tally.summary.isSampled {
        tally.summary.isSampled = true
        tally.warn("\(path): the exporter sampled packets, so counts and gaps say little")
      }
      biflow.take(taken, into: &flows)
      emit(into: &batch)
    } catch {
      switch error {
      case .skipped(let reason): tally.skip(reason)
      case .damaged(let reason): tally.unparsed(line: recordNumber, "record \(recordNumber): \(reason)")
      }
    }
  }

  private func emit(into batch: inout [Observation]) {
    for flow in flows { tally.emit(Observation(time: flow.first, event: .flow(flow)), into: &batch) }
    flows.removeAll(keepingCapacity: true)
  }

  private func end(into batch: inout [Observation]) throws(SourceError) {
    biflow.finish(into: &flows)
    emit(into: &batch)
    let status = process.wait()
    if status != 0 {
      let why = process.complaint.isEmpty ? "it said nothing" : process.complaint
      let error = SourceError(.toolFailed, "\(path): nfdump failed: \(why)")
      guard summary.used > 0 else {
        tally.summary.error = error
        throw error
      }
      tally.warn("\(error.message); what came before was read")
    }
    if var error = tally.close(lines: lines, window: lines.window) {
      if error == SourceError(.noUsableTime, ""), record.sawFlowTimes {
        error.message =
          "\(path): every record's receive time is 1970, so its flow times cannot be held against a real clock; "
          + "nothing was scored; collect it again with receive times"
        tally.summary.error = error
      }
      throw error
    }
  }

  /// `nfdump -E` names the packet interval of each exporter; `nil` when nothing was sampled.
  private static func samplingRate(_ tool: String, _ path: String) throws(SourceError) -> UInt64? {
    let process = NfdumpProcess()
    let output = try process.start(tool, ["-E", path])
    let lines = TextLines(try ByteWindow(descriptor: output, name: path))
    var highest: UInt64 = 1
    while let line = try lines.next() {
      let text = String(decoding: line.prefix(256), as: UTF8.self)
      guard text.contains("Sampler:"), let at = text.firstRange(of: "packet interval: ") else { continue }
      let interval = UInt64(text[at.upperBound...].prefix { $0.isNumber }) ?? 1
      let space =
        text.firstRange(of: "packet space: ").flatMap { UInt64(text[$0.upperBound...].prefix { $0.isNumber }) } ?? 0
      // One packet of `interval` + `space` (RFC 5477 section 8.2.1).
      highest = max(highest, interval &+ space)
    }
    _ = process.wait()
    return highest > 1 ? highest : nil
  }
}
