import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct SQLiteStoreTests {
  private func failure(_ path: String, _ mode: SQLiteStore.Mode = .existing, alwaysCheck: Bool = false) -> StoreError? {
    do throws(StoreError) {
      try SQLiteStore(path: path, mode: mode, at: LedgerFixture.now, alwaysCheck: alwaysCheck).close()
      return nil
    } catch { return error }
  }

  private func isOneLine(_ error: StoreError?, _ path: String) -> Bool {
    guard let error else { return false }
    return error.message.hasPrefix(path + ": ") && !error.message.contains("\n")
  }

  @Test func opensAsPromised() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/a.sqlite"
      let store = try SQLiteStore(path: path, mode: .create, at: LedgerFixture.now)
      func pragma(_ name: String) throws -> String? {
        try store.pool.writeWithoutTransaction { db in
          try DatabaseValue.fetchOne(db, sql: "PRAGMA \(name)").map { "\($0)" }
        }
      }
      #expect(try pragma("journal_mode") == "\"wal\"")
      #expect(try pragma("foreign_keys") == "1")
      #expect(try pragma("busy_timeout") == "\(SQLiteStore.busySeconds * 1000)")
      #expect(try pragma("application_id") == "\(SQLiteStore.applicationID)")
      #expect(try pragma("user_version") == "\(Migrations.all.count)")
      store.close()
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      // A clean end leaves no log behind.
      #expect(stat(path + "-wal", &status) != 0 || status.st_size == 0)
      #expect(failure(path) == nil)
    }
  }

  @Test func anAbsentStoreIsNotMadeByLooking() throws {
    try LedgerFixture.withFolder { folder in
      let error = failure(folder + "/none.sqlite")
      #expect(error?.code == .absent)
      #expect(isOneLine(error, folder + "/none.sqlite"))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.isEmpty)
    }
  }

  @Test func aNewerStoreIsRefusedAndLeftAlone() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/a.sqlite"
      #expect(failure(path, .create) == nil)
      let queue = try DatabaseQueue(path: path)
      try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 999") }
      try queue.close()
      let error = failure(path)
      #expect(error?.code == .newer)
      #expect(error?.message.contains("schema 999") == true)
      #expect(isOneLine(error, path))
      let again = try DatabaseQueue(path: path)
      let version = try again.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
      #expect(version == 999)
    }
  }

  @Test func anotherProgramsDatabaseIsRefused() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/other.sqlite"
      let queue = try DatabaseQueue(path: path)
      try queue.write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
      try queue.close()
      let error = failure(path, .create)
      #expect(error?.code == .foreign)
      #expect(isOneLine(error, path))
    }
  }

  @Test func textIsNoDatabase() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/text"
      try Data(String(repeating: "no database at all\n", count: 500).utf8).write(to: URL(fileURLWithPath: path))
      let error = failure(path)
      #expect(error?.code == .damaged)
      #expect(error?.message.contains("store rescue") == true)
      #expect(isOneLine(error, path))
    }
  }

  /// Every page in turn is overwritten; the check must see each that holds part of a table.
  @Test func aDamagedPageIsFound() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/a.sqlite"
      let store = try SQLiteStore(path: path, mode: .create, at: LedgerFixture.now)
      let rows = (1...200).map { (number: $0, name: "Bot\($0)", synonyms: ["Other\($0)"]) }
      try LedgerFixture.take(LedgerFixture.galaxy(rows), into: Ledger(store))
      store.close()
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      let pages = whole.count / 4096
      #expect(pages > 10)
      var found = 0
      for page in 1..<pages {
        var copy = whole
        copy.replaceSubrange((page * 4096)..<((page + 1) * 4096), with: Data(repeating: 0x5a, count: 4096))
        try copy.write(to: URL(fileURLWithPath: path))
        if let error = failure(path, alwaysCheck: true) {
          #expect(error.code == .damaged)
          #expect(isOneLine(error, path))
          found += 1
        }
      }
      // A page on the free list is nobody's.
      #expect(found >= pages - 3)
    }
  }

  /// SQLite's own "disk full", at every limit from too small to enough.
  @Test func aFullDiskChangesNothing() throws {
    try LedgerFixture.withLedger { ledger, store in
      try LedgerFixture.take(LedgerFixture.galaxy([(1, "First", [])]), into: ledger)
      let before = try LedgerDump.text(store)
      let pages = try store.pool.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
      let rows = (2...400).map { (number: $0, name: "Bot\($0)", synonyms: ["Other\($0)"]) }
      for room in [0, 1, 5, 20] {
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages + room)") }
        let more = try LedgerFixture.parse(LedgerFixture.galaxy(rows))
        let error = #expect(throws: StoreError.self) {
          try ledger.apply([more], author: "t", at: LedgerFixture.now)
        }
        #expect(error?.code == .full)
        #expect(error?.message.contains("the disk is full") == true)
        #expect(try LedgerDump.text(store) == before)
      }
      try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
      #expect(try LedgerFixture.take(LedgerFixture.galaxy(rows), into: ledger).added[.botnets] == 399)
    }
  }

  @Test func aBusyStoreIsToldAfterTheTimeout() throws {
    let error = StoreError(DatabaseError(resultCode: .SQLITE_BUSY), path: "x")
    #expect(error.code == .busy)
    #expect(!error.message.contains("\n"))
  }

  @Test func theIntegrityCheckIsKeptForADay() throws {
    try LedgerFixture.withFolder { folder in
      let path = folder + "/a.sqlite"
      func checked(at seconds: Int64) throws -> Int64? {
        let store = try SQLiteStore(path: path, mode: .create, at: Timestamp(seconds: seconds))
        defer { store.close() }
        return try store.read { try Int64.fetchOne($0, sql: "SELECT value FROM state WHERE key = 'checked'") }
      }
      let seen = try [1_000_000, 1_000_100, 1_086_401, 900_000].map(checked)
      // A clock that went back is no reason to skip it.
      #expect(seen == [1_000_000, 1_000_000, 1_086_401, 900_000])
    }
  }
}
