/// One open flow inside the meter. `low` and `high` are its ends in address order, so both directions meet here.
struct FlowEntry {
  /// The two sides come first and in this order: the meter addresses them as a pair.
  var lowSide = Side()
  var highSide = Side()
  var low = IPAddress.unspecified
  var high = IPAddress.unspecified
  var lowPort: UInt16 = 0
  var highPort: UInt16 = 0
  var transport = Transport(rawValue: 0)
  var flags = Flags()
  var first: Int64 = 0
  var last: Int64 = 0
  var record: UInt64 = 0
  /// Hash of the key, so that removal need not hash again.
  var tag: UInt32 = 0
  var anomalies: Anomalies = []
  /// Index into the meter's stream decoders, or one of the two below.
  var stream: Int32 = FlowEntry.noStreamYet
  var service = Service.unknown
  /// ICMP type and code of the first message; the key has none, since request and reply differ.
  var icmpType: UInt8 = 0
  var icmpCode: UInt8 = 0

  static let noStreamYet: Int32 = -1
  static let streamDone: Int32 = -2

  struct Flags: OptionSet {
    var rawValue: UInt8
    static let live = Flags(rawValue: 1)
    static let initiatorIsLow = Flags(rawValue: 2)
    static let directionGuessed = Flags(rawValue: 4)
    static let unreachable = Flags(rawValue: 8)
    static let handshakeSeen = Flags(rawValue: 16)
    /// Both sides had spoken before a cut by the active timeout.
    static let answeredBefore = Flags(rawValue: 32)
    /// A part was reported while no packet came; `first` is not the next part's before its first packet.
    static let awaitsPart = Flags(rawValue: 64)
  }

  /// Counters of one direction.
  struct Side {
    var octets: UInt64 = 0
    var payload: UInt64 = 0
    var packets: UInt32 = 0
    /// Next sequence number expected; valid once `tcpFlags` is not 0.
    var nextSequence: UInt32 = 0
    var tcpFlags: UInt8 = 0
  }

  @inline(__always)
  static func sides(of entry: UnsafeMutablePointer<FlowEntry>) -> UnsafeMutablePointer<Side> {
    UnsafeMutableRawPointer(entry).assumingMemoryBound(to: Side.self)
  }

  /// Both ends have said goodbye, or one has cut the line.
  var isOver: Bool {
    guard transport == .tcp else { return false }
    let both = lowSide.tcpFlags & highSide.tcpFlags
    return both & TCPFlag.fin != 0 || (lowSide.tcpFlags | highSide.tcpFlags) & TCPFlag.rst != 0
  }

  /// Nanoseconds without a packet after which it has ended. TCP as Zeek's default, the rest as most exporters'.
  var idleTimeout: Int64 {
    if transport == .tcp { return isOver ? 5_000_000_000 : 300_000_000_000 }
    return 60_000_000_000
  }

  /// Nothing has come since the part that was reported last.
  var isEmptyPart: Bool { flags.contains(.awaitsPart) && lowSide.packets == 0 && highSide.packets == 0 }

  var state: ConnectionState {
    let isLow = flags.contains(.initiatorIsLow)
    let source = isLow ? lowSide : highSide
    let destination = isLow ? highSide : lowSide
    if flags.contains(.answeredBefore) { return isOver ? .closed : .established }
    guard transport == .tcp else {
      if destination.packets > 0 && source.packets > 0 { return .established }
      if flags.contains(.unreachable) { return .refused }
      // An error message or an announcement asks for no answer.
      if transport.isICMP, icmpType != (transport == .icmp ? 8 : 128) { return .unknown }
      return flags.contains(.directionGuessed) ? .midstream : .unanswered
    }
    let all = source.tcpFlags | destination.tcpFlags
    if source.packets > 0, destination.packets > 0, destination.tcpFlags & TCPFlag.syn != 0 || destination.payload > 0 {
      if !flags.contains(.handshakeSeen) { return .midstream }
      if all & TCPFlag.rst != 0 { return .reset }
      return all & TCPFlag.fin != 0 ? .closed : .established
    }
    guard flags.contains(.handshakeSeen) else { return .midstream }
    if destination.tcpFlags & TCPFlag.rst != 0 || flags.contains(.unreachable) { return .refused }
    return destination.packets == 0 ? .unanswered : .established
  }

  func flow(input: UInt32) -> Flow {
    let isLow = flags.contains(.initiatorIsLow)
    let source = isLow ? lowSide : highSide
    let destination = isLow ? highSide : lowSide
    var anomalies = self.anomalies
    if flags.contains(.directionGuessed) { anomalies.insert(.directionGuessed) }
    let isICMP = transport.isICMP
    return Flow(
      source: isLow ? low : high, destination: isLow ? high : low,
      sourcePort: isICMP ? UInt16(icmpType) : isLow ? lowPort : highPort,
      destinationPort: isICMP ? UInt16(icmpCode) : isLow ? highPort : lowPort, transport: transport,
      first: Timestamp(nanoseconds: flags.contains(.awaitsPart) ? last : first),
      last: Timestamp(nanoseconds: last), state: state, service: service, sourceOctets: source.octets,
      destinationOctets: destination.octets, sourcePayload: source.payload, destinationPayload: destination.payload,
      sourcePackets: source.packets, destinationPackets: destination.packets, anomalies: anomalies,
      origin: RecordOrigin(input: input, record: record))
  }
}
