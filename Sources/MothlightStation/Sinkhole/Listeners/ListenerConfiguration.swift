import Mothlight

/// What the listeners of a sinkhole do: ports, families, limits, where the tally lives. Plain values; see `docs/sinkhole.md`.
public struct ListenerConfiguration: Sendable {
  public struct Listener: Sendable {
    public enum Carrier: String, Sendable, CaseIterable { case udp, tcp }
    public var address: ListenAddress
    public var carrier: Carrier
    /// What a request gets; `nil` leaves it to the matching signature, and to 404 without one. For TCP only.
    public var reply: Reply?
    /// Botnet whose machines come here; empty when the port is for all.
    public var family: String
    /// Takes what a firewall's TPROXY rule hands over, with the destination it was sent to.
    public var isTransparent: Bool
    /// Answers TLS with a certificate of its own and reads what is inside, for tcp. Otherwise a hello is read and the
    /// connection closed.
    public var terminatesTLS: Bool
    /// UDP sockets on this port, each with a buffer of its own.
    public var sockets: Int
    /// Octets of receive buffer asked for, per socket.
    public var receiveBufferOctets: Int

    public init(
      _ address: ListenAddress, _ carrier: Carrier, reply: Reply? = nil, family: String = "",
      isTransparent: Bool = false, terminatesTLS: Bool = false, sockets: Int = 1, receiveBufferOctets: Int = 32 << 20
    ) {
      self.address = address
      self.carrier = carrier
      self.reply = reply
      self.family = family
      self.isTransparent = isTransparent
      self.terminatesTLS = terminatesTLS
      self.sockets = sockets
      self.receiveBufferOctets = receiveBufferOctets
    }
  }

  /// Bounds on connections, each with its reason.
  public struct Limits: Sendable {
    /// Open connections: about 120 octets here and some 2 KiB in the kernel each.
    public var connections = 131_072
    /// Of one source, so that one attacker does not take them all; a carrier's NAT has many victims.
    public var connectionsPerSource = 256
    /// Seconds from the accept to the last octet that is read (slowloris).
    public var timeoutSeconds = 5
    /// Connections with undecided octets: 4 KiB each.
    public var blocks = 16_384
    /// Of them, with a long head or hello: 8 KiB each.
    public var largeBlocks = 2048
    /// Handshakes, where a port answers TLS.
    var tls = TLSTermination.Limits()
    /// Listeners of one process.
    public static let listeners = 1024
    /// UDP sockets on one port.
    public static let sockets = 64

    public init() {}
  }

  public var listeners: [Listener] = []
  public var limits = Limits()
  /// Stands in the replies to requests; `nil`: they say nothing of what answers.
  public var header: SinkholeHeader?
  /// Whether what tells machines apart is taken, as a keyed hash, where messages carry it.
  public var takesIdentities = true
  /// File of the key for it; `nil`: `identity.key` beside the segments.
  public var identityKeyFile: String?
  public var tally = CheckInTally.Settings()
  /// Botnet of the seized zone that a host name belongs to; asked once per request or hello.
  public var familyOfHost: @Sendable (String) -> String? = { _ in nil }
  /// SHA-256 of the configuration and the program's version, for the notice of the start.
  public var digest: [UInt8] = []
  public var program = "mothlight"
  /// Days after which raw samples are deleted from the spool.
  public var sampleDays = 30
  public var networks = VisitorNetworks()
  /// User to become once the ports are open; `nil` to stay what it is.
  public var user: String?
  /// Loopback address for `/metrics` and `/healthz`.
  public var metrics: ListenAddress?
  /// Signatures beside the built-in ones, merged and checked.
  public var signatures: [Signature] = SignatureFile.builtin?.signatures ?? []

  public init() {}

  /// What cannot work, one line each.
  public var problems: [String] {
    var found: [String] = []
    if listeners.isEmpty { found.append("listeners: none given") }
    if listeners.count > Limits.listeners { found.append("listeners: more than \(Limits.listeners)") }
    for listener in listeners {
      let what = "listeners: \(listener.carrier.rawValue) \(listener.address)"
      if listener.carrier == .udp, let reply = listener.reply, reply != .none {
        found.append("\(what): a datagram is never answered; leave 'reply' out")
      }
      if listener.family.utf8.count > 48 { found.append("\(what): 'family' is longer than 48 octets") }
      if !(1...Limits.sockets).contains(listener.sockets) {
        found.append("\(what): 'sockets' is a number from 1 to \(Limits.sockets)")
      }
      if listener.carrier == .udp, listener.terminatesTLS { found.append("\(what): 'tls' is for tcp") }
      if listener.carrier == .tcp, listener.sockets != 1 { found.append("\(what): 'sockets' is for udp") }
    }
    if let metrics, !metrics.address.isLoopback {
      found.append("metrics: \(metrics) is not loopback; use 127.0.0.1 or [::1]")
    }
    return found
  }
}
