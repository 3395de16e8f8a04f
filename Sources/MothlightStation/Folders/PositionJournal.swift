import Glibc
import Mothlight

/// How far the files of one source were read, on disk: a line is appended at each step, and the whole written anew now and then.
///
/// A crash of the program costs nothing that `put` returned for; a crash of the machine at most what came after the last
/// `synchronise`. A torn or changed line is left out, by its check sum. One process has a journal at a time.
struct PositionJournal: ~Copyable {
  struct Mark: Hashable {
    var octets: UInt64
    var lines: UInt64
    /// Octets in front of it to be read again without being sent again.
    var held: UInt64 = 0
    /// Seconds since 1970 at which it was put last.
    var seen: Int64
  }

  /// 128 octets each on disk; a hundred logs an hour for a month.
  static let marksMost = 1 << 16
  private static let title = "mothlight positions 1\n"
  /// Lines beyond the marks before the file is written anew.
  private static let slackLines = 4096

  let path: String
  private(set) var marks: [String: Mark] = [:]
  /// Whether there was a journal of an earlier run.
  private(set) var isKnown = false
  /// When the earlier run put its last mark, seconds since 1970.
  private(set) var lastSeen: Int64 = 0
  /// Lines that could not be read.
  private(set) var damagedLines = 0
  /// Why it cannot be written; reading goes on, and it is tried again.
  private(set) var trouble: String?
  /// Marks put out because there were more than `marksMost`.
  private(set) var forgotten: UInt64 = 0
  private var descriptor: Int32 = -1
  private var lock: Int32 = -1
  private var lines = 0
  private var isDirty = false

  /// Opens a journal, or begins one.
  /// - Throws: `unavailable` when another process has it, `unreadable` when it is there and cannot be read or made.
  init(path: String) throws(SourceError) {
    self.path = path
    let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else {
      throw SourceError(.unreadable, "\(path): cannot keep positions here (\(String(cString: strerror(errno))))")
    }
    self.lock = lock
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw SourceError(.unavailable, "\(path): another process reads with these positions; give each one its own")
    }
    try load()
    rewrite()
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if lock >= 0 { close(lock) }
  }

  // MARK: reading

  private mutating func load() throws(SourceError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      guard errno == ENOENT else {
        throw SourceError(.unreadable, "\(path): cannot read the positions (\(String(cString: strerror(errno))))")
      }
      return
    }
    defer { close(file) }
    var octets: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    // Twice as long as it may become.
    while octets.count < 64 << 20 {
      let got = read(file, &chunk, chunk.count)
      if got < 0, errno == EINTR { continue }
      if got <= 0 { break }
      octets += chunk[..<got]
    }
    isKnown = true
    for line in octets.split(separator: 0x0a).dropFirst() {
      if !take(String(decoding: line, as: UTF8.self)) { damagedLines += 1 }
    }
  }

  private mutating func take(_ line: String) -> Bool {
    let words = line.split(separator: "\t", omittingEmptySubsequences: false)
    guard words.count == 6, let seen = Int64(words[4]), words[5] == Self.check(words[..<5].joined(separator: "\t"))
    else { return false }
    lastSeen = max(lastSeen, seen)
    if words[1] == "-" {
      marks[String(words[0])] = nil
      return true
    }
    guard let octets = UInt64(words[1]), let lines = UInt64(words[2]), let held = UInt64(words[3]) else {
      return false
    }
    marks[String(words[0])] = Mark(octets: octets, lines: lines, held: held, seen: seen)
    return true
  }

  /// FNV-1a in hexadecimal: against torn writes, not against anybody.
  private static func check(_ text: String) -> String {
    let sum = text.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return String(sum, radix: 16)
  }

  private static func line(_ key: String, _ mark: Mark?, _ seen: Int64) -> String {
    let body = mark.map { "\(key)\t\($0.octets)\t\($0.lines)\t\($0.held)\t\($0.seen)" } ?? "\(key)\t-\t-\t-\t\(seen)"
    return "\(body)\t\(check(body))\n"
  }

  // MARK: writing

  /// Remembers a position. `key` holds neither blanks nor control characters.
  mutating func put(_ key: String, octets: UInt64, lines: UInt64, held: UInt64 = 0, at now: Timestamp) {
    let mark = Mark(octets: octets, lines: lines, held: held, seen: now.nanoseconds / 1_000_000_000)
    marks[key] = mark
    append(Self.line(key, mark, mark.seen))
    if marks.count > Self.marksMost { forgetOldest() }
  }

  mutating func remove(_ key: String, at now: Timestamp) {
    guard marks.removeValue(forKey: key) != nil else { return }
    append(Self.line(key, nil, now.nanoseconds / 1_000_000_000))
  }

  private mutating func append(_ line: String) {
    isDirty = true
    lines += 1
    guard descriptor >= 0, trouble == nil else { return }
    let octets = Array(line.utf8)
    if write(descriptor, octets, octets.count) != octets.count {
      trouble = "\(path): positions cannot be kept (\(String(cString: strerror(errno)))); a restart may read rows again"
    }
  }

  /// Drops a tenth, those not touched for the longest.
  private mutating func forgetOldest() {
    let oldest = marks.sorted { ($0.value.seen, $0.key) < ($1.value.seen, $1.key) }.prefix(marks.count / 10)
    for (key, _) in oldest { marks[key] = nil }
    forgotten &+= UInt64(oldest.count)
    rewrite()
  }

  /// Makes durable what was put, and writes the file anew when it is long or could not be written.
  mutating func synchronise() {
    guard isDirty else { return }
    if trouble != nil || lines > marks.count * 2 + Self.slackLines {
      rewrite()
    } else if descriptor >= 0 {
      fdatasync(descriptor)
    }
    isDirty = false
  }

  /// Writes all marks to a new file that takes the place of the old one.
  private mutating func rewrite() {
    let new = "\(path).new"
    var text = Self.title
    for (key, mark) in marks.sorted(by: { $0.key < $1.key }) { text += Self.line(key, mark, mark.seen) }
    let octets = Array(text.utf8)
    let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard file >= 0, write(file, octets, octets.count) == octets.count, fsync(file) == 0, rename(new, path) == 0 else {
      trouble = "\(path): positions cannot be kept (\(String(cString: strerror(errno)))); a restart may read rows again"
      if file >= 0 { close(file) }
      return
    }
    if descriptor >= 0 { close(descriptor) }
    descriptor = file
    lines = marks.count
    trouble = nil
  }
}
