import CZlib

/// Inflates gzip members one after the other (RFC 1952 section 2.2), as rotated and concatenated logs have them.
final class GzipSource: ByteSource {
  private static let inputOctets = 1 << 17
  private let below: any ByteSource
  private let name: String
  /// zlib keeps the address of its stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutablePointer<UInt8>
  private var taken: UInt64 = 0
  private var inMember = true
  private var ended = false
  private(set) var note: String?
  private(set) var lostData = false

  init(_ below: any ByteSource, name: String) throws(SourceError) {
    self.below = below
    self.name = name
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(capacity: Self.inputOctets)
    // 15 bits of window, +16: gzip wrapper only.
    guard inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw SourceError(.limit, "\(name): not enough memory to inflate it")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
    let room = UInt32(clamping: count)
    stream.pointee.next_out = target.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = room
    while !ended, stream.pointee.avail_out == room {
      if stream.pointee.avail_in == 0, try !refill() { break }
      if !inMember, try !startMember() { break }
      switch inflate(stream, Z_NO_FLUSH) {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: inMember = false
      default: end("\(name): the gzip stream is damaged at byte \(position) of the file; what came before was read")
      }
    }
    return Int(room &- stream.pointee.avail_out)
  }

  private var position: UInt64 { taken &- UInt64(stream.pointee.avail_in) }

  private func refill() throws(SourceError) -> Bool {
    let got = try below.read(into: input, count: Self.inputOctets)
    stream.pointee.next_in = input
    stream.pointee.avail_in = UInt32(clamping: got)
    taken &+= UInt64(got)
    if got == 0 {
      if inMember {
        end("\(name): the gzip stream is cut after \(taken) bytes of the file; what came before was read")
      }
      ended = true
    }
    return got > 0
  }

  /// Zero padding after a member is legal in practice (tapes, gzip(1) ignores it); anything else is garbage.
  private func startMember() throws(SourceError) -> Bool {
    while true {
      while stream.pointee.avail_in > 0, let next = stream.pointee.next_in, next.pointee == 0 {
        stream.pointee.next_in = next + 1
        stream.pointee.avail_in -= 1
      }
      if stream.pointee.avail_in > 0 { break }
      if try !refill() { return false }
    }
    guard let next = stream.pointee.next_in, next.pointee == 0x1f else {
      note = "\(name): ignored what follows the gzip stream from byte \(position) of the file"
      ended = true
      return false
    }
    inflateReset(stream)
    inMember = true
    return true
  }

  private func end(_ reason: String) {
    note = reason
    lostData = true
    ended = true
  }
}
