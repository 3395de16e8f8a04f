import Dispatch
import Foundation
import Mothlight
import Synchronization

/// Carries records from the receive thread to a thread that writes: a slow disk then costs memory up to a bound, and never
/// a datagram.
public final class SpoolQueue: SpoolSink {
  /// Records waiting: some 20 MiB. Beyond it samples and rows are lost, and counted.
  public static let limit = 65_536
  /// Records handed over at once.
  private static let batch = 1024

  private let shared: Shared
  private let ended = DispatchSemaphore(value: 0)
  private var fresh: [SpoolRecord] = []
  private(set) var appended: UInt64 = 0
  /// Records that found the queue full.
  private(set) var lost: UInt64 = 0

  private final class Shared: Sendable {
    struct State {
      var waiting: [SpoolRecord] = []
      var flushAt: Timestamp?
      var isEnding = false
    }
    let state = Mutex(State())
    let isWanted = DispatchSemaphore(value: 0)
  }

  /// - Parameter make: makes the sink, on the writing thread, so that it is used by one thread only.
  public init(_ make: @escaping @Sendable () -> any SpoolSink) {
    let shared = Shared()
    let ended = ended
    self.shared = shared
    fresh.reserveCapacity(Self.batch)
    let thread = Thread { Self.write(shared, make(), ended) }
    thread.name = "spool"
    thread.start()
  }

  private static func write(_ shared: Shared, _ sink: any SpoolSink, _ ended: DispatchSemaphore) {
    var isEnding = false
    while !isEnding {
      _ = shared.isWanted.wait(timeout: .now() + .milliseconds(500))
      var taken: [SpoolRecord] = []
      var flushAt: Timestamp?
      shared.state.withLock { state in
        swap(&state.waiting, &taken)
        swap(&state.flushAt, &flushAt)
        isEnding = state.isEnding
      }
      for record in taken { sink.append(record) }
      if let flushAt {
        if isEnding { sink.finish(now: flushAt) } else { sink.flush(now: flushAt) }
      }
    }
    ended.signal()
  }

  // MARK: Receive thread

  public func append(_ record: SpoolRecord) {
    fresh.append(record)
    if fresh.count >= Self.batch { handOver(nil) }
  }

  /// Hands over what there is and lets the sink write it out.
  public func flush(now: Timestamp) { handOver(now) }

  /// Whether a long job may add rows.
  var hasRoom: Bool { shared.state.withLock { $0.waiting.count } < Self.limit / 2 }

  private func handOver(_ flushAt: Timestamp?) {
    let count = fresh.count
    let isTaken = shared.state.withLock { state in
      if let flushAt { state.flushAt = flushAt }
      guard state.waiting.count + count <= Self.limit else { return false }
      state.waiting.append(contentsOf: fresh)
      return true
    }
    if isTaken { appended &+= UInt64(count) } else { lost &+= UInt64(count) }
    fresh.removeAll(keepingCapacity: true)
    shared.isWanted.signal()
  }

  /// Hands over the rest and waits for the writer, at most so long.
  /// - Returns: whether everything is written.
  func end(now: Timestamp, waitSeconds: Int) -> Bool {
    handOver(now)
    shared.state.withLock {
      $0.isEnding = true
      // The writer may have taken the last flush already.
      $0.flushAt = now
    }
    shared.isWanted.signal()
    return ended.wait(timeout: .now() + .seconds(waitSeconds)) == .success
  }
}
