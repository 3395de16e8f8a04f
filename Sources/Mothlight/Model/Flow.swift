import Crypto

/// An IP protocol number (IANA "Protocol Numbers").
public struct Transport: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public var rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let icmp = Transport(rawValue: 1)
  public static let tcp = Transport(rawValue: 6)
  public static let udp = Transport(rawValue: 17)
  public static let icmp6 = Transport(rawValue: 58)
  public static let sctp = Transport(rawValue: 132)
  @inlinable public var hasPorts: Bool { self == .tcp || self == .udp || self == .sctp }
  @inlinable public var isICMP: Bool { self == .icmp || self == .icmp6 }
}

extension Transport: CustomStringConvertible {
  public var description: String {
    switch self {
    case .icmp: "icmp"
    case .tcp: "tcp"
    case .udp: "udp"
    case .icmp6: "icmp6"
    case .sctp: "sctp"
    default: "ip/\(rawValue)"
    }
  }
}

/// How far a conversation got, as far as the sensor could see.
public enum ConnectionState: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case unknown
  /// The source spoke, nothing came back.
  case unanswered
  /// Answered with a reset or an ICMP unreachable.
  case refused
  /// Both sides spoke; no end was seen.
  case established
  /// Both sides spoke and it ended in order.
  case closed
  /// Both sides spoke and it was cut off.
  case reset
  /// Seen from the middle on; which side began is a guess.
  case midstream

  /// Whether the destination took part; `nil` when that cannot be said.
  @inlinable public var wasAnswered: Bool? {
    switch self {
    case .unanswered, .refused: false
    case .established, .closed, .reset: true
    case .unknown, .midstream: nil
    }
  }
  /// An attempt that did not come to a conversation.
  @inlinable public var failed: Bool { self == .unanswered || self == .refused }
}

/// The application protocol, where a sensor named it.
public enum Service: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case unknown, dns, http, tls, ssh, smtp, ntp, irc, quic, bittorrent, dhcp, rdp, ftp, other
}

/// Where a record stands in the input: enough to find it again.
public struct RecordOrigin: Hashable, Sendable, BitwiseCopyable {
  /// Index into the run's list of inputs.
  public var input: UInt32
  /// Line of a log, packet of a capture, counted from 1.
  public var record: UInt64
  @inlinable public init(input: UInt32 = 0, record: UInt64 = 0) {
    self.input = input
    self.record = record
  }
}

/// Oddities seen on the wire or in a record; they are features, not errors.
public struct Anomalies: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public var rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let truncatedByCapture = Anomalies(rawValue: 1 << 0)
  public static let lengthMismatch = Anomalies(rawValue: 1 << 1)
  public static let fragmented = Anomalies(rawValue: 1 << 2)
  public static let overlappingFragment = Anomalies(rawValue: 1 << 3)
  public static let badTCPFlags = Anomalies(rawValue: 1 << 4)
  public static let tunnelled = Anomalies(rawValue: 1 << 5)
  public static let retransmission = Anomalies(rawValue: 1 << 6)
  public static let sequenceGap = Anomalies(rawValue: 1 << 7)
  public static let malformedDNS = Anomalies(rawValue: 1 << 8)
  public static let malformedTLS = Anomalies(rawValue: 1 << 9)
  public static let malformedHTTP = Anomalies(rawValue: 1 << 10)
  public static let directionGuessed = Anomalies(rawValue: 1 << 11)
  public static let clockWentBack = Anomalies(rawValue: 1 << 12)
  public static let unknownTransport = Anomalies(rawValue: 1 << 13)
  public static let protocolOnOddPort = Anomalies(rawValue: 1 << 14)
  public static let oddService = Anomalies(rawValue: 1 << 15)
  public static let nestingTooDeep = Anomalies(rawValue: 1 << 16)
  public static let cutByTimeout = Anomalies(rawValue: 1 << 17)
  public static let malformedSSH = Anomalies(rawValue: 1 << 18)
  public static let unsolicitedAnswer = Anomalies(rawValue: 1 << 19)

  /// Names in order of bit; part of the output schema, so append only.
  public static let names = [
    "truncated_by_capture", "length_mismatch", "fragmented", "overlapping_fragment", "bad_tcp_flags", "tunnelled",
    "retransmission", "sequence_gap", "malformed_dns", "malformed_tls", "malformed_http", "direction_guessed",
    "clock_went_back", "unknown_transport", "protocol_on_odd_port", "odd_service", "nesting_too_deep", "cut_by_timeout",
    "malformed_ssh", "unsolicited_answer",
  ]
  public var nameList: [String] {
    Self.names.indices.filter { rawValue & (1 << UInt32($0)) != 0 }.map { Self.names[$0] }
  }
}

/// A bidirectional flow (RFC 5103): the one shape that every input becomes.
///
/// `source` is the side that began as far as the sensor knows. Octets are IP octets where the input has them, else what the
/// input counts (its documentation page says which).
public struct Flow: Hashable, Sendable, BitwiseCopyable {
  public var source: IPAddress
  public var destination: IPAddress
  /// ICMP: type in `sourcePort`, code in `destinationPort`.
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var transport: Transport
  public var state: ConnectionState
  public var service: Service
  public var anomalies: Anomalies
  public var first: Timestamp
  public var last: Timestamp
  public var sourceOctets: UInt64
  public var destinationOctets: UInt64
  /// Payload octets above the transport; `UInt64.max` when the input does not tell.
  public var sourcePayload: UInt64
  public var destinationPayload: UInt64
  public var sourcePackets: UInt32
  public var destinationPackets: UInt32
  public var origin: RecordOrigin

  public static let unknownCount = UInt64.max

  public init(
    source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16, transport: Transport,
    first: Timestamp, last: Timestamp, state: ConnectionState = .unknown, service: Service = .unknown,
    sourceOctets: UInt64 = 0, destinationOctets: UInt64 = 0, sourcePayload: UInt64 = Flow.unknownCount,
    destinationPayload: UInt64 = Flow.unknownCount, sourcePackets: UInt32 = 0, destinationPackets: UInt32 = 0,
    anomalies: Anomalies = [], origin: RecordOrigin = RecordOrigin()
  ) {
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.transport = transport
    self.state = state
    self.service = service
    self.anomalies = anomalies
    self.first = first
    self.last = last
    self.sourceOctets = sourceOctets
    self.destinationOctets = destinationOctets
    self.sourcePayload = sourcePayload
    self.destinationPayload = destinationPayload
    self.sourcePackets = sourcePackets
    self.destinationPackets = destinationPackets
    self.origin = origin
  }

  /// Seconds from first to last packet, never negative.
  public var duration: Double { max(0, last.seconds(since: first)) }

  /// The same conversation seen from the other end.
  public var reversed: Flow {
    var r = self
    swap(&r.source, &r.destination)
    if !transport.isICMP { swap(&r.sourcePort, &r.destinationPort) }
    swap(&r.sourceOctets, &r.destinationOctets)
    swap(&r.sourcePayload, &r.destinationPayload)
    swap(&r.sourcePackets, &r.destinationPackets)
    return r
  }

  /// Community ID v1 with seed 0, as Zeek, Suricata and Arkime print it. One SHA-1; made only for evidence.
  public var communityID: String {
    CommunityID.v1(source, destination, sourcePort, destinationPort, transport)
  }
}

/// The flow hash that tools share: `1:` + base64(SHA1(seed, addresses, protocol, 0, ports)), lower endpoint first.
///
/// Source: Corelight, "Community ID Flow Hashing" specification v1 (2018).
public enum CommunityID {
  public static func v1(
    _ source: IPAddress, _ destination: IPAddress, _ sourcePort: UInt16, _ destinationPort: UInt16,
    _ transport: Transport,
    seed: UInt16 = 0
  ) -> String {
    var a = source.networkBytes
    var b = destination.networkBytes
    if a.count != b.count {
      // A mixed pair only arises from a damaged record; hash both as 16 bytes.
      a = [UInt8](repeating: 0, count: 16 - a.count) + a
      b = [UInt8](repeating: 0, count: 16 - b.count) + b
    }
    var ports: (UInt16, UInt16)? = nil
    var oneWay = false
    if transport.hasPorts {
      ports = (sourcePort, destinationPort)
    } else if transport.isICMP {
      if let counterpart = counterpart(ofType: sourcePort, transport) {
        ports = (sourcePort, counterpart)
      } else {
        ports = (sourcePort, destinationPort)
        oneWay = true
      }
    }
    if !oneWay {
      let less = a.lexicographicallyPrecedes(b) || (a == b && (ports.map { $0.0 < $0.1 } ?? true))
      if !less {
        swap(&a, &b)
        if let p = ports { ports = (p.1, p.0) }
      }
    }
    var input: [UInt8] = [UInt8(seed >> 8), UInt8(seed & 255)] + a + b + [transport.rawValue, 0]
    if let p = ports { input += [UInt8(p.0 >> 8), UInt8(p.0 & 255), UInt8(p.1 >> 8), UInt8(p.1 & 255)] }
    return "1:" + Base64.encode(Array(Insecure.SHA1.hash(data: input)))
  }

  private static func counterpart(ofType type: UInt16, _ transport: Transport) -> UInt16? {
    let pairs: [(UInt16, UInt16)] =
      transport == .icmp
      ? [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)]
      : [(128, 129), (133, 134), (135, 136), (130, 131), (144, 145), (139, 140)]
    for (x, y) in pairs {
      if type == x { return y }
      if type == y { return x }
    }
    return nil
  }
}

/// RFC 4648 base64 over bytes, without Foundation.
public enum Base64 {
  static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  public static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var i = 0
    while i < bytes.count {
      let b0 = bytes[i]
      let b1 = i + 1 < bytes.count ? bytes[i + 1] : 0
      let b2 = i + 2 < bytes.count ? bytes[i + 2] : 0
      out.append(alphabet[Int(b0 >> 2)])
      out.append(alphabet[Int((b0 & 3) << 4 | b1 >> 4)])
      out.append(i + 1 < bytes.count ? alphabet[Int((b1 & 15) << 2 | b2 >> 6)] : 0x3d)
      out.append(i + 2 < bytes.count ? alphabet[Int(b2 & 63)] : 0x3d)
      i += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Decodes until the first byte that is not base64; a cut text gives what was readable.
  public static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 4 * 3)
    var accumulator: UInt32 = 0
    var bits = 0
    for c in text {
      let value: UInt32
      switch c {
      case 0x41...0x5a: value = UInt32(c - 0x41)
      case 0x61...0x7a: value = UInt32(c - 0x61 + 26)
      case 0x30...0x39: value = UInt32(c - 0x30 + 52)
      case 0x2b: value = 62
      case 0x2f: value = 63
      default: return out
      }
      accumulator = accumulator << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
      }
    }
    return out
  }
}
