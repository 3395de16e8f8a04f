/// The header and the sets of a NetFlow v9 packet (RFC 3954 section 5.1) or an IPFIX message (RFC 7011 section 3.1).
struct ExportMessage: ~Escapable {
  /// One set: its number and where its content lies.
  struct Block {
    var id: UInt16
    var content: Range<Int>
  }

  let bytes: RawSpan
  let isIPFIX: Bool
  /// The message says that it is longer than the datagram.
  let isCut: Bool
  private var next: Int

  @_lifetime(copy datagram)
  init(_ datagram: RawSpan, isIPFIX: Bool) throws(DecodeError) {
    guard datagram.byteCount >= (isIPFIX ? 16 : 20) else { throw .truncated }
    var end = datagram.byteCount
    if isIPFIX {
      let length = Int(datagram.u16(2))
      guard length >= 16 else { throw .malformed }
      isCut = length > end
      end = min(length, end)
    } else {
      isCut = false
    }
    bytes = datagram.extracting(..<end)
    self.isIPFIX = isIPFIX
    next = isIPFIX ? 16 : 20
  }

  var clock: ExportClock {
    isIPFIX
      ? ExportClock(exported: Int64(bytes.u32(4)) &* 1_000_000_000)
      : ExportClock(exported: Int64(bytes.u32(8)) &* 1_000_000_000, uptimeMilliseconds: bytes.u32(4))
  }
  /// IPFIX: data records sent before. NetFlow v9: packets sent before.
  var sequence: UInt32 { isIPFIX ? bytes.u32(8) : bytes.u32(12) }
  /// Observation domain, or source id.
  var domain: UInt32 { isIPFIX ? bytes.u32(12) : bytes.u32(16) }

  /// The next set; `nil` at the end. A set that does not fit ends the message.
  mutating func nextSet() throws(DecodeError) -> Block? {
    let left = bytes.byteCount &- next
    guard left >= 4 else { return nil }
    let id = bytes.u16(next)
    let length = Int(bytes.u16(next &+ 2))
    guard length >= 4 else { throw .malformed }
    guard length <= left else { throw .truncated }
    let block = Block(id: id, content: (next &+ 4)..<(next &+ length))
    next &+= length
    return block
  }
}
