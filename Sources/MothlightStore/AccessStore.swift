import GRDB
import Mothlight

/// The book of users in the station's store.
public struct AccessStore: AccessBook {
  let store: SQLiteStore

  public init(_ store: SQLiteStore) { self.store = store }

  // MARK: Users

  public func users() async throws(StoreError) -> [User] {
    try await reading { db in
      try Row.fetchAll(db, sql: "\(Self.userSQL) ORDER BY name").compactMap { Self.user($0) }
    }
  }

  public func account(_ name: String) async throws(StoreError) -> Account? {
    try await reading { db in
      let statement = try db.cachedStatement(sql: "\(Self.userSQL) WHERE name = ?")
      guard let row = try Row.fetchOne(statement, arguments: [name]), let user = Self.user(row) else { return nil }
      return Account(user: user, password: row[6])
    }
  }

  public func addUser(_ name: String, role: Role, password: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  {
    try await writing { db in
      guard try Int64.fetchOne(db, sql: "SELECT id FROM user WHERE name = ?", arguments: [name]) == nil else {
        throw StoreError(.refused, "there is a user '\(name)' already; `mothlight users list` shows all")
      }
      guard try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM user") ?? 0 < AccessLimits.users else {
        throw StoreError(.refused, "there are \(AccessLimits.users) users already; remove one first")
      }
      try db.execute(
        sql: "INSERT INTO user (name, role, password, created, password_changed) VALUES (?, ?, ?, ?, ?)",
        arguments: [name, role.rawValue, password, time.second, time.second])
      try audit(db, "user.add", "user \(name)", "role \(role.rawValue)", actor, time)
    }
  }

  public func setPassword(of name: String, to password: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  {
    try await writing { db in
      let id = try Self.id(of: name, db)
      try db.execute(
        sql: "UPDATE user SET password = ?, password_changed = ? WHERE id = ?", arguments: [password, time.second, id])
      let ended = try Self.endSessions(of: id, db)
      try audit(db, "user.password", "user \(name)", "\(ended) sessions ended", actor, time)
    }
  }

  public func strengthen(_ name: String, from old: String, to new: String) async throws(StoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE user SET password = ? WHERE name = ? AND password = ?", arguments: [new, name, old])
    }
  }

  public func setRole(of name: String, to role: Role, by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try await writing { db in
      let id = try Self.id(of: name, db)
      let old = try String.fetchOne(db, sql: "SELECT role FROM user WHERE id = ?", arguments: [id]) ?? ""
      try db.execute(sql: "UPDATE user SET role = ? WHERE id = ?", arguments: [role.rawValue, id])
      try Self.requireAdmin(db, after: "taking the role admin from '\(name)'")
      try audit(db, "user.role", "user \(name)", "from \(old) to \(role.rawValue)", actor, time)
    }
  }

  public func setDisabled(_ isDisabled: Bool, of name: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  {
    try await writing { db in
      let id = try Self.id(of: name, db)
      try db.execute(sql: "UPDATE user SET is_disabled = ? WHERE id = ?", arguments: [isDisabled, id])
      if isDisabled {
        try Self.requireAdmin(db, after: "disabling '\(name)'")
        _ = try Self.endSessions(of: id, db)
      }
      try audit(db, isDisabled ? "user.disable" : "user.enable", "user \(name)", "", actor, time)
    }
  }

  public func removeUser(_ name: String, by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try await writing { db in
      let id = try Self.id(of: name, db)
      try db.execute(sql: "DELETE FROM user WHERE id = ?", arguments: [id])
      let left = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM user") ?? 0
      if left > 0 { try Self.requireAdmin(db, after: "removing '\(name)'") }
      try audit(db, "user.remove", "user \(name)", "", actor, time)
    }
  }

  // MARK: Rows

  static let userSQL =
    "SELECT name, role, is_disabled, created, password_changed, last_seen, password FROM user"

  static func user(_ row: Row) -> User? {
    guard let role = Role(rawValue: row[1]) else { return nil }
    return User(
      name: row[0], role: role, isDisabled: row[2], created: Timestamp(seconds: row[3]),
      passwordChanged: Timestamp(seconds: row[4]), lastSeen: (row[5] as Int64?).map { Timestamp(seconds: $0) })
  }

  static func id(of name: String, _ db: Database) throws -> Int64 {
    guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM user WHERE name = ?", arguments: [name]) else {
      throw StoreError(.absent, "there is no user '\(name)'; `mothlight users list` shows all")
    }
    return id
  }

  static func endSessions(of id: Int64, _ db: Database) throws -> Int {
    try db.execute(sql: "DELETE FROM session WHERE user_id = ?", arguments: [id])
    return db.changesCount
  }

  /// Without one, nobody could let anybody in again but from the command line.
  private static func requireAdmin(_ db: Database, after what: String) throws {
    let admins = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM user WHERE role = 'admin' AND NOT is_disabled") ?? 0
    guard admins > 0 else {
      throw StoreError(.refused, "\(what) would leave nobody as admin; make another user admin first")
    }
  }

  // MARK: Database

  func audit(
    _ db: Database, _ action: String, _ subject: String, _ detail: String, _ actor: Actor, _ time: Timestamp
  ) throws {
    try AuditTable.add(
      db, AuditEntry(time: time, actor: actor, action: action, subject: subject, detail: detail))
  }

  func reading<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
    do { return try await store.pool.read(body) } catch { throw StoreError(error, path: store.path) }
  }

  func writing<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
    if let refusal = store.refusal { throw refusal }
    do { return try await store.pool.write(body) } catch { throw StoreError(error, path: store.path) }
  }
}
