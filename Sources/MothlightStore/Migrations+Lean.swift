extension Migrations {
  /// What made writing slow is left out or made narrow.
  ///
  /// Indexes whose keys are random begin with a stretch of ids (`RowID.stretch`), so that a transaction touches their end only. The
  /// findings of a snapshot are found by its places, those of a family by its detectors. Subjects have no index of their
  /// own: the writer knows them by heart (`AboutMemory`).
  static let lean = """
    DROP INDEX finding_snapshot;
    DROP INDEX finding_mark;
    DROP INDEX finding_about;

    CREATE TABLE detector_family (
      family INTEGER NOT NULL,
      detector INTEGER NOT NULL,
      PRIMARY KEY (family, detector)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO detector_family SELECT DISTINCT family, detector FROM finding;
    DROP INDEX finding_family;

    CREATE INDEX finding_mark ON finding (id >> 15, mark);
    CREATE INDEX finding_about ON finding (id >> 15, about);

    CREATE TABLE about_of_3 (
      id INTEGER PRIMARY KEY,
      subject TEXT NOT NULL,
      name TEXT NOT NULL,
      last_day INTEGER NOT NULL
    ) STRICT;
    INSERT INTO about_of_3 SELECT id, subject, name, last_day FROM about;
    DROP TABLE about;
    ALTER TABLE about_of_3 RENAME TO about;

    INSERT INTO state VALUES ('words', 0);
    """
}
