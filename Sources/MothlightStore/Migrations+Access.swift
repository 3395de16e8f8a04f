extension Migrations {
  /// Who may look. Times are seconds since 1970 in UTC; hashes are SHA-256 of 256 random bits, passwords are in the PHC string
  /// format.
  static let access = """
    CREATE TABLE user (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      role TEXT NOT NULL CHECK (role IN ('viewer', 'analyst', 'admin')),
      password TEXT NOT NULL,
      is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
      created INTEGER NOT NULL,
      password_changed INTEGER NOT NULL,
      last_seen INTEGER
    ) STRICT;

    CREATE TABLE session (
      hash BLOB NOT NULL PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
      opened INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      origin TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_user ON session (user_id, last_seen);

    CREATE TABLE token (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      hash BLOB NOT NULL UNIQUE,
      user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
      label TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('viewer', 'analyst', 'admin')),
      created INTEGER NOT NULL,
      expires INTEGER,
      last_used INTEGER,
      UNIQUE (user_id, label)
    ) STRICT;
    """
}
