import Foundation
import Mothlight
import Synchronization

@testable import MothlightStation

/// A sink that keeps what it was given.
final class CollectingSink: ObservationSink {
  private struct State {
    var observations: [Observation] = []
    var calls = 0
    var hasRoom = true
    /// After so many calls of `send` it never answers again, as if the process had been killed in it.
    var callsLeft = Int.max
    var isStuck = false
  }
  private let state: Mutex<State>

  init(callsMost: Int = .max) { state = Mutex(State(callsLeft: callsMost)) }

  func send(_ batch: [Observation]) async {
    let isDead = state.withLock { state in
      guard state.callsLeft > 0 else {
        state.isStuck = true
        return true
      }
      state.callsLeft -= 1
      state.calls += 1
      state.observations += batch
      return false
    }
    while isDead, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
  }

  func offer(_ batch: [Observation]) -> Bool {
    state.withLock { state in
      guard state.hasRoom else { return false }
      state.calls += 1
      state.observations += batch
      return true
    }
  }

  func closeDoor() { state.withLock { $0.hasRoom = false } }
  var isStuck: Bool { state.withLock { $0.isStuck } }
  var observations: [Observation] { state.withLock { $0.observations } }
  var flows: [Flow] { observations.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } } }
}

/// Waits until something holds, at most so long.
func eventually(seconds: Double = 240, _ condition: () -> Bool) async -> Bool {
  let end = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < end {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return condition()
}

/// A source under a test's control.
final class ScriptedSource: LiveSource {
  enum Step: Sendable {
    case fail(String)
    case end
    case runUntilCancelled
    /// Hears no cancellation until `release` is called.
    case hang
  }
  let name: String
  let meter: SourceMeter
  private let steps: Mutex<[Step]>
  private let released = Mutex(false)
  private let runs = Mutex(0)
  var runCount: Int { runs.withLock { $0 } }

  init(_ name: String, _ steps: [Step]) {
    self.name = name
    self.steps = Mutex(steps)
    meter = SourceMeter(name: name, kind: "folder", place: "test", at: Timestamp(seconds: 0))
  }

  func release() { released.withLock { $0 = true } }

  func run(into sink: any ObservationSink) async throws(SourceError) {
    runs.withLock { $0 += 1 }
    let step = steps.withLock { $0.isEmpty ? .end : $0.removeFirst() }
    meter.enter(.running, at: Timestamp(seconds: 0))
    switch step {
    case .fail(let why): throw SourceError(.unavailable, why)
    case .end: return
    case .runUntilCancelled:
      while !Task.isCancelled { try? await Task.sleep(for: .seconds(5)) }
    case .hang:
      while !released.withLock({ $0 }) { await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value }
    }
  }
}
