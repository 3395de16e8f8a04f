import Synchronization

/// What passes between a worker and the thread that leads it: zones in, counts and counters out.
final class WorkerMailbox: Sendable {
  /// What a worker is to serve.
  struct Orders: Sendable {
    var zones: ServedZones
    var secrets: CookieSecrets
  }

  enum Bound {
    /// Tables that wait to be written. When the writer does not keep up, the worker keeps counting in its own.
    static let tables = 4
  }

  private struct State: Sendable {
    var orders: Orders
    var filled: [QueryCounts] = []
    var counters = DNSCounters()
    var failure: ListenError?
  }

  private let state: Mutex<State>
  /// Grows with every change of orders, so that the worker looks at one word per round.
  private let generation = Atomic<UInt64>(0)
  private let stopping = Atomic<Bool>(false)

  init(_ orders: Orders) { state = Mutex(State(orders: orders)) }

  // MARK: The leader's side

  func publish(_ orders: Orders) {
    state.withLock { $0.orders = orders }
    generation.add(1, ordering: .releasing)
  }

  func stop() { stopping.store(true, ordering: .releasing) }

  func takeFilled() -> [QueryCounts] {
    state.withLock {
      let filled = $0.filled
      $0.filled = []
      return filled
    }
  }

  var counters: DNSCounters { state.withLock { $0.counters } }

  // MARK: The worker's side

  var isStopping: Bool { stopping.load(ordering: .acquiring) }
  var currentGeneration: UInt64 { generation.load(ordering: .acquiring) }
  var orders: Orders { state.withLock { $0.orders } }

  /// Whether the leader has room for another table.
  var hasRoom: Bool { state.withLock { $0.filled.count < Bound.tables } }

  func hand(over counts: QueryCounts) {
    guard !counts.isEmpty else { return }
    state.withLock { $0.filled.append(counts) }
  }

  func report(_ counters: DNSCounters) { state.withLock { $0.counters = counters } }
}
