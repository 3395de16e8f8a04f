/// One source of one botnet in one hour: the row that the tally of a sinkhole writes.
///
/// A source is an **address, not a machine**: several machines share one behind a translation, one machine has several
/// in a week (Stone-Gross et al., CCS 2009: about seven addresses for each bot in ten days).
public struct Sighting: Sendable, Hashable {
  /// An IPv4 address, or the first address of an IPv6 /64.
  public var source: IPAddress
  /// Of the last check-in.
  public var sourcePort: UInt16
  /// Empty when unknown. At most `CheckIn.nameOctetsMost` octets.
  public var botnet: String
  /// Whole UTC hours since the epoch.
  public var hour: UInt32
  /// Seconds from the start of the hour, 0 to 3599.
  public var firstSecond: UInt16
  public var lastSecond: UInt16
  /// Check-ins recorded, before `samplingFactor`.
  public var count: UInt32
  /// Up to `portsMost` ports that were contacted, lowest first.
  public var ports: [UInt16]
  /// There were more ports than are listed.
  public var hasMorePorts: Bool
  public var transport: Transport
  /// The highest that was reached.
  public var level: EvidenceLevel
  public var visitor: VisitorClass?
  /// Of the signature file and the rules for visitors, so that counts can be compared.
  public var ruleVersion: UInt32
  /// How many sources this one stands for; 1: every source is recorded.
  public var samplingFactor: UInt32
  /// Machines that the messages told apart, where the family's messages do; in order of `identity`, at most `identitiesMost`.
  public var identities: [IdentityCount]

  public static let portsMost = 4
  /// Machines behind one address in an hour: a carrier's translation has hundreds.
  public static let identitiesMost = 256

  public init(
    source: IPAddress, sourcePort: UInt16, botnet: String, hour: UInt32, firstSecond: UInt16, lastSecond: UInt16,
    count: UInt32, ports: [UInt16], hasMorePorts: Bool = false, transport: Transport, level: EvidenceLevel,
    visitor: VisitorClass? = nil, ruleVersion: UInt32 = 0, samplingFactor: UInt32 = 1, identities: [IdentityCount] = []
  ) {
    self.source = source
    self.sourcePort = sourcePort
    self.botnet = botnet
    self.hour = hour
    self.firstSecond = firstSecond
    self.lastSecond = lastSecond
    self.count = count
    self.ports = ports
    self.hasMorePorts = hasMorePorts
    self.transport = transport
    self.level = level
    self.visitor = visitor
    self.ruleVersion = ruleVersion
    self.samplingFactor = samplingFactor
    self.identities = identities
  }

  /// Time of the first check-in, to the second.
  public var first: Timestamp { Timestamp(seconds: Int64(hour) * 3600 + Int64(firstSecond)) }
  /// Time of the last check-in, to the second.
  public var last: Timestamp { Timestamp(seconds: Int64(hour) * 3600 + Int64(lastSecond)) }
}

/// One machine of a sighting, by a hash of what its messages carry to tell it from others.
///
/// The hash is keyed; what was hashed is kept nowhere. A machine may change its identity, and two may share one.
public struct IdentityCount: Sendable, Hashable {
  /// Never 0.
  public var identity: UInt64
  /// Check-ins that carried it.
  public var count: UInt32

  public init(identity: UInt64, count: UInt32) {
    self.identity = identity
    self.count = count
  }
}
