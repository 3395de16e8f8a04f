/// Bodies made smaller: what stands in `BodyWords`, or stood before in the same body, is told by its place.
///
/// The layout is LZ4's block format (github.com/lz4/lz4, doc/lz4_Block_format.md) with a dictionary before it, and the length of the
/// whole in front. Half of what a station writes are words of detectors and names that stand in a finding several times.
enum PackedBody {
  /// Longest body that is packed: places behind a dictionary must fit into sixteen bits.
  static let octetsMost = 32_768
  private static let matchLeast = 4
  /// The last octets are never part of a match, as the format asks for.
  private static let tail = 5
  private static let slotBits: UInt32 = 12

  // MARK: Packing

  /// - Returns: `nil` when it is too long, or would not become shorter.
  static func pack(_ body: UnsafeRawBufferPointer) -> [UInt8]? {
    guard body.count <= octetsMost, body.count > 16 else { return nil }
    return BodyWords.octets.withUnsafeBytes { words in
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 1 << Int(slotBits)) { seen in
        seen.initialize(repeating: 0)
        return pack(body, words, seen)
      }
    }
  }

  /// Slots hold a place plus one, so that zero is none.
  private static func pack(
    _ source: UnsafeRawBufferPointer, _ words: UnsafeRawBufferPointer, _ seen: UnsafeMutableBufferPointer<UInt16>
  ) -> [UInt8]? {
    var out = PackedWriter(most: source.count &- 4)
    out.put(count: source.count)
    var at = 0
    var literal = 0
    while at &+ matchLeast &+ tail <= source.count {
      let four = load(source, at)
      let slot = Int(self.slot(four))
      let own = Int(seen[slot]) &- 1
      let known = Int(BodyWords.slots[slot]) &- 1
      seen[slot] = UInt16(truncatingIfNeeded: at &+ 1)
      let distance: Int
      let length: Int
      if own >= 0, load(source, own) == four {
        distance = at &- own
        length = matching(source, own &+ 4, source, at &+ 4) &+ 4
      } else if known >= 0, load(words, known) == four {
        distance = at &+ words.count &- known
        length = matching(words, known &+ 4, source, at &+ 4) &+ 4
      } else {
        at &+= 1
        continue
      }
      out.put(source, literal..<at, distance: distance, length: length &- matchLeast)
      at &+= length
      literal = at
      guard !out.isTooLong else { return nil }
    }
    out.put(source, literal..<source.count)
    return out.isTooLong ? nil : out.bytes
  }

  private static func load(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  /// Octets that two places have in common, up to the tail of `b`.
  private static func matching(_ a: UnsafeRawBufferPointer, _ i: Int, _ b: UnsafeRawBufferPointer, _ j: Int) -> Int {
    let most = min(a.count &- i, b.count &- tail &- j)
    var n = 0
    while n < most, a[i &+ n] == b[j &+ n] { n &+= 1 }
    return n
  }

  /// Knuth's multiplicative hash.
  static func slot(_ four: UInt32) -> UInt32 { (four &* 2_654_435_761) >> (32 - slotBits) }

  // MARK: Unpacking

  /// - Throws: `BodyDefect` when the octets are no packed body.
  static func unpack(_ packed: UnsafeRawBufferPointer) throws -> [UInt8] {
    var input = BodyReader(packed)
    let count = try input.number(Int.self)
    guard count <= octetsMost else { throw BodyDefect() }
    return try [UInt8](unsafeUninitializedCapacity: count) { out, written in
      written = 0
      while !input.isAtEnd {
        let token = try input.byte()
        let literals = try length(Int(token >> 4), &input)
        guard literals <= count &- written else { throw BodyDefect() }
        try input.copy(
          literals, to: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[written...]))
        written &+= literals
        if input.isAtEnd { break }
        let distance = Int(try input.byte()) | Int(try input.byte()) << 8
        let match = try length(Int(token & 15), &input) &+ matchLeast
        guard match <= count &- written, distance > 0, distance <= written &+ BodyWords.octets.count else {
          throw BodyDefect()
        }
        for _ in 0..<match {
          let from = written &- distance
          out[written] = from >= 0 ? out[from] : BodyWords.octets[BodyWords.octets.count &+ from]
          written &+= 1
        }
      }
      guard written == count else { throw BodyDefect() }
    }
  }

  /// Fifteen goes on in the next octets.
  private static func length(_ short: Int, _ input: inout BodyReader) throws -> Int {
    guard short == 15 else { return short }
    var sum = 15
    while sum <= octetsMost {
      let next = try input.byte()
      sum &+= Int(next)
      if next != 255 { return sum }
    }
    throw BodyDefect()
  }
}

/// A packed body as it grows; one that is no shorter than its source is given up.
private struct PackedWriter {
  private(set) var bytes: [UInt8] = []
  private let most: Int

  init(most: Int) {
    self.most = most
    bytes.reserveCapacity(most)
  }

  var isTooLong: Bool { bytes.count > most }

  mutating func put(count value: Int) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Octets as they are, then a match; without a distance they are the last.
  mutating func put(_ source: UnsafeRawBufferPointer, _ range: Range<Int>, distance: Int = 0, length: Int = 0) {
    let token = UInt8(min(15, range.count)) << 4 | UInt8(min(15, length))
    bytes.append(token)
    put(rest: range.count)
    bytes.append(contentsOf: source[range])
    guard distance > 0 else { return }
    bytes.append(UInt8(truncatingIfNeeded: distance))
    bytes.append(UInt8(truncatingIfNeeded: distance >> 8))
    put(rest: length)
  }

  private mutating func put(rest value: Int) {
    guard value >= 15 else { return }
    var rest = value &- 15
    while rest >= 255 {
      bytes.append(255)
      rest &-= 255
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
