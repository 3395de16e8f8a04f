import Mothlight
import Synchronization
import Testing

@testable import MothlightStation

/// One reader for all who ask the same, and nobody is shown what holds no more.
@Suite struct SharedAnswersTests {
  private final class Watch: Sendable {
    let time = Mutex(ContinuousClock.now)
    func pass(_ seconds: Double) { time.withLock { $0 += .seconds(seconds) } }
    func shared(_ store: any Store) -> SharedAnswers { SharedAnswers(store) { self.time.withLock { $0 } } }
  }

  @Test func whoAsksTheSameAtOnceIsAnsweredOnce() async throws {
    let store = CountingStore()
    let shared = Watch().shared(store)
    await store.hold()
    let asking = Task {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<50 { group.addTask { try await shared.overview(day: 9, days: 3).openCases } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    while await store.asked == 0 { await Task.yield() }
    // One who gives up does not take the answer from the others.
    let impatient = Task { try await shared.overview(day: 9, days: 3).openCases }
    impatient.cancel()
    await store.release()
    #expect(try await asking.value == [Int](repeating: 1, count: 50))
    #expect(try await impatient.value == 1)
    #expect(await store.asked == 1)
    #expect(try await shared.overview(day: 8, days: 3).openCases == 2, "another question")
  }

  @Test func anAnswerHasAnEnd() async throws {
    let (store, watch) = (CountingStore(), Watch())
    let shared = watch.shared(store)
    #expect(try await shared.caseStatistics().cleaned == 1)
    watch.pass(SharedAnswers.secondsMost - 0.1)
    #expect(try await shared.caseStatistics().cleaned == 1)
    watch.pass(0.2)
    #expect(try await shared.caseStatistics().cleaned == 2, "another program may have written")
  }

  @Test func whatWasWrittenIsSeen() async throws {
    let store = CountingStore()
    let shared = Watch().shared(store)
    let actor = Actor("ada")
    let time = Timestamp(seconds: 1_780_000_000)
    var seen = try await shared.botnets(1...9, limit: 5).count
    let writes: [@Sendable () async throws -> Void] = [
      { try await shared.keep([], run: "a", at: time) },
      { _ = try await shared.addAllowRule(.name("a.example"), reason: "x", by: actor, at: time) },
      { _ = try await shared.endAllowRule(1, by: actor, at: time) },
      { _ = try? await shared.change(1, to: .cleaned, reason: "x", by: actor, at: time) },
      { _ = try? await shared.undo(1, by: actor, at: time) },
      { _ = try? await shared.openCase(.unspecified, day: 1, reason: "x", by: actor, at: time) },
    ]
    for write in writes {
      #expect(try await shared.botnets(1...9, limit: 5).count == seen)
      try await write()
      let next = try await shared.botnets(1...9, limit: 5).count
      #expect(next == seen + 1)
      seen = next
    }
  }

  /// It was read before the write, so it is for those who asked before.
  @Test func anAnswerUnderWayIsNotKeptOverAWrite() async throws {
    let store = CountingStore()
    let shared = Watch().shared(store)
    await store.hold()
    let early = Task { try await shared.caseStatistics().cleaned }
    while await store.asked == 0 { await Task.yield() }
    try await shared.keep([], run: "a", at: Timestamp(seconds: 0))
    let late = Task { try await shared.caseStatistics().cleaned }
    while await store.asked == 1 { await Task.yield() }
    await store.release()
    #expect(try await Set([early.value, late.value]) == [1, 2])
    #expect(await store.asked == 2)
    #expect(try await shared.caseStatistics().cleaned == late.value)
  }

  @Test func failuresAreNotKept() async throws {
    let store = CountingStore()
    let shared = Watch().shared(store)
    await store.fail(with: StoreError(.busy, "busy"))
    await #expect(throws: StoreError(.busy, "busy")) { try await shared.caseStatistics() }
    await store.fail(with: nil)
    #expect(try await shared.caseStatistics().cleaned == 2)
  }

  @Test func itIsBoundedByAnswersAndRows() async throws {
    let store = CountingStore()
    let shared = Watch().shared(store)
    for day in 0..<500 { _ = try await shared.overview(day: day, days: 1) }
    #expect(shared.kept.answers == SharedAnswers.answersMost)
    for limit in 1000..<1010 { _ = try await shared.hostDays(HostDayQuery(), after: nil, limit: limit) }
    #expect(shared.kept.rows <= SharedAnswers.rowsMost && shared.kept.rows > SharedAnswers.rowsMost / 2)
    let asked = await store.asked
    _ = try await shared.hostDays(HostDayQuery(), after: nil, limit: 1009)
    #expect(await store.asked == asked, "the newest is kept")
    _ = try await shared.hostDays(HostDayQuery(), after: Cursor("5"), limit: 1009)
    #expect(await store.asked == asked + 1, "later pages go through")
  }
}

/// Answers with how often it was asked, when it is let.
private actor CountingStore: Store {
  private(set) var asked = 0
  private var isHeld = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var trouble: StoreError?
  private let memory = MemoryStore()

  func hold() { isHeld = true }
  func release() {
    isHeld = false
    for one in waiting { one.resume() }
    waiting = []
  }
  func fail(with error: StoreError?) { trouble = error }

  private func ask() async throws(StoreError) -> Int {
    asked += 1
    let number = asked
    if isHeld { await withCheckedContinuation { waiting.append($0) } }
    if let trouble { throw trouble }
    return number
  }

  func overview(day: Int, days: Int) async throws(StoreError) -> Overview {
    Overview(days: [], flagged: [], openCases: try await ask())
  }
  func caseStatistics() async throws(StoreError) -> CaseStatistics {
    var statistics = try await memory.caseStatistics()
    statistics.cleaned = try await ask()
    return statistics
  }
  func botnets(_ range: ClosedRange<Int>, limit: Int) async throws(StoreError) -> [BotnetActivity] {
    let zero = Timestamp(seconds: 0)
    return (0..<(try await ask())).map {
      BotnetActivity(name: "\($0)", hosts: 1, findings: 1, first: zero, last: zero, byDay: [:])
    }
  }
  func hostDays(_ query: HostDayQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<HostDayRow> {
    _ = try await ask()
    let row = HostDayRow(
      host: .unspecified, day: 1, verdict: .noSign, score: 0, botnets: [], reason: "", roles: [], findings: 0,
      first: Timestamp(seconds: 0), last: Timestamp(seconds: 0), flows: 0, firstFlaggedDay: nil)
    return Page(rows: [HostDayRow](repeating: row, count: limit), next: nil)
  }
  func findings(_ query: FindingQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<StoredFinding> {
    _ = try await ask()
    return Page(rows: [], next: nil)
  }
  func cases(_ query: CaseQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<Case> {
    _ = try await ask()
    return Page(rows: [], next: nil)
  }
  func allowRules() async throws(StoreError) -> [StoredAllowRule] { try await memory.allowRules() }
  func condition() async -> StoreCondition { await memory.condition() }

  // MARK: Passed on

  func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) async throws(StoreError) {
    try await memory.keep(hostDays, run: run, at: time)
  }
  func hostDay(_ host: IPAddress, day: Int) async throws(StoreError) -> HostDay? {
    try await memory.hostDay(host, day: day)
  }
  func history(of host: IPAddress) async throws(StoreError) -> [HostDayRow] { try await memory.history(of: host) }
  func finding(id: String) async throws(StoreError) -> StoredFinding? { try await memory.finding(id: id) }
  func search(_ text: String, limit: Int) async throws(StoreError) -> [SearchHit] {
    try await memory.search(text, limit: limit)
  }
  func `case`(_ number: Int64) async throws(StoreError) -> CaseRecord? { try await memory.case(number) }
  func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    try await memory.change(number, to: state, reason: reason, by: actor, at: time)
  }
  func undo(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> CaseRecord {
    try await memory.undo(number, by: actor, at: time)
  }
  func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    try await memory.openCase(host, day: day, reason: reason, by: actor, at: time)
  }
  func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> StoredAllowRule
  {
    try await memory.addAllowRule(rule, reason: reason, by: actor, at: time)
  }
  func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    try await memory.endAllowRule(number, by: actor, at: time)
  }
  func record(_ entry: AuditEntry) async throws(StoreError) { try await memory.record(entry) }
  func audit(after: Cursor?, limit: Int) async throws(StoreError) -> Page<AuditEntry> {
    try await memory.audit(after: after, limit: limit)
  }
}
