import Mothlight
import Synchronization

/// When positions become what a restart goes by.
public enum PositionKeeping: String, Sendable, Hashable, CaseIterable {
  /// After each batch that the pipeline took: a restart sends nothing again, but for the one batch that was under way.
  case atOnce = "at_once"
  /// When `commit` is called: a restart sends again whatever came after it. For a pipeline that makes its state durable now and
  /// then and loses what it had since.
  case whenTold = "when_told"
}

/// The positions of one source, for its reading task and for whoever commits.
final class PositionKeeper: Sendable {
  private struct State: ~Copyable {
    var journal: PositionJournal?
    /// Put and not committed.
    var waiting: [String: PositionJournal.Mark] = [:]
  }

  private let path: String?
  private let keeping: PositionKeeping
  private let state = Mutex(State())

  /// - Parameter path: of the journal; `nil`: positions are forgotten with the program.
  init(path: String?, keeping: PositionKeeping) {
    self.path = path
    self.keeping = path == nil ? .whenTold : keeping
  }

  /// Opens the journal, once: a source that is started again goes on with what it knows.
  func open() throws(SourceError) {
    guard let path else { return }
    try state.withLock { state throws(SourceError) in
      if state.journal == nil { state.journal = try PositionJournal(path: path) }
    }
  }

  /// When an earlier run put its last mark, seconds since 1970; `nil` at the first start.
  var lastSeen: Int64? { state.withLock { $0.journal?.isKnown == true ? $0.journal?.lastSeen : nil } }
  var trouble: String? { state.withLock { $0.journal?.trouble } }
  var forgotten: UInt64 { state.withLock { $0.journal?.forgotten ?? 0 } }
  var damagedLines: Int { state.withLock { $0.journal?.damagedLines ?? 0 } }
  /// Of everything that has a position, committed or not.
  var keys: [String] {
    state.withLock { state in Array(state.waiting.keys) + (state.journal?.marks.keys.map { $0 } ?? []) }
  }

  func mark(_ key: String) -> PositionJournal.Mark? {
    state.withLock { $0.waiting[key] ?? $0.journal?.marks[key] }
  }

  func put(_ key: String, octets: UInt64, lines: UInt64, held: UInt64 = 0) {
    let now = Clock.now()
    state.withLock { state in
      guard keeping == .whenTold else {
        state.journal?.put(key, octets: octets, lines: lines, held: held, at: now)
        return
      }
      state.waiting[key] = PositionJournal.Mark(
        octets: octets, lines: lines, held: held, seen: now.nanoseconds / 1_000_000_000)
    }
  }

  /// The same content is known by a longer beginning now.
  func rename(_ old: String, to new: String) {
    let now = Clock.now()
    state.withLock { state in
      if let mark = state.waiting.removeValue(forKey: old) { state.waiting[new] = mark }
      if let mark = state.journal?.marks[old] {
        state.journal?.put(new, octets: mark.octets, lines: mark.lines, held: mark.held, at: now)
        state.journal?.remove(old, at: now)
      }
    }
  }

  /// Makes durable what may be. Call it about once a second.
  func synchronise() { state.withLock { $0.journal?.synchronise() } }

  /// What was sent so far is what a restart goes by.
  func commit() {
    let now = Clock.now()
    guard path != nil else { return }
    state.withLock { state in
      let waiting = state.waiting
      state.waiting = [:]
      for (key, mark) in waiting {
        state.journal?.put(key, octets: mark.octets, lines: mark.lines, held: mark.held, at: now)
      }
      state.journal?.synchronise()
    }
  }
}
