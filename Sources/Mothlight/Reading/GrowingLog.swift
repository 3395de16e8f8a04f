import Glibc

/// A log that its writer may still be adding to: whole lines become observations, an unfinished one waits for its end.
///
/// It stands at a position of the unpacked content, so a log that was packed meanwhile goes on where its plain file was left.
public final class GrowingLog {
  /// Between two lines.
  public struct Position: Sendable, Hashable {
    /// Unpacked octets in front of it.
    public var octets: UInt64
    public var lines: UInt64
    /// Octets in front of it from which rows are held to be joined with rows to come: Suricata's look-ups.
    public var heldOctets: UInt64
    public init(octets: UInt64 = 0, lines: UInt64 = 0, heldOctets: UInt64 = 0) {
      self.octets = octets
      self.lines = lines
      self.heldOctets = heldOctets
    }
  }

  public let path: String
  public let isCompressed: Bool
  private let tail: TailSource
  private let lines: TextLines
  private let reader: any RecordReader
  private let start: Position
  private let headerOctets: UInt64
  private var hasEnded = false

  /// Opens a log where it was left.
  ///
  /// Of what lies before `position` only header lines are read again, and rows that were held; a packed file is unpacked up to
  /// there.
  /// - Parameter format: as `LogHead` told it.
  /// - Throws: `notFound`, `unreadable`; `unknownFormat` for what is no log.
  /// - Complexity: linear in the octets before `position` for formats with a header, else O(1).
  public init(path: String, format: InputFormat, index: UInt32, from position: Position = Position())
    throws(SourceError)
  {
    guard format.isLog else {
      throw SourceError(.unknownFormat, "\(path): is no log that can be followed; give a Zeek, EVE or binetflow log")
    }
    self.path = path
    tail = try TailSource(path: path)
    isCompressed = tail.isCompressed
    let held = min(position.heldOctets, position.octets)
    let header = try tail.skip(position.octets &- held, keeping: Self.header(format))
    tail.prefix = header.octets
    headerOctets = UInt64(header.octets.count)
    start = Position(octets: position.octets &- held, lines: position.lines)
    let window = ByteWindow(source: tail, name: path)
    // Header lines come again and must not count twice.
    let before = position.lines &- UInt64(header.lines)
    switch format {
    case .eve:
      let eve = EVEReader(window: window, path: path, index: index, linesBefore: before)
      (reader, lines) = (eve, eve.lines)
    case .binetflow:
      let flows = BinetflowReader(window: window, path: path, index: index, linesBefore: before)
      (reader, lines) = (flows, flows.lines)
    default:
      let zeek = ZeekReader(window: window, path: path, index: index, format: format, linesBefore: before)
      (reader, lines) = (zeek, zeek.lines)
    }
    if held > 0 { try replay(held, until: position) }
  }

  /// Reads rows again of which some were held; what was given of them then is given to nobody now.
  private func replay(_ octets: UInt64, until position: Position) throws(SourceError) {
    tail.octetsLeft = octets
    var given: [Observation] = []
    while try reader.read(into: &given, limit: Limits.batch) { given.removeAll(keepingCapacity: true) }
    tail.octetsLeft = nil
    lines.renumber(position.lines)
  }

  private static func header(_ format: InputFormat) -> TailSource.Header {
    switch format {
    case .zeekTSV: .marked
    case .binetflow: .firstLine
    default: .none
    }
  }

  /// Appends about `limit` observations; `false` when there is nothing more now.
  /// - Throws: `unreadable`.
  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    if hasEnded { return false }
    return try reader.read(into: &batch, limit: limit)
  }

  /// Nothing more is written: also an unfinished last line is taken, and what was held back to be joined.
  public func finish(into batch: inout [Observation]) throws(SourceError) {
    guard !hasEnded else { return }
    tail.isOver = true
    do throws(SourceError) {
      while try reader.read(into: &batch, limit: Limits.batch) {}
    } catch {
      // A log of which nothing could be used is no failure: the next one may be better.
      guard error.code == .unreadable else {
        hasEnded = true
        return
      }
      throw error
    }
    hasEnded = true
  }

  /// Behind the last line that was taken.
  public var position: Position {
    let taken = lines.takenOctets
    guard taken > headerOctets else { return start }
    let held = (reader as? EVEReader)?.heldFrom.map { taken &- min(taken, $0) } ?? 0
    return Position(octets: start.octets &+ (taken &- headerOctets), lines: lines.number, heldOctets: held)
  }

  /// Gives what is held to be joined, since nothing came for long.
  public func releaseHeld(into batch: inout [Observation]) { (reader as? EVEReader)?.releaseHeld(into: &batch) }

  /// What was read of it since it was opened.
  public var summary: InputSummary { reader.summary }
  /// Columns of the present header; empty for formats without.
  public var columns: [String] { (reader as? ZeekReader)?.columnNames ?? [] }

  /// The open file: its name may be gone, its octets are not.
  public var descriptor: Int32 { tail.descriptor }
  /// Why a packed log ended early.
  public var damage: String? { tail.note }
}

/// The octets of a file from a position on; more may come at the end of a plain one.
final class TailSource: ByteSource {
  /// Which lines before the position are needed to read those behind it.
  enum Header { case none, marked, firstLine }

  let descriptor: Int32
  let isCompressed: Bool
  var isOver = false
  /// Octets behind the prefix after which it seems to have no more yet; `nil`: as far as it goes.
  var octetsLeft: UInt64?
  /// Given before anything else.
  var prefix: [UInt8] = []
  private var prefixTaken = 0
  private let content: any ByteSource
  private static let headerOctetsMost = 1 << 16

  init(path: String) throws(SourceError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw DescriptorSource.error(errno, opening: path) }
    let raw = DescriptorSource(descriptor: descriptor, name: path, closes: true)
    self.descriptor = descriptor
    let head = try raw.peek()
    if head.starts(with: [0x1f, 0x8b]) {
      content = try GzipSource(raw, name: path)
      isCompressed = true
    } else if ZstdSource.isFrame(head) {
      content = try ZstdSource(raw, name: path)
      isCompressed = true
    } else {
      content = raw
      isCompressed = false
    }
  }

  var isGrowing: Bool { !isOver && (!isCompressed || octetsLeft != nil) }
  var note: String? { content.note }
  var lostData: Bool { content.lostData }

  func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
    let waiting = prefix.count - prefixTaken
    guard waiting > 0 else {
      guard let left = octetsLeft else { return try content.read(into: target, count: count) }
      guard left > 0 else { return 0 }
      let got = try content.read(into: target, count: Int(min(left, UInt64(count))))
      octetsLeft = left &- UInt64(got)
      return got
    }
    let taken = min(waiting, count)
    for i in 0..<taken { target.storeBytes(of: prefix[prefixTaken + i], toByteOffset: i, as: UInt8.self) }
    prefixTaken += taken
    return taken
  }

  /// Passes over the first octets; the header lines among them come back.
  func skip(_ octets: UInt64, keeping header: Header) throws(SourceError) -> (octets: [UInt8], lines: Int) {
    guard octets > 0 else { return ([], 0) }
    if header == .none, !isCompressed, lseek(descriptor, off_t(clamping: octets), SEEK_SET) >= 0 {
      (content as? DescriptorSource)?.forgetHead()
      return ([], 0)
    }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: ByteWindow.chunkOctets, alignment: 64)
    defer { chunk.deallocate() }
    var left = octets
    var skimmer = HeaderSkimmer(header: header, octetsMost: Self.headerOctetsMost)
    while left > 0, let base = chunk.baseAddress {
      let got = try content.read(into: base, count: Int(min(left, UInt64(chunk.count))))
      guard got > 0 else { break }
      left &-= UInt64(got)
      if header != .none { skimmer.take(UnsafeRawBufferPointer(rebasing: chunk[..<got])) }
    }
    return (skimmer.kept, skimmer.lines)
  }
}

/// Picks the header that holds at the end of what it is shown.
private struct HeaderSkimmer {
  let header: TailSource.Header
  let octetsMost: Int
  private(set) var kept: [UInt8] = []
  private(set) var lines = 0
  private var line: [UInt8] = []
  private var isInside = false
  private var isWanted = false
  private var hasFirst = false

  init(header: TailSource.Header, octetsMost: Int) {
    self.header = header
    self.octetsMost = octetsMost
  }

  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    var at = 0
    while at < bytes.count, let base = bytes.baseAddress {
      if !isInside {
        isInside = true
        isWanted = header == .firstLine ? !hasFirst : bytes[at] == 0x23 || !hasFirst && bytes[at] == 0xef
        hasFirst = true
      }
      let end = memchr(base + at, 0x0a, bytes.count - at).map { UnsafeRawPointer($0) - base }
      let stop = end.map { $0 + 1 } ?? bytes.count
      if isWanted, line.count < octetsMost { line += bytes[at..<stop] }
      if end != nil { close() }
      at = stop
    }
  }

  private mutating func close() {
    if isWanted {
      // Another header begins: the one before holds no more.
      if line.starts(with: "#separator".utf8) {
        kept.removeAll(keepingCapacity: true)
        lines = 0
      }
      if kept.count + line.count <= octetsMost {
        kept += line
        lines += 1
      }
      line.removeAll(keepingCapacity: true)
    }
    isInside = false
  }
}
