/// Network and transport headers of one packet, as values; payload stays in the frame.
struct PacketHeaders {
  var source = IPAddress.unspecified
  var destination = IPAddress.unspecified
  /// ICMP: type and code.
  var sourcePort: UInt16 = 0
  var destinationPort: UInt16 = 0
  var transport = Transport(rawValue: 0)
  var tcpFlags: UInt8 = 0
  var sequence: UInt32 = 0
  /// Offset into the frame, and octets captured.
  var payloadOffset = 0
  var payloadCaptured = 0
  /// Payload octets by the IP header, captured or not.
  var payloadOctets: UInt32 = 0
  var ipOctets: UInt32 = 0
  var anomalies: Anomalies = []
  /// A fragment without transport header; ports come from its first fragment.
  var isLaterFragment = false
  var isFirstFragment = false
  var fragmentID: UInt32 = 0
  /// Offset of the packet quoted by an ICMP unreachable message; 0 when there is none.
  var quotedOffset = 0
}

enum TCPFlag {
  static let fin: UInt8 = 1
  static let syn: UInt8 = 2
  static let rst: UInt8 = 4
  static let psh: UInt8 = 8
  static let ack: UInt8 = 16
}

enum PacketOutcome {
  case decoded
  case notIP
  case truncated
  case malformed
}

enum PacketDecoder {
  /// Decodes from the link layer to the transport header (RFC 791, 8200, 9293, 768), unwrapping up to
  /// `Limits.tunnelDepth` tunnels (GRE, IP in IP, 6in4, VXLAN).
  /// - Complexity: O(1), bounded header loops.
  @inline(__always)
  static func decode(_ frame: RawSpan, link: LinkType, into p: inout PacketHeaders) -> PacketOutcome {
    switch LinkLayer.locateIP(in: frame, link: link) {
    case .ip(let offset): return ip(frame, at: offset, depth: 0, into: &p)
    case .notIP: return .notIP
    case .truncated: return .truncated
    }
  }

  @inline(__always)
  static func ip(_ frame: RawSpan, at offset: Int, depth: Int, into p: inout PacketHeaders) -> PacketOutcome {
    guard frame.byteCount >= offset &+ 20 else { return .truncated }
    let first = frame.u8(offset)
    if first >> 4 == 4 { return v4(frame, at: offset, first, depth: depth, into: &p) }
    if first >> 4 == 6 { return v6(frame, at: offset, depth: depth, into: &p) }
    return .malformed
  }

  @inline(__always)
  private static func v4(_ frame: RawSpan, at offset: Int, _ first: UInt8, depth: Int, into p: inout PacketHeaders)
    -> PacketOutcome
  {
    let header = Int(first & 15) &* 4
    guard header >= 20 else { return .malformed }
    guard frame.byteCount >= offset &+ header else { return .truncated }
    p.source = IPAddress(v4: frame.u32(offset &+ 12))
    p.destination = IPAddress(v4: frame.u32(offset &+ 16))
    p.transport = Transport(rawValue: frame.u8(offset &+ 9))
    var total = Int(frame.u16(offset &+ 2))
    let available = frame.byteCount &- offset
    if total < header {
      // Zero length: segmentation offload hands the kernel's own packets over before the length is set.
      if total != 0 { p.anomalies.insert(.lengthMismatch) }
      total = available
    }
    p.ipOctets = UInt32(truncatingIfNeeded: total)
    let end = offset &+ min(total, available)
    let fragment = frame.u16(offset &+ 6)
    if fragment & 0x3fff != 0 {
      p.anomalies.insert(.fragmented)
      p.fragmentID = UInt32(frame.u16(offset &+ 4))
      if fragment & 0x1fff != 0 {
        p.isLaterFragment = true
        p.payloadOctets = UInt32(truncatingIfNeeded: total &- header)
        return .decoded
      }
      p.isFirstFragment = true
    }
    return transport(frame, at: offset &+ header, end: end, octets: total &- header, depth: depth, into: &p)
  }

  private static func v6(_ frame: RawSpan, at offset: Int, depth: Int, into p: inout PacketHeaders) -> PacketOutcome {
    guard frame.byteCount >= offset &+ 40 else { return .truncated }
    p.source = IPAddress(high: frame.u64(offset &+ 8), low: frame.u64(offset &+ 16))
    p.destination = IPAddress(high: frame.u64(offset &+ 24), low: frame.u64(offset &+ 32))
    let length = Int(frame.u16(offset &+ 4))
    let available = frame.byteCount &- offset &- 40
    let octets = length == 0 ? available : length
    p.ipOctets = UInt32(truncatingIfNeeded: octets &+ 40)
    var next = frame.u8(offset &+ 6)
    var at = offset &+ 40
    let end = at &+ min(octets, available)
    for _ in 0..<10 {
      switch next {
      case 0, 43, 60, 135, 139, 140:  // hop-by-hop, routing, destination options, mobility, HIP, shim6
        guard end >= at &+ 8 else { return .truncated }
        next = frame.u8(at)
        at &+= (Int(frame.u8(at &+ 1)) &+ 1) &* 8
      case 51:  // AH (RFC 4302)
        guard end >= at &+ 8 else { return .truncated }
        next = frame.u8(at)
        at &+= (Int(frame.u8(at &+ 1)) &+ 2) &* 4
      case 44:
        guard end >= at &+ 8 else { return .truncated }
        next = frame.u8(at)
        let position = frame.u16(at &+ 2)
        p.anomalies.insert(.fragmented)
        p.fragmentID = frame.u32(at &+ 4)
        p.transport = Transport(rawValue: next)
        at &+= 8
        if position >> 3 != 0 {
          p.isLaterFragment = true
          p.payloadOctets = UInt32(truncatingIfNeeded: max(0, octets &- (at &- offset &- 40)))
          return .decoded
        }
        p.isFirstFragment = position & 1 == 1
      default:
        guard end >= at else { return .truncated }
        p.transport = Transport(rawValue: next)
        return transport(frame, at: at, end: end, octets: octets &- (at &- offset &- 40), depth: depth, into: &p)
      }
    }
    return .malformed
  }

  @inline(__always)
  private static func transport(
    _ frame: RawSpan, at offset: Int, end: Int, octets: Int, depth: Int, into p: inout PacketHeaders
  ) -> PacketOutcome {
    var header = 0
    switch p.transport {
    case .tcp:
      guard end >= offset &+ 20 else { return shortTransport(frame, at: offset, end: end, into: &p) }
      p.sourcePort = frame.u16(offset)
      p.destinationPort = frame.u16(offset &+ 2)
      p.sequence = frame.u32(offset &+ 4)
      p.tcpFlags = frame.u8(offset &+ 13)
      header = Int(frame.u8(offset &+ 12) >> 4) &* 4
      if header < 20 || header > octets {
        p.anomalies.insert(.lengthMismatch)
        header = 20
      }
      let f = p.tcpFlags & 7
      if f == 3 || f == 6 || f == 7 || p.tcpFlags & 0x3f == 0 { p.anomalies.insert(.badTCPFlags) }
    case .udp:
      guard end >= offset &+ 8 else { return shortTransport(frame, at: offset, end: end, into: &p) }
      p.sourcePort = frame.u16(offset)
      p.destinationPort = frame.u16(offset &+ 2)
      header = 8
      if p.destinationPort == 4789, depth < Limits.tunnelDepth, end >= offset &+ 16 &+ 14,
        frame.u8(offset &+ 8) & 0x08 != 0
      {
        return nested(frame, vxlanAt: offset &+ 16, end: end, depth: depth, into: &p)
      }
    default: return otherTransport(frame, at: offset, end: end, octets: octets, depth: depth, into: &p)
    }
    p.payloadOffset = min(offset &+ header, end)
    p.payloadCaptured = end &- p.payloadOffset
    p.payloadOctets = UInt32(truncatingIfNeeded: max(0, octets &- header))
    if Int(p.payloadOctets) > p.payloadCaptured { p.anomalies.insert(.truncatedByCapture) }
    return .decoded
  }

  /// Ports alone are enough for a flow, as snap lengths of 68 octets and ICMP quotes leave them.
  @inline(never)
  private static func shortTransport(_ frame: RawSpan, at offset: Int, end: Int, into p: inout PacketHeaders)
    -> PacketOutcome
  {
    guard end >= offset &+ 4 else { return .truncated }
    p.sourcePort = frame.u16(offset)
    p.destinationPort = frame.u16(offset &+ 2)
    p.payloadOffset = end
    p.anomalies.insert(.truncatedByCapture)
    return .decoded
  }

  @inline(never)
  private static func otherTransport(
    _ frame: RawSpan, at offset: Int, end: Int, octets: Int, depth: Int, into p: inout PacketHeaders
  ) -> PacketOutcome {
    p.payloadOffset = offset
    p.payloadCaptured = max(0, end &- offset)
    p.payloadOctets = UInt32(truncatingIfNeeded: max(0, octets))
    switch p.transport {
    case .icmp, .icmp6:
      guard end >= offset &+ 4 else { return .truncated }
      p.sourcePort = UInt16(frame.u8(offset))
      p.destinationPort = UInt16(frame.u8(offset &+ 1))
      let isUnreachable = p.transport == .icmp ? p.sourcePort == 3 : p.sourcePort == 1
      if isUnreachable, end >= offset &+ 8 &+ 28 { p.quotedOffset = offset &+ 8 }
      return .decoded
    case .sctp:
      guard end >= offset &+ 4 else { return .truncated }
      p.sourcePort = frame.u16(offset)
      p.destinationPort = frame.u16(offset &+ 2)
      return .decoded
    case Transport(rawValue: 4), Transport(rawValue: 41):  // IP in IP (RFC 2003), 6in4 (RFC 4213)
      return nested(frame, ipAt: offset, end: end, depth: depth, into: &p)
    case Transport(rawValue: 47):
      return gre(frame, at: offset, end: end, depth: depth, into: &p)
    default: return .decoded
    }
  }

  /// GRE (RFC 2784, 2890) and its PPTP form (RFC 2637).
  private static func gre(_ frame: RawSpan, at offset: Int, end: Int, depth: Int, into p: inout PacketHeaders)
    -> PacketOutcome
  {
    guard end >= offset &+ 4 else { return .truncated }
    let flags = frame.u16(offset)
    var at = offset &+ 4
    if flags & 0x8000 != 0 { at &+= 4 }
    if flags & 0x2000 != 0 { at &+= 4 }
    if flags & 0x1000 != 0 { at &+= 4 }
    if flags & 7 == 1, flags & 0x0080 != 0 { at &+= 4 }
    switch frame.u16(offset &+ 2) {
    case 0x0800, 0x86dd: return nested(frame, ipAt: at, end: end, depth: depth, into: &p)
    case 0x6558: return nested(frame, vxlanAt: at, end: end, depth: depth, into: &p)
    case 0x880b:
      guard end >= at &+ 4 else { return .decoded }
      let skip = frame.u16(at) == 0xff03 ? 2 : 0
      let short = frame.u8(at &+ skip) & 1 == 1
      return nested(frame, ipAt: at &+ skip &+ (short ? 1 : 2), end: end, depth: depth, into: &p)
    default: return .decoded
    }
  }

  private static func nested(_ frame: RawSpan, vxlanAt offset: Int, end: Int, depth: Int, into p: inout PacketHeaders)
    -> PacketOutcome
  {
    guard end >= offset &+ 14, case .ip(let inner) = LinkLayer.ethernet(frame.extracting(..<end), at: offset) else {
      return .decoded
    }
    return nested(frame, ipAt: inner, end: end, depth: depth, into: &p)
  }

  /// Decodes the inner packet; when it is no packet the tunnel itself stays the flow.
  private static func nested(_ frame: RawSpan, ipAt offset: Int, end: Int, depth: Int, into p: inout PacketHeaders)
    -> PacketOutcome
  {
    guard depth < Limits.tunnelDepth else {
      p.anomalies.insert(.nestingTooDeep)
      return .decoded
    }
    var inner = PacketHeaders()
    inner.anomalies = [.tunnelled]
    guard offset <= end, ip(frame.extracting(..<end), at: offset, depth: depth &+ 1, into: &inner) == .decoded else {
      return .decoded
    }
    p = inner
    return .decoded
  }
}
