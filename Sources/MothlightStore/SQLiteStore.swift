import Foundation
import GRDB
import Mothlight
import Synchronization

/// The file of registry and station: SQLite in write-ahead mode, one writer, many readers.
public final class SQLiteStore: Sendable {
  /// What an opening may do with a file that is not there.
  public enum Mode: Sendable { case create, existing }

  /// Seconds that a writer waits for another program's write.
  public static let busySeconds = 5
  /// `MOTH`: tells our files from those of other programs (SQLite file format, section 1.3.14).
  static let applicationID: Int32 = 0x4d4f_5448
  /// A clean file is checked again after a day: the check reads all of it. One with a log in it may be in use, or its last
  /// writer died: that one is checked again after a minute.
  private static let (checkEverySeconds, checkUncleanSeconds): (Int64, Int64) = (86_400, 60)
  /// Largest file that is checked as a whole before it is used: a fifth of a second. Larger ones are checked table by table
  /// while they are in use (`StationStore.check`).
  static let checkedWholeOctetsMost: Int64 = 64 << 20

  public let path: String
  let pool: DatabasePool
  /// Why the file is only read, as one line; `nil` when it can be written.
  public let trouble: String?
  /// Whether this SQLite can search text (FTS5); without it, text is searched by plain comparison.
  public let hasFullText: Bool
  /// By which hash the writer finds a subject again.
  let names = NameHash()
  /// Damage that was met since the opening, as one line: from then on nobody writes to the file.
  let damage = Mutex<String?>(nil)

  /// Opens, checks and, when it is older, brings up to date.
  ///
  /// The integrity check (`PRAGMA quick_check`) of a file of up to 64 MiB runs after an unclean end and once a day; of any
  /// file when asked for.
  /// - Throws: `StoreError`, one line.
  public init(
    path: String, mode: Mode = .existing, at time: Timestamp, alwaysCheck: Bool = false, wantsFullText: Bool = true
  ) throws(StoreError) {
    self.path = path
    trouble = nil
    let isThere = FileManager.default.fileExists(atPath: path)
    guard isThere || mode == .create else {
      throw StoreError(.absent, "\(path): there is no store")
    }
    do {
      if !isThere { try Self.make(path) }
      let wasUnclean = Self.octets(path + "-wal") > 0
      pool = try DatabasePool(path: path, configuration: Self.configuration)
      try pool.writeWithoutTransaction { try Self.prepare($0, path) }
      try Migrations.migrator.migrate(pool)
      try pool.writeWithoutTransaction { try Self.makeShrinkable($0, path) }
      hasFullText = try pool.writeWithoutTransaction { db in
        let second = time.nanoseconds / 1_000_000_000
        let isSmall = Self.octets(path) <= Self.checkedWholeOctetsMost
        try Glance.look(db, path)
        if try alwaysCheck || (isSmall && Self.isCheckDue(db, second, wasUnclean)) { try Self.check(db, path, second) }
        return try wantsFullText && Self.knowsFullText(db)
      }
    } catch { throw StoreError(error, path: path) }
  }

  /// Opens a file that is damaged, or not ours to write, for reading alone: nothing is checked, migrated or written.
  ///
  /// - Parameter trouble: why, as one line.
  /// - Throws: `StoreError`, one line, when not even its tables can be told.
  public init(reading path: String, because trouble: String) throws(StoreError) {
    self.path = path
    self.trouble = trouble
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(.absent, "\(path): there is no store")
    }
    do {
      var configuration = Self.configuration
      configuration.readonly = true
      pool = try DatabasePool(path: path, configuration: configuration)
      hasFullText = try pool.read { db in
        guard try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 <= Migrations.version else {
          throw StoreError(.newer, "\(path): was written by a newer Mothlight; use that one")
        }
        guard try db.tableExists("botnet") else { throw StoreError.damaged(path, "its tables cannot be told") }
        return try Self.knowsFullText(db)
      }
    } catch { throw StoreError(error, path: path) }
  }

  private static func knowsFullText(_ db: Database) throws -> Bool {
    try String.fetchSet(db, sql: "PRAGMA compile_options").contains("ENABLE_FTS5")
  }

  /// Octets of the file and its log.
  public var octets: Int64 { Self.octets(path) + Self.octets(path + "-wal") }

  /// Puts the write-ahead log into the file and lets go of it. Without it the next opening finds an unclean end.
  public func close() {
    // The writer goes last: only it can put the log into the file.
    pool.invalidateReadOnlyConnections()
    try? pool.close()
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(TimeInterval(busySeconds))
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { db in
      // What was acknowledged survives a crash of the program in WAL mode; FULL also survives a loss of power.
      try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456")
      guard !db.configuration.readonly else { return }
      // A day's index pages stay in the writer's cache; the log is put into the file every 64 MiB,
      // since those pages change again and again.
      try db.execute(
        sql: """
          PRAGMA cache_size = -64000; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA wal_autocheckpoint = 16384;
          PRAGMA journal_size_limit = 67108864
          """)
    }
    return configuration
  }

  /// A store of the first schema could not give room back; it was small, so it is written anew once.
  private static func makeShrinkable(_ db: Database, _ path: String) throws {
    guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 0, octets(path) <= checkedWholeOctetsMost else { return }
    // On a full disk it stays as it is, and is tried again at the next opening.
    try? db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
  }

  /// For its owner only: a ledger may name suspects.
  static func make(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError(
        .unwritable, "\(path): cannot be made (\(String(cString: strerror(errno)))); does its folder exist?")
    }
    Foundation.close(descriptor)
  }

  static func octets(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// Whose file it is, and of which version.
  private static func prepare(_ db: Database, _ path: String) throws {
    let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
    guard id == applicationID || (id == 0 && tables == 0) else {
      throw StoreError(.foreign, "\(path): is the database of another program; give another --store")
    }
    guard version <= Migrations.version else {
      throw StoreError(
        .newer,
        "\(path): was written by a newer Mothlight (schema \(version), this one knows \(Migrations.version)); use that one, "
          + "or give another --store")
    }
    if id == 0 { try db.execute(sql: "PRAGMA application_id = \(applicationID)") }
  }

  private static func isCheckDue(_ db: Database, _ second: Int64, _ wasUnclean: Bool) throws -> Bool {
    guard try db.tableExists("state") else { return false }
    let last = try Int64.fetchOne(db, sql: "SELECT value FROM state WHERE key = 'checked'") ?? .min
    let most = wasUnclean ? checkUncleanSeconds : checkEverySeconds
    return last == .min || last > second || second - last > most
  }

  private static func check(_ db: Database, _ path: String, _ second: Int64) throws {
    let answers = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
    guard answers == ["ok"] else { throw StoreError.damaged(path, answers.first ?? "no answer") }
    if try db.tableExists("state") {
      try db.execute(sql: "INSERT OR REPLACE INTO state VALUES ('checked', ?)", arguments: [second])
    }
  }
}

extension SQLiteStore {
  func read<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
    do { return try pool.read(body) } catch { throw StoreError(error, path: path) }
  }

  /// Without a transaction around it, whose end would fail when `body` has met damage and gone past it.
  func readDamaged<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
    do { return try pool.unsafeRead(body) } catch { throw StoreError(error, path: path) }
  }

  /// Why nothing may be written to a damaged file: it could get worse.
  var refusal: StoreError? { damage.withLock { $0 }.map { StoreError(.damaged, $0) } }

  /// All of `body` or nothing of it, also when the program dies in between.
  func write<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
    if let refusal { throw refusal }
    do { return try pool.write(body) } catch { throw StoreError(error, path: path) }
  }
}
