import Synchronization

/// Which machine a pseudonym stands for, as far as the store keeps it: names cannot be led back, so all are tried.
///
/// Names that were given out are known at once. For one from elsewhere, such as a report or a ticket, all kept days are gone through,
/// newest first; and for one that is nobody's not again for a while.
final class PseudonymIndex: Sendable {
  /// Machines: some 40 MB. Beyond, those that are learned last are not found until a restart.
  static let hostsMost = 500_000
  /// Host-days that one search looks at.
  static let rowsMost = 2_000_000
  /// Between two searches.
  static let pauseSeconds = 60.0

  private struct State {
    var hosts: [IPAddress: IPAddress] = [:]
    var refused: UInt64 = 0
    var searched: Timestamp?
    var search: Task<Void, Never>?
  }
  private let state = Mutex(State())
  private let veil: Veil
  private let clock: @Sendable () -> Timestamp

  init(_ veil: Veil, clock: @escaping @Sendable () -> Timestamp) {
    self.veil = veil
    self.clock = clock
  }

  /// Machines that found no room.
  var refused: UInt64 { state.withLock { $0.refused } }

  func learn(_ hosts: some Sequence<IPAddress>) {
    let pairs = hosts.map { (veil.standIn(for: $0), $0) }
    state.withLock { state in
      for (name, host) in pairs where state.hosts[name] == nil {
        guard state.hosts.count < Self.hostsMost else {
          state.refused &+= 1
          continue
        }
        state.hosts[name] = host
      }
    }
  }

  /// `nil` when no kept machine has that name.
  func host(_ name: IPAddress, in store: any Store) async -> IPAddress? {
    if let known = state.withLock({ $0.hosts[name] }) { return known }
    let now = clock()
    let task = state.withLock { state -> Task<Void, Never>? in
      if let running = state.search { return running }
      if let last = state.searched, abs(now.seconds(since: last)) < Self.pauseSeconds { return nil }
      state.searched = now
      let task = Task { await self.search(store) }
      state.search = task
      return task
    }
    await task?.value
    return state.withLock { $0.hosts[name] }
  }

  private func search(_ store: any Store) async {
    defer { state.withLock { $0.search = nil } }
    var query = HostDayQuery()
    query.order = .newest
    var cursor: Cursor?
    var rows = 0
    repeat {
      // What cannot be read now is looked for another time.
      guard let page = try? await store.hostDays(query, after: cursor, limit: 1000) else { return }
      learn(page.rows.lazy.map(\.host))
      rows += page.rows.count
      cursor = page.rows.isEmpty ? nil : page.next
    } while cursor != nil && rows < Self.rowsMost
  }
}
