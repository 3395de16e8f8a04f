/// One source of one botnet in one hour, as the sinkhole saw it: an address, which is not a machine.
public struct Sighting: Hashable, Sendable {
  /// An IPv4 address, or the first address of an IPv6 /64.
  public var source: IPAddress
  /// Of the last message: a shared address needs it to be told apart (RFC 6302).
  public var sourcePort: UInt16
  /// Port of the last message at the sinkhole.
  public var destinationPort: UInt16
  /// One bit for each of 16 groups of destination ports that was hit; the group of a port is its hash, so the ports
  /// themselves are not known, only about how many there were.
  public var portGroups: UInt16
  public var transport: Transport
  public var botnet: String
  /// Whole UTC hours since 1970.
  public var hour: Int
  /// To the second.
  public var first: Timestamp
  public var last: Timestamp
  /// Messages within the hour.
  public var count: UInt64
  /// The highest within the hour.
  public var level: EvidenceLevel
  public var visitor: Visitor?
  /// One source of so many is recorded; 1: every one.
  public var factor: UInt32
  /// Name of the signature that knew it, with its version; empty when none did.
  public var rule: String

  public init(
    source: IPAddress, sourcePort: UInt16 = 0, destinationPort: UInt16 = 0, portGroups: UInt16 = 0,
    transport: Transport = .udp, botnet: String, hour: Int, first: Timestamp, last: Timestamp, count: UInt64,
    level: EvidenceLevel, visitor: Visitor? = nil, factor: UInt32 = 1, rule: String = ""
  ) {
    self.source = source
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.portGroups = portGroups
    self.transport = transport
    self.botnet = botnet
    self.hour = hour
    self.first = first
    self.last = last
    self.count = count
    self.level = level
    self.visitor = visitor
    self.factor = factor
    self.rule = rule
  }
}
