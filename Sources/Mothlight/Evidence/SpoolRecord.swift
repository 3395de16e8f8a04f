/// One record of a sinkhole's spool.
public enum SpoolRecord: Sendable, Hashable {
  case sighting(Sighting)
  /// A whole check-in; kept for `sample_days` only, in segments of its own.
  indirect case sample(CheckIn, SampleReason)
  indirect case dnsCount(ResolverCount)
  indirect case notice(Notice)
}

/// Why a check-in was kept whole.
public enum SampleReason: UInt8, Sendable, Hashable, CaseIterable {
  /// One of the first of its source, botnet and day.
  case firstOfDay = 1
  /// One of the uniform sample over all check-ins.
  case uniform
}

/// How often one resolver asked for one name within one hour. Resolvers are not victims: a report on these is `info`.
public struct ResolverCount: Sendable, Hashable {
  public var resolver: IPAddress
  /// Network of the client, where the resolver said it (RFC 7871).
  public var clientNetwork: Prefix?
  /// Lower-case, without the last dot. At most `CheckIn.textOctetsMost` octets.
  public var name: String
  /// Query type (IANA "DNS Parameters").
  public var type: UInt16
  public var botnet: String
  /// Whole UTC hours since the epoch.
  public var hour: UInt32
  public var count: UInt32

  public init(
    resolver: IPAddress, clientNetwork: Prefix? = nil, name: String, type: UInt16, botnet: String, hour: UInt32,
    count: UInt32
  ) {
    self.resolver = resolver
    self.clientNetwork = clientNetwork
    self.name = name
    self.type = type
    self.botnet = botnet
    self.hour = hour
    self.count = count
  }
}

/// Something about the sensor itself without which its counts cannot be read.
public struct Notice: Sendable, Hashable {
  public var time: Timestamp
  public var event: Event

  public init(time: Timestamp, event: Event) {
    self.time = time
    self.event = event
  }

  public enum Event: Sendable, Hashable {
    /// The sensor began; SHA-256 of its configuration, and the program's version.
    case started(configuration: [UInt8], version: String)
    case stopped
    /// From here on one source in `factor` is recorded; 1: all again.
    case samplingFactor(UInt32)
    /// Datagrams that the kernel dropped since the last notice.
    case kernelDrops(UInt64)
    /// Records that could not be written between two moments, by kind.
    case lost(SpoolLoss)
    /// The wall clock went back by this many nanoseconds; times stand still until it has caught up.
    case clockStep(nanoseconds: UInt64)
    /// What was found at start and kept or put aside, in one line.
    case recovered(String)
    /// A zone was loaded, changed or ended, an order ended...; in one line.
    case remark(String)
  }
}

/// What a full or broken disk cost.
public struct SpoolLoss: Sendable, Hashable {
  public var from: Timestamp
  public var to: Timestamp
  public var sightings: UInt64
  public var samples: UInt64
  public var dnsCounts: UInt64
  public var notices: UInt64
  /// The system's error number of the first failure.
  public var code: Int32

  public init(from: Timestamp, to: Timestamp, code: Int32) {
    self.from = from
    self.to = to
    self.code = code
    sightings = 0
    samples = 0
    dnsCounts = 0
    notices = 0
  }

  public var total: UInt64 { sightings &+ samples &+ dnsCounts &+ notices }

  mutating func count(_ record: SpoolRecord) {
    switch record {
    case .sighting: sightings &+= 1
    case .sample: samples &+= 1
    case .dnsCount: dnsCounts &+= 1
    case .notice: notices &+= 1
    }
  }
}

/// Where instruments put what they record. Called from one thread; it never blocks on a full disk and never throws into
/// the path that receives.
public protocol SpoolSink: AnyObject {
  func append(_ record: SpoolRecord)
  /// Lets time pass: commits, synchronises, rotates, retries when these are due. Call it about once a second.
  func flush(now: Timestamp)
  /// Nothing follows: what is left is written and closed. By default that is `flush`.
  func finish(now: Timestamp)
}

extension SpoolSink {
  public func finish(now: Timestamp) { flush(now: now) }
}
