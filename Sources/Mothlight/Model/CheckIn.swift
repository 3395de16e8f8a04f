/// One contact of a machine outside with a sinkhole: who came, what it said, and how much that proves.
///
/// Nothing in it names a person: credentials, bodies, user and host names were dropped before it was made.
public struct CheckIn: Sendable, Hashable {
  public var time: Timestamp
  public var source: IPAddress
  /// Needed to tell machines behind a carrier's address translation apart (RFC 6302).
  public var sourcePort: UInt16
  /// As the visitor addressed it, also behind a catch-all.
  public var destination: IPAddress
  public var destinationPort: UInt16
  public var transport: Transport
  /// Botnet of the zone or listener that was contacted; empty when unknown. At most `nameOctetsMost` octets.
  public var family: String
  /// Signature that matched; `nil` when none did.
  public var rule: String?
  public var level: EvidenceLevel
  /// `nil` for what may be a victim.
  public var visitor: VisitorClass?
  /// Octets received, of which `prefix` keeps the first.
  public var payloadOctets: UInt32
  /// First octets without the fields that the signature declares personal; at most `prefixOctetsMost`.
  public var prefix: [UInt8]
  public var application: ApplicationShape
  /// How many check-ins this one stands for while the sinkhole samples by source; 1: everything is recorded.
  public var samplingFactor: UInt32

  public static let prefixOctetsMost = 128
  /// Longest botnet or signature name.
  public static let nameOctetsMost = 64
  /// Longest host name (RFC 1035 section 2.3.4), request target, user agent: what is longer is cut.
  public static let textOctetsMost = 255

  public init(
    time: Timestamp, source: IPAddress, sourcePort: UInt16, destination: IPAddress, destinationPort: UInt16,
    transport: Transport, family: String = "", rule: String? = nil, level: EvidenceLevel = .connected,
    visitor: VisitorClass? = nil, payloadOctets: UInt32 = 0, prefix: [UInt8] = [],
    application: ApplicationShape = .raw, samplingFactor: UInt32 = 1
  ) {
    self.time = time
    self.source = source
    self.sourcePort = sourcePort
    self.destination = destination
    self.destinationPort = destinationPort
    self.transport = transport
    self.family = family
    self.rule = rule
    self.level = level
    self.visitor = visitor
    self.payloadOctets = payloadOctets
    self.prefix = prefix
    self.application = application
    self.samplingFactor = samplingFactor
  }
}

/// How much a contact proves. A raw hit is no infection: more than 99 % of the addresses at one sinkhole were no victims
/// (Rezaeirad et al., "Schrödinger's RAT", USENIX Security 2018).
public enum EvidenceLevel: UInt8, Sendable, Hashable, CaseIterable, Comparable {
  /// It came, and that is all.
  case connected
  /// It spoke the protocol that the botnet uses.
  case shaped
  /// A signature matched.
  case recognised
  /// A signature matched again, with the timing of the bot.
  case repeated

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// As the output spells it.
  public var name: String {
    switch self {
    case .connected: "connected"
    case .shaped: "shaped"
    case .recognised: "recognised"
    case .repeated: "repeated"
    }
  }
}

/// Who comes to a sinkhole without being a victim. Labelled and counted apart, never dropped.
public enum VisitorClass: UInt8, Sendable, Hashable, CaseIterable {
  case scanner = 1
  case crawler, sandbox, researcher
  /// A person who followed a link of a compromised page: the request has a Referer.
  case referer
  /// A data centre, a relay, a VPN exit: somebody's program, but nobody's home.
  case hosting

  /// As the output spells it.
  public var name: String {
    switch self {
    case .scanner: "scanner"
    case .crawler: "crawler"
    case .sandbox: "sandbox"
    case .researcher: "researcher"
    case .referer: "referer"
    case .hosting: "hosting"
    }
  }
}

/// What a visitor's first message looked like, by protocol.
public enum ApplicationShape: Sendable, Hashable {
  /// A stream that is none of the others, or nothing at all.
  case raw
  case udp
  indirect case http(HTTPShapeSeen)
  indirect case tls(TLSShapeSeen)
  /// Command words in their order, such as `PASS NICK USER`; what follows them is personal.
  case irc(commands: String)
}

/// The parts of an HTTP request that tell programs apart.
public struct HTTPShapeSeen: Sendable, Hashable {
  public var method: String
  public var host: String
  /// Path and query with the values of personal fields taken out.
  public var target: String
  /// FNV-1a over the lower-case header names in their order.
  public var headerOrder: UInt64
  public var userAgent: String
  public var bodyOctets: UInt32

  public init(
    method: String, host: String, target: String, headerOrder: UInt64 = 0, userAgent: String = "",
    bodyOctets: UInt32 = 0
  ) {
    self.method = method
    self.host = host
    self.target = target
    self.headerOrder = headerOrder
    self.userAgent = userAgent
    self.bodyOctets = bodyOctets
  }
}

/// What a ClientHello (RFC 8446 section 4.1.2) tells of the program that sent it.
public struct TLSShapeSeen: Sendable, Hashable {
  /// Server name; empty when none was sent, as by many old bots.
  public var serverName: String
  public var alpn: String
  /// 32 hexadecimal digits.
  public var ja3: String
  public var ja4: String

  public init(serverName: String, alpn: String = "", ja3: String = "", ja4: String = "") {
    self.serverName = serverName
    self.alpn = alpn
    self.ja3 = ja3
    self.ja4 = ja4
  }
}
