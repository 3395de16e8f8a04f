import Mothlight
import MothlightStore

/// The daily reading of the whole store while the station runs.
struct StoreRound: Sendable {
  private let store: StationStore
  private let log: StationLog
  private let pace: Pace

  /// Seconds.
  struct Pace: Sendable {
    /// From the start to the first round, so that it is not in the way of the start.
    var first = 60.0
    var between = 86_400.0
    /// After a round that could not be made, e.g. on a full disk.
    var again = 3600.0
  }

  init(_ store: StationStore, _ log: StationLog, pace: Pace = Pace()) {
    self.store = store
    self.log = log
    self.pace = pace
  }

  /// Until cancelled, or until the store is one that is only read.
  func run() async {
    var pause = max(pace.first, await due())
    while store.file.trouble == nil {
      try? await Task.sleep(for: .seconds(pause))
      guard !Task.isCancelled else { return }
      do throws(StoreError) {
        let trouble = try await store.check(at: StationLog.now())
        for line in trouble.prefix(Self.linesMost) { log(.error, "store: \(line)") }
        if !trouble.isEmpty {
          let condition = await store.condition()
          return log(.error, "store: from now on only reading: \(condition.reason ?? "damaged")")
        }
        pause = pace.between
      } catch {
        log(.warning, "store: not checked: \(error.message)")
        pause = pace.again
      }
    }
  }

  private static let linesMost = 20

  /// Seconds until the next round.
  private func due() async -> Double {
    guard let last = try? await store.checked() else { return 0 }
    return max(0, pace.between - StationLog.now().seconds(since: last))
  }
}
