import GRDB

/// Steps from an empty file to the present schema. A step that was released is never edited: a test holds its SHA-256.
enum Migrations {
  struct Step: Sendable {
    let name: String
    let sql: String
  }

  static let all = [
    Step(name: "1-registry", sql: registry), Step(name: "2-station", sql: station), Step(name: "3-access", sql: access),
    Step(name: "4-lean", sql: lean),
  ]

  /// `PRAGMA user_version` of a store that this program writes.
  static var version: Int { all.count }

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for (number, step) in all.enumerated() {
      migrator.registerMigration(step.name) { db in
        try db.execute(sql: step.sql)
        try db.execute(sql: "PRAGMA user_version = \(number + 1)")
      }
    }
    return migrator
  }

  /// Times are seconds since 1970 in UTC. Every row of a claim names its source and date. `evidence` is derived from the
  /// claims of a botnet and made anew when they change.
  private static let registry = """
    CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

    CREATE TABLE botnet (
      id INTEGER PRIMARY KEY,
      uuid TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      folded TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL CHECK (kind IN ('botnet', 'variant', 'family', 'tool')),
      authority INTEGER NOT NULL CHECK (authority BETWEEN 0 AND 2),
      source_id INTEGER NOT NULL REFERENCES source,
      date INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE name (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      folded TEXT NOT NULL,
      source_id INTEGER NOT NULL REFERENCES source,
      text TEXT NOT NULL,
      date INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, folded, source_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX name_folded ON name (folded);

    CREATE TABLE identifier (
      scheme TEXT NOT NULL,
      value TEXT NOT NULL,
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      source_id INTEGER NOT NULL REFERENCES source,
      date INTEGER NOT NULL,
      PRIMARY KEY (value, scheme, botnet_id, source_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX identifier_botnet ON identifier (botnet_id);

    CREATE TABLE relation (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      kind TEXT NOT NULL,
      target TEXT NOT NULL,
      source_id INTEGER NOT NULL REFERENCES source,
      date INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, kind, target, source_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE fact (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      field TEXT NOT NULL CHECK (field IN ('kind', 'protocol', 'dated', 'reference', 'note')),
      value TEXT NOT NULL,
      source_id INTEGER NOT NULL REFERENCES source,
      date INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, field, value, source_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE indicator (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      host TEXT,
      UNIQUE (value, kind)
    ) STRICT;
    CREATE INDEX indicator_host ON indicator (host) WHERE host IS NOT NULL;
    CREATE INDEX indicator_prefix ON indicator (value) WHERE kind = 'prefix';

    CREATE TABLE claim (
      indicator_id INTEGER NOT NULL REFERENCES indicator ON DELETE CASCADE,
      source_id INTEGER NOT NULL REFERENCES source,
      malware TEXT NOT NULL,
      botnet_id INTEGER REFERENCES botnet ON DELETE SET NULL,
      role TEXT NOT NULL CHECK (role IN ('c2', 'print', 'delivery', 'sample', 'other')),
      first_seen INTEGER,
      last_seen INTEGER,
      is_online INTEGER,
      confidence INTEGER CHECK (confidence BETWEEN 0 AND 100),
      reference TEXT,
      extra TEXT,
      date INTEGER NOT NULL,
      PRIMARY KEY (indicator_id, source_id, malware)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX claim_botnet ON claim (botnet_id, role);

    CREATE TABLE size (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('live', 'active', 'footprint', 'stock')),
      first_hour INTEGER NOT NULL,
      last_hour INTEGER NOT NULL,
      grade TEXT NOT NULL CHECK (grade IN ('A', 'B', 'C')),
      source_id INTEGER NOT NULL REFERENCES source,
      low REAL,
      value REAL,
      high REAL,
      at_most REAL,
      addresses REAL NOT NULL,
      sensors TEXT NOT NULL,
      date INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, kind, first_hour, last_hour, grade, source_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE takedown (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      day INTEGER NOT NULL,
      done_by TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('sinkholed', 'dead', 'disrupted')),
      method TEXT NOT NULL,
      source_id INTEGER NOT NULL REFERENCES source,
      date INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, day, done_by)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE evidence (
      botnet_id INTEGER NOT NULL REFERENCES botnet ON DELETE CASCADE,
      kind TEXT NOT NULL,
      source_id INTEGER NOT NULL REFERENCES source,
      first_seen INTEGER,
      last_seen INTEGER,
      life INTEGER,
      items INTEGER NOT NULL,
      PRIMARY KEY (botnet_id, kind, source_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY,
      time INTEGER NOT NULL,
      author TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      detail TEXT NOT NULL,
      reason TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
    CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never removed'); END;

    CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """
}
