extension Migrations {
  /// What a station found. Rows of detail have an id whose upper half is their day, so a day lies together: it is appended,
  /// asked for and thrown away as one piece. Times are nanoseconds since 1970 in UTC, days are days since 1970, addresses are
  /// 16 octets in network order. `day_total` and `botnet_day` outlive the detail.
  static let station = """
    ALTER TABLE audit ADD COLUMN nanoseconds INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT '';

    CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE detector (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE named_botnet (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      folded TEXT NOT NULL
    ) STRICT;
    CREATE INDEX named_botnet_folded ON named_botnet (folded);

    CREATE TABLE about (
      id INTEGER PRIMARY KEY,
      subject TEXT NOT NULL,
      name TEXT NOT NULL,
      last_day INTEGER NOT NULL,
      UNIQUE (subject, name)
    ) STRICT;

    CREATE TABLE host_day (
      id INTEGER PRIMARY KEY,
      day INTEGER NOT NULL,
      host BLOB NOT NULL,
      verdict INTEGER NOT NULL CHECK (verdict BETWEEN 0 AND 3),
      score REAL NOT NULL,
      findings INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      flows INTEGER NOT NULL,
      brief BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX host_day_host ON host_day (day, host);
    CREATE INDEX host_day_worst ON host_day (day, verdict DESC, score DESC, host);

    CREATE TABLE snapshot (
      id INTEGER PRIMARY KEY,
      host_day INTEGER NOT NULL,
      run INTEGER NOT NULL,
      places BLOB NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX snapshot_host_day ON snapshot (host_day, run);

    CREATE TABLE finding (
      id INTEGER PRIMARY KEY,
      snapshot INTEGER NOT NULL,
      day INTEGER NOT NULL,
      mark INTEGER NOT NULL,
      recorded INTEGER NOT NULL,
      detector INTEGER NOT NULL,
      family INTEGER NOT NULL,
      botnet INTEGER,
      about INTEGER NOT NULL,
      flags INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX finding_snapshot ON finding (snapshot);
    CREATE INDEX finding_mark ON finding (day, mark);
    CREATE INDEX finding_detector ON finding (detector);
    CREATE INDEX finding_family ON finding (family);
    CREATE INDEX finding_botnet ON finding (botnet) WHERE botnet IS NOT NULL;
    CREATE INDEX finding_about ON finding (day, about);

    CREATE TABLE flagged_host (
      host BLOB PRIMARY KEY,
      first_day INTEGER NOT NULL,
      last_day INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX flagged_host_first_day ON flagged_host (first_day);
    CREATE INDEX flagged_host_last_day ON flagged_host (last_day);

    CREATE TABLE day_total (
      day INTEGER PRIMARY KEY,
      not_enough_data INTEGER NOT NULL DEFAULT 0,
      no_sign INTEGER NOT NULL DEFAULT 0,
      suspicious INTEGER NOT NULL DEFAULT 0,
      infected INTEGER NOT NULL DEFAULT 0,
      new INTEGER NOT NULL DEFAULT 0,
      findings INTEGER NOT NULL DEFAULT 0,
      written INTEGER NOT NULL,
      has_detail INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE botnet_day (
      day INTEGER NOT NULL,
      botnet INTEGER NOT NULL,
      hosts INTEGER NOT NULL,
      findings INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      PRIMARY KEY (day, botnet)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE botnet_host_day (
      day INTEGER NOT NULL,
      botnet INTEGER NOT NULL,
      host BLOB NOT NULL,
      findings INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      PRIMARY KEY (day, botnet, host)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE botnet_host (
      botnet INTEGER NOT NULL,
      host BLOB NOT NULL,
      last_day INTEGER NOT NULL,
      bits INTEGER NOT NULL,
      PRIMARY KEY (botnet, host)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX botnet_host_last_day ON botnet_host (last_day);

    """ + cases

  private static let cases = """
    CREATE TABLE case_file (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      owner TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'cleaned', 'false_alarm')),
      verdict INTEGER NOT NULL,
      opened INTEGER NOT NULL,
      changed INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      reopened INTEGER NOT NULL DEFAULT 0,
      cleaned INTEGER
    ) STRICT;
    CREATE INDEX case_file_owner ON case_file (owner, number);
    CREATE INDEX case_file_state ON case_file (state, number);

    CREATE TABLE case_day (
      case_number INTEGER NOT NULL REFERENCES case_file,
      day INTEGER NOT NULL,
      host BLOB NOT NULL,
      PRIMARY KEY (case_number, day, host)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX case_day_day ON case_day (day, host);

    CREATE TABLE case_host (
      case_number INTEGER NOT NULL REFERENCES case_file,
      host BLOB NOT NULL,
      PRIMARY KEY (case_number, host)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX case_host_host ON case_host (host, case_number);

    CREATE TABLE case_botnet (
      case_number INTEGER NOT NULL REFERENCES case_file,
      name TEXT NOT NULL,
      PRIMARY KEY (case_number, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE case_change (
      id INTEGER PRIMARY KEY,
      case_number INTEGER NOT NULL REFERENCES case_file,
      time INTEGER NOT NULL,
      from_state TEXT,
      to_state TEXT NOT NULL,
      reason TEXT NOT NULL,
      actor TEXT NOT NULL,
      origin TEXT NOT NULL,
      is_undone INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX case_change_case ON case_change (case_number);

    CREATE TABLE case_sign (
      case_number INTEGER NOT NULL REFERENCES case_file,
      detector TEXT NOT NULL,
      subject TEXT NOT NULL,
      PRIMARY KEY (case_number, detector, subject)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE case_finding (
      id INTEGER PRIMARY KEY,
      case_number INTEGER NOT NULL REFERENCES case_file,
      recorded INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX case_finding_case ON case_finding (case_number);

    CREATE TABLE allow_rule (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      rule TEXT NOT NULL,
      reason TEXT NOT NULL,
      actor TEXT NOT NULL,
      origin TEXT NOT NULL,
      added INTEGER NOT NULL,
      ended INTEGER
    ) STRICT;
    """
}
