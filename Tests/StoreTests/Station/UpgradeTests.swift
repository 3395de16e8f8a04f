import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct UpgradeTests {
  /// An empty store as the release of that schema made it.
  private func make(_ path: String, schema: Int) throws -> DatabaseQueue {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA application_id = \(SQLiteStore.applicationID)") }
    var migrator = DatabaseMigrator()
    for (number, step) in Migrations.all.prefix(schema).enumerated() {
      migrator.registerMigration(step.name) { db in
        try db.execute(sql: step.sql)
        try db.execute(sql: "PRAGMA user_version = \(number + 1)")
      }
    }
    try migrator.migrate(queue)
    return queue
  }

  /// A store as the registry's release made it.
  private func makeFirst(_ path: String) throws {
    let queue = try make(path, schema: 1)
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

  private static func days() -> [HostDay] {
    (0..<60).map { n in
      let host = StationFixture.address("10.0.0.\(n)")
      let day = StationFixture.today - n % 4
      return StationFixture.hostDay(
        "10.0.0.\(n)", day: day, verdict: n % 9 == 0 ? .infected : .suspicious,
        findings: [
          StationFixture.finding(
            host, day: day, subject: "name\(n).example port 80", botnet: n % 2 == 0 ? "Zeus" : nil),
          StationFixture.finding(host, day: day, detector: "nx", subject: "names", family: .dns, hours: 20...30),
        ])
    }
  }

  /// Puts the rows of a store of today into one of the third schema: bodies plain, subjects without a hash, an index of texts
  /// that today's program does not use.
  private func makeThird(_ path: String, from newer: String) throws {
    let queue = try make(path, schema: 3)
    defer { try? queue.close() }
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA foreign_keys = OFF; ATTACH ? AS newer", arguments: [newer])
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite*'")
      for table in tables where table != "grdb_migrations" {
        let columns = try db.columns(in: table, in: "main").map { "\"\($0.name)\"" }.joined(separator: ", ")
        try db.execute(sql: "INSERT OR REPLACE INTO main.\(table) (\(columns)) SELECT \(columns) FROM newer.\(table)")
      }
      try db.execute(sql: "DELETE FROM state WHERE key <> 'checked'")
      for table in ["finding", "snapshot"] {
        for row in try Row.fetchAll(db, sql: "SELECT id, body FROM main.\(table)") {
          let plain = try PlainBody.of([UInt8](row["body"] as Data))
          try db.execute(
            sql: "UPDATE main.\(table) SET body = ? WHERE id = ?", arguments: [Data(plain), row["id"] as Int64])
        }
      }
      try db.execute(
        sql: """
          CREATE VIRTUAL TABLE words_about
            USING fts5 (subject, name, content = 'about', content_rowid = 'id', tokenize = 'trigram');
          INSERT INTO words_about (rowid, subject, name) SELECT id, subject, name FROM about;
          """)
      try db.execute(sql: "DETACH newer")
    }
  }

  /// All rows of the third schema are there after the fourth, and are found by whatever they were found by.
  @Test func rowsOfTheThirdSchemaStay() async throws {
    try await StationFixture.withFolder { folder in
      let (now, today) = (StationFixture.now, StationFixture.today)
      let newer = try StationStore.open(folder + "/newer.sqlite", at: now)
      try await newer.keep(Self.days(), run: "a", at: now)
      newer.close()
      let path = folder + "/store.sqlite"
      try makeThird(path, from: folder + "/newer.sqlite")
      let store = try StationStore.open(path, at: now)
      defer { store.close() }
      func check(_ what: String) async throws {
        for day in Self.days() {
          let again = try await store.hostDay(day.host, day: day.day)
          #expect(StationFixture.text(again) == StationFixture.text(day), "\(what)")
        }
        var query = FindingQuery()
        query.family = .dns
        #expect(try await store.findings(query, after: nil, limit: 1000).rows.count == 60, "\(what)")
        query = FindingQuery()
        query.text = "ame1"
        #expect(try await store.findings(query, after: nil, limit: 1000).rows.count == 11, "\(what)")
        let one = try #require(Self.days()[7].findings.first)
        #expect(try await store.finding(id: one.id)?.finding == one, "\(what)")
        #expect(try await store.cases(CaseQuery(), after: nil, limit: 99).rows.count == 7, "\(what)")
        #expect(try await store.case(1)?.findings.count == 2, "\(what)")
        #expect(try await store.check(at: now) == [], "\(what)")
        #expect(try KeepTests.differences(store) == [], "\(what)")
      }
      try await check("upgraded")
      try await store.keep(Self.days(), run: "a", at: now)
      try await check("written again")
      let left = try store.file.read { db in
        try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE name GLOB 'words_about*'")
      }
      #expect(left == [], "the old index of texts is gone")
      try await store.keep(
        [StationFixture.plain("10.9.9.9", day: today, subject: "name1.example port 80")], run: "b", at: now)
      #expect(try await store.search("10.9.9.9", limit: 5).first?.title == "10.9.9.9")
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
