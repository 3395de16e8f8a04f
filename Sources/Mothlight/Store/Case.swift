/// Open findings of one owner: what somebody has to do something about.
public struct Case: Sendable, Hashable {
  public enum State: String, Sendable, CaseIterable, Codable {
    case open, acknowledged, cleaned
    case falseAlarm = "false_alarm"
    /// Whether somebody still has to act.
    public var isOpen: Bool { self == .open || self == .acknowledged }
  }
  public var number: Int64
  /// Whom it is about: the owner of `CaseRules` whose network holds the host, else the host itself.
  public var owner: String
  public var hosts: [IPAddress]
  public var botnets: [String]
  public var state: State
  /// The worst verdict that it holds.
  public var verdict: Verdict
  public var opened: Timestamp
  public var changed: Timestamp
  /// First and last evidence.
  public var first: Timestamp
  public var last: Timestamp
  /// How often it came back after it had been called cleaned.
  public var reopened: Int
  public init(
    number: Int64, owner: String, hosts: [IPAddress], botnets: [String], state: State, verdict: Verdict,
    opened: Timestamp, changed: Timestamp, first: Timestamp, last: Timestamp, reopened: Int
  ) {
    self.number = number
    self.owner = owner
    self.hosts = hosts
    self.botnets = botnets
    self.state = state
    self.verdict = verdict
    self.opened = opened
    self.changed = changed
    self.first = first
    self.last = last
    self.reopened = reopened
  }
}

/// A case with its findings and its past.
public struct CaseRecord: Sendable {
  public struct Change: Sendable, Hashable {
    public var time: Timestamp
    public var from: Case.State?
    public var to: Case.State
    public var reason: String
    public var actor: Actor
    /// Taken back by `undo`.
    public var isUndone: Bool
    public init(
      time: Timestamp, from: Case.State?, to: Case.State, reason: String, actor: Actor, isUndone: Bool = false
    ) {
      self.time = time
      self.from = from
      self.to = to
      self.reason = reason
      self.actor = actor
      self.isUndone = isUndone
    }
  }
  public var summary: Case
  public var findings: [StoredFinding]
  /// Oldest first.
  public var changes: [Change]
  /// Rules that would keep these findings out, narrowest first; empty unless it is a false alarm.
  public var suggestions: [AllowList.Rule]
  public init(summary: Case, findings: [StoredFinding], changes: [Change], suggestions: [AllowList.Rule]) {
    self.summary = summary
    self.findings = findings
    self.changes = changes
    self.suggestions = suggestions
  }
}

public struct CaseQuery: Sendable, Hashable {
  /// Empty: all.
  public var states: Set<Case.State> = []
  public var owner: String?
  public var host: IPAddress?
  public init() {}
}

/// How quickly machines get clean.
public struct CaseStatistics: Sendable, Hashable {
  public var byState: [Case.State: Int]
  /// Cases that were cleaned: hours from opening to cleaning.
  public var cleaned: Int
  public var hoursMedian: Double?
  public var hours90: Double?
  /// Of the cleaned, how many came back.
  public var cameBack: Int
  public init(byState: [Case.State: Int], cleaned: Int, hoursMedian: Double?, hours90: Double?, cameBack: Int) {
    self.byState = byState
    self.cleaned = cleaned
    self.hoursMedian = hoursMedian
    self.hours90 = hours90
    self.cameBack = cameBack
  }
}

/// When a host-day makes a case, and whose it is.
public struct CaseRules: Sendable, Equatable {
  public struct Owner: Sendable, Equatable {
    public var name: String
    public var prefixes: [Prefix]
    public init(name: String, prefixes: [Prefix]) {
      self.name = name
      self.prefixes = prefixes
    }
  }
  /// The narrowest prefix that holds a host decides.
  public var owners: [Owner]
  /// Host-days from this verdict on open a case.
  public var verdictLeast: Verdict
  public init(owners: [Owner] = [], verdictLeast: Verdict = .infected) {
    self.owners = owners
    self.verdictLeast = verdictLeast
  }
}
