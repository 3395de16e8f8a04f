/// What a sinkhole writes down.
public enum SpoolRecord: Hashable, Sendable {
  case sighting(Sighting)
  /// Holds raw octets, so it expires (`SpoolRetention`).
  indirect case sample(CheckIn)
  case dnsCount(DNSCount)
  case notice(SpoolNotice)

  /// A notice in words.
  public static func notice(
    _ time: Timestamp, _ text: String, kind: SpoolNotice.Kind = .remark, value: UInt64 = 0
  ) -> SpoolRecord {
    .notice(SpoolNotice(time: time, kind: kind, value: value, text: text))
  }

  /// Records of the chain that is deleted after a while.
  var expires: Bool { if case .sample = self { true } else { false } }
}

/// Questions for one name or zone by one resolver in one hour: resolvers, not infected machines.
public struct DNSCount: Hashable, Sendable {
  public var resolver: IPAddress
  /// Client subnet that the resolver sent along (RFC 7871).
  public var clientSubnet: Prefix?
  /// The botnet of the zone; empty outside every zone.
  public var family: String
  /// Lower case, without a last dot; the name asked for, or its zone when names are too many.
  public var name: String
  /// IANA "Resource Record (RR) TYPEs".
  public var type: UInt16
  /// Whole UTC hours since 1970.
  public var hour: Int
  public var count: UInt64
  /// One resolver of so many is recorded; 1: every one.
  public var factor: UInt32

  public init(
    resolver: IPAddress, clientSubnet: Prefix? = nil, family: String = "", name: String, type: UInt16, hour: Int,
    count: UInt64, factor: UInt32 = 1
  ) {
    self.resolver = resolver
    self.clientSubnet = clientSubnet
    self.family = family
    self.name = name
    self.type = type
    self.hour = hour
    self.count = count
    self.factor = factor
  }
}

/// An event of the sensor itself that a reader of its records must know.
public struct SpoolNotice: Hashable, Sendable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case remark
    /// The sensor began or ended.
    case start
    case stop
    /// `value` is the new sampling factor.
    case samplingFactor
    /// `value` datagrams were lost in the kernel since the notice before.
    case kernelDrops
    /// `value` records were lost before they reached the spool.
    case recordsLost
    /// The disk was full; `value` records were not written.
    case diskFull
    /// The clock went back by `value` milliseconds.
    case clockStep
    /// The text is a hash of the configuration.
    case configuration
  }

  public var time: Timestamp
  public var kind: Kind
  public var value: UInt64
  public var text: String

  public init(time: Timestamp, kind: Kind, value: UInt64 = 0, text: String = "") {
    self.time = time
    self.kind = kind
    self.value = value
    self.text = text
  }
}

/// Where instruments leave their records.
///
/// Called from one thread; never throws, and a full disk costs records, which are counted, but never time.
public protocol SpoolSink: AnyObject {
  func append(_ record: SpoolRecord)
  /// Lets what is due be written out; call it at least once a second.
  func flush(now: Timestamp)
}
