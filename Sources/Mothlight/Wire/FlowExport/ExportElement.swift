/// Information elements that a flow needs (IANA "IPFIX Information Elements"; RFC 3954 section 8; RFC 5103).
enum ExportElement: UInt8 {
  case ignored
  case sourceV4, destinationV4, sourceV6, destinationV6
  case sourcePort, destinationPort, transport, tcpFlags, icmpTypeCode, icmpType, icmpCode
  case octets, packets, octetsTotal, packetsTotal, octetsOut, packetsOut
  case answerOctets, answerPackets, answerFlags
  case firstUptime, lastUptime, firstSeconds, lastSeconds, firstMilliseconds, lastMilliseconds
  case firstNTP, lastNTP, firstDelta, lastDelta, eventSeconds, eventMilliseconds, eventNTP
  case durationMilliseconds, durationMicroseconds, bootMilliseconds
  case endReason, biflowDirection, firewallEvent
  case sampler, interval, space, sampleSize, population, probability

  /// Enterprise number under which an element of the standard set counts the answer (RFC 5103 section 6.1).
  static let reverseEnterprise: UInt32 = 29_305

  /// The element `id` of `enterprise` as a field of `length` octets; `.ignored` when it is of no use or of no such length.
  init(_ id: UInt16, enterprise: UInt32, length: UInt16, isScope: Bool = false) {
    let element: ExportElement =
      switch enterprise {
      case 0: Self.standard(id)
      case Self.reverseEnterprise: Self.reverse(id)
      default: .ignored
      }
    self = !isScope || element == .sampler ? element.fits(length) ? element : .ignored : .ignored
  }

  private static func standard(_ id: UInt16) -> ExportElement {
    switch id {
    case 1: .octets
    case 2: .packets
    case 4: .transport
    case 6: .tcpFlags
    case 7, 180, 182: .sourcePort
    case 8: .sourceV4
    case 11, 181, 183: .destinationPort
    case 12: .destinationV4
    case 21: .lastUptime
    case 22: .firstUptime
    case 23: .octetsOut
    case 24: .packetsOut
    case 27: .sourceV6
    case 28: .destinationV6
    case 32, 139: .icmpTypeCode
    case 85: .octetsTotal
    case 86: .packetsTotal
    case 136: .endReason
    case 150...165: times(id)
    case 176, 178: .icmpType
    case 177, 179: .icmpCode
    default: less(id)
    }
  }

  private static func times(_ id: UInt16) -> ExportElement {
    switch id {
    case 150: .firstSeconds
    case 151: .lastSeconds
    case 152: .firstMilliseconds
    case 153: .lastMilliseconds
    case 154, 156: .firstNTP
    case 155, 157: .lastNTP
    case 158: .firstDelta
    case 159: .lastDelta
    case 160: .bootMilliseconds
    case 161: .durationMilliseconds
    case 162: .durationMicroseconds
    default: .ignored
    }
  }

  private static func less(_ id: UInt16) -> ExportElement {
    switch id {
    case 34, 50, 305: .interval
    case 48, 302: .sampler
    // Counters of firewalls that see both sides: initiator and responder.
    case 231: .octets
    case 232: .answerOctets
    case 233: .firewallEvent
    case 239: .biflowDirection
    case 298: .packets
    case 299: .answerPackets
    case 306: .space
    case 309: .sampleSize
    case 310: .population
    case 311: .probability
    case 322: .eventSeconds
    case 323: .eventMilliseconds
    case 324, 325: .eventNTP
    default: .ignored
    }
  }

  private static func reverse(_ id: UInt16) -> ExportElement {
    switch id {
    case 1, 85: .answerOctets
    case 2, 86: .answerPackets
    case 6: .answerFlags
    default: .ignored
    }
  }

  /// Integers may be shorter than their type (RFC 7011 section 6.2); an address is whole or no address.
  private func fits(_ length: UInt16) -> Bool {
    switch self {
    case .ignored: false
    case .sourceV4, .destinationV4: length == 4
    case .sourceV6, .destinationV6: length == 16
    case .firstNTP, .lastNTP, .eventNTP: length == 8
    case .probability: length == 4 || length == 8
    default: (1...8).contains(length)
    }
  }
}

extension RawSpan {
  /// An unsigned integer of 1...8 octets. The caller has checked that they are there.
  @inline(__always)
  func unsigned(_ offset: Int, length: Int) -> UInt64 {
    switch length {
    case 4: return UInt64(u32(offset))
    case 2: return UInt64(u16(offset))
    case 1: return UInt64(u8(offset))
    case 8: return u64(offset)
    default:
      var value: UInt64 = 0
      for i in 0..<length { value = value << 8 | UInt64(u8(offset &+ i)) }
      return value
    }
  }
}
