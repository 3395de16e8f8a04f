/// One record of `nfdump -o json`, gathered line by line; names of the 1.6 and 1.7 series.
struct NfdumpRecord {
  private var source: IPAddress?
  private var destination: IPAddress?
  private var sourcePort: UInt16 = 0
  private var destinationPort: UInt16 = 0
  private var icmpType: UInt16?
  private var icmpCode: UInt16?
  private var transport: UInt8 = 255
  private var flags: UInt8 = 0
  private var first: Timestamp?
  private var last: Timestamp?
  private var received: Timestamp?
  private var packets: (in: UInt64, out: UInt64) = (0, 0)
  private var octets: (in: UInt64, out: UInt64) = (0, 0)
  private(set) var isSampled = false
  /// Some record had flow times after 1980, whatever else it lacked.
  private(set) var sawFlowTimes = false

  /// Takes one line of output; `true` when it closes a record.
  mutating func take(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let start = line.firstIndex(where: { $0 > 0x20 }) else { return false }
    switch line[start] {
    case 0x7b:
      let saw = sawFlowTimes
      self = NfdumpRecord()
      sawFlowTimes = saw
      return false
    case 0x7d: return true
    case 0x22: break
    default: return false
    }
    guard let keyEnd = line[(start + 1)...].firstIndex(of: 0x22), let colon = line[keyEnd...].firstIndex(of: 0x3a)
    else {
      return false
    }
    let key = String(decoding: line[(start + 1)..<keyEnd], as: UTF8.self)
    var from = colon + 1
    var to = line.count
    while from < to, line[from] <= 0x20 || line[from] == 0x22 { from += 1 }
    while to > from, line[to - 1] <= 0x20 || line[to - 1] == 0x22 || line[to - 1] == 0x2c { to -= 1 }
    set(key, UnsafeRawBufferPointer(rebasing: line[from..<to]))
    return false
  }

  private mutating func set(_ key: String, _ text: UnsafeRawBufferPointer) {
    switch key {
    case "src4_addr", "src6_addr": source = IPAddress(ascii: text)
    case "dst4_addr", "dst6_addr": destination = IPAddress(ascii: text)
    case "src_port": sourcePort = ASCIINumber.port(text) ?? 0
    case "dst_port": destinationPort = ASCIINumber.port(text) ?? 0
    case "icmp_type": icmpType = ASCIINumber.port(text)
    case "icmp_code": icmpCode = ASCIINumber.port(text)
    case "proto": transport = ASCIINumber.unsigned(text).map { UInt8(clamping: $0) } ?? 255
    case "tcp_flags":
      flags = FlagPair.letters(text) ?? ASCIINumber.unsigned(text).map { UInt8(truncatingIfNeeded: $0) } ?? 0
    case "first", "t_first": first = ASCIINumber.iso8601(text)
    case "last", "t_last": last = ASCIINumber.iso8601(text)
    case "received", "t_received": received = ASCIINumber.iso8601(text)
    case "in_packets": packets.in = ASCIINumber.unsigned(text) ?? 0
    case "in_bytes": octets.in = ASCIINumber.unsigned(text) ?? 0
    case "out_packets": packets.out = ASCIINumber.unsigned(text) ?? 0
    case "out_bytes": octets.out = ASCIINumber.unsigned(text) ?? 0
    case "sampled": isSampled = ASCIINumber.unsigned(text).map { $0 > 0 } ?? false
    default: break
    }
  }

  /// The record as a flow of one direction.
  mutating func record(_ origin: RecordOrigin, needsReceived: Bool) throws(RowRefusal) -> Biflow.Record {
    guard let source, let destination else { throw .damaged("no addresses") }
    guard let first, first.nanoseconds > RecordTally.absoluteFrom else { throw .skipped(RecordTally.noUsableTime) }
    sawFlowTimes = true
    if needsReceived {
      guard let received, received.nanoseconds > RecordTally.absoluteFrom else {
        throw .skipped(RecordTally.noUsableTime)
      }
    }
    var transport = Transport(rawValue: transport)
    if transport == .icmp, !source.isV4 { transport = .icmp6 }
    var flow = Flow(
      source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
      transport: transport, first: first, last: max(first, last ?? first), sourceOctets: octets.in,
      destinationOctets: octets.out, sourcePackets: UInt32(clamping: packets.in),
      destinationPackets: UInt32(clamping: packets.out), origin: origin)
    if transport.isICMP {
      // Exporters put type and code into the destination port (RFC 3954 section 8, L4_DST_PORT).
      flow.sourcePort = icmpType ?? destinationPort >> 8
      flow.destinationPort = icmpCode ?? destinationPort & 255
    }
    return Biflow.Record(flow: flow, tcpFlags: flags, isBidirectional: packets.out > 0 || octets.out > 0)
  }
}
