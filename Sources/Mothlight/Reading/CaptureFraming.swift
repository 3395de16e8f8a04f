/// Record boundaries of pcap (the libpcap savefile format) and pcapng (draft-ietf-opsawg-pcapng) captures.
struct CaptureFraming {
  struct Frame {
    var time: Timestamp
    var link: LinkType
    /// Captured octets within the window.
    var range: Range<Int>
    /// Octets of the whole record.
    var recordOctets: Int
  }
  enum Step {
    case frame(Frame)
    /// A block without a packet, this long.
    case other(Int)
    /// The record is longer than the window.
    case needs(Int)
    case damaged(String)
  }

  private struct Interface {
    var link: LinkType
    /// Ticks per second as a power of ten or two.
    var ticksPerSecond: UInt64 = 1_000_000
    var offsetSeconds: Int64 = 0
    var snapLength: UInt32 = 0
  }

  /// Largest block or packet believed; libpcap itself refuses more than 256 KiB for almost every link type.
  static let recordOctetsMost = 16 << 20

  private let isNG: Bool
  private var bigEndian = false
  private var nanoseconds = false
  private var link = LinkType.ethernet
  private var interfaces: [Interface] = []
  private var lastTime = Timestamp(nanoseconds: 0)
  let headerOctets: Int
  private(set) var name: String

  /// Reads the file header; `window` holds at least 24 octets.
  init(_ window: ByteWindow, path: String) throws(SourceError) {
    let b = window.bytes
    let magic = Self.load32(b, 0, bigEndian: false)
    if magic == 0x0a0d_0d0a {
      isNG = true
      headerOctets = 12
      name = "pcapng"
      return
    }
    isNG = false
    switch magic {
    case 0xa1b2_c3d4, 0xa1b2_cd34: break
    case 0xa1b2_3c4d: nanoseconds = true
    case 0xd4c3_b2a1, 0x34cd_b2a1: bigEndian = true
    case 0x4d3c_b2a1:
      bigEndian = true
      nanoseconds = true
    default: throw SourceError(.unknownFormat, "\(path): no capture magic number; is it a pcap or pcapng file?")
    }
    let isModified = magic == 0xa1b2_cd34 || magic == 0x34cd_b2a1
    headerOctets = isModified ? 24 : 16
    link = LinkType(rawValue: UInt16(truncatingIfNeeded: Self.load32(b, 20, bigEndian: bigEndian)))
    name = "pcap"
    window.consume(24)
  }

  @inline(__always)
  mutating func next(_ b: UnsafeRawBufferPointer) -> Step {
    guard b.count >= headerOctets else { return .needs(headerOctets) }
    return isNG ? nextBlock(b) : nextRecord(b)
  }

  @inline(__always)
  private func nextRecord(_ b: UnsafeRawBufferPointer) -> Step {
    let seconds = Self.load32(b, 0, bigEndian: bigEndian)
    let fraction = Self.load32(b, 4, bigEndian: bigEndian)
    let captured = Int(Self.load32(b, 8, bigEndian: bigEndian))
    guard captured <= Self.recordOctetsMost else { return .damaged("a record claims \(captured) octets") }
    let total = headerOctets &+ captured
    guard b.count >= total else { return .needs(total) }
    let nano = nanoseconds ? Int64(fraction) : Int64(fraction) &* 1000
    return .frame(
      Frame(
        time: Timestamp(nanoseconds: Int64(seconds) &* 1_000_000_000 &+ nano), link: link,
        range: headerOctets..<total, recordOctets: total))
  }

  private mutating func nextBlock(_ b: UnsafeRawBufferPointer) -> Step {
    var type = Self.load32(b, 0, bigEndian: bigEndian)
    if type == 0x0a0d_0d0a {
      // The byte order may change with each section.
      switch Self.load32(b, 8, bigEndian: false) {
      case 0x1a2b_3c4d: bigEndian = false
      case 0x4d3c_2b1a: bigEndian = true
      default: return .damaged("a section header without byte-order magic")
      }
      interfaces.removeAll(keepingCapacity: true)
      type = 0x0a0d_0d0a
    }
    let length = Int(Self.load32(b, 4, bigEndian: bigEndian))
    guard length >= 12, length <= Self.recordOctetsMost else {
      return .damaged("a block claims \(length) octets")
    }
    guard b.count >= length else { return .needs(length) }
    let body = 8..<(length &- 4)
    switch type {
    case 1: addInterface(b, body)
    case 2, 6: return packetBlock(b, body, length, isEnhanced: type == 6)
    case 3: return simplePacket(b, body, length)
    default: break
    }
    return .other(length)
  }

  private mutating func addInterface(_ b: UnsafeRawBufferPointer, _ body: Range<Int>) {
    guard body.count >= 8, interfaces.count < 65_536 else { return }
    var interface = Interface(link: LinkType(rawValue: Self.load16(b, 8, bigEndian: bigEndian)))
    interface.snapLength = Self.load32(b, 12, bigEndian: bigEndian)
    var at = 16
    while at &+ 4 <= body.upperBound {
      let code = Self.load16(b, at, bigEndian: bigEndian)
      let length = Int(Self.load16(b, at &+ 2, bigEndian: bigEndian))
      guard code != 0, at &+ 4 &+ length <= body.upperBound else { break }
      if code == 9, length >= 1 { interface.ticksPerSecond = Self.resolution(b[at &+ 4]) }
      if code == 14, length >= 8 {
        let high = UInt64(Self.load32(b, at &+ (bigEndian ? 4 : 8), bigEndian: bigEndian))
        let low = UInt64(Self.load32(b, at &+ (bigEndian ? 8 : 4), bigEndian: bigEndian))
        interface.offsetSeconds = Int64(bitPattern: high << 32 | low)
      }
      at &+= 4 &+ (length &+ 3) & ~3
    }
    interfaces.append(interface)
  }

  private static func resolution(_ code: UInt8) -> UInt64 {
    let exponent = UInt64(code & 0x7f)
    if code & 0x80 != 0 { return exponent < 63 ? 1 << exponent : 1 << 62 }
    var ticks: UInt64 = 1
    for _ in 0..<min(exponent, 18) { ticks &*= 10 }
    return ticks
  }

  private mutating func packetBlock(_ b: UnsafeRawBufferPointer, _ body: Range<Int>, _ length: Int, isEnhanced: Bool)
    -> Step
  {
    guard body.count >= 20 else { return .damaged("a packet block of \(length) octets") }
    let number =
      isEnhanced ? Int(Self.load32(b, 8, bigEndian: bigEndian)) : Int(Self.load16(b, 8, bigEndian: bigEndian))
    guard number < interfaces.count else {
      return .damaged("a packet of interface \(number), which was not described,")
    }
    let interface = interfaces[number]
    let ticks =
      UInt64(Self.load32(b, 12, bigEndian: bigEndian)) << 32 | UInt64(Self.load32(b, 16, bigEndian: bigEndian))
    let captured = Int(Self.load32(b, 20, bigEndian: bigEndian))
    guard captured <= body.count &- 20 else { return .damaged("a packet longer than its block") }
    lastTime = Self.time(ticks, interface)
    return .frame(
      Frame(time: lastTime, link: interface.link, range: 28..<(28 &+ captured), recordOctets: length)
    )
  }

  private static func time(_ ticks: UInt64, _ interface: Interface) -> Timestamp {
    let per = interface.ticksPerSecond
    let seconds = Int64(clamping: ticks / per)
    let (high, low) = (ticks % per).multipliedFullWidth(by: 1_000_000_000)
    let nano = per > high ? per.dividingFullWidth((high, low)).quotient : 0
    return Timestamp(
      seconds: seconds.addingReportingOverflow(interface.offsetSeconds).partialValue, nanoseconds: Int64(clamping: nano)
    )
  }

  /// A simple packet block has no time of its own: the packet before it is the best that is known.
  private func simplePacket(_ b: UnsafeRawBufferPointer, _ body: Range<Int>, _ length: Int) -> Step {
    guard let interface = interfaces.first, body.count >= 4 else { return .other(length) }
    let original = Int(Self.load32(b, 8, bigEndian: bigEndian))
    let snap = interface.snapLength == 0 ? Int.max : Int(interface.snapLength)
    let captured = min(original, snap, body.count &- 4)
    return .frame(
      Frame(
        time: lastTime, link: interface.link, range: 12..<(12 &+ max(0, captured)),
        recordOctets: length))
  }

  @inline(__always)
  private static func load32(_ b: UnsafeRawBufferPointer, _ offset: Int, bigEndian: Bool) -> UInt32 {
    let raw = b.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return bigEndian ? raw.bigEndian : raw.littleEndian
  }
  @inline(__always)
  private static func load16(_ b: UnsafeRawBufferPointer, _ offset: Int, bigEndian: Bool) -> UInt16 {
    let raw = b.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return bigEndian ? raw.bigEndian : raw.littleEndian
  }
}
