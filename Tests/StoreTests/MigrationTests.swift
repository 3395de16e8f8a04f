import Crypto
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

/// A released step is never edited: stores out there have run it.
@Suite struct MigrationTests {
  /// SHA-256 of each step's SQL. A new step adds a line; a changed line is a broken promise.
  static let sealed = [
    "1-registry": "e9bd2819e5cd54f42214a26211db745e25c8f0e5a475a6671dfa1700752d497a",
    "2-station": "b0177516dac11cc5febc2fd377ad9d7774991a342f77e82d4b89b3e98c704f23",
    "3-access": "c0d973595478784277055c647c929607ea536b0cc618fc678c80d50d765dbf35",
    "4-lean": "1005087730c2a2831d907973c62adc56f8d6d0985808fdf70adf7ffdcbabdb83",
  ]

  @Test func stepsAreAsReleased() {
    let sums = Migrations.all.map { step in
      SHA256.hash(data: Array(step.sql.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(Dictionary(zip(Migrations.all.map(\.name), sums), uniquingKeysWith: { a, _ in a }) == Self.sealed)
  }

  @Test func namesAreUnique() { #expect(Set(Migrations.all.map(\.name)).count == Migrations.all.count) }

  /// What the schema of an empty store looks like, told by SQLite itself.
  @Test func theSchemaIsWhole() throws {
    try LedgerFixture.withLedger { _, store in
      let tables = try store.read { db in
        try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      }
      let ours = [
        "about", "allow_rule", "audit", "botnet", "botnet_day", "botnet_host", "botnet_host_day", "case_botnet",
        "case_change", "case_day", "case_file", "case_finding", "case_host", "case_sign", "day_total", "detector",
        "detector_family", "finding", "flagged_host", "host_day", "named_botnet", "run", "snapshot", "claim",
        "evidence", "fact",
        "identifier", "indicator", "name", "relation", "size", "source",
        "state", "takedown",
      ]
      #expect(Set(ours).isSubset(of: tables))
      let problems = try store.read { db in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count }
      #expect(problems == 0)
    }
  }
}
