/// How sure it is that a source is a bot (sinkhole.md R7).
public enum EvidenceLevel: UInt8, Sendable, Comparable, CaseIterable {
  /// Came, and said nothing that is known.
  case connected
  /// Spoke a protocol, or something that only hints at a bot.
  case shaped
  /// Said what a published rule knows.
  case recognised
  /// Recognised again with a bot's timing, or in several hours.
  case repeated

  public static func < (a: EvidenceLevel, b: EvidenceLevel) -> Bool { a.rawValue < b.rawValue }
}

/// Who comes to a sinkhole without being a victim; labelled, never dropped (R8–R11).
public enum Visitor: String, Sendable, CaseIterable {
  case scanner, crawler, sandbox, researcher, referer, hosting
}

/// One check-in as far as it may be kept: no credential, no body, no name of a person or machine (R14).
public struct CheckIn: Sendable, Hashable {
  public var time: Timestamp
  /// Client and server with ports and transport; the server is where it was sent, also behind TPROXY.
  public var ends: Endpoints
  /// Botnet by zone, listener or payload; empty if unknown.
  public var family: String
  /// Signature that matched.
  public var rule: String?
  public var level: EvidenceLevel
  public var visitor: Visitor?
  public var payloadOctets: UInt32
  /// At most 128 octets without words; empty where the rule declares personal data.
  public var prefix: [UInt8]
  public var application: Application
  /// One source in so many was looked at.
  public var samplingFactor: UInt32
  /// Of the uniform sample, not one of the first of its source and day.
  public var isUniformSample: Bool

  /// What the message was, without its words.
  public enum Application: Sendable, Hashable {
    case silence, datagram, raw, irc
    case http(Request)
    case tls(Hello)
  }

  public struct Request: Sendable, Hashable {
    public var method: String
    public var host: String?
    /// Path, and names of parameters without values.
    public var uriShape: String
    /// Hash of the field names in order, 16 hexadecimal digits.
    public var headerOrder: String
    /// Kept as text only when many people share it.
    public var userAgent: String?
    /// Keyed anew each day, so that days cannot be joined.
    public var userAgentHash: String
    public var hasReferer: Bool
    public var bodyOctets: UInt64

    public init(
      method: String, host: String?, uriShape: String, headerOrder: String, userAgent: String?, userAgentHash: String,
      hasReferer: Bool, bodyOctets: UInt64
    ) {
      self.method = method
      self.host = host
      self.uriShape = uriShape
      self.headerOrder = headerOrder
      self.userAgent = userAgent
      self.userAgentHash = userAgentHash
      self.hasReferer = hasReferer
      self.bodyOctets = bodyOctets
    }
  }

  public struct Hello: Sendable, Hashable {
    public var version: UInt16
    public var serverName: String?
    public var alpn: [String]
    public var ja3: String
    public var ja4: String

    public init(version: UInt16, serverName: String?, alpn: [String], ja3: String, ja4: String) {
      self.version = version
      self.serverName = serverName
      self.alpn = alpn
      self.ja3 = ja3
      self.ja4 = ja4
    }
  }

  public init(
    time: Timestamp, ends: Endpoints, family: String, rule: String?, level: EvidenceLevel, visitor: Visitor?,
    payloadOctets: UInt32, prefix: [UInt8], application: Application, samplingFactor: UInt32, isUniformSample: Bool
  ) {
    self.time = time
    self.ends = ends
    self.family = family
    self.rule = rule
    self.level = level
    self.visitor = visitor
    self.payloadOctets = payloadOctets
    self.prefix = prefix
    self.application = application
    self.samplingFactor = samplingFactor
    self.isUniformSample = isUniformSample
  }
}

/// One source in one botnet during one hour. Rows of the same three add up: a restart within the hour makes two.
public struct Sighting: Sendable, Hashable {
  /// IPv4 address, or the first address of an IPv6 /64.
  public var source: IPAddress
  /// Of the last check-in: a carrier's translator is asked by port and second (R17, RFC 6302).
  public var sourcePort: UInt16
  public var botnet: String
  /// Whole hours since the epoch.
  public var hour: Int
  public var first: Timestamp
  public var last: Timestamp
  public var count: UInt64
  public var transport: Transport
  /// Of the last check-in.
  public var destinationPort: UInt16
  /// Of 16 groups, those that the destination ports fell into: how many ports it tried, roughly.
  public var portGroups: Int
  /// The highest that this source has reached in this botnet so far.
  public var level: EvidenceLevel
  public var visitor: Visitor?
  /// Signature of that level.
  public var rule: String?
  /// Which rules were in force.
  public var ruleVersion: String
  public var samplingFactor: UInt32

  public init(
    source: IPAddress, sourcePort: UInt16, botnet: String, hour: Int, first: Timestamp, last: Timestamp, count: UInt64,
    transport: Transport, destinationPort: UInt16, portGroups: Int, level: EvidenceLevel, visitor: Visitor?,
    rule: String?, ruleVersion: String, samplingFactor: UInt32
  ) {
    self.source = source
    self.sourcePort = sourcePort
    self.botnet = botnet
    self.hour = hour
    self.first = first
    self.last = last
    self.count = count
    self.transport = transport
    self.destinationPort = destinationPort
    self.portGroups = portGroups
    self.level = level
    self.visitor = visitor
    self.rule = rule
    self.ruleVersion = ruleVersion
    self.samplingFactor = samplingFactor
  }
}

/// What instruments write to a spool.
public enum SpoolRecord: Sendable, Hashable {
  case sighting(Sighting)
  case sample(CheckIn)
  /// Start, stop, overload, kernel drops, clock steps: what a reader must know to believe the rest.
  case notice(Timestamp, String)
}

/// Where an instrument puts its records; called from one thread. Never blocks on a full disk and never throws.
public protocol SpoolSink: AnyObject {
  func append(_ record: SpoolRecord)
  func flush(now: Timestamp)
}
