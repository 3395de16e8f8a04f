/// Where a station keeps what it found: findings, verdicts, cases, allow rules, and who changed what.
///
/// Safe to call from any task. What a call has returned from is on disk.
public protocol Store: Sendable {
  /// Writes judged host-days of one run; writing them twice changes nothing.
  ///
  /// A later snapshot of the same run replaces an earlier one of the same host and day, findings included: what the judge took
  /// back is gone. Another run of the same day adds to what is there: its findings stay, and the worse verdict stands.
  /// Cases are opened and opened again by the same call (`CaseRules`).
  /// - Parameter run: names the run, e.g. its start in nanoseconds; a station makes one at each start and each UTC day.
  func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) async throws(StoreError)

  func hostDays(_ query: HostDayQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<HostDayRow>
  /// Everything about one host on one day: activity, findings, story, caveats.
  func hostDay(_ host: IPAddress, day: Int) async throws(StoreError) -> HostDay?
  /// All kept days of one host, newest first.
  func history(of host: IPAddress) async throws(StoreError) -> [HostDayRow]
  func findings(_ query: FindingQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<StoredFinding>
  func finding(id: String) async throws(StoreError) -> StoredFinding?
  /// What the first page shows: `day` itself, and numbers of the `days` days that end with it (at least that one).
  func overview(day: Int, days: Int) async throws(StoreError) -> Overview
  /// Botnets that findings name, over days `range`, most hosts first.
  func botnets(_ range: ClosedRange<Int>, limit: Int) async throws(StoreError) -> [BotnetActivity]
  /// Hosts, names, botnets and cases that a text is part of.
  func search(_ text: String, limit: Int) async throws(StoreError) -> [SearchHit]

  func cases(_ query: CaseQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<Case>
  func `case`(_ number: Int64) async throws(StoreError) -> CaseRecord?
  /// Moves a case to another state, with a reason; the change can be taken back with `undo`.
  func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  /// Takes the latest change of a case back; it stays in the audit.
  func undo(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> CaseRecord
  /// Opens a case about a host-day by hand, or gives the open one that holds the host already.
  func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  func caseStatistics() async throws(StoreError) -> CaseStatistics

  /// Allow rules that hold, oldest first.
  func allowRules() async throws(StoreError) -> [StoredAllowRule]
  func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> StoredAllowRule
  /// Ends a rule; `false` when it had ended before.
  func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool

  func record(_ entry: AuditEntry) async throws(StoreError)
  func audit(after: Cursor?, limit: Int) async throws(StoreError) -> Page<AuditEntry>

  /// Whether it can be written now, how large it is, what it holds.
  func condition() async -> StoreCondition
}

extension Store {
  public func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    throw StoreError(.refused, "this store opens cases by its rules alone")
  }
}

/// Where a page ended: opaque to callers, so it can be handed out and back.
public struct Cursor: Sendable, Hashable {
  public var text: String
  public init(_ text: String) { self.text = text }
}

public struct Page<Row: Sendable>: Sendable {
  public var rows: [Row]
  /// `nil` on the last page.
  public var next: Cursor?
  public init(rows: [Row], next: Cursor?) {
    self.rows = rows
    self.next = next
  }
}

/// Who did something: a user's name, a token's name, or the station itself.
public struct Actor: Sendable, Hashable {
  public var name: String
  /// Where from, e.g. the address of a browser; empty when it was the station.
  public var origin: String
  public init(_ name: String, origin: String = "") {
    self.name = name
    self.origin = origin
  }
  public static let station = Actor("station")
}

/// One change, by whom and when.
public struct AuditEntry: Sendable, Hashable {
  public var time: Timestamp
  public var actor: Actor
  /// What was done, e.g. `case.change`, `allow.add`, `user.login_failed`.
  public var action: String
  /// On what, e.g. `case 12`.
  public var subject: String
  /// One line; never a secret.
  public var detail: String
  public init(time: Timestamp, actor: Actor, action: String, subject: String, detail: String = "") {
    self.time = time
    self.actor = actor
    self.action = action
    self.subject = subject
    self.detail = detail
  }
}

/// State of the store for operators.
public struct StoreCondition: Sendable, Hashable {
  public enum State: String, Sendable {
    case ready
    /// Nothing can be written since the disk is full; reading goes on, and writing resumes by itself.
    case full
    /// Only reading: the file is damaged or not ours to write.
    case readOnly = "read_only"
  }
  public var state: State
  /// One line when it is not ready.
  public var reason: String?
  public var octets: UInt64
  public var findings: UInt64
  public var hostDays: UInt64
  public var oldestDay: Int?
  /// Memory that it holds, caches mostly.
  public var memoryOctets: UInt64
  public init(
    state: State, reason: String? = nil, octets: UInt64, findings: UInt64, hostDays: UInt64, oldestDay: Int? = nil,
    memoryOctets: UInt64 = 0
  ) {
    self.state = state
    self.reason = reason
    self.octets = octets
    self.findings = findings
    self.hostDays = hostDays
    self.oldestDay = oldestDay
    self.memoryOctets = memoryOctets
  }
}
