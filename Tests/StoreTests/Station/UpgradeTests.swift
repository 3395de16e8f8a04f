import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct UpgradeTests {
  /// A store as the registry's release made it.
  private func makeFirst(_ path: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA application_id = \(SQLiteStore.applicationID)") }
    var migrator = DatabaseMigrator()
    let step = try #require(Migrations.all.first)
    migrator.registerMigration(step.name) { db in
      try db.execute(sql: step.sql)
      try db.execute(sql: "PRAGMA user_version = 1")
    }
    try migrator.migrate(queue)
    try queue.write { db in
      try db.execute(
        sql: """
          INSERT INTO source VALUES (1, 'analyst/ada');
          INSERT INTO botnet VALUES (1, '00000000-0000-4000-8000-000000000001', 'Alpha', 'alpha', 'botnet', 2, 1, 1780000000);
          INSERT INTO name VALUES (1, 'alpha', 1, 'Alpha', 1780000000);
          INSERT INTO audit (time, author, action, subject, detail, reason)
            VALUES (1780000000, 'ada', 'add', 'Alpha', 'botnet', 'seen');
          """)
    }
    try queue.close()
  }

  @Test func theRegistryStaysAndTheStationIsAdded() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      try makeFirst(path)
      let store = try StationStore.open(path, at: StationFixture.now)
      defer { store.close() }
      #expect(try Ledger(store.file).botnet("alpha", indicatorLimit: 5)?.id == LedgerFixture.uuid(1))
      let audit = try await store.audit(after: nil, limit: 5).rows
      #expect(audit.map(\.detail) == ["botnet (seen)"])
      #expect(audit.map(\.time) == [Timestamp(seconds: 1_780_000_000)])
      try await store.keep(
        [StationFixture.plain("10.0.0.1", day: StationFixture.today)], run: "a", at: StationFixture.now)
      #expect(await store.condition().findings == 1)
      let pragmas = try store.file.read { db in
        [
          try Int.fetchOne(db, sql: "PRAGMA user_version"), try Int.fetchOne(db, sql: "PRAGMA auto_vacuum"),
        ]
      }
      // It can give room back from now on.
      #expect(pragmas == [Migrations.version, 2])
    }
  }

  /// A program without a place for text search must be able to use a store that has one, and the other way round.
  @Test func storesWithAndWithoutFullTextAreOne() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let (now, today) = (StationFixture.now, StationFixture.today)
      for (n, fullText) in [false, true, false, true].enumerated() {
        let store = StationStore(try SQLiteStore(path: path, mode: .create, at: now, wantsFullText: fullText))
        try await store.keep(
          [StationFixture.plain("10.0.0.\(n)", day: today, subject: "place\(n) port 1")], run: "a", at: now)
        for k in 0...n {
          #expect(try await store.search("lace\(k)", limit: 5).count == 1, "\(n) \(k)")
          var query = FindingQuery()
          query.text = "lace\(k)"
          #expect(try await store.findings(query, after: nil, limit: 5).rows.count == 1, "\(n) \(k)")
        }
        store.close()
      }
    }
  }
}
