import Foundation
import GRDB
import Mothlight
import Synchronization

/// The station's store: what `Store` promises, in the same SQLite file as the registry.
///
/// One writer, up to four readers at a time; what a call has returned from is on the disk (`PRAGMA synchronous = FULL`).
public final class StationStore: Store {
  public let file: SQLiteStore
  let rules: CaseRules
  let state: Mutex<WritingState>
  let memory = Mutex(WriterMemory())

  /// - Parameter rules: when a host-day makes a case.
  public init(_ file: SQLiteStore, rules: CaseRules = CaseRules()) {
    self.file = file
    self.rules = rules
    state = Mutex(file.trouble.map { WritingState(state: .readOnly, reason: $0, isForGood: true) } ?? WritingState())
  }

  /// Opens or makes a store; one that is damaged or not ours to write is opened for reading alone (`condition().state`).
  ///
  /// A store of a newer program or of another one is refused, and so is one of which nothing can be read.
  public static func open(
    _ path: String, mode: SQLiteStore.Mode = .create, rules: CaseRules = CaseRules(), at time: Timestamp
  ) throws(StoreError) -> StationStore {
    if let reason = DamageNote(path).reason {
      return try reading(path, rules, because: StoreError(.damaged, reason))
    }
    do throws(StoreError) {
      return StationStore(try SQLiteStore(path: path, mode: mode, at: time), rules: rules)
    } catch {
      guard error.code == .damaged || error.code == .unwritable else { throw error }
      return try reading(path, rules, because: error)
    }
  }

  /// - Throws: `trouble` when its tables are not those that this program reads.
  private static func reading(_ path: String, _ rules: CaseRules, because trouble: StoreError) throws(StoreError)
    -> StationStore
  {
    guard let file = try? SQLiteStore(reading: path, because: trouble.message) else { throw trouble }
    guard (try? file.read({ try Int.fetchOne($0, sql: "PRAGMA user_version") })) == Migrations.version else {
      file.close()
      throw trouble
    }
    if trouble.code == .damaged { DamageNote(path).write(trouble.message) }
    return StationStore(file, rules: rules)
  }

  /// Whether writing works, as the latest attempt showed.
  struct WritingState: Sendable {
    var state = StoreCondition.State.ready
    var reason: String?
    /// Damage stays, even if the next page that is asked for happens to be whole.
    var isForGood = false
  }

  public func close() { file.close() }

  // MARK: Access

  func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
    do { return try await file.pool.read(body) } catch { throw failed(error, isWriting: false) }
  }

  func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
    if let refusal { throw refusal }
    do {
      let result = try await file.pool.write(body)
      state.withLock { if !$0.isForGood { $0 = WritingState() } }
      return result
    } catch {
      memory.withLock { $0 = WriterMemory() }
      throw failed(error, isWriting: true)
    }
  }

  /// Why nothing may be written to a damaged file: it could get worse.
  private var refusal: StoreError? {
    state.withLock { state in
      guard state.isForGood else { return nil }
      return StoreError(.damaged, state.reason ?? "\(file.path): only reading")
    }
  }

  private func failed(_ error: any Error, isWriting: Bool) -> StoreError {
    if error is CancellationError {
      return StoreError(.busy, "\(file.path): the task was cancelled; nothing was written")
    }
    if error is BodyDefect {
      return StoreError(.damaged, "\(file.path): a record cannot be read; `mothlight store check` tells more")
    }
    let told = StoreError(error, path: file.path)
    if told.code == .damaged { keepNote(told) }
    state.withLock { state in
      guard !state.isForGood else { return }
      switch told.code {
      case .damaged: state = WritingState(state: .readOnly, reason: told.message, isForGood: true)
      case .full where isWriting: state = WritingState(state: .full, reason: told.message)
      case .unwritable where isWriting: state = WritingState(state: .readOnly, reason: told.message)
      default: break
      }
    }
    return told
  }

  /// Notes damage that a check has found.
  func note(damage: StoreError) {
    keepNote(damage)
    state.withLock { $0 = WritingState(state: .readOnly, reason: damage.message, isForGood: true) }
  }

  /// For who else writes to the file, and for the next start.
  private func keepNote(_ damage: StoreError) {
    file.damage.withLock { $0 = $0 ?? damage.message }
    DamageNote(file.path).write(damage.message)
  }

  // MARK: Writing host-days

  /// Takes it away rather than copies it; it is put back when the transaction has ended well.
  private func takeMemory() -> WriterMemory {
    memory.withLock { memory in
      defer { memory = WriterMemory() }
      return memory
    }
  }

  public func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) async throws(StoreError) {
    let isReady = state.withLock { $0.state == .ready }
    // Nothing to write is still a try whether writing works again.
    guard !hostDays.isEmpty || !isReady else { return }
    let line = EncodingLine(hostDays, file.names)
    try await write { [self] db in
      // Only the writer's queue touches the memory, so it never outlives what it remembers.
      let writer = try StationWriter(db, file, rules: rules, at: time, memory: takeMemory())
      try line.each { try writer.keep($0, run: run) }
      if hostDays.isEmpty {
        try db.execute(sql: "INSERT OR REPLACE INTO state VALUES ('tried', ?)", arguments: [time.second])
      }
      let next = try writer.finish()
      memory.withLock { $0 = next }
    }
  }

  // MARK: Condition

  public func condition() async -> StoreCondition {
    let (now, reason) = state.withLock { ($0.state, $0.reason) }
    let octets = UInt64(clamping: file.octets)
    let sums = try? await read { db -> (Int64, Int64, Int64?) in
      let sql = """
        SELECT COALESCE(SUM(findings), 0), COALESCE(SUM(not_enough_data + no_sign + suspicious + infected), 0), MIN(day)
        FROM day_total WHERE has_detail = 1
        """
      return try Prepared(db, sql).first { ($0.integer(0), $0.integer(1), $0.optional(2)) } ?? (0, 0, nil)
    }
    let (findings, hostDays, oldest) = sums ?? (0, 0, nil)
    // Reading may just have found damage.
    let (last, lastReason) = sums == nil ? state.withLock { ($0.state, $0.reason) } : (now, reason)
    return StoreCondition(
      state: last, reason: lastReason, octets: octets, findings: UInt64(clamping: findings),
      hostDays: UInt64(clamping: hostDays), oldestDay: oldest.map(Int.init), memoryOctets: StoreMemory.octets)
  }
}
