import Dispatch
import Mothlight
import Synchronization

/// Checks passwords one after the other on a thread of its own: a flood of log-ins costs neither the pages nor capture more
/// than one processor's share, and never more memory than `atOnce` derivations.
public final class PasswordDesk: Sendable {
  private struct Line {
    var running = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var checked: UInt64 = 0
    var turnedAway: UInt64 = 0
  }
  private let line = Mutex(Line())
  private let atOnce: Int
  private let waitingMost: Int
  private let queue = DispatchQueue(label: "mothlight.passwords", qos: .utility, attributes: .concurrent)

  public init(atOnce: Int, waitingMost: Int) {
    self.atOnce = max(1, atOnce)
    self.waitingMost = max(0, waitingMost)
  }

  /// How many were checked, and how many found the line full.
  public var counts: (checked: UInt64, turnedAway: UInt64) { line.withLock { ($0.checked, $0.turnedAway) } }

  /// - Returns: `nil` when the line is full.
  public func run<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T? {
    guard await enter() else { return nil }
    defer { leave() }
    return await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: work()) }
    }
  }

  private func enter() async -> Bool {
    let mayWait = line.withLock { line -> Bool? in
      if line.running < atOnce {
        line.running += 1
        return nil
      }
      guard line.waiting.count < waitingMost else {
        line.turnedAway &+= 1
        return false
      }
      return true
    }
    guard let mayWait else { return true }
    guard mayWait else { return false }
    await withCheckedContinuation { continuation in
      let isFree = line.withLock { line in
        // It may have become free in the meantime.
        guard line.running >= atOnce else {
          line.running += 1
          return true
        }
        line.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
    return true
  }

  private func leave() {
    let next = line.withLock { line -> CheckedContinuation<Void, Never>? in
      line.checked &+= 1
      if line.waiting.isEmpty {
        line.running -= 1
        return nil
      }
      return line.waiting.removeFirst()
    }
    next?.resume()
  }
}
