/// What spools of a sinkhole say: sources by botnet and by network, visitors apart. Sources are addresses, not machines.
public struct SinkholeSummary: Sendable {
  /// Sources of one botnet, over all networks.
  public struct Botnet: Sendable {
    public var name: String
    public var sources: SourceCounts
    public var networks = 0
    /// Machines that messages of the family tell apart; 0 where they carry nothing that does.
    public var identities: UInt64 = 0
  }

  /// Sources of one botnet in one network.
  public struct Row: Sendable {
    public var botnet: String
    /// As announced where that is known, otherwise a /24 or a /48.
    public var prefix: Prefix
    public var system: UInt32?
    public var systemName: String?
    public var country: String?
    public var sources: SourceCounts
  }

  /// Distinct source addresses (IPv6: /64 networks) and what they did.
  public struct SourceCounts: Sendable {
    /// By the highest level that each reached, in order of `EvidenceLevel`; visitors are not among them.
    public var byLevel = [UInt64](repeating: 0, count: EvidenceLevel.allCases.count)
    public var visitors: [VisitorClass: UInt64] = [:]
    public var messages: UInt64 = 0
    public var first = Timestamp.distantFuture
    public var last = Timestamp.distantPast
    /// Destination ports of the last messages, most used first, at most eight.
    public var ports: [UInt16] = []
    /// Largest sampling factor of its records; 1 when everything was recorded.
    public var factor: UInt32 = 1

    /// Recognised sources, each once for every UTC day on which it came; beyond 64 days a lower bound.
    public var addressDays: UInt64 = 0
    /// Recognised sources by age: each counts from 1 at its last message down to 0 at its expiry (`Decay`).
    public var weight = 0.0
    /// Recognised sources past their expiry.
    public var expired: UInt64 = 0
    /// When the last of the recognised ones expires; `nil` without one.
    public var expires: Timestamp?

    /// Sources whose message a rule knows.
    public var infected: UInt64 { byLevel[2] + byLevel[3] }
    public var visiting: UInt64 { visitors.values.reduce(0, +) }
  }

  public var botnets: [Botnet] = []
  /// Most infected sources first.
  public var rows: [Row] = []
  public var segments = 0
  public var segmentsVerified = 0
  public var segmentsOpen = 0
  public var records: UInt64 = 0
  /// Datagrams that the kernel dropped, records lost on the way, records that a full disk cost.
  public var kernelDrops: UInt64 = 0
  public var recordsLost: UInt64 = 0
  public var clockSteps: UInt64 = 0
  public var samples: UInt64 = 0
  /// Questions to the name server, and the resolvers that put them.
  public var dnsQueries: UInt64 = 0
  public var resolvers = 0
  /// Sources left out because the table was full.
  public var refused: UInt64 = 0
  /// Time of the newest record: ages are counted from it, as event time is the only clock.
  public var asOf: Timestamp?
  /// Which rules judged the records (`Sighting.ruleVersion`); counts of different rules are not to be compared.
  public var ruleVersions: Set<UInt32> = []
  /// There were more versions than are listed.
  public var hasMoreRules = false
  /// Where the networks are from; `nil` when they are bare prefixes.
  public var networksOrigin: String?
  public init() {}
}
