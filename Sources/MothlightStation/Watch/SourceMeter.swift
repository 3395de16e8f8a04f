import Mothlight
import Synchronization

/// Counts what a source does; written by its thread, read by pages and metrics.
public final class SourceMeter: Sendable {
  private let state: Mutex<SourceHealth>
  private let listener = Mutex<(@Sendable (SourceHealth.State) -> Void)?>(nil)

  public init(name: String, kind: String, place: String, at time: Timestamp) {
    state = Mutex(SourceHealth(name: name, kind: kind, place: place, since: time))
  }

  public var health: SourceHealth { state.withLock { $0 } }

  /// One lock for many counters: call it once a batch, never once a packet.
  public func update(_ change: (inout SourceHealth) -> Void) { state.withLock { change(&$0) } }

  public func enter(_ next: SourceHealth.State, at time: Timestamp) {
    let isNew = state.withLock { health in
      guard health.state != next else { return false }
      health.state = next
      health.since = time
      if next != .waiting { health.retryAt = nil }
      return true
    }
    if isNew { listener.withLock { $0 }?(next) }
  }

  /// Calls `body` whenever `enter` changes the state, from the thread that did; the latest listener is the only one.
  public func listen(_ body: @escaping @Sendable (SourceHealth.State) -> Void) { listener.withLock { $0 = body } }

  /// - Parameter reason: one of a handful of constant words.
  public func drop(_ reason: String, _ count: Int) {
    guard count > 0 else { return }
    state.withLock { $0.dropped[reason, default: 0] &+= UInt64(count) }
  }
}
