import Foundation
import GRDB
import Mothlight

extension AccessStore {
  public func openSession(_ session: Session, by actor: Actor) async throws(StoreError) {
    try await writing { db in
      let id = try Self.id(of: session.user, db)
      try db.execute(
        sql: "INSERT INTO session (hash, user_id, opened, last_seen, origin) VALUES (?, ?, ?, ?, ?)",
        arguments: [Data(session.hash), id, session.opened.second, session.lastSeen.second, session.origin])
      try db.execute(
        sql: """
          DELETE FROM session WHERE user_id = ?1 AND hash IN
            (SELECT hash FROM session WHERE user_id = ?1 AND hash <> ?3 ORDER BY last_seen DESC, opened DESC
             LIMIT -1 OFFSET ?2)
          """,
        arguments: [id, AccessLimits.sessionsPerUser - 1, Data(session.hash)])
      try db.execute(sql: "UPDATE user SET last_seen = ? WHERE id = ?", arguments: [session.opened.second, id])
      try audit(db, "user.log_in", "user \(session.user)", "", actor, session.opened)
    }
  }

  public func session(_ hash: [UInt8]) async throws(StoreError) -> (session: Session, user: User)? {
    try await reading { db in
      let statement = try db.cachedStatement(
        sql: """
          SELECT u.name, u.role, u.is_disabled, u.created, u.password_changed, u.last_seen, s.opened, s.last_seen, s.origin
          FROM session s JOIN user u ON u.id = s.user_id WHERE s.hash = ? AND NOT u.is_disabled
          """)
      guard let row = try Row.fetchOne(statement, arguments: [Data(hash)]), let user = Self.user(row) else {
        return nil
      }
      let session = Session(
        hash: hash, user: user.name, opened: Timestamp(seconds: row[6]), lastSeen: Timestamp(seconds: row[7]),
        origin: row[8])
      return (session, user)
    }
  }

  public func touchSession(_ hash: [UInt8], at time: Timestamp) async throws(StoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE session SET last_seen = MAX(last_seen, ?) WHERE hash = ?", arguments: [time.second, Data(hash)])
      try db.execute(
        sql: """
          UPDATE user SET last_seen = MAX(COALESCE(last_seen, 0), ?)
          WHERE id = (SELECT user_id FROM session WHERE hash = ?)
          """, arguments: [time.second, Data(hash)])
    }
  }

  public func closeSession(_ hash: [UInt8], by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try await writing { db in
      try db.execute(sql: "DELETE FROM session WHERE hash = ?", arguments: [Data(hash)])
      guard db.changesCount > 0 else { return }
      try audit(db, "user.log_out", "user \(actor.name)", "", actor, time)
    }
  }

  public func sweepSessions(openedBefore opened: Timestamp, usedBefore used: Timestamp) async throws(StoreError) {
    try await writing { db in
      try db.execute(
        sql: "DELETE FROM session WHERE opened < ? OR last_seen < ?", arguments: [opened.second, used.second])
    }
  }

  // MARK: Tokens

  private static let tokenSQL = """
    SELECT u.name, u.role, u.is_disabled, u.created, u.password_changed, u.last_seen, t.id, t.label, t.role, t.created,
      t.expires, t.last_used
    FROM token t JOIN user u ON u.id = t.user_id
    """

  private static func token(_ row: Row) -> AccessToken? {
    guard let role = Role(rawValue: row[8]), let owners = Role(rawValue: row[1]) else { return nil }
    return AccessToken(
      number: row[6], label: row[7], owner: row[0], role: min(role, owners), created: Timestamp(seconds: row[9]),
      expires: (row[10] as Int64?).map { Timestamp(seconds: $0) },
      lastUsed: (row[11] as Int64?).map { Timestamp(seconds: $0) })
  }

  public func tokens() async throws(StoreError) -> [AccessToken] {
    try await reading { db in
      try Row.fetchAll(db, sql: "\(Self.tokenSQL) ORDER BY u.name, t.label").compactMap { Self.token($0) }
    }
  }

  public func addToken(
    _ label: String, owner: String, role: Role, expires: Timestamp?, hash: [UInt8], by actor: Actor, at time: Timestamp
  ) async throws(StoreError) -> AccessToken {
    guard (1...AccessLimits.labelOctets).contains(label.utf8.count) else {
      throw StoreError(.refused, "a token's label has 1 to \(AccessLimits.labelOctets) octets, e.g. prometheus")
    }
    return try await writing { db in
      let id = try Self.id(of: owner, db)
      let owners = try String.fetchOne(db, sql: "SELECT role FROM user WHERE id = ?", arguments: [id])
      if let owners = owners.flatMap({ Role(rawValue: $0) }), role > owners {
        throw StoreError(
          .refused,
          "'\(owner)' is \(owners.rawValue), so a token cannot be \(role.rawValue): take a lower role, or change the user's"
        )
      }
      let labels = try String.fetchSet(db, sql: "SELECT label FROM token WHERE user_id = ?", arguments: [id])
      guard !labels.contains(label) else {
        throw StoreError(.refused, "'\(owner)' has a token '\(label)' already; end it first or take another label")
      }
      guard labels.count < AccessLimits.tokensPerUser else {
        throw StoreError(.refused, "'\(owner)' has \(AccessLimits.tokensPerUser) tokens already; end one first")
      }
      try db.execute(
        sql: "INSERT INTO token (hash, user_id, label, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
        arguments: [Data(hash), id, label, role.rawValue, time.second, expires?.second])
      let number = db.lastInsertedRowID
      try audit(db, "token.add", "token \(number)", "of \(owner), role \(role.rawValue)", actor, time)
      return AccessToken(
        number: number, label: label, owner: owner, role: role, created: Timestamp(seconds: time.second),
        expires: expires.map { Timestamp(seconds: $0.second) })
    }
  }

  public func token(_ hash: [UInt8]) async throws(StoreError) -> (token: AccessToken, user: User)? {
    try await reading { db in
      let statement = try db.cachedStatement(sql: "\(Self.tokenSQL) WHERE t.hash = ? AND NOT u.is_disabled")
      guard let row = try Row.fetchOne(statement, arguments: [Data(hash)]), let user = Self.user(row),
        let token = Self.token(row)
      else { return nil }
      return (token, user)
    }
  }

  public func touchToken(_ number: Int64, at time: Timestamp) async throws(StoreError) {
    try await writing { db in
      try db.execute(
        sql: "UPDATE token SET last_used = MAX(COALESCE(last_used, 0), ?) WHERE id = ?",
        arguments: [time.second, number])
    }
  }

  public func endToken(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    try await writing { db in
      let row = try Row.fetchOne(
        db, sql: "SELECT u.name, t.label FROM token t JOIN user u ON u.id = t.user_id WHERE t.id = ?",
        arguments: [number])
      guard let row else { return false }
      try db.execute(sql: "DELETE FROM token WHERE id = ?", arguments: [number])
      try audit(db, "token.end", "token \(number)", "of \(row[0] as String)", actor, time)
      return true
    }
  }
}
