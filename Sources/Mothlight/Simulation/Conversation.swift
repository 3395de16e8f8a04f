/// One conversation in full before any packet exists: ends, set-up, who says what when, and how it ends.
///
/// It is the only thing that behaviours make; every writer derives its rows or packets from it, so that formats agree.
struct Conversation: Sendable {
  /// Seconds from the start of the scenario.
  var start: Double
  var client: IPAddress
  var server: IPAddress
  var clientPort: UInt16
  var serverPort: UInt16
  var transport: Transport
  /// Seconds from a packet of the client to the server's answer, at the tap beside the client.
  var roundTrip: Double
  /// TCP only.
  var opening = Opening.accepted
  var closing = Closing.finished(byClient: true, after: 0.01)
  var steps: [Step] = []
  /// `steps[cycleStart...]` is played this many times.
  var cycles = 1
  var cycleStart = 0
  var application = Application.none
  /// Protocol under the name that conn.log gives it; empty when unnamed.
  var service = ""
  var label = TrafficLabel.normal
  /// Number in order of start, set by the timeline; the salt of ports, sequence numbers and filler.
  var serial: UInt64 = 0

  enum Opening: Hashable, Sendable {
    case accepted
    /// This many SYNs, no answer.
    case ignored(attempts: Int)
    case refused
  }

  enum Closing: Hashable, Sendable {
    case finished(byClient: Bool, after: Double)
    case reset(byClient: Bool, after: Double)
    /// Cut by the end of the capture, a power switch, a lost network.
    case left
  }

  /// One message of one side.
  struct Step: Sendable {
    var fromClient: Bool
    /// Seconds of thought before it, on top of the round trip.
    var delay: Double
    var payload: Payload
    /// Octets a second for a message of several segments.
    var rate = 4_000_000.0

    static func client(_ payload: Payload, after delay: Double = 0.0005) -> Step {
      Step(fromClient: true, delay: delay, payload: payload)
    }
    static func server(_ payload: Payload, after delay: Double = 0.002) -> Step {
      Step(fromClient: false, delay: delay, payload: payload)
    }
  }

  enum Payload: Sendable {
    case bytes([UInt8])
    /// Encrypted application data in TLS records (RFC 8446 section 5.2); the count is the plaintext's.
    case tls(Int)
    /// Bytes without a shape.
    case opaque(Int)

    /// Octets in the TCP stream or datagram.
    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .tls(let plain): plain + TLSRecord.overhead * max(1, (plain + TLSRecord.plain - 1) / TLSRecord.plain)
      case .opaque(let count): count
      }
    }
  }

  enum TLSRecord {
    static let plain = 16_368
    /// Header of 5, content type of 1, tag of 16.
    static let overhead = 22
  }

  /// What the logs say about the application layer.
  enum Application: Sendable {
    case none
    case dns(SyntheticDNS)
    case tls(SyntheticTLS)
    case http([SyntheticHTTP])
    case irc(SyntheticIRC)
  }
}

/// Truth about one conversation.
enum TrafficLabel: Hashable, Sendable {
  case normal
  /// Chatter that belongs to no service in particular.
  case background
  case botnet(Scenario.InfectionKind)

  /// The `Label` column of a binetflow, after CTU-13's spelling.
  var text: String {
    switch self {
    case .normal: "flow=From-Normal"
    case .background: "flow=Background"
    case .botnet(let kind): "flow=From-Botnet-\(kind.rawValue)"
    }
  }
}
