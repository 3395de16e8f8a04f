/// A host-day as lists show it.
public struct HostDayRow: Sendable, Hashable {
  public var host: IPAddress
  /// UTC days since the epoch.
  public var day: Int
  public var verdict: Verdict
  public var score: Double
  public var botnets: [String]
  public var reason: String
  public var roles: [HostRole]
  public var findings: Int
  public var first: Timestamp
  public var last: Timestamp
  public var flows: UInt64
  /// First day on which the host was at least suspicious, as far as the store reaches back.
  public var firstFlaggedDay: Int?
  public init(
    host: IPAddress, day: Int, verdict: Verdict, score: Double, botnets: [String], reason: String, roles: [HostRole],
    findings: Int, first: Timestamp, last: Timestamp, flows: UInt64, firstFlaggedDay: Int?
  ) {
    self.host = host
    self.day = day
    self.verdict = verdict
    self.score = score
    self.botnets = botnets
    self.reason = reason
    self.roles = roles
    self.findings = findings
    self.first = first
    self.last = last
    self.flows = flows
    self.firstFlaggedDay = firstFlaggedDay
  }
}

public struct HostDayQuery: Sendable, Hashable {
  public enum Order: String, Sendable, CaseIterable { case verdict, newest, host }
  /// `nil`: all kept days.
  public var days: ClosedRange<Int>?
  public var verdictLeast: Verdict = .notEnoughData
  public var botnet: String?
  public var within: Prefix?
  /// Only hosts that were not flagged on any earlier kept day.
  public var isNewOnly = false
  public var order = Order.verdict
  public init() {}
}

public struct FindingQuery: Sendable, Hashable {
  public var days: ClosedRange<Int>?
  public var host: IPAddress?
  public var within: Prefix?
  public var detector: String?
  public var family: EvidenceFamily?
  public var botnet: String?
  /// Part of a peer's name or of the subject.
  public var text: String?
  public init() {}
}

/// A finding with its place in the store.
public struct StoredFinding: Sendable, Hashable {
  public var id: String
  public var finding: Finding
  /// When the station first wrote it.
  public var recorded: Timestamp
  public init(id: String, finding: Finding, recorded: Timestamp) {
    self.id = id
    self.finding = finding
    self.recorded = recorded
  }
}

/// What a stranger must see in ten seconds.
public struct Overview: Sendable, Hashable {
  /// One day's hosts by verdict.
  public struct Day: Sendable, Hashable {
    public var day: Int
    public var hosts: [Verdict: Int]
    /// Hosts at least suspicious that were on no earlier kept day.
    public var new: Int
    public init(day: Int, hosts: [Verdict: Int], new: Int) {
      self.day = day
      self.hosts = hosts
      self.new = new
    }
  }
  /// Oldest first, the asked day last; days without records are there with no hosts.
  public var days: [Day]
  /// Hosts that are at least suspicious on the asked day, worst first, at most 50.
  public var flagged: [HostDayRow]
  public var openCases: Int
  public init(days: [Day], flagged: [HostDayRow], openCases: Int) {
    self.days = days
    self.flagged = flagged
    self.openCases = openCases
  }
}

/// What findings say of one named botnet among our hosts.
public struct BotnetActivity: Sendable, Hashable {
  public var name: String
  public var hosts: Int
  public var findings: Int
  public var first: Timestamp
  public var last: Timestamp
  /// Distinct hosts per day, oldest first; days without any are left out.
  public var byDay: [Int: Int]
  public init(name: String, hosts: Int, findings: Int, first: Timestamp, last: Timestamp, byDay: [Int: Int]) {
    self.name = name
    self.hosts = hosts
    self.findings = findings
    self.first = first
    self.last = last
    self.byDay = byDay
  }
}

public struct SearchHit: Sendable, Hashable {
  public enum Kind: String, Sendable { case host, peer, name, botnet, `case`, finding }
  public var kind: Kind
  /// What to open: an address, a name, a number or an id.
  public var key: String
  public var title: String
  public var detail: String
  public init(kind: Kind, key: String, title: String, detail: String) {
    self.kind = kind
    self.key = key
    self.title = title
    self.detail = detail
  }
}

/// An allow rule of the station's users.
public struct StoredAllowRule: Sendable, Equatable {
  public var number: Int64
  public var rule: AllowList.Rule
  public var reason: String
  public var actor: Actor
  public var added: Timestamp
  public init(number: Int64, rule: AllowList.Rule, reason: String, actor: Actor, added: Timestamp) {
    self.number = number
    self.rule = rule
    self.reason = reason
    self.actor = actor
    self.added = added
  }
}
