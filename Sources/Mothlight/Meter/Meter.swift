/// Packets to flows and application events: the Metering Process of RFC 7011.
///
/// Event time is the only clock. A flow ends when it is idle for its timeout (checked on its next packet, and by a hand
/// that visits one entry per packet, so memory follows the traffic), or at `finish`; what runs longer than the active timeout
/// is reported in parts, `cutByTimeout`.
struct Meter: ~Copyable {
  var table: FlowTable
  var streams: [StreamDecoder] = []
  var freeStreams: [Int32] = []
  var datagrams = DatagramDecoder()
  let prints = FingerprintCache()
  var fragments = FragmentTable()
  let input: UInt32
  var hand = 0
  /// What `finish` has still to report.
  private var leaving: [(first: Int64, index: Int32)]?
  var clock = Int64.min
  /// Number of the packet in hand.
  private var record: UInt64 = 0
  var lastExpiry: Int64 = 0
  /// Flows pushed out because the table was full.
  private(set) var evicted: UInt64 = 0
  /// Connections whose content was not looked at because too many were open.
  var streamsRefused: UInt64 = 0

  /// Packets between asking for an entry and using it: what the processor has room for at three lines each.
  static let entriesAhead = 8

  /// The same for the stream decoder of an entry, which was asked for earlier.
  static let streamsAhead = 4

  @inline(__always) func prefetchStream(at tag: UInt32) { prefetchStream(of: table.likelyEntry(tag)) }

  @inline(__always)
  private func prefetchStream(of entry: UnsafeMutablePointer<FlowEntry>?) {
    guard let entry, entry.pointee.stream >= 0 else { return }
    let stream = Int(entry.pointee.stream)
    streams.withUnsafeBufferPointer { all in
      if stream < all.count, let first = all.baseAddress { Prefetch.value(first + stream) }
    }
  }

  /// Longest a flow of a file runs before a part of it is reported: detectors should not wait for a day.
  static let activeTimeout: Int64 = 3_600_000_000_000
  /// The same for this meter, nanoseconds.
  let activeTimeout: Int64

  init(input: UInt32, limit: Int = Limits.openFlows, activeTimeout: Int64 = Self.activeTimeout) {
    self.input = input
    self.activeTimeout = activeTimeout
    table = FlowTable(limit: limit)
  }

  /// A packet's place in the table: its ends in address order, and their hash.
  struct Key {
    var low: IPAddress
    var high: IPAddress
    var lowPort: UInt16
    var highPort: UInt16
    var transport: Transport
    /// Whether the packet's source is the lower end.
    var isLow: Bool
    var tag: UInt32
  }

  /// The key of the next packet in order; its ports may come from an earlier fragment.
  @inline(__always)
  mutating func key(_ p: inout PacketHeaders) -> Key {
    if p.anomalies.contains(.fragmented) { fragments.resolve(&p) }
    return Key(p, table)
  }

  /// Meters one packet. `frame` holds its captured octets, `p` its decoded headers, `key` comes from `key(_:)`.
  mutating func add(
    _ p: PacketHeaders, _ key: Key, _ frame: RawSpan, at time: Timestamp, record: UInt64,
    into out: inout [Observation]
  ) {
    let now = time.nanoseconds
    self.record = record
    // Not the latest time seen: one packet stamped years ahead must not make every flow look idle.
    clock = now
    var index = table.find(key)
    if let found = index, hasEnded(found, now, p) {
      emit(found, into: &out)
      table.remove(found)
      index = nil
    }
    let entry = index ?? open(p, key, now, record, into: &out)
    update(entry, p, frame, key.isLow, time, into: &out)
    if p.quotedOffset > 0 { markUnreachable(p, frame) }
    advanceHand(into: &out)
  }

  private func hasEnded(_ index: Int, _ now: Int64, _ p: PacketHeaders) -> Bool {
    let e = table.entries + index
    if now &- e.pointee.last > e.pointee.idleTimeout { return true }
    guard p.tcpFlags & (TCPFlag.syn | TCPFlag.ack) == TCPFlag.syn, p.transport == .tcp else { return false }
    // A fresh SYN after an ended or running conversation begins a new one; after silence it is a retry.
    if e.pointee.isOver { return true }
    let source = e.pointee.flags.contains(.initiatorIsLow) ? e.pointee.lowSide : e.pointee.highSide
    let other = e.pointee.flags.contains(.initiatorIsLow) ? e.pointee.highSide : e.pointee.lowSide
    return other.packets > 0 && source.payload > 0 && p.sequence &+ 1 != source.nextSequence
  }

  private mutating func open(
    _ p: PacketHeaders, _ key: Key, _ now: Int64, _ record: UInt64, into out: inout [Observation]
  ) -> Int {
    if table.isFull { evict(into: &out) }
    var e = FlowEntry()
    e.low = key.low
    e.high = key.high
    e.lowPort = key.lowPort
    e.highPort = key.highPort
    e.transport = key.transport
    e.first = now
    e.last = now
    e.record = record
    e.flags = [.live]
    var sourceBegan = true
    if p.transport == .tcp {
      if p.tcpFlags & TCPFlag.syn != 0 {
        sourceBegan = p.tcpFlags & TCPFlag.ack == 0
        // An answer without a question may be forged or backscatter: it does not show that our side began.
        e.flags.insert(sourceBegan ? .handshakeSeen : .directionGuessed)
      } else {
        e.flags.insert(.directionGuessed)
        sourceBegan = Self.looksLikeClient(p.sourcePort, p.destinationPort)
      }
    } else if p.transport == .udp, p.sourcePort < 1024, p.destinationPort >= 1024 {
      e.flags.insert(.directionGuessed)
      sourceBegan = false
    }
    if sourceBegan == key.isLow { e.flags.insert(.initiatorIsLow) }
    if p.transport.isICMP {
      e.icmpType = UInt8(truncatingIfNeeded: p.sourcePort)
      e.icmpCode = UInt8(truncatingIfNeeded: p.destinationPort)
    }
    return table.insert(key.tag, e)
  }

  static func looksLikeClient(_ source: UInt16, _ destination: UInt16) -> Bool {
    if (source < 1024) != (destination < 1024) { return destination < 1024 }
    return source >= destination
  }

  private mutating func update(
    _ index: Int, _ p: PacketHeaders, _ frame: RawSpan, _ isLow: Bool, _ time: Timestamp, into out: inout [Observation]
  ) {
    let e = table.entries + index
    let now = time.nanoseconds
    if now < e.pointee.last {
      if e.pointee.last &- now > 1_000_000_000 { e.pointee.anomalies.insert(.clockWentBack) }
      if now < e.pointee.first { e.pointee.first = now }
    } else {
      if now &- e.pointee.first > activeTimeout { cut(index, at: now, into: &out) }
      e.pointee.last = now
    }
    e.pointee.anomalies.formUnion(p.anomalies)
    let side = FlowEntry.sides(of: e) + (isLow ? 0 : 1)
    side.pointee.octets &+= UInt64(p.ipOctets)
    side.pointee.packets &+= side.pointee.packets == .max ? 0 : 1
    if p.transport == .tcp {
      segment(index, side, p, frame, isLow, time, into: &out)
    } else {
      side.pointee.payload &+= UInt64(p.payloadOctets)
      if p.transport == .udp, p.payloadCaptured > 0, !p.isLaterFragment {
        datagram(index, side.pointee.packets, p, frame, isLow, time, into: &out)
      }
    }
  }

  private mutating func datagram(
    _ index: Int, _ packets: UInt32, _ p: PacketHeaders, _ frame: RawSpan, _ isLow: Bool, _ time: Timestamp,
    into out: inout [Observation]
  ) {
    // Media and bulk flows show what they are in their first datagrams; look-ups and keep-alives stay small.
    guard packets <= 6 || p.payloadOctets <= 32 || p.sourcePort == 53 || p.destinationPort == 53 else { return }
    let e = table.entries + index
    let fromClient = e.pointee.flags.contains(.initiatorIsLow) == isLow
    let payload = frame.extracting(p.payloadOffset..<(p.payloadOffset &+ p.payloadCaptured))
    var ends = ends(of: e.pointee)
    ends.origin.record = record
    let service = datagrams.decode(payload, ends: ends, fromClient: fromClient, at: time, into: &out)
    if service != .unknown { e.pointee.service = service }
  }

  func ends(of e: FlowEntry) -> Endpoints {
    let isLow = e.flags.contains(.initiatorIsLow)
    return Endpoints(
      client: isLow ? e.low : e.high, server: isLow ? e.high : e.low, clientPort: isLow ? e.lowPort : e.highPort,
      serverPort: isLow ? e.highPort : e.lowPort, transport: e.transport,
      origin: RecordOrigin(input: input, record: e.record))
  }

  private func markUnreachable(_ p: PacketHeaders, _ frame: RawSpan) {
    var quoted = PacketHeaders()
    guard PacketDecoder.ip(frame, at: p.quotedOffset, depth: Limits.tunnelDepth, into: &quoted) == .decoded else {
      return
    }
    if let found = table.find(Key(quoted, table)) {
      table.entries[found].flags.insert(.unreachable)
    }
  }

  /// Reports what a long flow did so far and lets it run on.
  mutating func cut(_ index: Int, at now: Int64, into out: inout [Observation]) {
    let e = table.entries + index
    defer { e.pointee.first = now }
    if e.pointee.flags.remove(.awaitsPart) != nil { return }
    e.pointee.anomalies.insert(.cutByTimeout)
    if e.pointee.stream >= 0, streams[Int(e.pointee.stream)].service != .unknown {
      e.pointee.service = streams[Int(e.pointee.stream)].service
    }
    out.append(
      Observation(time: Timestamp(nanoseconds: e.pointee.first), event: .flow(table.entries[index].flow(input: input))))
    if e.pointee.lowSide.packets > 0, e.pointee.highSide.packets > 0 { e.pointee.flags.insert(.answeredBefore) }
    let sides = FlowEntry.sides(of: e)
    for i in 0..<2 {
      sides[i].octets = 0
      sides[i].payload = 0
      sides[i].packets = 0
    }
  }

  mutating func emit(_ index: Int, into out: inout [Observation]) {
    closeStream(index, into: &out)
    if table.entries[index].isEmptyPart { return }
    let flow = table.entries[index].flow(input: input)
    out.append(Observation(time: flow.first, event: .flow(flow)))
  }

  private mutating func advanceHand(into out: inout [Observation]) {
    guard table.used > 0 else { return }
    hand = hand &+ 1 < table.used ? hand &+ 1 : 0
    let e = table.entries + hand
    if e.pointee.flags.contains(.live), clock &- e.pointee.last > e.pointee.idleTimeout {
      emit(hand, into: &out)
      table.remove(hand)
    }
    if clock &- lastExpiry > 1_000_000_000 || lastExpiry &- clock > 1_000_000_000 {
      lastExpiry = clock
      datagrams.expire(before: Timestamp(nanoseconds: clock), into: &out)
    }
  }

  /// Pushes out the longest-idle of the next entries under the hand.
  private mutating func evict(into out: inout [Observation]) {
    var victim = -1
    var oldest = Int64.max
    var seen = 0
    var steps = 0
    while seen < 16, steps < table.used {
      hand = hand &+ 1 < table.used ? hand &+ 1 : 0
      steps += 1
      let e = table.entries + hand
      guard e.pointee.flags.contains(.live) else { continue }
      seen += 1
      if e.pointee.last < oldest {
        oldest = e.pointee.last
        victim = hand
      }
    }
    guard victim >= 0 else { return }
    table.entries[victim].anomalies.insert(.cutByTimeout)
    emit(victim, into: &out)
    table.remove(victim)
    evicted += 1
  }

  /// Asks for what the next ones of `leaving` need.
  private func prefetchLeaving() {
    guard let leaving, leaving.count > 2 * Self.entriesAhead else { return }
    let far = leaving[leaving.count &- 2 * Self.entriesAhead]
    Prefetch.value(table.entries + Int(far.index))
    let near = table.entries + Int(leaving[leaving.count &- Self.entriesAhead].index)
    table.prefetchSlot(near.pointee.tag)
    prefetchStream(of: near)
  }

  /// Reports open flows, oldest first, about `limit` a call; `false` when none is left.
  mutating func finish(into out: inout [Observation], limit: Int = .max) -> Bool {
    if leaving == nil {
      var rest: [(first: Int64, index: Int32)] = []
      for i in 0..<table.used where table.entries[i].flags.contains(.live) {
        rest.append((table.entries[i].first, Int32(truncatingIfNeeded: i)))
      }
      // Latest first: they are taken from the end.
      rest.sort { a, b in
        if a.first != b.first { return a.first > b.first }
        return table.entries[Int(a.index)].record > table.entries[Int(b.index)].record
      }
      leaving = rest
      datagrams.finish(into: &out)
    }
    let start = out.count
    while out.count &- start < limit, let item = leaving?.popLast() {
      prefetchLeaving()
      emit(Int(item.index), into: &out)
      table.remove(Int(item.index))
    }
    return leaving?.isEmpty == false
  }
}

extension Meter.Key {
  @inline(__always)
  init(_ p: PacketHeaders, _ table: borrowing FlowTable) {
    let isLow = p.source != p.destination ? p.source < p.destination : p.sourcePort <= p.destinationPort
    let isICMP = p.transport.isICMP
    self.init(
      low: isLow ? p.source : p.destination, high: isLow ? p.destination : p.source,
      // An ICMP conversation is one flow per pair: type and code differ between request and reply.
      lowPort: isICMP ? 0 : isLow ? p.sourcePort : p.destinationPort,
      highPort: isICMP ? 0 : isLow ? p.destinationPort : p.sourcePort, transport: p.transport, isLow: isLow, tag: 0)
    tag = table.hash(low, high, lowPort, highPort, transport)
  }
}
