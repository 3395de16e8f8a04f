import Glibc

/// Cuts a window into lines without copying them; lines beyond `Limits.lineOctets` are left out and counted.
final class TextLines {
  let window: ByteWindow
  /// Number of the line last given, from 1.
  private(set) var number: UInt64 = 0
  /// Lines left out because they are too long.
  private(set) var tooLong: UInt64 = 0
  /// The line last given had no line end: the input stops there.
  private(set) var isUnterminated = false
  /// What to add to a complaint about the last line when the input stops inside it.
  var cutNote: String { isUnterminated ? "; the file ends inside this line" : "" }
  private var pending = 0
  /// Inside a line that is too long, of a file that is still growing.
  private var isDropping = false

  /// - Parameter linesBefore: lines of the input in front of the window.
  init(_ window: ByteWindow, linesBefore: UInt64 = 0) {
    self.window = window
    number = linesBefore
  }

  /// The next line is the one behind `lines` others of the input.
  func renumber(_ lines: UInt64) { number = lines }

  /// The whole lines that come next, about `octets` of them, to be read elsewhere; `nil` where there are not as many.
  func takeBlock(octets: Int, memory: BlockPool) -> LogBlock? {
    window.consume(pending)
    pending = 0
    // A failure to read is met again, and told, behind the lines that are here.
    guard !isDropping, !window.isGrowing, (try? window.fill(atLeast: octets)) == true,
      let block = window.takeLines(octets: octets, linesBefore: number, memory: memory)
    else { return nil }
    number &+= UInt64(block.lines)
    return block
  }

  /// Blocks that were taken last are to be read here after all.
  func giveBack(_ blocks: [LogBlock]) {
    guard let first = blocks.first else { return }
    window.giveBack(blocks)
    number = first.linesBefore
  }

  /// Octets of the window behind which the next line begins.
  var takenOctets: UInt64 { window.offset &+ UInt64(pending) }

  /// The next line without its end; valid until the next call. `nil` at the end of input, or where a growing one has no whole
  /// line yet.
  func next() throws(SourceError) -> UnsafeRawBufferPointer? {
    window.consume(pending)
    pending = 0
    if isDropping, try !dropLongLine() { return nil }
    let bytes = window.bytes
    if let base = bytes.baseAddress, bytes.count > 0, let found = memchr(base, 0x0a, bytes.count) {
      let length = UnsafeRawPointer(found) - base
      if length <= Limits.lineOctets {
        number &+= 1
        pending = length &+ 1
        return Self.trimmed(base, length)
      }
    }
    return try slowNext()
  }

  /// Needs more bytes, or has a line that is too long.
  private func slowNext() throws(SourceError) -> UnsafeRawBufferPointer? {
    var searched = 0
    while true {
      let bytes = window.bytes
      if let base = bytes.baseAddress, bytes.count > searched,
        let found = memchr(base + searched, 0x0a, bytes.count - searched)
      {
        let length = UnsafeRawPointer(found) - base
        number &+= 1
        if length > Limits.lineOctets {
          tooLong &+= 1
          window.consume(length + 1)
          searched = 0
          continue
        }
        pending = length + 1
        return Self.trimmed(base, length)
      }
      searched = bytes.count
      if searched > Limits.lineOctets {
        number &+= 1
        tooLong &+= 1
        guard try dropLongLine() else { return nil }
        searched = 0
      } else if try !window.fill(atLeast: searched + 1) {
        if window.isGrowing { return nil }
        let rest = window.bytes
        guard rest.count > 0, let base = rest.baseAddress else { return nil }
        number &+= 1
        isUnterminated = true
        pending = rest.count
        return Self.trimmed(base, rest.count)
      }
    }
  }

  /// Throws a line away that is longer than the limit, wherever it ends; `false` when the input ends first.
  private func dropLongLine() throws(SourceError) -> Bool {
    isDropping = true
    while true {
      let bytes = window.bytes
      if let base = bytes.baseAddress, bytes.count > 0, let found = memchr(base, 0x0a, bytes.count) {
        window.consume(UnsafeRawPointer(found) - base + 1)
        isDropping = false
        return true
      }
      window.consume(bytes.count)
      if try !window.fill(atLeast: 1) { return false }
    }
  }

  @inline(__always)
  private static func trimmed(_ base: UnsafeRawPointer, _ length: Int) -> UnsafeRawBufferPointer {
    let isCRLF = length > 0 && base.load(fromByteOffset: length &- 1, as: UInt8.self) == 0x0d
    return UnsafeRawBufferPointer(start: base, count: isCRLF ? length &- 1 : length)
  }
}

/// Where the columns of one line begin; filled eight bytes at a time.
///
/// Splitting loads whole words, so the line must lie in a `ByteWindow` (its padding is what makes that safe).
final class ColumnTable {
  static let maximumColumns = 512
  private let starts: UnsafeMutablePointer<UInt32>
  private(set) var count = 0

  /// Offsets of `count + 1` column starts; the last one is behind the line.
  var offsets: UnsafePointer<UInt32> { UnsafePointer(starts) }

  init() { starts = .allocate(capacity: Self.maximumColumns + 1) }
  deinit { starts.deallocate() }

  /// Finds the columns of `line`. More than `maximumColumns` are left in the last one.
  @inline(__always)
  func split(_ line: UnsafeRawBufferPointer, at separator: UInt8) {
    starts[0] = 0
    var n = 1
    let length = line.count
    guard let base = line.baseAddress, length > 0 else {
      starts[1] = 1
      count = 1
      return
    }
    let low7: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    let pattern = UInt64(separator) &* 0x0101_0101_0101_0101
    var offset = 0
    while offset < length {
      let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ pattern
      // 0x80 in every byte of `word` that is zero, exactly (no carry from one byte into the next).
      var hits = ~(((word & low7) &+ low7) | word | low7)
      let left = length &- offset
      if left < 8 { hits &= (1 << UInt64(truncatingIfNeeded: left &* 8)) &- 1 }
      while hits != 0 {
        if n >= Self.maximumColumns { break }
        starts[n] = UInt32(truncatingIfNeeded: offset &+ (hits.trailingZeroBitCount >> 3) &+ 1)
        n &+= 1
        hits &= hits &- 1
      }
      offset &+= 8
    }
    starts[n] = UInt32(truncatingIfNeeded: length &+ 1)
    count = n
  }

  /// Bytes of a column of the line that was split; empty when there is no such column.
  @inline(__always)
  func column(_ index: Int, of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard index >= 0, index < count, let base = line.baseAddress else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let from = Int(starts[index])
    return UnsafeRawBufferPointer(start: base + from, count: Int(starts[index &+ 1]) &- 1 &- from)
  }

  /// Ends the last column at `offset` of the line.
  func shorten(to offset: Int) { starts[count] = UInt32(truncatingIfNeeded: offset &+ 1) }

  /// From the start of a column to the end of the line.
  func tail(from index: Int, of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard index >= 0, index < count, let base = line.baseAddress else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let from = Int(starts[index])
    return UnsafeRawBufferPointer(start: base + from, count: line.count - from)
  }
}
