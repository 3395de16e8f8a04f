import Mothlight

/// Runs sources side by side: each in a task of its own, started again after a failure, never in another's way.
///
/// A failure puts its source into `waiting` with `retryAt` and `trouble`; `running` is said by the source itself. States go to
/// the board as they change.
public actor Supervisor {
  private struct Ward {
    var source: any LiveSource
    var task: Task<Void, Never>
    /// Tells it from an earlier one of its name that was left behind.
    var number: Int
  }

  /// How long `stop` waits for a source before it goes on without it, seconds.
  public static let patienceSeconds = 5.0

  private let sink: @Sendable (SourceMeter) -> any ObservationSink
  private let board: StatusBoard
  private let backoff: Backoff.Settings
  private var wards: [String: Ward] = [:]
  private var started = 0
  /// Who waits until nothing runs.
  private var waiters: [CheckedContinuation<Void, Never>] = []

  /// - Parameter sink: where a source puts its observations, by its meter.
  public init(
    board: StatusBoard, backoff: Backoff.Settings = Backoff.Settings(),
    sink: @escaping @Sendable (SourceMeter) -> any ObservationSink
  ) {
    self.sink = sink
    self.board = board
    self.backoff = backoff
  }

  /// Names of the sources that have not ended.
  public var names: [String] { wards.keys.sorted() }

  /// Starts a source.
  /// - Returns: whether its name was free.
  @discardableResult
  public func start(_ source: any LiveSource) -> Bool {
    guard wards[source.name] == nil else { return false }
    let name = source.name
    let board = board
    source.meter.listen { board.publish(.source(name, $0)) }
    board.add(source.meter)
    started += 1
    let (sink, backoff, number) = (sink(source.meter), backoff, started)
    let task = Task {
      await Self.supervise(source, sink, Backoff(name: name, settings: backoff))
      ended(name, number)
    }
    wards[name] = Ward(source: source, task: task, number: number)
    return true
  }

  /// Starts sources and waits until all have ended, or this task is cancelled and they are stopped.
  /// - Returns: names of sources that did not stop in time.
  @discardableResult
  public func run(
    _ sources: [any LiveSource], patienceSeconds: Double = Supervisor.patienceSeconds
  ) async -> [String] {
    for source in sources { start(source) }
    await withTaskCancellationHandler {
      await allEnded()
    } onCancel: {
      Task { await cancelAll() }
    }
    return wards.isEmpty ? [] : await stopAll(patienceSeconds: patienceSeconds)
  }

  private func cancelAll() {
    for ward in wards.values { ward.task.cancel() }
    let waiting = waiters
    waiters = []
    for waiter in waiting { waiter.resume() }
  }

  private func allEnded() async {
    guard !wards.isEmpty, !Task.isCancelled else { return }
    await withCheckedContinuation { waiters.append($0) }
  }

  private func ended(_ name: String, _ number: Int) {
    guard wards[name]?.number == number else { return }
    wards[name] = nil
    guard wards.isEmpty else { return }
    let waiting = waiters
    waiters = []
    for waiter in waiting { waiter.resume() }
  }

  /// Stops one source.
  /// - Returns: whether it had stopped within `patienceSeconds`.
  @discardableResult
  public func stop(_ name: String, patienceSeconds: Double = Supervisor.patienceSeconds) async -> Bool {
    await stop([name], patienceSeconds).isEmpty
  }

  /// Stops all sources at once.
  /// - Returns: names of those that had not stopped within `patienceSeconds`; they are given up.
  @discardableResult
  public func stopAll(patienceSeconds: Double = Supervisor.patienceSeconds) async -> [String] {
    await stop(names, patienceSeconds)
  }

  private func stop(_ names: [String], _ patienceSeconds: Double) async -> [String] {
    for name in names { wards[name]?.task.cancel() }
    // Polled, since waiting for a task cannot be given up.
    let end = ContinuousClock.now + .seconds(patienceSeconds)
    while names.contains(where: { wards[$0] != nil }), ContinuousClock.now < end {
      // Called when everything is being cancelled, so the wait must not be.
      await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value
    }
    let stuck = names.filter { wards[$0] != nil }
    for name in stuck {
      let meter = wards[name]?.source.meter
      meter?.update { $0.trouble = "did not stop within \(Int(patienceSeconds)) s; it was left behind" }
      wards[name] = nil
    }
    return stuck
  }

  private static func supervise(_ source: any LiveSource, _ sink: any ObservationSink, _ backoff: Backoff) async {
    var backoff = backoff
    let meter = source.meter
    while !Task.isCancelled {
      meter.enter(.starting, at: Clock.now())
      let began = ContinuousClock.now
      do throws(SourceError) {
        try await source.run(into: sink)
        break
      } catch {
        if Task.isCancelled { break }
        let ran = (ContinuousClock.now - began) / .seconds(1)
        let seconds = backoff.wait(afterRunning: ran)
        let now = Clock.now()
        meter.update { health in
          health.trouble = error.message
          health.retryAt = now.advanced(bySeconds: seconds)
          health.restarts &+= 1
        }
        meter.enter(.waiting, at: now)
        try? await Task.sleep(for: .seconds(seconds))
      }
    }
    meter.enter(.stopped, at: Clock.now())
  }
}
