/// A NetFlow v5 datagram: 24 octets of header, up to 30 records of 48 (Cisco, "NetFlow Export Datagram Format").
struct NetFlow5: ~Escapable {
  static let headerOctets = 24
  static let recordOctets = 48

  let bytes: RawSpan
  /// Whole records that are there.
  let count: Int
  /// Records that the header promised and the datagram does not hold.
  let missing: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) throws(DecodeError) {
    guard bytes.byteCount >= Self.headerOctets else { throw .truncated }
    let announced = Int(bytes.u16(2))
    let there = (bytes.byteCount &- Self.headerOctets) / Self.recordOctets
    guard announced > 0 else { throw .malformed }
    self.bytes = bytes
    count = min(announced, there)
    missing = max(0, announced &- there)
  }

  var clock: ExportClock {
    let exported = Int64(bytes.u32(8)) &* 1_000_000_000 &+ Int64(min(bytes.u32(12), 999_999_999))
    return ExportClock(exported: exported, uptimeMilliseconds: bytes.u32(4))
  }
  /// Records that this engine exported before these.
  var sequence: UInt32 { bytes.u32(16) }
  /// Type and slot of the engine: each counts by itself.
  var engine: UInt32 { UInt32(bytes.u16(20)) }
  /// One packet in so many was looked at; 1 when all were. The upper two bits are the mode, which many leave 0.
  var samplingInterval: UInt32 { max(1, UInt32(bytes.u16(22) & 0x3fff)) }

  /// Record `n`, which is below `count`.
  @inline(__always)
  func record(_ n: Int) -> ExportedRecord {
    let at = Self.headerOctets &+ n &* Self.recordOctets
    var record = ExportedRecord()
    record.source = IPAddress(v4: bytes.u32(at))
    record.destination = IPAddress(v4: bytes.u32(at &+ 4))
    record.packets = UInt64(bytes.u32(at &+ 16))
    record.octets = UInt64(bytes.u32(at &+ 20))
    record.firstUptime = UInt64(bytes.u32(at &+ 24))
    record.lastUptime = UInt64(bytes.u32(at &+ 28))
    record.sourcePort = bytes.u16(at &+ 32)
    record.destinationPort = bytes.u16(at &+ 34)
    record.tcpFlags = bytes.u8(at &+ 37)
    record.transport = bytes.u8(at &+ 38)
    record.has = [.source, .destination, .firstUptime, .lastUptime]
    return record
  }
}
