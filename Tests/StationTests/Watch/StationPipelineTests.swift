import Mothlight
import Synchronization
import Testing

@testable import MothlightStation

@Suite struct StationPipelineTests {
  /// A clock that tests set.
  private final class HandClock: Sendable {
    private let time: Mutex<Timestamp>
    init(_ time: Timestamp) { self.time = Mutex(time) }
    var now: Timestamp { time.withLock { $0 } }
    func set(_ next: Timestamp) { time.withLock { $0 = next } }
  }

  private static let midnight = Timestamp(seconds: 1_772_409_600)  // 2026-03-02T00:00:00Z
  private static let home = Prefix(IPAddress(v4: 0xc0a8_0a00), length: 24)
  private static let scanner = IPAddress(v4: 0xc0a8_0a05)

  /// A machine that tries Telnet at many addresses, and five that browse.
  private static func traffic(from start: Timestamp, seconds: Int = 3000) -> [Observation] {
    var out: [Observation] = []
    func flow(_ second: Double, _ from: IPAddress, _ to: IPAddress, _ port: UInt16, answered: Bool) {
      let time = start.advanced(bySeconds: second)
      out.append(
        Observation(
          time: time,
          event: .flow(
            Flow(
              source: from, destination: to, sourcePort: UInt16(30_000 + out.count % 20_000), destinationPort: port,
              transport: .tcp, first: time, last: time.advanced(bySeconds: 1),
              state: answered ? .closed : .unanswered, sourceOctets: answered ? 900 : 60,
              destinationOctets: answered ? 4000 : 0, sourcePackets: answered ? 6 : 1,
              destinationPackets: answered ? 6 : 0))))
    }
    for second in stride(from: 0, to: seconds, by: 10) {
      flow(Double(second), scanner, IPAddress(v4: 0x2d00_0000 &+ UInt32(second) &* 7919), 23, answered: false)
      let user = IPAddress(v4: 0xc0a8_0a10 &+ UInt32(second / 10 % 5))
      flow(Double(second) + 0.5, user, IPAddress(v4: 0x5db8_d800 &+ UInt32(second % 70)), 443, answered: true)
    }
    return out
  }

  private struct Stand {
    let store = MemoryStore()
    let board: StatusBoard
    let clock: HandClock
    let pipeline: StationPipeline
    let saved = Box<[RollingState?]>([])
    let homes = Box<[Home]>([])

    init(home: [Prefix] = [StationPipelineTests.home], at time: Timestamp = StationPipelineTests.midnight) throws {
      let clock = HandClock(time)
      self.clock = clock
      board = StatusBoard(at: time)
      var options = ReadOptions()
      options.home = home
      options.state = RollingState()
      let (saved, homes) = (saved, homes)
      pipeline = StationPipeline(
        try Observatory(options, version: "test"), StationPipeline.Settings(),
        StationPipeline.Surroundings(
          store: store, board: board, clock: { clock.now }, saveState: { state in saved.change { $0.append(state) } },
          saveHome: { home in homes.change { $0.append(home) } }))
    }

    /// Hands over and lets the pipeline take it, as a source would.
    func give(_ batch: [Observation], sampled: Bool = false) async {
      let meter = SourceMeter(name: "test", kind: "folder", place: "here", at: clock.now)
      meter.update { $0.isSampled = sampled }
      let sink = pipeline.sink(for: meter)
      let before = await pipeline.observations
      for start in stride(from: 0, to: batch.count, by: 100) {
        await sink.send(Array(batch[start..<min(batch.count, start + 100)]))
      }
      while await pipeline.observations < before + UInt64(batch.count) { await pipeline.drain() }
    }
  }

  private final class Box<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    var current: Value { value.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { value.withLock { body(&$0) } }
  }

  @Test func whatIsJudgedReachesTheStoreAndTheBoard() async throws {
    let stand = try Stand()
    var events = stand.board.events().makeAsyncIterator()
    await stand.give(Self.traffic(from: Self.midnight))
    stand.clock.set(Self.midnight.advanced(bySeconds: 3000))
    await stand.pipeline.judge()
    let row = try #require(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day))
    #expect(row.verdict >= .suspicious)
    #expect(await events.next() == .judged(day: Self.midnight.day, changed: 6))
    let health = stand.board.pipeline
    #expect(health.observations == 600)
    #expect(health.hosts == 6)
    #expect(health.judged != nil && !health.isLearning && health.homeWasGiven)
  }

  @Test func onlyWhatChangedIsWrittenAgain() async throws {
    let stand = try Stand()
    await stand.give(Self.traffic(from: Self.midnight))
    await stand.pipeline.judge()
    let events = Box<[StatusBoard.Event]>([])
    let listening = Task { for await event in stand.board.events() { events.change { $0.append(event) } } }
    await Task.yield()
    stand.clock.set(Self.midnight.advanced(bySeconds: 30))
    await stand.give(Array(Self.traffic(from: Self.midnight.advanced(bySeconds: 3000), seconds: 20).dropFirst(1)))
    await stand.pipeline.judge()
    listening.cancel()
    let changed = events.current.compactMap { if case .judged(_, let count) = $0 { count } else { nil } }
    #expect(changed.allSatisfy { $0 < 6 })
  }

  @Test func aStoreThatCannotWriteLosesNothing() async throws {
    let stand = try Stand()
    await stand.give(Self.traffic(from: Self.midnight))
    await stand.store.fail(with: StoreError(.full, "the disk is full"))
    await stand.pipeline.judge()
    #expect(stand.board.pipeline.warnings.contains { $0.contains("the disk is full") })
    await stand.store.fail(with: nil)
    #expect(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day) == nil)
    // Nothing new came, and yet it is offered again.
    await stand.pipeline.judge()
    #expect(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day) != nil)
    #expect(!stand.board.pipeline.warnings.contains { $0.contains("the disk is full") })
  }

  @Test func aDayIsClosedTenMinutesAfterMidnightAndRemembered() async throws {
    let stand = try Stand()
    await stand.give(Self.traffic(from: Self.midnight))
    stand.clock.set(Self.midnight.advanced(bySeconds: 3000))
    await stand.pipeline.judge()
    #expect(stand.saved.current.isEmpty || stand.saved.current.count == 1)
    let tomorrow = Self.midnight.advanced(bySeconds: 86_400)
    stand.clock.set(tomorrow.advanced(bySeconds: 700))
    await stand.give(Self.traffic(from: tomorrow.advanced(bySeconds: 5), seconds: 690))
    await stand.pipeline.judge()
    #expect(!stand.saved.current.isEmpty)
    #expect(stand.board.pipeline.hosts == 0, "the new run has seen nothing yet")
    await stand.give(Self.traffic(from: tomorrow.advanced(bySeconds: 700), seconds: 3000))
    stand.clock.set(tomorrow.advanced(bySeconds: 4000))
    await stand.pipeline.judge()
    #expect(stand.board.pipeline.hosts == 6)
    let days = try await stand.store.history(of: Self.scanner).map(\.day)
    #expect(days.sorted() == [Self.midnight.day, Self.midnight.day + 1])
  }

  @Test func theHomeNetworkIsLearnedAfterAMinuteAndKept() async throws {
    let stand = try Stand(home: [])
    await stand.give(Self.traffic(from: Self.midnight))
    await stand.pipeline.judge()
    #expect(stand.board.pipeline.isLearning)
    #expect(stand.homes.current.isEmpty)
    stand.clock.set(Self.midnight.advanced(bySeconds: 61))
    await stand.pipeline.judge()
    #expect(!stand.board.pipeline.isLearning)
    let home = try #require(stand.homes.current.first)
    #expect(home.contains(Self.scanner))
    #expect(Home(kept: home.kept) == home)
    #expect(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day)?.verdict ?? .noSign >= .suspicious)
  }

  @Test func keptHomesAreReadBackOrRefused() throws {
    for text in ["", "# nothing\n", "private\nnot a prefix\n", "\u{0}\n"] { #expect(Home(kept: text) == nil) }
    let home = try #require(Home(kept: "# x\nprivate\n192.0.2.0/24\n"))
    #expect(home.contains(IPAddress(v4: 0xc000_0205)) && home.contains(IPAddress(v4: 0x0a01_0203)))
    #expect(!home.contains(IPAddress(v4: 0x0808_0808)))
  }

  @Test func sampledSourcesAreJudgedApart() async throws {
    let stand = try Stand()
    await stand.give(Self.traffic(from: Self.midnight))
    await stand.give(Self.traffic(from: Self.midnight), sampled: true)
    await stand.pipeline.judge()
    let day = try #require(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day))
    #expect(day.verdict >= .suspicious)
  }

  @Test func allowRulesOfTheStoreHoldAtTheNextJudgement() async throws {
    let stand = try Stand()
    await stand.give(Self.traffic(from: Self.midnight))
    await stand.pipeline.judge()
    _ = try await stand.store.addAllowRule(
      .source(Prefix(Self.scanner, length: 32)), reason: "our own survey", by: .station, at: stand.clock.now)
    await stand.pipeline.judge()
    let day = try #require(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day))
    #expect(day.verdict < .suspicious)
  }

  @Test func aLastJudgementIsWrittenWhenItStops() async throws {
    let stand = try Stand()
    let meter = SourceMeter(name: "test", kind: "folder", place: "here", at: stand.clock.now)
    let running = Task { await stand.pipeline.run() }
    await stand.pipeline.sink(for: meter).send(Self.traffic(from: Self.midnight))
    running.cancel()
    await running.value
    #expect(try await stand.store.hostDay(Self.scanner, day: Self.midnight.day) != nil)
    #expect(stand.saved.current.count == 1)
  }
}
