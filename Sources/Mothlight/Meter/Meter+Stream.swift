/// TCP: sequence numbers, payload counted once, content in order to a stream decoder.
extension Meter {
  mutating func segment(
    _ index: Int, _ side: UnsafeMutablePointer<FlowEntry.Side>, _ p: PacketHeaders, _ frame: RawSpan, _ isLow: Bool,
    _ time: Timestamp, into out: inout [Observation]
  ) {
    let e = table.entries + index
    if p.isLaterFragment {
      // No header of its own: its octets count, and what was decoded so far ends here.
      side.pointee.payload &+= UInt64(p.payloadOctets)
      side.pointee.nextSequence &+= p.payloadOctets
      if e.pointee.stream >= 0 {
        streams[Int(e.pointee.stream)].skip(fromClient: e.pointee.flags.contains(.initiatorIsLow) == isLow)
      }
      return
    }
    let isFirst = side.pointee.tcpFlags == 0
    side.pointee.tcpFlags |= p.tcpFlags | 0x80
    if p.tcpFlags & TCPFlag.syn != 0 {
      side.pointee.nextSequence = p.sequence &+ 1
      return
    }
    if isFirst { side.pointee.nextSequence = p.sequence }
    guard p.payloadOctets > 0 else { return }
    let ahead = Int(Int32(bitPattern: p.sequence &- side.pointee.nextSequence))
    let length = Int(p.payloadOctets)
    if ahead > 0 {
      e.pointee.anomalies.insert(.sequenceGap)
      side.pointee.nextSequence = p.sequence &+ p.payloadOctets
      side.pointee.payload &+= UInt64(p.payloadOctets)
      if e.pointee.stream >= 0 {
        streams[Int(e.pointee.stream)].skip(fromClient: e.pointee.flags.contains(.initiatorIsLow) == isLow)
      }
    } else {
      let new = length &+ ahead
      guard new > 0 else {
        // A keep-alive probe repeats one old octet (RFC 9293 section 3.8.4): no retransmission of content.
        if length > 1 { e.pointee.anomalies.insert(.retransmission) }
        return
      }
      side.pointee.payload &+= UInt64(new)
      side.pointee.nextSequence = p.sequence &+ p.payloadOctets
    }
    guard e.pointee.stream != FlowEntry.streamDone, p.payloadCaptured > 0 else { return }
    feed(index, p, frame, skip: ahead < 0 ? -ahead : 0, isLow, time, into: &out)
  }

  private mutating func feed(
    _ index: Int, _ p: PacketHeaders, _ frame: RawSpan, skip: Int, _ isLow: Bool, _ time: Timestamp,
    into out: inout [Observation]
  ) {
    let e = table.entries + index
    guard skip < p.payloadCaptured else { return }
    if e.pointee.stream == FlowEntry.noStreamYet {
      if let reused = freeStreams.popLast() {
        e.pointee.stream = reused
        streams[Int(reused)] = StreamDecoder(ends: ends(of: e.pointee), prints: prints)
      } else if streams.count < Limits.openStreams {
        e.pointee.stream = Int32(truncatingIfNeeded: streams.count)
        streams.append(StreamDecoder(ends: ends(of: e.pointee), prints: prints))
      } else {
        e.pointee.stream = FlowEntry.streamDone
        streamsRefused += 1
        return
      }
    }
    let fromClient = e.pointee.flags.contains(.initiatorIsLow) == isLow
    let payload = frame.extracting((p.payloadOffset &+ skip)..<(p.payloadOffset &+ p.payloadCaptured))
    let slot = Int(e.pointee.stream)
    var wantsMore = streams[slot].feed(payload, fromClient: fromClient, at: time, into: &out)
    if wantsMore, p.payloadCaptured < Int(p.payloadOctets) { streams[slot].skip(fromClient: fromClient) }
    let carried = e.pointee.lowSide.payload &+ e.pointee.highSide.payload
    // Keep-alive HTTP is worth following; anything unrecognised by now is not.
    if streams[slot].service == .unknown, carried > UInt64(2 &* Limits.streamPrefixOctets) { wantsMore = false }
    if !wantsMore { closeStream(index, into: &out) }
  }

  mutating func closeStream(_ index: Int, into out: inout [Observation]) {
    let e = table.entries + index
    guard e.pointee.stream >= 0 else { return }
    let slot = Int(e.pointee.stream)
    streams[slot].finish(at: Timestamp(nanoseconds: e.pointee.last), into: &out)
    if streams[slot].service != .unknown { e.pointee.service = streams[slot].service }
    e.pointee.anomalies.formUnion(streams[slot].anomalies)
    freeStreams.append(e.pointee.stream)
    e.pointee.stream = FlowEntry.streamDone
  }
}
