import Dispatch
import Synchronization

/// Parts of one step of a run on several threads; what comes out is in the order of the parts.
enum SideBySide {
  /// Items of a text that a thread takes at a time: enough to be worth a turn, and some megabytes of text at most.
  private static let itemsAtOnce = 64
  /// Turns before what they made is written; bounds what is held in memory.
  private static let turnsAtOnce = 16

  /// - Parameter threads: at most; as many as parts if not given. With one everything is done on the calling thread.
  static func map<Result: Sendable>(_ count: Int, threads: Int? = nil, _ body: @Sendable (Int) -> Result) -> [Result] {
    let threads = min(threads ?? count, count)
    guard threads > 1 else { return (0..<count).map(body) }
    let next = Atomic(0)
    let done = Mutex([Result?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while true {
        let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard part < count else { return }
        let result = body(part)
        done.withLock { $0[part] = result }
      }
    }
    return done.withLock { $0.compactMap { $0 } }
  }

  /// Writes the text of many items.
  ///
  /// - Parameter text: of some items; called on any thread, and the same for equal items.
  static func write<Item: Sendable>(
    _ items: [Item], threads: Int, text: @Sendable (ArraySlice<Item>) -> String, to write: (String) throws -> Void
  ) rethrows {
    // One thread has nothing to wait for.
    let most = threads > 1 ? itemsAtOnce * turnsAtOnce : itemsAtOnce
    for first in stride(from: 0, to: items.count, by: most) {
      let end = min(first + most, items.count)
      let turns = (end - first + itemsAtOnce - 1) / itemsAtOnce
      let pieces = map(turns, threads: threads) { turn in
        let begin = first + turn * itemsAtOnce
        return text(items[begin..<min(begin + itemsAtOnce, end)])
      }
      for piece in pieces { try write(piece) }
    }
  }
}
