/// One thing a sensor saw about a host. Detectors are pure folds over these.
public struct Observation: Sendable {
  /// Event time: when it began.
  public var time: Timestamp
  /// What a shard knows about the host it happened to; readers leave it empty.
  public internal(set) var vantage: Vantage
  public var event: Event {
    didSet { noteKind() }
  }

  public init(time: Timestamp, event: Event, vantage: Vantage = Vantage()) {
    self.time = time
    self.vantage = vantage
    self.event = event
    noteKind()
  }

  /// Whether it is a flow is believed where memory is copied, so the flag always says what the event is. Where our host stands in
  /// another event is for a shard to find out.
  private mutating func noteKind() {
    vantage.flags.subtract([.located, .hostIsDestination])
    if case .flow = event { vantage.flags.insert(.flow) } else { vantage.flags.remove(.flow) }
  }

  /// Flows are inline because they are nearly all of it; the rest is boxed.
  public enum Event: Sendable {
    case flow(Flow)
    indirect case dns(DNSLookup)
    indirect case tls(TLSHandshake)
    indirect case http(HTTPExchange)
    indirect case ssh(SSHHandshake)
    indirect case payload(PayloadMatch)
    indirect case irc(IRCSession)
  }
}

/// Where our own host stands in an observation. Filled in once per shard so that no detector needs its own look-up.
public struct Vantage: Sendable, Hashable {
  /// Dense number of our host within its shard; `UInt32.max` when no end is ours.
  public var host: UInt32 = .max
  public var orientation = Orientation.foreign
  public var flags = Flags()

  public init() {}

  public struct Flags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// First time that our host meets this peer in the run.
    public static let firstContact = Flags(rawValue: 1)
    /// A further record of a conversation already seen (active timeout, SYN retry): no new start.
    public static let continuation = Flags(rawValue: 2)
    /// The observation is a flow. Said here too, because asking an enumeration of this size copies it.
    public static let flow = Flags(rawValue: 4)
    /// First time that our host uses this port of this peer.
    public static let firstService = Flags(rawValue: 8)
    /// Orientation and the next flag are filled in, and nobody has looked at the observation since: a shard may change the orientation.
    static let located = Flags(rawValue: 16)
    static let hostIsDestination = Flags(rawValue: 32)
  }
}

public enum Orientation: UInt8, Sendable {
  /// Ours speaks to the outside.
  case outbound
  /// The outside speaks to ours.
  case inbound
  /// Both ends are ours.
  case inside
  /// Neither end is ours, or a group address.
  case foreign
}

/// Who talked to whom about an application message.
public struct Endpoints: Hashable, Sendable {
  public var client: IPAddress
  public var server: IPAddress
  public var clientPort: UInt16
  public var serverPort: UInt16
  public var transport: Transport
  public var origin: RecordOrigin
  public init(
    client: IPAddress, server: IPAddress, clientPort: UInt16, serverPort: UInt16, transport: Transport,
    origin: RecordOrigin = RecordOrigin()
  ) {
    self.client = client
    self.server = server
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.transport = transport
    self.origin = origin
  }
}

/// A DNS query with its answer, if one was seen (RFC 1035).
public struct DNSLookup: Hashable, Sendable {
  public var ends: Endpoints
  /// Lower-case presentation form without the final dot; non-printable bytes as `\DDD`. Empty for the root.
  public var name: String
  public var type: UInt16
  /// RCODE with the EDNS extension bits; `nil` when no answer was seen.
  public var responseCode: UInt16?
  public var addresses: [IPAddress]
  /// CNAME, PTR, MX, NS targets and TXT data, in order.
  public var targets: [String]
  /// Lowest TTL in the answer section, seconds; 0 when none.
  public var ttlSeconds: UInt32
  public var responseOctets: UInt32
  public var anomalies: Anomalies

  public static let noError: UInt16 = 0
  public static let nxDomain: UInt16 = 3

  /// Ports of NetBIOS names, mDNS and LLMNR: neighbours answer each other there, no resolver does.
  public static func isLocalNaming(_ port: UInt16) -> Bool {
    port == 137 || port == 138 || port == 5353 || port == 5355
  }
  /// Whether the server did a resolver's or name server's work.
  var isServed: Bool { responseCode != nil && !Self.isLocalNaming(ends.serverPort) }

  public init(
    ends: Endpoints, name: String, type: UInt16, responseCode: UInt16? = nil, addresses: [IPAddress] = [],
    targets: [String] = [], ttlSeconds: UInt32 = 0, responseOctets: UInt32 = 0, anomalies: Anomalies = []
  ) {
    self.ends = ends
    self.name = name
    self.type = type
    self.responseCode = responseCode
    self.addresses = addresses
    self.targets = targets
    self.ttlSeconds = ttlSeconds
    self.responseOctets = responseOctets
    self.anomalies = anomalies
  }
}

/// What a TLS (or QUIC Initial) handshake shows in the clear.
public struct TLSHandshake: Hashable, Sendable {
  public var ends: Endpoints
  /// Negotiated version where the server's hello was seen, else the highest one offered; e.g. `0x0303`.
  public var version: UInt16
  public var serverName: String?
  public var alpn: [String]
  /// JA3 MD5 in hex (Althouse, Atkinson, Atkins 2017); `nil` when the input does not carry it.
  public var ja3: String?
  public var ja3s: String?
  /// JA4 (FoxIO 2023).
  public var ja4: String?
  public var certificate: Certificate?
  /// `nil` when the input does not tell.
  public var established: Bool?
  public var isQUIC: Bool
  public var anomalies: Anomalies

  public struct Certificate: Hashable, Sendable {
    public var sha1: String?
    public var sha256: String?
    /// RFC 4514-like text, e.g. `CN=example.org,O=Example`.
    public var subject: String
    public var issuer: String
    public var notBefore: Timestamp?
    public var notAfter: Timestamp?
    public init(
      sha1: String? = nil, sha256: String? = nil, subject: String = "", issuer: String = "",
      notBefore: Timestamp? = nil,
      notAfter: Timestamp? = nil
    ) {
      self.sha1 = sha1
      self.sha256 = sha256
      self.subject = subject
      self.issuer = issuer
      self.notBefore = notBefore
      self.notAfter = notAfter
    }
    /// Subject equals issuer: signed by itself or made to look so.
    public var isSelfIssued: Bool { !subject.isEmpty && subject == issuer }
  }

  public init(
    ends: Endpoints, version: UInt16, serverName: String? = nil, alpn: [String] = [], ja3: String? = nil,
    ja3s: String? = nil,
    ja4: String? = nil, certificate: Certificate? = nil, established: Bool? = nil, isQUIC: Bool = false,
    anomalies: Anomalies = []
  ) {
    self.ends = ends
    self.version = version
    self.serverName = serverName
    self.alpn = alpn
    self.ja3 = ja3
    self.ja3s = ja3s
    self.ja4 = ja4
    self.certificate = certificate
    self.established = established
    self.isQUIC = isQUIC
    self.anomalies = anomalies
  }
}

/// A request line with headers and, if seen, the status of its answer (RFC 9112).
public struct HTTPExchange: Hashable, Sendable {
  public var ends: Endpoints
  public var method: String
  /// `Host` header without port, lower case; `nil` when missing.
  public var host: String?
  /// Request target as sent, at most `Limits.httpTargetOctets`.
  public var target: String
  public var userAgent: String?
  public var referer: String?
  public var status: UInt16?
  public var requestBodyOctets: UInt64
  public var responseBodyOctets: UInt64
  public var contentType: String?
  /// Names of the request headers in order, lower case; empty when the input does not carry them.
  public var headerNames: [String]
  public var anomalies: Anomalies

  public init(
    ends: Endpoints, method: String, host: String? = nil, target: String, userAgent: String? = nil,
    referer: String? = nil,
    status: UInt16? = nil, requestBodyOctets: UInt64 = 0, responseBodyOctets: UInt64 = 0, contentType: String? = nil,
    headerNames: [String] = [], anomalies: Anomalies = []
  ) {
    self.ends = ends
    self.method = method
    self.host = host
    self.target = target
    self.userAgent = userAgent
    self.referer = referer
    self.status = status
    self.requestBodyOctets = requestBodyOctets
    self.responseBodyOctets = responseBodyOctets
    self.contentType = contentType
    self.headerNames = headerNames
    self.anomalies = anomalies
  }
}

/// SSH identification strings (RFC 4253 section 4.2) and key exchange prints.
public struct SSHHandshake: Hashable, Sendable {
  public var ends: Endpoints
  public var clientBanner: String?
  public var serverBanner: String?
  /// HASSH MD5 in hex (Reardon 2018).
  public var hassh: String?
  public var hasshServer: String?
  /// Zeek's verdict on the log-in; `nil` when unknown.
  public var authenticated: Bool?
  public var attempts: UInt32
  public var anomalies: Anomalies
  public init(
    ends: Endpoints, clientBanner: String? = nil, serverBanner: String? = nil, hassh: String? = nil,
    hasshServer: String? = nil, authenticated: Bool? = nil, attempts: UInt32 = 0, anomalies: Anomalies = []
  ) {
    self.ends = ends
    self.clientBanner = clientBanner
    self.serverBanner = serverBanner
    self.hassh = hassh
    self.hasshServer = hasshServer
    self.authenticated = authenticated
    self.attempts = attempts
    self.anomalies = anomalies
  }
}

/// How one client registered with an IRC server and what it joined (RFC 2812); no message texts are kept.
public struct IRCSession: Hashable, Sendable {
  public var ends: Endpoints
  /// The nickname it joined with; empty when only a join was seen.
  public var nick: String
  /// Make-up of the user name: runs of letters as `a`, of digits as `9`.
  public var userShape: String
  /// The first channels it joined, at most eight.
  public var channels: [String]
  public var hasChannelKey: Bool
  public var hasPassword: Bool
  /// From registration to the first join; `nil` when one of them was not seen.
  public var secondsToJoin: Double?
  public var anomalies: Anomalies
  public init(
    ends: Endpoints, nick: String = "", userShape: String = "", channels: [String] = [], hasChannelKey: Bool = false,
    hasPassword: Bool = false, secondsToJoin: Double? = nil, anomalies: Anomalies = []
  ) {
    self.ends = ends
    self.nick = nick
    self.userShape = userShape
    self.channels = channels
    self.hasChannelKey = hasChannelKey
    self.hasPassword = hasPassword
    self.secondsToJoin = secondsToJoin
    self.anomalies = anomalies
  }
}

/// A payload that matched a published shape; the bytes themselves are not kept.
public struct PayloadMatch: Hashable, Sendable {
  public var ends: Endpoints
  /// Rule that matched, e.g. `bfbot-join`.
  public var rule: String
  public var payloadOctets: UInt32
  /// Whether `ends.client` sent it (else the server did).
  public var fromClient: Bool
  public init(ends: Endpoints, rule: String, payloadOctets: UInt32, fromClient: Bool) {
    self.ends = ends
    self.rule = rule
    self.payloadOctets = payloadOctets
    self.fromClient = fromClient
  }
}
