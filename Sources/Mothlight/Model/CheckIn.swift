/// How sure it is that a source is infected with the botnet it spoke to; each step needs the one before.
public enum EvidenceLevel: UInt8, Comparable, Sendable, CaseIterable {
  /// It reached the address; anyone may.
  case connected
  /// What it sent has the shape of the protocol.
  case shaped
  /// A rule knows the message.
  case recognised
  /// Recognised again, at the interval of the bot.
  case repeated

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  public var name: String {
    switch self {
    case .connected: "connected"
    case .shaped: "shaped"
    case .recognised: "recognised"
    case .repeated: "repeated"
    }
  }
}

/// Who comes to a sinkhole without being infected. Labelled and counted apart, never dropped.
public enum Visitor: String, Sendable, CaseIterable {
  case scanner, crawler, sandbox, researcher, referer, hosting
}

/// One message of a source to the sinkhole, kept as a sample.
public struct CheckIn: Hashable, Sendable {
  /// Octets of `prefix` kept; more are cut off when it is written.
  public static let prefixOctets = 128

  public var time: Timestamp
  public var source: IPAddress
  public var sourcePort: UInt16
  public var destination: IPAddress
  public var destinationPort: UInt16
  public var transport: Transport
  /// The botnet of the zone or listener; empty when none is known.
  public var family: String
  /// The signature that knew it.
  public var rule: String?
  public var level: EvidenceLevel
  public var visitor: Visitor?
  /// Length of all that was received.
  public var payloadOctets: UInt64
  /// The first octets, after personal data were dropped.
  public var prefix: [UInt8]
  public var application: CheckInApplication
  /// One source of so many is recorded; 1: every one.
  public var factor: UInt32
  /// Part of the uniform sample of all messages, rather than one of a source's first of the day.
  public var isUniform: Bool

  public init(
    time: Timestamp = Timestamp(nanoseconds: 0), source: IPAddress, sourcePort: UInt16 = 0,
    destination: IPAddress = .unspecified, destinationPort: UInt16 = 0, transport: Transport = .udp,
    prefix: [UInt8] = [], payloadOctets: UInt64 = 0, family: String = "", rule: String? = nil,
    level: EvidenceLevel = .connected, visitor: Visitor? = nil, application: CheckInApplication = .raw,
    factor: UInt32 = 1, isUniform: Bool = false
  ) {
    self.time = time
    self.source = source
    self.sourcePort = sourcePort
    self.destination = destination
    self.destinationPort = destinationPort
    self.transport = transport
    self.prefix = prefix
    self.payloadOctets = payloadOctets
    self.family = family
    self.rule = rule
    self.level = level
    self.visitor = visitor
    self.application = application
    self.factor = factor
    self.isUniform = isUniform
  }
}

/// What the protocol of a check-in tells, without a body, a credential, a user or a host name of the machine.
public enum CheckInApplication: Hashable, Sendable {
  /// Octets without a protocol that the sinkhole reads.
  case raw
  case http(HTTP)
  case tls(TLS)
  /// The commands of the first lines, such as `NICK USER`, without their arguments.
  case irc(commands: String)

  public struct HTTP: Hashable, Sendable {
    public var method: String
    /// The name asked for: one of the seized names, or what a visitor looked for.
    public var host: String
    /// Path with its varying parts replaced.
    public var uriShape: String
    public var userAgent: String
    /// Keyed or plain hash of the order of header names.
    public var headerOrderHash: UInt64
    public var bodyOctets: UInt64
    public var hasReferer: Bool

    public init(
      method: String = "", host: String = "", uriShape: String = "", userAgent: String = "",
      headerOrderHash: UInt64 = 0, bodyOctets: UInt64 = 0, hasReferer: Bool = false
    ) {
      self.method = method
      self.host = host
      self.uriShape = uriShape
      self.userAgent = userAgent
      self.headerOrderHash = headerOrderHash
      self.bodyOctets = bodyOctets
      self.hasReferer = hasReferer
    }
  }

  /// Of the ClientHello.
  public struct TLS: Hashable, Sendable {
    public var serverName: String
    /// The first protocol offered (RFC 7301).
    public var alpn: String
    /// 32 hexadecimal digits.
    public var ja3: String
    public var ja4: String

    public init(serverName: String = "", alpn: String = "", ja3: String = "", ja4: String = "") {
      self.serverName = serverName
      self.alpn = alpn
      self.ja3 = ja3
      self.ja4 = ja4
    }
  }

  public var name: String {
    switch self {
    case .raw: "raw"
    case .http: "http"
    case .tls: "tls"
    case .irc: "irc"
    }
  }
}
