import Mothlight
import Synchronization

/// The book of users without a disk, with its audit; can be made to fail as a full disk does.
final class MemoryAccessBook: AccessBook {
  private struct State {
    var accounts: [String: Account] = [:]
    var sessions: [[UInt8]: Session] = [:]
    var tokens: [[UInt8]: AccessToken] = [:]
    var audit: [AuditEntry] = []
    var isFull = false
    var writes = 0
  }
  private let state = Mutex(State())

  var audit: [AuditEntry] { state.withLock { $0.audit } }
  var sessionCount: Int { state.withLock { $0.sessions.count } }
  var writes: Int { state.withLock { $0.writes } }
  func fill(_ isFull: Bool = true) { state.withLock { $0.isFull = isFull } }

  private func change<T: Sendable>(_ body: (inout State) throws(StoreError) -> T) throws(StoreError) -> T {
    let result = state.withLock { state -> Result<T, StoreError> in
      guard !state.isFull else { return .failure(StoreError(.full, "the disk is full")) }
      state.writes += 1
      do throws(StoreError) { return .success(try body(&state)) } catch { return .failure(error) }
    }
    return try result.get()
  }
  private static func note(
    _ state: inout State, _ action: String, _ subject: String, _ actor: Actor, _ time: Timestamp
  ) {
    state.audit.append(AuditEntry(time: time, actor: actor, action: action, subject: subject))
  }
  private static func account(_ state: State, _ name: String) throws(StoreError) -> Account {
    guard let account = state.accounts[name] else { throw StoreError(.absent, "no user '\(name)'") }
    return account
  }

  func record(_ entry: AuditEntry) async throws(StoreError) { try change { $0.audit.append(entry) } }

  func users() async throws(StoreError) -> [User] {
    state.withLock { $0.accounts.values.map(\.user).sorted { $0.name < $1.name } }
  }
  func account(_ name: String) async throws(StoreError) -> Account? { state.withLock { $0.accounts[name] } }
  func addUser(_ name: String, role: Role, password: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  {
    try change { state in
      state.accounts[name] = Account(
        user: User(name: name, role: role, created: time, passwordChanged: time), password: password)
      Self.note(&state, "user.add", "user \(name)", actor, time)
    }
  }
  func setPassword(of name: String, to password: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError)
  {
    try change { state throws(StoreError) in
      var account = try Self.account(state, name)
      account.password = password
      account.user.passwordChanged = time
      state.accounts[name] = account
      state.sessions = state.sessions.filter { $0.value.user != name }
      Self.note(&state, "user.password", "user \(name)", actor, time)
    }
  }
  func strengthen(_ name: String, from old: String, to new: String) async throws(StoreError) {
    try change { state in if state.accounts[name]?.password == old { state.accounts[name]?.password = new } }
  }
  func setRole(of name: String, to role: Role, by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try change { state in state.accounts[name]?.user.role = role }
  }
  func setDisabled(_ isDisabled: Bool, of name: String, by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try change { state in
      state.accounts[name]?.user.isDisabled = isDisabled
      if isDisabled { state.sessions = state.sessions.filter { $0.value.user != name } }
    }
  }
  func removeUser(_ name: String, by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try change { state in
      state.accounts[name] = nil
      state.sessions = state.sessions.filter { $0.value.user != name }
      state.tokens = state.tokens.filter { $0.value.owner != name }
    }
  }

  func openSession(_ session: Session, by actor: Actor) async throws(StoreError) {
    try change { state in
      state.sessions[session.hash] = session
      Self.note(&state, "user.log_in", "user \(session.user)", actor, session.opened)
    }
  }
  func session(_ hash: [UInt8]) async throws(StoreError) -> (session: Session, user: User)? {
    state.withLock { state in
      guard let session = state.sessions[hash], let user = state.accounts[session.user]?.user, !user.isDisabled else {
        return nil
      }
      return (session, user)
    }
  }
  func touchSession(_ hash: [UInt8], at time: Timestamp) async throws(StoreError) {
    try change { $0.sessions[hash]?.lastSeen = time }
  }
  func closeSession(_ hash: [UInt8], by actor: Actor, at time: Timestamp) async throws(StoreError) {
    try change { state in
      if state.sessions.removeValue(forKey: hash) != nil {
        Self.note(&state, "user.log_out", "user \(actor.name)", actor, time)
      }
    }
  }
  func sweepSessions(openedBefore opened: Timestamp, usedBefore used: Timestamp) async throws(StoreError) {
    try change { state in
      state.sessions = state.sessions.filter { $0.value.opened >= opened && $0.value.lastSeen >= used }
    }
  }

  func tokens() async throws(StoreError) -> [AccessToken] {
    state.withLock { $0.tokens.values.sorted { $0.number < $1.number } }
  }
  func addToken(
    _ label: String, owner: String, role: Role, expires: Timestamp?, hash: [UInt8], by actor: Actor, at time: Timestamp
  ) async throws(StoreError) -> AccessToken {
    try change { state in
      let token = AccessToken(
        number: Int64(state.tokens.count + 1), label: label, owner: owner, role: role, created: time, expires: expires)
      state.tokens[hash] = token
      Self.note(&state, "token.add", "token \(token.number)", actor, time)
      return token
    }
  }
  func token(_ hash: [UInt8]) async throws(StoreError) -> (token: AccessToken, user: User)? {
    state.withLock { state in
      guard let token = state.tokens[hash], let user = state.accounts[token.owner]?.user, !user.isDisabled else {
        return nil
      }
      return (token, user)
    }
  }
  func touchToken(_ number: Int64, at time: Timestamp) async throws(StoreError) {
    try change { state in
      for (hash, token) in state.tokens where token.number == number { state.tokens[hash]?.lastUsed = time }
    }
  }
  func endToken(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    try change { state in
      let before = state.tokens.count
      state.tokens = state.tokens.filter { $0.value.number != number }
      return state.tokens.count < before
    }
  }
}
