/// The answer per host and day.
public enum Verdict: String, Sendable, CaseIterable, Comparable {
  case notEnoughData = "not_enough_data"
  case noSign = "no_sign"
  case suspicious
  case infected
  public static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }
  var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What one of our hosts did on one UTC day, beside any verdict.
public struct HostActivity: Sendable, Hashable {
  /// 15-minute bins of a UTC day.
  public static let binCount = 96
  public var first = Timestamp.distantFuture
  public var last = Timestamp.distantPast
  public var flows: UInt64 = 0
  /// Flows this host began toward the outside.
  public var outboundFlows: UInt64 = 0
  /// Flows with packets in both directions.
  public var answeredFlows: UInt64 = 0
  public var octetsOut: UInt64 = 0
  public var octetsIn: UInt64 = 0
  public var dnsLookups: UInt64 = 0
  /// Look-ups, handshakes and requests that this host sent, whether or not their flows were seen.
  public var events: UInt64 = 0
  /// Distinct peers of the whole run, outside and inside.
  public var peers: UInt32 = 0
  /// Flows begun per 15 minutes.
  public var bins = [UInt32](repeating: 0, count: HostActivity.binCount)
  /// Busiest peers by flows, at most `Limits.peersShown`.
  public var topPeers: [PeerActivity] = []
  /// Most asked DNS names, at most `Limits.namesShown`.
  public var topNames: [(name: String, lookups: UInt32, failed: UInt32)] = []
  public init() {}

  public static func == (a: Self, b: Self) -> Bool { a.first == b.first && a.flows == b.flows && a.bins == b.bins }
  public func hash(into hasher: inout Hasher) { hasher.combine(flows) }
}

public struct PeerActivity: Sendable, Hashable {
  public var address: IPAddress
  public var name: String?
  public var port: UInt16
  public var transport: Transport
  public var flows: UInt32
  public var octets: UInt64
  public init(address: IPAddress, name: String?, port: UInt16, transport: Transport, flows: UInt32, octets: UInt64) {
    self.address = address
    self.name = name
    self.port = port
    self.transport = transport
    self.flows = flows
    self.octets = octets
  }
}

/// One host on one day: verdict, score and what it stands on.
public struct HostDay: Sendable {
  public var host: IPAddress
  /// UTC days since the epoch.
  public var day: Int
  public var verdict: Verdict
  /// Sum of the capped log-odds over families, natural log, prior included.
  public var score: Double
  /// Capped log-odds per family, in order of family; families without evidence are left out.
  public var families: [(family: EvidenceFamily, logOdds: Double)]
  /// Strongest first.
  public var findings: [Finding]
  /// One or two sentences: why this verdict and not another.
  public var reason: String
  /// Named botnets, from names, lists or payload rules only.
  public var botnets: [String]
  public var activity: HostActivity
  /// What it is in its network.
  public var roles: [HostRole] = []
  /// The findings as an infection's story, in order of time; empty when they tell none.
  public var story: [StoryStep] = []
  /// What cannot be known of this host from what was seen.
  public var caveats: [String] = []
  public init(
    host: IPAddress, day: Int, verdict: Verdict, score: Double, families: [(family: EvidenceFamily, logOdds: Double)],
    findings: [Finding], reason: String, botnets: [String], activity: HostActivity
  ) {
    self.host = host
    self.day = day
    self.verdict = verdict
    self.score = score
    self.families = families
    self.findings = findings
    self.reason = reason
    self.botnets = botnets
    self.activity = activity
  }
}

/// What happened to one input: everything is either read, skipped for a named reason, or unparsed.
public struct InputSummary: Sendable {
  public var path: String
  /// e.g. `pcap`, `zeek-tsv conn`, `binetflow`; `unknown` when not recognised.
  public var format: String
  public var octets: UInt64 = 0
  /// Packets of a capture or rows of a log, as read.
  public var records: UInt64 = 0
  /// Records that gave an observation or took part in one.
  public var used: UInt64 = 0
  /// Records left out on purpose, by reason.
  public var skipped: [String: UInt64] = [:]
  /// Records that could not be understood.
  public var unparsed: UInt64 = 0
  /// First line or packet that could not be understood, with the reason.
  public var firstUnparsed: String?
  /// Set when nothing of it could be used.
  public var error: SourceError?
  /// One line each: cut file, backwards clock, relative clock, sampled source...
  public var warnings: [String] = []
  public var first: Timestamp?
  public var last: Timestamp?
  /// Time of records counts from an unknown moment (a capture clock that starts near 1970).
  public var clockIsRelative = false
  public var isSampled = false
  public init(path: String, format: String = "unknown") {
    self.path = path
    self.format = format
  }
}

/// A finding that an allow rule, or what healthy machines do, kept out of the verdict; counted and shown on request.
public struct HiddenFinding: Sendable {
  public var finding: Finding
  /// The allow rule, or the kind of suppression and why.
  public var rule: String
  /// `nil` where it was an allow rule.
  var suppression: Suppression.Kind? { Suppression.Kind.allCases.first { rule.hasPrefix("\($0.rawValue): ") } }
  public init(finding: Finding, rule: String) {
    self.finding = finding
    self.rule = rule
  }
}

/// Everything that one run has to say; each output format is a view of this value.
public struct Report: Sendable {
  public static let schemaVersion = "1.3"
  public var version: String
  public var inputs: [InputSummary] = []
  /// Home prefixes, and whether they were given or learned.
  public var home: [Prefix] = []
  public var homeWasGiven = false
  /// Strongest verdict first, then address, then day.
  public var hosts: [HostDay] = []
  public var hidden: [HiddenFinding] = []
  /// Whole-run counters by name, e.g. `evicted_flows`, `continuations`.
  public var counters: [String: UInt64] = [:]
  public var warnings: [String] = []
  /// Capped log-odds from which a family of evidence counts toward `infected`; `nil` when the run has no such bar.
  public var familyBar: Double?
  /// What is kept between runs; `nil` without `--state`.
  public var state: StateSummary?
  /// What spools of a sinkhole say; `nil` when none was read.
  public var sinkhole: SinkholeSummary?
  /// The victims in them one by one, read again from the spools when an exporter asks.
  public var victims: VictimReader?
  /// Addresses of our own network were replaced (`ReportAnonymiser`).
  public internal(set) var isAnonymised = false
  /// Whether there were inputs about machines of ours, and not spools alone.
  var isAboutHosts: Bool { sinkhole == nil || !hosts.isEmpty || inputs.contains { $0.format != "sinkhole-spool" } }
  public init(version: String) { self.version = version }
}

/// Turns a report into one format.
public protocol Exporter: Sendable {
  static var card: ExporterCard { get }
  init(_ settings: ExporterSettings) throws(ConfigurationError)
  func export(_ report: Report, to write: (String) throws -> Void) throws
}

/// A format of which a report makes several files, where a folder is given for them.
public protocol FileSetExporter: Exporter {
  /// - Parameter write: called with the name of a file and what comes next in it.
  func export(_ report: Report, toFile write: (_ name: String, _ text: String) throws -> Void) throws
}

public struct ExporterCard: Sendable {
  public var name: String
  public var title: String
  /// Tells networks of their victims, and so heeds `ExporterSettings.exchange`.
  public var tellsNetworks: Bool
  public init(name: String, title: String, tellsNetworks: Bool = false) {
    self.name = name
    self.title = title
    self.tellsNetworks = tellsNetworks
  }
}

public struct ExporterSettings: Sendable {
  /// ANSI colours; only for a terminal.
  public var colour = false
  /// Columns of the terminal, 80 when unknown.
  public var width = 80
  /// Also print what an allow-list hid.
  public var showHidden = false
  /// Also print hosts with no sign.
  public var showAll = false
  /// Only this host, at length.
  public var explain: IPAddress?
  /// Threads that may make the text; it is the same with any number.
  public var threads = 1
  /// How far the export may go; `nil` for what its contents ask for.
  public var tlp: TLP?
  /// For formats that tell others of victims.
  public var exchange = ExchangeSettings()
  /// Hears, in one line each, what an export leaves out and why.
  public var note: @Sendable (String) -> Void = { _ in }
  public init() {}
}
