/// Formats in which devices export flows over UDP, told apart by the first octets of a datagram.
public enum ExportFormat: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// Cisco NetFlow version 5.
  case netflow5
  /// RFC 3954.
  case netflow9
  /// RFC 7011.
  case ipfix
  /// sflow.org, "sFlow Version 5" (2004).
  case sflow5

  /// `nil` for anything else: NetFlow 1, 7 and 8 and sFlow 2 and 4 are not in use any more.
  init?(_ datagram: RawSpan) {
    guard datagram.byteCount >= 8 else { return nil }
    switch datagram.u16(0) {
    case 5: self = .netflow5
    case 9: self = .netflow9
    case 10: self = .ipfix
    case 0 where datagram.u16(2) == 5: self = .sflow5
    default: return nil
    }
  }

  public var description: String {
    switch self {
    case .netflow5: "NetFlow v5"
    case .netflow9: "NetFlow v9"
    case .ipfix: "IPFIX"
    case .sflow5: "sFlow v5"
    }
  }
}
