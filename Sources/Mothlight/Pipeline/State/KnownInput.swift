import Crypto
import Glibc

/// A file that was read for the state, told by its content: its name may change.
struct KnownInput: Sendable, Equatable {
  /// Of the first octets: what a file that has grown still has.
  var head: UInt64
  var octets: UInt64
  var print: InputPrint
  /// Highest number of a record that was used: line of a log, packet of a capture.
  var records: UInt64
  /// UTC day of its latest record.
  var day: UInt32
}

/// 128 bits of SHA-256 over size, first and last 64 KiB.
struct InputPrint: Sendable, Hashable, Comparable {
  var high: UInt64
  var low: UInt64
  static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// Content of a file as far as it tells the file from others.
struct InputIdentity {
  static let edgeOctets = 65_536
  /// Octets by which a file that has grown is known again: enough for the first rows of a log with their times.
  static let headOctets = 2048

  let octets: UInt64
  let head: UInt64
  let print: InputPrint
  private let path: String

  /// `nil` for what is no regular file: a pipe cannot be known again.
  init?(path: String) {
    guard let file = SeenFiles.file(at: path), file.octets > 0 else { return nil }
    self.path = path
    octets = file.octets
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let head = Self.digest(descriptor, [(0, min(Self.headOctets, Int(clamping: octets)))], size: 0),
      let print = Self.print(descriptor, octets)
    else { return nil }
    self.head = head.high
    self.print = print
  }

  /// What of this file was read before: everything, the records of its beginning, or nothing.
  func recordsRead(_ known: [KnownInput]) -> UInt64 {
    if known.contains(where: { $0.octets == octets && $0.print == print }) { return .max }
    let shorter = known.filter { $0.octets < octets && $0.octets >= UInt64(Self.headOctets) }
      .sorted { ($0.octets, $0.print) > ($1.octets, $1.print) }
    guard !shorter.isEmpty else { return 0 }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    // Logs of one kind that begin alike: each candidate costs two short reads.
    return shorter.prefix(64).first { Self.print(descriptor, $0.octets) == $0.print }?.records ?? 0
  }

  /// The print that the file had when it was `octets` long.
  private static func print(_ descriptor: Int32, _ octets: UInt64) -> InputPrint? {
    let size = Int(clamping: octets)
    let edge = min(edgeOctets, size)
    return digest(descriptor, [(0, edge), (size - edge, edge)], size: octets)
  }

  private static func digest(_ descriptor: Int32, _ parts: [(offset: Int, count: Int)], size: UInt64) -> InputPrint? {
    var hash = SHA256()
    withUnsafeBytes(of: size.littleEndian) { hash.update(bufferPointer: $0) }
    for part in parts {
      var bytes = [UInt8](repeating: 0, count: part.count)
      guard pread(descriptor, &bytes, part.count, off_t(part.offset)) == part.count else { return nil }
      hash.update(data: bytes)
    }
    let digest = Array(hash.finalize())
    func word(_ start: Int) -> UInt64 { digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    return InputPrint(high: word(0), low: word(8))
  }
}
