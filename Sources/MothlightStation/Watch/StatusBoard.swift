import Mothlight
import Synchronization

/// What is live about a station, for pages, metrics and the stream of events.
///
/// The pipeline publishes after each judging; readers subscribe. A slow reader loses the oldest events, never blocks anybody.
public final class StatusBoard: Sendable {
  /// Something that a page may want to redraw for.
  public enum Event: Sendable, Hashable {
    /// Hosts were judged and written: the day, and how many host-days changed.
    case judged(day: Int, changed: Int)
    case caseChanged(Int64)
    case source(String, SourceHealth.State)
    case census
  }

  /// Events kept for a reader that does not read.
  private static let eventsWaiting = 32

  private struct State {
    var pipeline: PipelineHealth
    var leftOut = LeftOut()
    var sources: [SourceMeter] = []
    var readers: [Int: AsyncStream<Event>.Continuation] = [:]
    var next = 0
  }
  private let state: Mutex<State>

  public init(at time: Timestamp) { state = Mutex(State(pipeline: PipelineHealth(started: time))) }

  public var pipeline: PipelineHealth { state.withLock { $0.pipeline } }
  public var sources: [SourceHealth] { state.withLock { $0.sources }.map(\.health) }

  /// What the latest judgement kept out of verdicts.
  public var leftOut: LeftOut {
    get { state.withLock { $0.leftOut } }
    set { state.withLock { $0.leftOut = newValue } }
  }

  /// Shows a source, in the place of an earlier one of its name.
  public func add(_ meter: SourceMeter) {
    let name = meter.health.name
    state.withLock { state in
      if let place = state.sources.firstIndex(where: { $0.health.name == name }) {
        state.sources[place] = meter
      } else {
        state.sources.append(meter)
      }
    }
  }

  /// Shows a source no more: it was taken out of the configuration.
  public func remove(source name: String) { state.withLock { $0.sources.removeAll { $0.health.name == name } } }
  public func update(_ change: (inout PipelineHealth) -> Void) { state.withLock { change(&$0.pipeline) } }

  public func publish(_ event: Event) {
    let readers = state.withLock { $0.readers.values.map { $0 } }
    for reader in readers { reader.yield(event) }
  }

  /// Events from now on, until the reader's task ends.
  public func events() -> AsyncStream<Event> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(Self.eventsWaiting))
    let number = state.withLock { state in
      state.next += 1
      state.readers[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.readers.removeValue(forKey: number) }
    }
    return stream
  }
}
