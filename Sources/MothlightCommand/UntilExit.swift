import Synchronization

/// Values that are left to the end of the process: to take a report of a hundred thousand findings apart takes a tenth of a second,
/// and nobody is helped by it.
enum UntilExit {
  private static let kept = Mutex<[any Sendable]>([])

  static func keep(_ value: some Sendable) { kept.withLock { $0.append(value) } }
}
