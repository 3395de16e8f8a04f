import Dispatch
import Mothlight
import Synchronization

/// Encodes host-days on a thread of its own, a few parts ahead of the transaction that writes them.
///
/// The writer's thread belongs to GRDB's queue, not to Swift's pool of threads, so it may wait.
final class EncodingLine: Sendable {
  private let days: [HostDay]
  private let names: NameHash
  private let parts = Mutex<[[EncodedDay]]>([])
  private let isWanted = Atomic(true)
  private let ready = DispatchSemaphore(value: 0)
  /// Begins at zero, as a semaphore may not end lower than it began.
  private let room = DispatchSemaphore(value: 0)

  /// Host-days of one part: some 4 ms of work.
  private static let partSize = 128
  /// Parts that may wait to be written: 6 MB at 10 findings a host-day.
  private static let partsAhead = 8

  init(_ days: [HostDay], _ names: NameHash) {
    self.days = days
    self.names = names
  }

  /// Calls `body` with each host-day, in order; ends early when it throws.
  func each(_ body: (EncodedDay) throws -> Void) throws {
    guard days.count > Self.partSize else {
      for day in days { try body(EncodedDay(day, names)) }
      return
    }
    for _ in 0..<Self.partsAhead { room.signal() }
    DispatchQueue.global(qos: .userInitiated).async { self.encode() }
    defer {
      isWanted.store(false, ordering: .relaxed)
      room.signal()
    }
    for _ in stride(from: 0, to: days.count, by: Self.partSize) {
      ready.wait()
      let part = parts.withLock { $0.isEmpty ? [] : $0.removeFirst() }
      room.signal()
      for day in part { try body(day) }
    }
  }

  private func encode() {
    for start in stride(from: 0, to: days.count, by: Self.partSize) {
      room.wait()
      guard isWanted.load(ordering: .relaxed) else { return }
      let part = days[start..<min(days.count, start + Self.partSize)].map { EncodedDay($0, names) }
      parts.withLock { $0.append(part) }
      ready.signal()
    }
  }
}
