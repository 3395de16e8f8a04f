/// The header of an sFlow v5 datagram ("sFlow Version 5", section 5); all numbers are 32 bits (XDR, RFC 4506).
struct SFlowDatagram: ~Escapable {
  let bytes: RawSpan
  let agent: IPAddress
  let subAgent: UInt32
  /// Datagrams that this sub-agent sent before.
  let sequence: UInt32
  /// Samples that follow, as announced.
  let sampleCount: UInt32
  /// Where the first sample begins.
  let samplesAt: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(bytes)
    guard try cursor.u32() == 5 else { throw .unsupported }
    switch try cursor.u32() {
    case 1: agent = IPAddress(v4: try cursor.u32())
    case 2:
      guard cursor.remaining >= 16 else { throw .truncated }
      agent = IPAddress(high: bytes.u64(8), low: bytes.u64(16))
      try cursor.skip(16)
    default: throw .malformed
    }
    subAgent = try cursor.u32()
    sequence = try cursor.u32()
    try cursor.skip(4)
    sampleCount = try cursor.u32()
    samplesAt = cursor.offset
    self.bytes = bytes
  }
}

/// Walks items of a format, a length and content padded to four octets: samples, and the records in them.
struct SFlowWalk {
  /// Enterprise in the upper 20 bits, format in the lower 12.
  private(set) var format: UInt32 = 0
  private var at: Int
  private let end: Int

  init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  /// Where the content of the next item lies; `nil` at the end.
  mutating func next(in bytes: RawSpan) throws(DecodeError) -> Range<Int>? {
    guard end &- at >= 8 else { return nil }
    format = bytes.u32(at)
    let length = Int(bytes.u32(at &+ 4))
    guard length <= end &- at &- 8 else { throw .truncated }
    let content = (at &+ 8)..<(at &+ 8 &+ length)
    at = min(end, content.upperBound &+ ((0 &- length) & 3))
    return content
  }
}

/// A flow sample, plain or expanded: how it was drawn, and where its records lie.
struct SFlowSample {
  static let flow: UInt32 = 1
  static let counters: UInt32 = 2
  static let expandedFlow: UInt32 = 3
  static let expandedCounters: UInt32 = 4

  /// One packet in so many was taken.
  var rate: UInt32
  var records: Range<Int>

  init(_ bytes: RawSpan, _ range: Range<Int>, isExpanded: Bool) throws(DecodeError) {
    let header = isExpanded ? 44 : 32
    guard range.count >= header else { throw .truncated }
    rate = max(1, bytes.u32(range.lowerBound &+ (isExpanded ? 12 : 8)))
    records = (range.lowerBound &+ header)..<range.upperBound
  }
}

/// The start of a sampled packet ("sampled_header", format 1).
struct SFlowHeader {
  static let format: UInt32 = 1

  var link: LinkType
  /// Octets of the frame that are there.
  var frame: Range<Int>

  /// - Throws: `unsupported` for a medium that carries no IP we know.
  init(_ bytes: RawSpan, _ range: Range<Int>) throws(DecodeError) {
    guard range.count >= 16 else { throw .truncated }
    let at = range.lowerBound
    switch bytes.u32(at) {
    case 1: link = .ethernet
    case 7: link = .ppp
    case 11: link = .ipv4
    case 12: link = .ipv6
    default: throw .unsupported
    }
    let length = Int(bytes.u32(at &+ 12))
    guard length <= range.count &- 16 else { throw .truncated }
    frame = (at &+ 16)..<(at &+ 16 &+ length)
  }
}

/// A sampled packet whose switch read the header itself ("sampled_ipv4", format 3, and "sampled_ipv6", format 4).
enum SFlowPacket {
  static let v4: UInt32 = 3
  static let v6: UInt32 = 4

  static func record(_ bytes: RawSpan, _ range: Range<Int>, isV6: Bool) throws(DecodeError) -> ExportedRecord {
    guard range.count >= (isV6 ? 56 : 32) else { throw .truncated }
    let at = range.lowerBound
    var record = ExportedRecord()
    record.packets = 1
    record.octets = UInt64(bytes.u32(at))
    record.transport = UInt8(truncatingIfNeeded: bytes.u32(at &+ 4))
    var ports = at &+ 16
    if isV6 {
      record.source = IPAddress(high: bytes.u64(at &+ 8), low: bytes.u64(at &+ 16))
      record.destination = IPAddress(high: bytes.u64(at &+ 24), low: bytes.u64(at &+ 32))
      ports = at &+ 40
    } else {
      record.source = IPAddress(v4: bytes.u32(at &+ 8))
      record.destination = IPAddress(v4: bytes.u32(at &+ 12))
    }
    record.sourcePort = UInt16(truncatingIfNeeded: bytes.u32(ports))
    record.destinationPort = UInt16(truncatingIfNeeded: bytes.u32(ports &+ 4))
    record.tcpFlags = UInt8(truncatingIfNeeded: bytes.u32(ports &+ 8))
    record.has = [.source, .destination]
    return record
  }
}
