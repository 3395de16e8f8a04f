import Glibc

/// The unread part of an input, uncompressed: readers look at `bytes`, `consume` what they took and `fill` for more.
///
/// Bytes come from a file, a pipe or standard input; gzip (RFC 1952, also many members) and zstd (RFC 8878, also many
/// frames) are recognised by their magic and opened, one level deep. A cut or damaged compressed stream ends like a
/// short file: what came out of it stays valid, `endedInside` is set and `damage` says where.
public final class ByteWindow {
  /// Most unread octets that the window holds; a record longer than this cannot be read.
  public static let maximumOctets = 64 << 20
  /// One read(2): large enough that the call does not show, small enough for the second-level cache.
  static let chunkOctets = 256 << 10
  /// Readable octets behind the last unread one, so that scanners may load whole words.
  static let paddingOctets = 64

  /// The name for messages: the path, or what standard input was called.
  public let name: String
  private let source: any ByteSource
  private let raw: DescriptorSource?
  /// What the window looks at when it is a part of a log; its memory is the block's then.
  private let block: LogBlock?
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int
  private var start = 0
  private var end = 0
  private var consumed: UInt64 = 0
  private var sourceEnded = false
  /// What reading met: it is told again to whoever asks for more, also when reading would go on.
  private var failure: SourceError?

  /// Opens a file.
  /// - Throws: `notFound`, `unreadable` (no permission, a folder, a read that failed).
  public convenience init(path: String) throws(SourceError) {
    let source = try DescriptorSource(path: path)
    try self.init(opening: source, named: path)
  }

  /// Reads standard input; `name` is what messages call it.
  public convenience init(standardInputNamed name: String) throws(SourceError) {
    try self.init(opening: DescriptorSource(descriptor: 0, name: name, closes: false), named: name)
  }

  /// Reads an open descriptor, e.g. a tool's output, and closes it in the end.
  convenience init(descriptor: Int32, name: String) throws(SourceError) {
    try self.init(opening: DescriptorSource(descriptor: descriptor, name: name, closes: true), named: name)
  }

  /// Bytes already in memory, as if they were a file.
  convenience init(bytes: [UInt8], name: String) throws(SourceError) {
    try self.init(opening: nil, named: name, prefix: bytes)
  }

  /// Octets as `source` gives them, neither unpacked nor recognised.
  init(source: any ByteSource, name: String) {
    self.name = name
    self.source = source
    raw = nil
    block = nil
    (memory, capacity) = Self.firstMemory()
  }

  /// The lines of a block and nothing else; more of its log comes elsewhere.
  init(_ block: LogBlock, name: String) {
    self.name = name
    self.block = block
    source = ArraySource([])
    raw = nil
    // Nothing is ever read into a block's window, so that nobody writes here.
    memory = UnsafeMutableRawPointer(mutating: block.start)
    capacity = block.bytes.count
    end = capacity
  }

  private static func firstMemory() -> (UnsafeMutableRawPointer, capacity: Int) {
    let memory = BlockMemory(capacity: chunkOctets + (chunkOctets >> 2))
    return (memory.base, memory.capacity)
  }

  private init(opening raw: DescriptorSource?, named name: String, prefix: [UInt8] = []) throws(SourceError) {
    self.name = name
    self.raw = raw
    block = nil
    let head = try raw?.peek() ?? prefix
    let below: any ByteSource = raw ?? ArraySource(prefix)
    if head.starts(with: [0x1f, 0x8b]) {
      source = try GzipSource(below, name: name)
    } else if ZstdSource.isFrame(head) {
      source = try ZstdSource(below, name: name)
    } else {
      source = below
    }
    (memory, capacity) = Self.firstMemory()
  }

  deinit { if block == nil { memory.deallocate() } }

  /// The unread bytes in the window; valid until the next `fill`. 64 octets behind them are readable (not meaningful).
  @inline(__always) public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory + start, count: end &- start)
  }

  /// Takes `n` bytes off the front; more than there are takes all.
  @inline(__always) public func consume(_ n: Int) {
    let taken = max(0, min(n, end &- start))
    start &+= taken
    consumed &+= UInt64(truncatingIfNeeded: taken)
  }

  /// Grows the window until at least `n` unread bytes are there; `false` when the input ended before.
  /// - Throws: `limit` beyond `maximumOctets`, `unreadable` when the system refuses to read.
  public func fill(atLeast n: Int) throws(SourceError) -> Bool {
    while end &- start < n {
      guard n <= Self.maximumOctets else {
        throw SourceError(
          .limit, "\(name): a record at byte \(consumed) is longer than \(Self.maximumOctets >> 20) MiB")
      }
      if sourceEnded || block != nil { return false }
      if let failure { throw failure }
      makeRoom(for: n)
      let got: Int
      do throws(SourceError) {
        got = try source.read(into: memory + end, count: capacity &- end)
      } catch {
        failure = error
        throw error
      }
      if got == 0 {
        if source.isGrowing { return false }
        sourceEnded = true
      }
      end &+= got
    }
    return true
  }

  /// Moves the unread rest to the front only when the tail is too short for a decent read.
  private func makeRoom(for n: Int) {
    if start == end {
      start = 0
      end = 0
    }
    let wanted = max(n &- (end &- start), min(Self.chunkOctets >> 2, capacity &- (end &- start)))
    if capacity &- end >= wanted { return }
    let unread = end &- start
    if unread &+ wanted <= capacity {
      memmove(memory, memory + start, unread)
    } else {
      let grown = max(unread &+ wanted, min(capacity &* 2, Self.maximumOctets))
      let larger = BlockMemory(capacity: grown)
      larger.base.copyMemory(from: memory + start, byteCount: unread)
      memory.deallocate()
      memory = larger.base
      capacity = grown
    }
    start = 0
    end = unread
  }

  /// Hands whole lines at the front over.
  ///
  /// - Parameter octets: ends with the line in which so many end, or before it where its end is not there yet.
  /// - Returns: `nil` where no line ends, or only one of more than `Limits.lineOctets`.
  func takeLines(octets: Int, linesBefore: UInt64, memory pool: BlockPool) -> LogBlock? {
    let unread = bytes.prefix(Limits.lineOctets)
    let most = min(octets, unread.count)
    guard most > 0, block == nil else { return nil }
    let last = unread[(most - 1)...].firstIndex(of: 0x0a) ?? unread[..<most].lastIndex(of: 0x0a)
    guard let last else { return nil }
    let length = last + 1
    let rest = end - start - length
    let other = pool.take(atLeast: max(octets + octets >> 3, min(length, rest)))
    let own = BlockMemory(base: memory, capacity: capacity)
    consumed &+= UInt64(length)
    // The shorter of the two moves, so that many blocks of a large window cost no more than one each.
    guard rest <= length else {
      other.base.copyMemory(from: memory + start, byteCount: length)
      start += length
      return LogBlock(other, start: 0, count: length, linesBefore: linesBefore, pool: pool)
    }
    other.base.copyMemory(from: memory + (start + length), byteCount: rest)
    let taken = LogBlock(own, start: start, count: length, linesBefore: linesBefore, pool: pool)
    memory = other.base
    capacity = other.capacity
    start = 0
    end = rest
    return taken
  }

  /// Puts blocks back that were taken last, to be read here after all.
  func giveBack(_ blocks: [LogBlock]) {
    let unread = bytes
    let octets = blocks.reduce(0) { $0 + $1.bytes.count }
    let whole = BlockMemory(capacity: max(capacity, octets + unread.count))
    var place = 0
    for part in blocks.map(\.bytes) + [unread] {
      if let base = part.baseAddress { (whole.base + place).copyMemory(from: base, byteCount: part.count) }
      place += part.count
    }
    memory.deallocate()
    memory = whole.base
    capacity = whole.capacity
    start = 0
    end = place
    consumed &-= UInt64(octets)
  }

  /// Position of the first unread byte, counted in the uncompressed input from 0.
  public var offset: UInt64 { consumed }
  /// Octets read of the file itself, before decompression.
  public var rawOctetsRead: UInt64 { raw?.octetsRead ?? consumed }
  /// Size of the file itself; `nil` for a pipe.
  public var rawOctetsTotal: UInt64? { raw?.octetsTotal }
  /// The compressed stream stopped inside a member or frame, or was damaged.
  public var endedInside: Bool { source.note != nil && source.lostData }
  /// One line on a cut, damaged or oddly ended compressed stream.
  public var damage: String? { source.note }
  /// More may come: that `fill` found nothing is not the end.
  var isGrowing: Bool { block != nil || (!sourceEnded && source.isGrowing) }
  /// Whether the input was compressed.
  public var isCompressed: Bool { !(source is DescriptorSource || source is ArraySource) }
  /// Device and inode of a regular file, to tell the same file given twice.
  var identity: (device: UInt64, inode: UInt64)? { raw?.identity }
}
