/// Link-layer header types (the "LINKTYPE_" registry of tcpdump.org) that lead to an IP packet.
struct LinkType: RawRepresentable, Hashable, Sendable {
  var rawValue: UInt16
  static let null = LinkType(rawValue: 0)
  static let ethernet = LinkType(rawValue: 1)
  static let ppp = LinkType(rawValue: 9)
  static let rawBSD = LinkType(rawValue: 12)
  static let rawOpenBSD = LinkType(rawValue: 14)
  static let pppHDLC = LinkType(rawValue: 50)
  static let pppEther = LinkType(rawValue: 51)
  static let raw = LinkType(rawValue: 101)
  static let ciscoHDLC = LinkType(rawValue: 104)
  static let ieee80211 = LinkType(rawValue: 105)
  static let loop = LinkType(rawValue: 108)
  static let linuxCooked = LinkType(rawValue: 113)
  static let prism = LinkType(rawValue: 119)
  static let radiotap = LinkType(rawValue: 127)
  static let ipv4 = LinkType(rawValue: 228)
  static let ipv6 = LinkType(rawValue: 229)
  static let linuxCooked2 = LinkType(rawValue: 276)

  static let supported: Set<LinkType> = [
    .null, .ethernet, .ppp, .rawBSD, .rawOpenBSD, .pppHDLC, .pppEther, .raw, .ciscoHDLC, .ieee80211, .loop,
    .linuxCooked,
    .prism, .radiotap, .ipv4, .ipv6, .linuxCooked2,
  ]
}

/// What a frame carries once its link layer is peeled off.
enum LinkPayload {
  /// An IP packet begins at this offset.
  case ip(Int)
  /// ARP, LLC, EAPOL and other traffic without IP.
  case notIP
  case truncated
}

enum LinkLayer {
  /// Finds the IP packet in `frame`. Stacked VLAN tags, MPLS, PPPoE and SNAP are peeled; every loop is bounded.
  @inline(__always)
  static func locateIP(in frame: RawSpan, link: LinkType) -> LinkPayload {
    if link == .ethernet { return ethernet(frame, at: 0) }
    return other(frame, link)
  }

  @inline(__always)
  static func ethernet(_ frame: RawSpan, at start: Int) -> LinkPayload {
    guard frame.byteCount >= start &+ 14 else { return .truncated }
    let type = frame.u16(start &+ 12)
    if type == 0x0800 || type == 0x86dd { return .ip(start &+ 14) }
    return etherType(type, frame, at: start &+ 14)
  }

  /// Follows an EtherType whose payload begins at `offset`.
  @inline(never)
  static func etherType(_ first: UInt16, _ frame: RawSpan, at start: Int) -> LinkPayload {
    var type = first
    var offset = start
    for _ in 0..<8 {
      switch type {
      case 0x0800, 0x86dd: return .ip(offset)
      case 0x8100, 0x88a8, 0x9100, 0x9200:  // IEEE 802.1Q, 802.1ad
        guard frame.byteCount >= offset &+ 4 else { return .truncated }
        type = frame.u16(offset &+ 2)
        offset &+= 4
      case 0x8847, 0x8848: return mpls(frame, at: offset)
      case 0x8864:  // PPPoE session (RFC 2516)
        guard frame.byteCount >= offset &+ 8 else { return .truncated }
        return ppp(frame, at: offset &+ 6)
      case 0x880b: return ppp(frame, at: offset)
      case 0..<0x0600: return llc(frame, at: offset)
      default: return .notIP
      }
    }
    return .notIP
  }

  private static func mpls(_ frame: RawSpan, at start: Int) -> LinkPayload {
    var offset = start
    for _ in 0..<8 {
      guard frame.byteCount >= offset &+ 5 else { return .truncated }
      let bottom = frame.u8(offset &+ 2) & 1 == 1
      offset &+= 4
      guard bottom else { continue }
      switch frame.u8(offset) >> 4 {
      case 4, 6: return .ip(offset)
      case 0:  // pseudowire control word before Ethernet (RFC 4448)
        return frame.byteCount >= offset &+ 18 ? ethernetOnce(frame, at: offset &+ 4) : .truncated
      default: return .notIP
      }
    }
    return .notIP
  }

  /// An inner Ethernet frame that may not nest further.
  private static func ethernetOnce(_ frame: RawSpan, at start: Int) -> LinkPayload {
    guard frame.byteCount >= start &+ 14 else { return .truncated }
    let type = frame.u16(start &+ 12)
    return type == 0x0800 || type == 0x86dd ? .ip(start &+ 14) : .notIP
  }

  private static func llc(_ frame: RawSpan, at offset: Int) -> LinkPayload {
    guard frame.byteCount >= offset &+ 8 else { return .truncated }
    guard frame.u16(offset) == 0xaaaa, frame.u8(offset &+ 2) == 3 else { return .notIP }
    let type = frame.u16(offset &+ 6)
    return type == 0x0800 || type == 0x86dd ? .ip(offset &+ 8) : .notIP
  }

  private static func ppp(_ frame: RawSpan, at start: Int) -> LinkPayload {
    var offset = start
    guard frame.byteCount >= offset &+ 4 else { return .truncated }
    if frame.u16(offset) == 0xff03 { offset &+= 2 }
    let short = frame.u8(offset) & 1 == 1  // protocol field compression (RFC 1661)
    let proto = short ? UInt16(frame.u8(offset)) : frame.u16(offset)
    switch proto {
    case 0x0021, 0x0057: return .ip(offset &+ (short ? 1 : 2))
    default: return .notIP
    }
  }

  @inline(never)
  private static func other(_ frame: RawSpan, _ link: LinkType) -> LinkPayload {
    let count = frame.byteCount
    switch link {
    case .raw, .rawBSD, .rawOpenBSD, .ipv4, .ipv6: return count > 0 ? .ip(0) : .truncated
    case .null, .loop:
      guard count >= 5 else { return .truncated }
      let version = frame.u8(4) >> 4
      return version == 4 || version == 6 ? .ip(4) : .notIP
    case .linuxCooked:
      guard count >= 16 else { return .truncated }
      return etherType(frame.u16(14), frame, at: 16)
    case .linuxCooked2:
      guard count >= 20 else { return .truncated }
      return etherType(frame.u16(0), frame, at: 20)
    case .ppp, .pppHDLC: return ppp(frame, at: 0)
    case .pppEther: return count >= 8 ? ppp(frame, at: 6) : .truncated
    case .ciscoHDLC: return count >= 4 ? etherType(frame.u16(2), frame, at: 4) : .truncated
    case .ieee80211: return wireless(frame, at: 0)
    case .radiotap: return count >= 4 ? wireless(frame, at: Int(frame.little16(2))) : .truncated
    case .prism: return wireless(frame, at: 144)
    default: return .notIP
    }
  }

  /// IEEE 802.11 data frames in the clear; encrypted ones are not IP to us.
  private static func wireless(_ frame: RawSpan, at start: Int) -> LinkPayload {
    guard frame.byteCount >= start &+ 24 else { return .truncated }
    let control = frame.u8(start)
    guard control & 0x0c == 0x08, control & 0x40 == 0 else { return .notIP }
    let flags = frame.u8(start &+ 1)
    guard flags & 0x40 == 0 else { return .notIP }
    var offset = start &+ 24
    if flags & 3 == 3 { offset &+= 6 }
    if control & 0x80 != 0 { offset &+= flags & 0x80 != 0 ? 6 : 2 }
    return llc(frame, at: offset)
  }
}
