/// Who may look: users, their sessions and tokens. Secrets are in it as hashes only.
///
/// Each change that names an actor is written together with its line of audit, or not at all. What a call has returned from is
/// on disk, and other programs' changes (`mothlight users`) are seen by the next call.
public protocol AccessBook: Sendable {
  /// By name.
  func users() async throws(StoreError) -> [User]
  func account(_ name: String) async throws(StoreError) -> Account?
  /// - Throws: `refused` when the name is taken or the book is full (`AccessLimits.users`).
  func addUser(_ name: String, role: Role, password: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  /// Ends all sessions of the user.
  func setPassword(of name: String, to password: String, by actor: Actor, at time: Timestamp) async throws(StoreError)
  /// Replaces a hash by a stronger one of the same password; nothing when the hash is no longer `old`.
  func strengthen(_ name: String, from old: String, to new: String) async throws(StoreError)
  /// - Throws: `refused` when nobody would be left as admin.
  func setRole(of name: String, to role: Role, by actor: Actor, at time: Timestamp) async throws(StoreError)
  /// Disabling ends all sessions; tokens rest until it is undone.
  func setDisabled(_ isDisabled: Bool, of name: String, by actor: Actor, at time: Timestamp) async throws(StoreError)
  /// Sessions and tokens go with it; the audit stays.
  func removeUser(_ name: String, by actor: Actor, at time: Timestamp) async throws(StoreError)

  /// Beyond `AccessLimits.sessionsPerUser` the session that was used longest ago ends.
  func openSession(_ session: Session, by actor: Actor) async throws(StoreError)
  /// The session and whose it is; `nil` also when the user is disabled. Its age is for the caller to judge.
  func session(_ hash: [UInt8]) async throws(StoreError) -> (session: Session, user: User)?
  func touchSession(_ hash: [UInt8], at time: Timestamp) async throws(StoreError)
  func closeSession(_ hash: [UInt8], by actor: Actor, at time: Timestamp) async throws(StoreError)
  /// Removes sessions that were opened or used last before these times.
  func sweepSessions(openedBefore opened: Timestamp, usedBefore used: Timestamp) async throws(StoreError)

  /// By owner and label; a role above its owner's, which was lowered since, is given as the owner's.
  func tokens() async throws(StoreError) -> [AccessToken]
  /// - Throws: `absent` when there is no such owner; `refused` when the role is above the owner's, or the label is taken, or the
  ///   owner has `AccessLimits.tokensPerUser`.
  func addToken(
    _ label: String, owner: String, role: Role, expires: Timestamp?, hash: [UInt8], by actor: Actor, at time: Timestamp
  ) async throws(StoreError) -> AccessToken
  /// The token and its owner; `nil` also when the owner is disabled. Its age is for the caller to judge.
  func token(_ hash: [UInt8]) async throws(StoreError) -> (token: AccessToken, user: User)?
  func touchToken(_ number: Int64, at time: Timestamp) async throws(StoreError)
  /// `false` when there is none of this number.
  func endToken(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool
}

/// Bounds of the book.
public enum AccessLimits {
  /// Users: a station has a team, not a public.
  public static let users = 1000
  /// Sessions of one user: browsers of one person.
  public static let sessionsPerUser = 16
  /// Tokens of one user.
  public static let tokensPerUser = 32
  /// Octets of a token's label.
  public static let labelOctets = 64
}
