/// One row of an Argus log, seen through the header's columns (ra(1), "Fields").
struct BinetflowRow {
  static let notIP: StaticString = "not IP (arp, llc and the like)"

  let line: UnsafeRawBufferPointer
  let table: UnsafePointer<UInt32>
  let columns: BinetflowColumns
  /// The destination is the side that began.
  private(set) var isReversed = false
  private var isGuessed = false
  private var isTwoWay = false

  init(line: UnsafeRawBufferPointer, table: UnsafePointer<UInt32>, columns: BinetflowColumns) {
    self.line = line
    self.table = table
    self.columns = columns
    readDirection()
  }

  /// `->`, `<->`, `<-`, with `?` where Argus is not sure who began.
  @inline(__always)
  private mutating func readDirection() {
    var left = false
    var right = false
    for byte in bytes(.dir) {
      switch byte {
      case 0x3c: left = true
      case 0x3e: right = true
      case 0x3f: isGuessed = true
      default: break
      }
    }
    isReversed = left && !right
    isTwoWay = left && right
  }

  @inline(__always)
  func bytes(_ field: BinetflowField) -> UnsafeRawBufferPointer {
    let column = columns[field]
    guard column >= 0, let base = line.baseAddress else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let from = Int(table[column])
    return UnsafeRawBufferPointer(start: base + from, count: Int(table[column &+ 1]) &- 1 &- from)
  }

  @inline(__always)
  private func count(_ field: BinetflowField) -> UInt64? { ASCIINumber.unsigned(bytes(field)) }

  @inline(__always)
  func flow(_ clock: ArgusClock, _ origin: RecordOrigin) throws(RowRefusal) -> Flow {
    guard let transport = Self.transport(bytes(.proto)) else { throw .skipped(Self.notIP) }
    guard let source = IPAddress(ascii: bytes(.srcAddr)), let destination = IPAddress(ascii: bytes(.dstAddr)) else {
      if Self.isMAC(bytes(.srcAddr)) || Self.isMAC(bytes(.dstAddr)) { throw .skipped(Self.notIP) }
      throw .damaged("SrcAddr or DstAddr is no address")
    }
    guard let first = clock.parse(bytes(.startTime)) else { throw .skipped(RecordTally.noUsableTime) }
    let duration = ASCIINumber.nanoseconds(bytes(.dur)) ?? 0
    let (last, overflow) = first.nanoseconds.addingReportingOverflow(max(0, duration))
    var flow = Flow(
      source: source, destination: destination, sourcePort: 0, destinationPort: 0, transport: transport, first: first,
      last: overflow ? first : Timestamp(nanoseconds: last), origin: origin)
    setPorts(&flow)
    setCounts(&flow)
    if isGuessed { flow.anomalies.insert(.directionGuessed) }
    if transport.rawValue == 255 { flow.anomalies.insert(.unknownTransport) }
    let state = bytes(.state)
    if isReversed { flow = flow.reversed }
    flow.state = transport == .tcp ? tcpState(state, flow) : otherState(state, flow)
    return flow
  }

  /// ICMP: Argus prints type and code as one little-endian hexadecimal number, for IPv6 as two decimal ones.
  @inline(__always)
  private func setPorts(_ flow: inout Flow) {
    let source = ASCIINumber.port(bytes(.sport)) ?? 0
    let destination = ASCIINumber.port(bytes(.dport)) ?? 0
    guard flow.transport.isICMP else {
      flow.sourcePort = source
      flow.destinationPort = destination
      return
    }
    if flow.transport == .icmp {
      flow.sourcePort = source & 255
      flow.destinationPort = source >> 8
      if bytes(.sport).count == 0, ShortWord(bytes(.state)) == "eco" { flow.sourcePort = 8 }
    } else {
      flow.sourcePort = source & 255
      flow.destinationPort = destination & 255
    }
  }

  @inline(__always)
  private func setCounts(_ flow: inout Flow) {
    let octets = split(count(.totBytes), count(.srcBytes), count(.dstBytes), answered: isTwoWay)
    flow.sourceOctets = octets.source
    flow.destinationOctets = octets.destination
    let packets = split(
      count(.totPkts), count(.srcPkts), count(.dstPkts), answered: octets.destination > 0 && octets.source > 0)
    flow.sourcePackets = UInt32(clamping: packets.source)
    flow.destinationPackets = UInt32(clamping: packets.destination)
    if !columns.has(.srcPkts), octets.source == 0, octets.destination > 0 {
      swap(&flow.sourcePackets, &flow.destinationPackets)
    }
  }

  /// Totals to directions; what no column tells is halved when both sides spoke.
  @inline(__always)
  private func split(
    _ total: UInt64?, _ source: UInt64?, _ destination: UInt64?, answered: Bool
  ) -> (source: UInt64, destination: UInt64) {
    if let source { return (source, destination ?? ((total ?? source) > source ? (total ?? source) &- source : 0)) }
    let all = total ?? 0
    if let destination { return (all > destination ? all &- destination : 0, destination) }
    return answered ? (all &- all / 2, all / 2) : (all, 0)
  }

  /// `SRPA_FSPA`: flags of the source, `_`, flags of the destination; or one word.
  private func tcpState(_ text: UnsafeRawBufferPointer, _ flow: Flow) -> ConnectionState {
    if let bar = text.firstIndex(of: 0x5f), let left = FlagPair.letters(text[..<bar]),
      let right = FlagPair.letters(text[(bar + 1)...])
    {
      let pair = isReversed ? FlagPair(source: right, destination: left) : FlagPair(source: left, destination: right)
      return pair.state(beganInView: !isGuessed)
    }
    switch ShortWord(text) {
    case "req", "int", "s0": return .unanswered
    case "acc", "con", "s1", "est": return isGuessed ? .midstream : .established
    case "fin", "clo", "sf", "s2", "s3": return .closed
    case "rst", "rsto", "rstr": return flow.destinationOctets > 0 ? .reset : .refused
    case "rej": return .refused
    case "rsp", "oth": return .midstream
    case "tim": return flow.destinationOctets > 0 ? .established : .unanswered
    default: return isGuessed ? .midstream : flow.destinationOctets > 0 ? .established : .unanswered
    }
  }

  private func otherState(_ text: UnsafeRawBufferPointer, _ flow: Flow) -> ConnectionState {
    if isReversed { return .midstream }
    let word = ShortWord(text)
    if flow.transport.isICMP {
      // Only a request wants an answer; an error message or a reply stands alone.
      if isTwoWay { return .established }
      return word == "eco" || flow.sourcePort == 128 ? .unanswered : .unknown
    }
    if isTwoWay || word == "con" || word == "est" { return .established }
    return flow.destinationOctets > 0 && columns.has(.srcBytes) ? .established : .unanswered
  }

  /// The protocol number of Argus' name; 255 for one that is not known, `nil` when it does not run over IP.
  @inline(__always)
  static func transport(_ text: UnsafeRawBufferPointer) -> Transport? {
    switch ShortWord(text) {
    case "tcp": .tcp
    case "udp", "rtp", "rtcp", "udt": .udp
    case "icmp": .icmp
    case "ipv6-icm", "icmpv6", "icmp6": .icmp6
    default: rareTransport(text)
    }
  }

  private static func rareTransport(_ text: UnsafeRawBufferPointer) -> Transport? {
    if let number = ASCIINumber.unsigned(text) { return Transport(rawValue: UInt8(clamping: number)) }
    switch ShortWord(text) {
    case "igmp": return Transport(rawValue: 2)
    case "ipnip", "ipip": return Transport(rawValue: 4)
    case "ipv6": return Transport(rawValue: 41)
    case "gre": return Transport(rawValue: 47)
    case "esp": return Transport(rawValue: 50)
    case "ah", "ipv6-aut": return Transport(rawValue: 51)
    case "ospf", "ospfigp": return Transport(rawValue: 89)
    case "pim": return Transport(rawValue: 103)
    case "vrrp": return Transport(rawValue: 112)
    case "sctp": return .sctp
    case "arp", "rarp", "llc", "man", "ipx/spx", "ether", "lldp", "stp", "decnet", "", "eapol", "802.1x", "pppoe",
      "isis", "cdp",
      "wlan":
      return nil
    default: return Transport(rawValue: 255)
    }
  }

  private static func isMAC(_ text: UnsafeRawBufferPointer) -> Bool {
    text.count == 17 && text[2] == 0x3a && text[5] == 0x3a || text.count <= 1
  }
}
