import Glibc
import Testing

@testable import Mothlight

@Suite struct ByteWindowTests {
  static let sample: [UInt8] = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7 ^ $0) }

  /// All bytes of a window, taken in uneven steps.
  static func drain(_ window: ByteWindow, step: Int) throws -> [UInt8] {
    var out: [UInt8] = []
    while try window.fill(atLeast: 1) {
      let taken = min(step, window.bytes.count)
      out += window.bytes.prefix(taken)
      window.consume(taken)
    }
    return out
  }

  @Test func givesEveryByteOnce() throws {
    let folder = try TemporaryFolder()
    let big = [UInt8](repeating: 0, count: 3_000_000).indices.map { UInt8(truncatingIfNeeded: $0 / 3) }
    let window = try ByteWindow(path: folder.write("big", big))
    #expect(window.rawOctetsTotal == 3_000_000)
    #expect(try Self.drain(window, step: 77_777) == big)
    #expect(window.offset == 3_000_000)
    #expect(window.rawOctetsRead == 3_000_000)
    #expect(!window.endedInside)
    #expect(window.damage == nil)
  }

  @Test func fillGrowsBeyondOneReadAndSaysWhenTheInputEnds() throws {
    let folder = try TemporaryFolder()
    let window = try ByteWindow(path: folder.write("file", [UInt8](repeating: 7, count: 5_000_000)))
    #expect(try window.fill(atLeast: 10))
    window.consume(3)
    #expect(try window.fill(atLeast: 4_000_000))
    #expect(window.bytes.count >= 4_000_000)
    #expect(window.offset == 3)
    #expect(try !window.fill(atLeast: 5_000_000))
    #expect(window.bytes.count == 4_999_997)
    window.consume(.max)
    #expect(window.bytes.isEmpty)
    window.consume(-5)
    #expect(window.offset == 5_000_000)
  }

  @Test func refusesARecordBeyondTheMaximum() throws {
    let window = try ByteWindow(bytes: [1, 2, 3], name: "memory")
    #expect(throws: SourceError(.limit, "")) { try window.fill(atLeast: ByteWindow.maximumOctets + 1) }
  }

  @Test(arguments: [1, 2, 3]) func opensGzipMembersAndZstdFramesInARow(parts: Int) throws {
    let piece = Self.sample.count / parts
    let pieces = (0..<parts).map {
      Array(Self.sample[$0 * piece..<($0 == parts - 1 ? Self.sample.count : ($0 + 1) * piece)])
    }
    for packed in [pieces.flatMap(Compressed.gzip), pieces.flatMap(Compressed.zstd)] {
      let window = try ByteWindow(bytes: packed, name: "memory")
      #expect(window.isCompressed)
      #expect(try Self.drain(window, step: 4096) == Self.sample)
      #expect(window.damage == nil)
    }
  }

  @Test func ignoresPaddingAndNamesTrailingGarbage() throws {
    let member = Compressed.gzip(Array("hello".utf8))
    let padded = try ByteWindow(bytes: member + [0, 0, 0], name: "memory")
    #expect(try Self.drain(padded, step: 10) == Array("hello".utf8))
    #expect(padded.damage == nil)
    let followed = try ByteWindow(bytes: member + Array("junk".utf8), name: "memory")
    #expect(try Self.drain(followed, step: 10) == Array("hello".utf8))
    #expect(followed.damage?.contains("byte \(member.count)") == true)
    #expect(!followed.endedInside)
  }

  @Test func keepsWhatCameOutOfACutStream() throws {
    let plain = Array(Self.sample.prefix(20_000))
    for packed in [Compressed.gzip(plain), Compressed.zstd(plain)] {
      for cut in stride(from: 4, to: packed.count, by: 997) {
        let window = try ByteWindow(bytes: Array(packed.prefix(cut)), name: "memory")
        let out = try Self.drain(window, step: 1000)
        #expect(plain.starts(with: out))
        #expect(window.endedInside)
        #expect(window.damage?.contains("cut after \(cut) bytes") == true)
      }
    }
  }

  @Test func namesTheBytesWhereAStreamIsDamaged() throws {
    var packed = Compressed.gzip(Self.sample)
    for i in packed.count / 2..<packed.count / 2 + 64 { packed[i] ^= 0xff }
    let window = try ByteWindow(bytes: packed, name: "memory")
    let out = try Self.drain(window, step: 10_000)
    // Stored blocks hide the damage until the checksum: what came before it is right all the same.
    #expect(out != Self.sample)
    #expect(out.starts(with: Self.sample.prefix(100_000)))
    #expect(window.damage?.contains("damaged at byte") == true)
  }

  @Test func saysPlainlyWhyAFileCannotBeOpened() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SourceError(.notFound, "")) { try ByteWindow(path: folder.path + "/nothing") }
    #expect(throws: SourceError(.unreadable, "")) { try ByteWindow(path: folder.path) }
    if geteuid() != 0 {
      let secret = try folder.write("secret", "x", mode: 0)
      #expect(throws: SourceError(.unreadable, "")) { try ByteWindow(path: secret) }
    }
  }
}
