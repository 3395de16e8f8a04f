/// A sinkhole's spool as an input: its sources are strangers' machines, so they become no observations of ours but a part
/// of the report of their own.
final class SpoolRecordReader: RecordReader {
  static let format = "sinkhole-spool"
  private(set) var summary: InputSummary
  private let spool: SpoolReader
  private(set) var tally = SinkholeTally()
  private var done = 0
  private var isRead = false

  init(path: String) throws(SourceError) {
    do throws(SpoolError) {
      spool = try SpoolReader(path: path)
    } catch { throw SourceError(.unreadable, error.message) }
    summary = InputSummary(path: path, format: Self.format)
  }

  var progress: (read: UInt64, total: UInt64?) { (summary.octets, nil) }

  func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    guard !isRead else { return false }
    isRead = true
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    let segments = spool.read { record in
      tally.add(record)
      summary.records += 1
      summary.used += 1
      if let time = record.time {
        first = min(first, record.firstTime ?? time)
        last = max(last, time)
      }
    }
    tally.add(segments)
    for segment in segments {
      summary.octets += UInt64(segment.octets)
      if let damage = segment.damage {
        summary.warnings.append("\(segment.path): \(damage); what the chain vouches for was read")
      }
    }
    if summary.used > 0, first <= last { (summary.first, summary.last) = (first, last) }
    if summary.used == 0, let damage = segments.compactMap(\.damage).first { summary.firstUnparsed = damage }
    return false
  }
}
