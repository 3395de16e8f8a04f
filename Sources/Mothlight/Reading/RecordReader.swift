/// One input, pulled batch by batch: a capture, a log, a folder of logs merged by time.
///
/// A reader never stops at the first bad record: it counts it in `summary` and goes on. It throws only when nothing more
/// can be read, and what it delivered before stays valid.
public protocol RecordReader: AnyObject {
  var summary: InputSummary { get }
  /// Appends about `limit` observations; `false` once the input has ended and nothing was appended.
  func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool
  /// Octets consumed of the file itself (before decompression) and its size if known, for a progress bar.
  var progress: (read: UInt64, total: UInt64?) { get }
}
