import Mothlight

/// What the name server says and how much of it.
public struct DNSSettings: Sendable, Equatable {
  public enum Bound {
    /// Name servers of a zone.
    public static let servers = 8
    /// Octets of an NSID: it must fit under the amplification bound of the shortest query that asks for it.
    public static let nsid = 48
    /// Octets of what the TXT record says.
    public static let ownership = 600
  }

  /// Where to listen, UDP and TCP each.
  public var listen: [ListenAddress]
  /// Names of the zones' servers, in a domain that the operator owns for years to come (NDSS 2019: expired ones gave
  /// 30,000 seized names away).
  public var servers: [DomainName]
  /// Mailbox of the SOA as a name.
  public var mailbox: DomainName
  /// TXT strings at each apex: whose sinkhole this is.
  public var ownership: [String]
  public var addresses: SinkAddresses
  public var ttlSeconds: UInt32 = 300
  public var negativeTTLSeconds: UInt32 = 300
  /// Answer to a request for the server's identity (RFC 5001); empty: none is given.
  public var nsid: [UInt8] = []
  /// Largest reply over UDP in octets (DNS flag day 2020).
  public var udpPayload: Int = 1232
  public var limits = ResponseRateLimiter.Limits()
  public var usesCookies = true
  /// Secrets that several servers share; `nil`: random, renewed daily.
  public var cookieSecretsFile: String?
  /// Sockets on each address, a thread each.
  public var udpWorkers = 1
  public var tcp = StreamLimits()
  /// Loopback address of `/metrics` and `/healthz`.
  public var metrics: ListenAddress?
  public var observes = ObservedNames.names

  /// What is kept of the names asked for.
  public enum ObservedNames: String, Sendable, CaseIterable {
    /// Whole names, as far as they are of usual length.
    case names
    /// Zones alone.
    case zones
  }

  /// Bounds of TCP (RFC 7766 section 6.2, RFC 9210).
  public struct StreamLimits: Sendable, Equatable {
    /// Connections at once; at some 8 KiB each.
    public var connections = 1000
    /// Connections of one /24 or /56.
    public var connectionsPerNetwork = 100
    /// A connection that completed no query for so long is closed.
    public var idleTimeoutSeconds = 10

    public init() {}
  }

  public init(
    listen: [ListenAddress], servers: [DomainName], mailbox: DomainName, ownership: [String], addresses: SinkAddresses
  ) {
    self.listen = listen
    self.servers = servers
    self.mailbox = mailbox
    self.ownership = ownership
    self.addresses = addresses
  }
}
