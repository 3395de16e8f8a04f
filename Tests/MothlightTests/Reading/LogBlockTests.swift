import CMemory
import Testing

@testable import Mothlight

@Suite struct LogBlockTests {
  /// Lines of uneven lengths, some of them empty.
  private static func text(lines: Int, seed: UInt64) -> [UInt8] {
    var lottery = Lottery(seed)
    return (0..<lines).flatMap { n in
      [UInt8](repeating: UInt8(0x61 + n % 26), count: Int.random(in: 0..<90, using: &lottery)) + [0x0a]
    }
  }

  private static func window(_ bytes: [UInt8], packed: Bool = false) throws -> ByteWindow {
    try ByteWindow(bytes: packed ? Compressed.gzip(bytes) : bytes, name: "memory")
  }

  @Test func octetsAreCountedAsOneByOne() {
    var lottery = Lottery(3)
    for size in [0, 1, 15, 16, 17, 4079, 4080, 4081, 8200, 20_000] {
      for share in [0, 1, 3, 255] {
        let bytes = (0..<size).map { _ in Int.random(in: 0...255, using: &lottery) <= share ? UInt8(0x0a) : 0x0b }
        for from in 0..<min(3, size) {
          let found = bytes.withUnsafeBytes { cmemory_count($0.baseAddress.map { $0 + from }, size - from, 0x0a) }
          #expect(found == bytes[from...].count { $0 == 0x0a }, "\(size) octets from \(from)")
        }
      }
    }
  }

  /// Lines in blocks, lines alone and blocks that come back, in any mixture, are the lines of the file.
  @Test(arguments: [false, true]) func everyLineComesOnceWithItsNumber(packed: Bool) throws {
    for seed in 0..<12 as Range<UInt64> {
      var lottery = Lottery(seed)
      let bytes = Self.text(lines: 8000, seed: seed)
      let expected = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast().map(Array.init)
      let lines = TextLines(try Self.window(bytes, packed: packed))
      let pool = BlockPool()
      var found: [[UInt8]] = []
      var blocks = 0
      var isOver = false
      while !isOver {
        switch Int.random(in: 0..<4, using: &lottery) {
        case 0:
          var taken: [LogBlock] = []
          let octets = Int.random(in: 200..<30_000, using: &lottery)
          while taken.count < 3, let block = lines.takeBlock(octets: octets, memory: pool) { taken.append(block) }
          let kept = taken.isEmpty ? 0 : Int.random(in: 0...taken.count, using: &lottery)
          for block in taken.prefix(kept) {
            #expect(block.linesBefore == UInt64(found.count))
            #expect(block.bytes.count >= octets / 2 && block.bytes.last == 0x0a)
            let inside = TextLines(ByteWindow(block, name: "part"), linesBefore: block.linesBefore)
            while let line = try inside.next() { found.append(Array(line)) }
            #expect(inside.number == block.linesBefore + UInt64(block.lines))
            blocks += 1
          }
          lines.giveBack(Array(taken.dropFirst(kept)))
          #expect(lines.number == UInt64(found.count))
        case 1:
          for _ in 0..<40 { if let line = try lines.next() { found.append(Array(line)) } }
        default:
          guard let line = try lines.next() else {
            isOver = true
            break
          }
          found.append(Array(line))
        }
      }
      #expect(blocks > 3)
      #expect(found == expected)
      #expect(try lines.next() == nil)
      #expect(lines.number == UInt64(expected.count))
      #expect(lines.takenOctets == UInt64(bytes.count))
    }
  }

  @Test func aBlockIsNotMadeOfLessNorInsideALongLine() throws {
    let pool = BlockPool()
    let short = TextLines(try Self.window(Array("one\ntwo\nthree".utf8)))
    #expect(short.takeBlock(octets: 14, memory: pool) == nil)
    let one = try #require(short.takeBlock(octets: 4, memory: pool))
    #expect(Array(one.bytes) == Array("one\n".utf8))
    short.giveBack([one])
    let block = try #require(short.takeBlock(octets: 9, memory: pool))
    #expect(Array(block.bytes) == Array("one\ntwo\n".utf8) && block.lines == 2)
    #expect(try short.next().map(Array.init) == Array("three".utf8))
    #expect(short.isUnterminated && short.number == 3)

    let long = [UInt8](repeating: 0x78, count: Limits.lineOctets + 5)
    let lines = TextLines(try Self.window(Array("first\n".utf8) + long + Array("\nlast\n".utf8)))
    #expect(try lines.next().map(Array.init) == Array("first".utf8))
    #expect(lines.takeBlock(octets: 1000, memory: pool) == nil)
    #expect(try lines.next().map(Array.init) == Array("last".utf8))
    #expect(lines.tooLong == 1 && lines.number == 3)
  }

  /// Fails once in the middle, and would go on.
  private final class FailingSource: ByteSource {
    private let bytes: ArraySource
    private var reads = 0
    init(_ bytes: [UInt8]) { self.bytes = ArraySource(bytes) }

    func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
      reads += 1
      if reads == 3 { throw SourceError(.unreadable, "the disk failed") }
      return bytes.read(into: target, count: min(count, 10_000))
    }
  }

  @Test func aFailureToReadIsToldBehindTheLinesBeforeIt() throws {
    let bytes = Self.text(lines: 2000, seed: 5)
    let lines = TextLines(ByteWindow(source: FailingSource(bytes), name: "disk"))
    let pool = BlockPool()
    let block = try #require(lines.takeBlock(octets: 4000, memory: pool))
    for _ in 0..<3 { #expect(lines.takeBlock(octets: 30_000, memory: pool) == nil) }
    var found = block.lines
    #expect(throws: SourceError(.unreadable, "the disk failed")) {
      while try lines.next() != nil { found += 1 }
    }
    #expect(found == bytes.prefix(20_000).count { $0 == 0x0a })
    #expect(throws: SourceError(.unreadable, "the disk failed")) { try lines.next() }
  }

  /// Lines of nearly the longest length: each block of a large window copies itself alone.
  @Test func manyBlocksOfALargeWindowHoldNoMoreThanThemselves() throws {
    let line = [UInt8](repeating: 0x78, count: 300_000) + [0x0a]
    let lines = TextLines(try Self.window((0..<12).flatMap { _ in line }))
    let pool = BlockPool()
    var blocks: [LogBlock] = []
    while let block = lines.takeBlock(octets: line.count, memory: pool) { blocks.append(block) }
    #expect(blocks.count == 12)
    lines.giveBack(blocks)
    blocks = []
    while let block = lines.takeBlock(octets: line.count, memory: pool) {
      #expect(Array(block.bytes) == line)
      blocks.append(block)
    }
    #expect(blocks.count == 12)
    #expect(blocks.dropLast(2).allSatisfy { $0.heldOctets <= 400_000 })
  }

  @Test func memoryComesBackWhenTheBlockGoes() throws {
    let pool = BlockPool()
    let lines = TextLines(try Self.window(Self.text(lines: 8000, seed: 1)))
    var block = lines.takeBlock(octets: 4096, memory: pool)
    let first = try #require(block?.start)
    let other = lines.takeBlock(octets: 4096, memory: pool)
    #expect(other != nil && other?.start != first)
    block = nil
    block = lines.takeBlock(octets: 4096, memory: pool)
    #expect(block?.start == first)
  }
}
