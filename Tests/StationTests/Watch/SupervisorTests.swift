import Mothlight
import Testing

@testable import MothlightStation

@Suite struct SupervisorTests {
  private static var quick: Backoff.Settings {
    var settings = Backoff.Settings()
    settings.firstSeconds = 0.02
    settings.mostSeconds = 0.05
    return settings
  }

  private func make(_ backoff: Backoff.Settings = quick) -> (Supervisor, StatusBoard) {
    let board = StatusBoard(at: Timestamp(seconds: 0))
    return (Supervisor(board: board, backoff: backoff) { _ in CollectingSink() }, board)
  }

  /// A failing source is started again; the one beside it does not notice.
  @Test func failuresStayWithTheirSource() async {
    let (supervisor, board) = make()
    let bad = ScriptedSource("bad", [.fail("one"), .fail("two"), .fail("three"), .runUntilCancelled])
    let good = ScriptedSource("good", [.runUntilCancelled])
    await supervisor.start(bad)
    await supervisor.start(good)
    #expect(await eventually { bad.runCount == 4 && bad.meter.health.state == .running })
    #expect(bad.meter.health.restarts == 3)
    #expect(bad.meter.health.trouble == "three")
    #expect(good.runCount == 1)
    #expect(good.meter.health.state == .running)
    #expect(Set(board.sources.map(\.name)) == ["bad", "good"])
    #expect(await supervisor.stopAll(patienceSeconds: 30) == [])
    #expect(bad.meter.health.state == .stopped && good.meter.health.state == .stopped)
  }

  /// While it waits, it says until when and why.
  @Test func theWaitIsStated() async throws {
    var slow = Backoff.Settings()
    slow.firstSeconds = 30
    let (supervisor, _) = make(slow)
    let source = ScriptedSource("bad", [.fail("eth9: there is no such interface")])
    await supervisor.start(source)
    #expect(await eventually { source.meter.health.state == .waiting })
    let health = source.meter.health
    let retry = try #require(health.retryAt)
    #expect((20...31).contains(retry.seconds(since: health.since)))
    #expect(health.trouble == "eth9: there is no such interface")
    // A stop does not wait for it.
    let began = ContinuousClock.now
    #expect(await supervisor.stop("bad", patienceSeconds: 30))
    #expect(ContinuousClock.now - began < .seconds(15))
    #expect(source.meter.health.state == .stopped)
    #expect(source.meter.health.retryAt == nil)
  }

  /// The board hears of each state.
  @Test func statesArePublished() async {
    let (supervisor, board) = make()
    let events = board.events()
    let source = ScriptedSource("s", [.fail("x"), .end])
    await supervisor.start(source)
    var states: [SourceHealth.State] = []
    for await event in events {
      if case .source("s", let state) = event { states.append(state) }
      if states.last == .stopped { break }
    }
    #expect(states == [.running, .waiting, .starting, .running, .stopped])
  }

  @Test func namesAreUnique() async {
    let (supervisor, board) = make()
    let first = ScriptedSource("s", [.runUntilCancelled])
    #expect(await supervisor.start(first))
    #expect(await !supervisor.start(ScriptedSource("s", [.runUntilCancelled])))
    #expect(await supervisor.stop("s", patienceSeconds: 30))
    // After it has stopped the name is free, and takes its place on the board.
    let second = ScriptedSource("s", [.runUntilCancelled])
    #expect(await supervisor.start(second))
    #expect(board.sources.count == 1)
    board.remove(source: "s")
    #expect(board.sources.isEmpty)
    await supervisor.stopAll()
  }

  /// A source that does not stop is left behind and named; a later one of its name is not ended by it.
  @Test func aStuckSourceHoldsUpNothing() async {
    let (supervisor, _) = make()
    let stuck = ScriptedSource("stuck", [.hang])
    await supervisor.start(stuck)
    await supervisor.start(ScriptedSource("good", [.runUntilCancelled]))
    #expect(await eventually { stuck.meter.health.state == .running })
    #expect(await supervisor.stopAll(patienceSeconds: 0.2) == ["stuck"])
    let next = ScriptedSource("stuck", [.runUntilCancelled])
    #expect(await supervisor.start(next))
    stuck.release()
    #expect(await eventually { stuck.meter.health.state == .stopped })
    #expect(await supervisor.names == ["stuck"])
    #expect(await supervisor.stopAll(patienceSeconds: 30) == [])
  }

  /// Cancelling the task that runs them stops all sources.
  @Test func cancellingStopsAll() async {
    let (supervisor, _) = make()
    let sources = (0..<5).map { ScriptedSource("s\($0)", [.runUntilCancelled]) }
    let task = Task { await supervisor.run(sources, patienceSeconds: 30) }
    #expect(await eventually { sources.allSatisfy { $0.meter.health.state == .running } })
    task.cancel()
    #expect(await task.value == [])
    #expect(sources.allSatisfy { $0.meter.health.state == .stopped })
  }

  /// When all have ended by themselves there is nothing to wait for.
  @Test func endsWithItsSources() async {
    let (supervisor, _) = make()
    #expect(await supervisor.run([ScriptedSource("a", [.end]), ScriptedSource("b", [.fail("x"), .end])]) == [])
  }
}
