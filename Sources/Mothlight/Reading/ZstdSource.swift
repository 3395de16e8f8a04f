import CZstd

/// Decompresses zstd frames one after the other (RFC 8878 section 3), skippable ones included.
final class ZstdSource: ByteSource {
  private static let inputOctets = 1 << 17
  private let below: any ByteSource
  private let name: String
  private let stream: OpaquePointer
  private let input: UnsafeMutableRawPointer
  private var available = 0
  private var position = 0
  private var taken: UInt64 = 0
  private var inFrame = true
  private var ended = false
  private(set) var note: String?
  private(set) var lostData = false

  /// Magic of a frame (0xFD2FB528) or of a skippable frame (0x184D2A50…5F), little-endian.
  static func isFrame(_ head: [UInt8]) -> Bool {
    guard head.count >= 4 else { return false }
    if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return true }
    return head[0] & 0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18
  }

  init(_ below: any ByteSource, name: String) throws(SourceError) {
    guard let stream = ZSTD_createDStream() else {
      throw SourceError(.limit, "\(name): not enough memory to decompress it")
    }
    self.below = below
    self.name = name
    self.stream = stream
    input = .allocate(byteCount: Self.inputOctets, alignment: 16)
  }

  deinit {
    ZSTD_freeDStream(stream)
    input.deallocate()
  }

  func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
    var out = ZSTD_outBuffer(dst: target, size: count, pos: 0)
    while !ended, out.pos == 0 {
      if position == available {
        available = try below.read(into: input, count: Self.inputOctets)
        position = 0
        taken &+= UInt64(available)
        if available == 0 {
          if inFrame {
            end("\(name): the zstd stream is cut after \(taken) bytes of the file; what came before was read")
          }
          ended = true
          break
        }
      }
      var piece = ZSTD_inBuffer(src: input, size: available, pos: position)
      let result = ZSTD_decompressStream(stream, &out, &piece)
      position = piece.pos
      if ZSTD_isError(result) != 0 {
        let at = taken &- UInt64(available - position)
        end("\(name): the zstd stream is damaged near byte \(at) of the file; what came before was read")
      }
      inFrame = result != 0
    }
    return out.pos
  }

  private func end(_ reason: String) {
    note = reason
    lostData = true
    ended = true
  }
}
