import Mothlight
import Synchronization

/// A store whose costly answers are read once for all who ask the same: fifty browsers on one page are one reader.
///
/// An answer is given until something is written through this store, and for `secondsMost` at most, since other programs may
/// write to the file as well. Who asks when a write has ended sees it. First pages of lists and sums are shared; all else goes
/// through.
public final class SharedAnswers: Store {
  /// Seconds that an answer is given.
  public static let secondsMost = 5.0
  /// Answers kept; the oldest go first.
  static let answersMost = 64
  /// Rows of all answers that are kept, a few KiB each with their findings: some 16 MB.
  static let rowsMost = 4096

  private enum Question: Hashable {
    case hostDays(HostDayQuery, limit: Int)
    case findings(FindingQuery, limit: Int)
    case cases(CaseQuery, limit: Int)
    case overview(day: Int, days: Int)
    case botnets(ClosedRange<Int>, limit: Int)
    case caseStatistics, allowRules, condition
  }

  private struct Answer {
    let number: UInt64
    let asked: ContinuousClock.Instant
    let text: Task<Result<any Sendable, StoreError>, Never>
    /// Known when it is there.
    var rows = 0
  }

  private struct State {
    var answers: [Question: Answer] = [:]
    var number: UInt64 = 0
  }

  private let store: any Store
  private let clock: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  public init(_ store: any Store) {
    self.store = store
    clock = { ContinuousClock.now }
  }

  init(_ store: any Store, clock: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.store = store
    self.clock = clock
  }

  /// Answers kept now, and their rows.
  var kept: (answers: Int, rows: Int) {
    state.withLock { ($0.answers.count, $0.answers.values.reduce(0) { $0 + $1.rows }) }
  }

  // MARK: Sharing

  private func shared<T: Sendable>(
    _ question: Question, rows: @escaping @Sendable (T) -> Int,
    _ read: @escaping @Sendable () async -> Result<T, StoreError>
  ) async throws(StoreError) -> T {
    let now = clock()
    let text = state.withLock { state in
      if let answer = state.answers[question], now - answer.asked < .seconds(Self.secondsMost) { return answer.text }
      state.number &+= 1
      let number = state.number
      // A task of its own: who gives up waiting does not take the answer from the others.
      let text = Task { () -> Result<any Sendable, StoreError> in
        switch await read() {
        case .success(let value):
          self.weigh(question, number, rows(value))
          return .success(value)
        case .failure(let error):
          self.drop(question, number)
          return .failure(error)
        }
      }
      Self.makeRoom(&state, answers: Self.answersMost - 1)
      state.answers[question] = Answer(number: number, asked: now, text: text)
      return text
    }
    switch await text.value {
    case .success(let value as T): return value
    case .success: return try await read().get()
    case .failure(let error): throw error
    }
  }

  private func weigh(_ question: Question, _ number: UInt64, _ rows: Int) {
    state.withLock { state in
      guard state.answers[question]?.number == number else { return }
      state.answers[question]?.rows = rows
      Self.makeRoom(&state, answers: Self.answersMost)
    }
  }

  /// What failed is asked again.
  private func drop(_ question: Question, _ number: UInt64) {
    state.withLock { if $0.answers[question]?.number == number { $0.answers[question] = nil } }
  }

  private static func makeRoom(_ state: inout State, answers: Int) {
    var rows = state.answers.values.reduce(0) { $0 + $1.rows }
    while state.answers.count > answers || rows > rowsMost,
      let oldest = state.answers.min(by: { $0.value.number < $1.value.number })
    {
      rows -= oldest.value.rows
      state.answers[oldest.key] = nil
    }
  }

  @Sendable private static func one(_ answer: some Sendable) -> Int { 1 }

  /// Something was written: what was read before holds no more.
  private func forget() { state.withLock { $0.answers = [:] } }

  private static func tried<T>(_ body: () async throws(StoreError) -> T) async -> Result<T, StoreError> {
    do throws(StoreError) { return .success(try await body()) } catch { return .failure(error) }
  }

  // MARK: Shared

  public func hostDays(_ query: HostDayQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<HostDayRow> {
    let store = store
    guard after == nil else { return try await store.hostDays(query, after: after, limit: limit) }
    return try await shared(.hostDays(query, limit: limit), rows: \.rows.count) {
      await Self.tried { () throws(StoreError) in try await store.hostDays(query, after: nil, limit: limit) }
    }
  }

  public func findings(_ query: FindingQuery, after: Cursor?, limit: Int)
    async throws(StoreError) -> Page<StoredFinding>
  {
    let store = store
    guard after == nil else { return try await store.findings(query, after: after, limit: limit) }
    return try await shared(.findings(query, limit: limit), rows: \.rows.count) {
      await Self.tried { () throws(StoreError) in try await store.findings(query, after: nil, limit: limit) }
    }
  }

  public func cases(_ query: CaseQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<Case> {
    let store = store
    guard after == nil else { return try await store.cases(query, after: after, limit: limit) }
    return try await shared(.cases(query, limit: limit), rows: \.rows.count) {
      await Self.tried { () throws(StoreError) in try await store.cases(query, after: nil, limit: limit) }
    }
  }

  public func overview(day: Int, days: Int) async throws(StoreError) -> Overview {
    let store = store
    return try await shared(.overview(day: day, days: days), rows: \.flagged.count) {
      await Self.tried { () throws(StoreError) in try await store.overview(day: day, days: days) }
    }
  }

  public func botnets(_ range: ClosedRange<Int>, limit: Int) async throws(StoreError) -> [BotnetActivity] {
    let store = store
    return try await shared(.botnets(range, limit: limit), rows: \.count) {
      await Self.tried { () throws(StoreError) in try await store.botnets(range, limit: limit) }
    }
  }

  public func caseStatistics() async throws(StoreError) -> CaseStatistics {
    let store = store
    return try await shared(.caseStatistics, rows: Self.one) {
      await Self.tried { () throws(StoreError) in try await store.caseStatistics() }
    }
  }

  public func allowRules() async throws(StoreError) -> [StoredAllowRule] {
    let store = store
    return try await shared(.allowRules, rows: \.count) {
      await Self.tried { () throws(StoreError) in try await store.allowRules() }
    }
  }

  public func condition() async -> StoreCondition {
    let store = store
    let shared: StoreCondition? = try? await shared(.condition, rows: Self.one) {
      .success(await store.condition())
    }
    if let shared { return shared }
    return await store.condition()
  }

  // MARK: Straight through

  public func hostDay(_ host: IPAddress, day: Int) async throws(StoreError) -> HostDay? {
    try await store.hostDay(host, day: day)
  }

  public func history(of host: IPAddress) async throws(StoreError) -> [HostDayRow] {
    try await store.history(of: host)
  }

  public func finding(id: String) async throws(StoreError) -> StoredFinding? {
    try await store.finding(id: id)
  }

  public func search(_ text: String, limit: Int) async throws(StoreError) -> [SearchHit] {
    try await store.search(text, limit: limit)
  }

  public func `case`(_ number: Int64) async throws(StoreError) -> CaseRecord? {
    try await store.case(number)
  }

  public func record(_ entry: AuditEntry) async throws(StoreError) { try await store.record(entry) }

  public func audit(after: Cursor?, limit: Int) async throws(StoreError) -> Page<AuditEntry> {
    try await store.audit(after: after, limit: limit)
  }
}

// MARK: Writing

extension SharedAnswers {
  public func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) async throws(StoreError) {
    defer { forget() }
    try await store.keep(hostDays, run: run, at: time)
  }

  public func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    defer { forget() }
    return try await store.change(number, to: state, reason: reason, by: actor, at: time)
  }

  public func undo(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> CaseRecord {
    defer { forget() }
    return try await store.undo(number, by: actor, at: time)
  }

  public func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    defer { forget() }
    return try await store.openCase(host, day: day, reason: reason, by: actor, at: time)
  }

  public func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> StoredAllowRule
  {
    defer { forget() }
    return try await store.addAllowRule(rule, reason: reason, by: actor, at: time)
  }

  public func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    defer { forget() }
    return try await store.endAllowRule(number, by: actor, at: time)
  }
}
