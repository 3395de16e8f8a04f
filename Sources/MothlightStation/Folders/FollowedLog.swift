import Glibc
import Mothlight

/// One file of a folder of logs, from its first sight to its end.
final class FollowedLog {
  enum State {
    /// Not looked at yet, or changed since.
    case new
    /// Nothing for us, in the state in which it was seen.
    case leftOut
    /// To be opened when its first record is due.
    case waiting
    case open(GrowingLog)
    /// Read up to where it was written; opened again when it grows.
    case closed
  }

  /// As the latest scan or look found it.
  var file: FolderScan.File
  var state = State.new
  var key: ContentKey?
  var format: InputFormat?
  var isCompressed = false
  /// Time of its first record, as far as it is known.
  var first: Timestamp?
  /// The name under which it was seen is gone.
  var isGone = false
  /// May have rows that were not read.
  var hasNews = true
  /// Its length when it had no whole line yet.
  var lookedOctets: UInt64?
  /// Not to be looked at before.
  var notBefore = ContinuousClock.now
  /// When it changed last, by our clock.
  var changed = ContinuousClock.now
  /// The next rows, read and not sent.
  var held: [Observation] = []
  /// In front of the rows held.
  var heldFrom = GrowingLog.Position()
  /// What of its books is in the meter already.
  var counted: (records: UInt64, unparsed: UInt64, octets: UInt64, skipped: [String: UInt64]) = (0, 0, 0, [:])

  init(_ file: FolderScan.File) { self.file = file }

  var log: GrowingLog? { if case .open(let log) = state { log } else { nil } }
  var headTime: Timestamp { held.first?.time ?? .distantFuture }
  /// Everything in front of it was sent.
  var sentUpTo: GrowingLog.Position { held.isEmpty ? log?.position ?? heldFrom : heldFrom }

  /// Reads the next row.
  /// - Returns: whether there is one.
  func refill() throws(SourceError) -> Bool {
    held.removeAll(keepingCapacity: true)
    guard let log else { return false }
    heldFrom = log.position
    return try log.read(into: &held, limit: 1)
  }

  /// Whether the open file is still the content that it was: not cut, not written over.
  func isSameContent(_ now: FolderScan.File) -> Bool {
    guard let log, let key, !isCompressed else { return true }
    guard now.octets >= sentUpTo.octets, now.octets >= UInt64(key.octets) else { return false }
    guard let head = Self.head(of: log.descriptor, octets: key.octets) else { return false }
    return key.isBeginning(of: head)
  }

  static func head(of descriptor: Int32, octets: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: octets)
    let got = pread(descriptor, &bytes, octets, 0)
    return got >= 0 ? Array(bytes.prefix(got)) : nil
  }

  /// Octets of a gzip file of one member when unpacked, modulo 2^32 (RFC 1952 section 2.3.1).
  static func unpackedOctets(_ path: String) -> UInt32? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    var last = [UInt8](repeating: 0, count: 4)
    guard size > 18, pread(descriptor, &last, 4, size - 4) == 4 else { return nil }
    return last.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  }
}
