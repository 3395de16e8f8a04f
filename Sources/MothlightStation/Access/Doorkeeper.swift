import Mothlight
import Synchronization

/// Who a request comes from, once it was believed.
public struct Pass: Sendable, Hashable {
  public enum Proof: Sendable, Hashable {
    /// Came over loopback while there are no users.
    case local
    case session([UInt8])
    case token(Int64)
  }
  public var name: String
  public var role: Role
  public var proof: Proof
  /// What a form has to send back; empty for tokens, which browsers never send by themselves.
  public var formToken: String
  public init(name: String, role: Role, proof: Proof, formToken: String) {
    self.name = name
    self.role = role
    self.proof = proof
    self.formToken = formToken
  }
}

/// How a log-in went.
public enum LogIn: Sendable, Equatable {
  /// The cookie's secret is new: what the browser sent before is worth nothing (session fixation).
  case done(Secret, Pass)
  /// Unknown, disabled or wrong: the answer does not tell which.
  case wrong
  case wait(seconds: Double)
  /// Too many log-ins at once.
  case busy
  case unavailable(StoreError)
}

/// Decides who is let in: log-ins, sessions, tokens, and what the audit says of them.
public final class Doorkeeper: Sendable {
  /// A session's last use is written no more often than this: reading pages must not become writing.
  private static let touchEverySeconds = 300.0
  /// Sessions that are kept in memory while the store cannot be written: admins must be able to see why.
  private static let spareSessionsMost = 64

  let settings: AccessSettings
  let book: any AccessBook
  private let desk: PasswordDesk
  private let record: @Sendable (AuditEntry) async throws -> Void
  /// Costs as much to check as a real one, and matches nothing.
  private let decoy: PasswordHash
  /// For forms of visitors without a session.
  private let localSecret = Secret()
  private struct State {
    var throttle: LoginThrottle
    var failures = FailureBudget()
    var spare: [[UInt8]: Session] = [:]
    /// When the use of a session or token was last written.
    var touched: [Pass.Proof: Timestamp] = [:]
  }
  private let state: Mutex<State>

  /// - Parameter record: writes a line of audit, e.g. `Store.record`.
  public init(
    _ settings: AccessSettings, book: any AccessBook,
    record: @escaping @Sendable (AuditEntry) async throws -> Void
  ) {
    self.settings = settings
    self.book = book
    self.record = record
    desk = PasswordDesk(atOnce: settings.passwordsAtOnce, waitingMost: settings.passwordsWaiting)
    decoy = .decoy(settings.passwordCost)
    state = Mutex(State(throttle: LoginThrottle(settings.throttle)))
  }

  /// For metrics.
  public struct Counts: Sendable, Hashable {
    public var passwordsChecked: UInt64
    /// Log-ins that found too many others waiting.
    public var turnedAway: UInt64
    /// Log-ins that came before the delay was over.
    public var throttled: UInt64
    /// Accounts and addresses whose failures were forgotten to make room.
    public var evicted: UInt64
  }
  public var counts: Counts {
    let desk = desk.counts
    return state.withLock { state in
      Counts(
        passwordsChecked: desk.checked, turnedAway: desk.turnedAway, throttled: state.throttle.refused,
        evicted: state.throttle.evicted)
    }
  }

  // MARK: Requests

  /// Whose a session's cookie is; `nil` when it is nobody's or too old.
  public func pass(cookie: String, at time: Timestamp) async throws(StoreError) -> Pass? {
    guard let secret = Secret(cookie), let found = try await session(secret.hash) else { return nil }
    let (session, user) = found
    guard time.seconds(since: session.opened) < Double(settings.sessionLifeSeconds),
      time.seconds(since: session.lastSeen) < Double(settings.sessionIdleSeconds)
    else {
      try? await book.closeSession(session.hash, by: Actor(user.name, origin: session.origin), at: time)
      state.withLock { $0.spare[session.hash] = nil }
      return nil
    }
    let proof = Pass.Proof.session(session.hash)
    if time.seconds(since: session.lastSeen) > Self.touchEverySeconds, shouldTouch(proof, at: time) {
      // Nobody is turned away because a disk is full.
      try? await book.touchSession(session.hash, at: time)
      state.withLock { $0.spare[session.hash]?.lastSeen = time }
    }
    return Pass(name: user.name, role: user.role, proof: proof, formToken: secret.derived(for: "form"))
  }

  /// Whose an API token is; `nil` when it is nobody's or has expired.
  public func pass(token: String, at time: Timestamp) async throws(StoreError) -> Pass? {
    guard let secret = Secret(token: token), let (token, user) = try await book.token(secret.hash) else { return nil }
    if let expires = token.expires, time >= expires { return nil }
    let proof = Pass.Proof.token(token.number)
    let unusedSeconds = token.lastUsed.map { time.seconds(since: $0) } ?? .infinity
    if unusedSeconds > Self.touchEverySeconds, shouldTouch(proof, at: time) {
      try? await book.touchToken(token.number, at: time)
    }
    return Pass(
      name: "\(user.name)/\(token.label)", role: min(token.role, user.role), proof: proof, formToken: "")
  }

  /// Whoever comes from this machine, while there are no users and the settings allow it.
  public func localPass(from address: IPAddress) async throws(StoreError) -> Pass? {
    guard settings.admitsLocal, address.isLoopback, try await book.users().isEmpty else { return nil }
    return Pass(
      name: AccessSettings.localName, role: .admin, proof: .local, formToken: localSecret.derived(for: "form"))
  }

  private func session(_ hash: [UInt8]) async throws(StoreError) -> (Session, User)? {
    if let found = try await book.session(hash) { return found }
    guard let spare = state.withLock({ $0.spare[hash] }) else { return nil }
    // It must end as those of the book do.
    guard let user = try await book.account(spare.user)?.user, !user.isDisabled, user.passwordChanged < spare.opened
    else {
      state.withLock { $0.spare[hash] = nil }
      return nil
    }
    return (spare, user)
  }

  private func shouldTouch(_ proof: Pass.Proof, at time: Timestamp) -> Bool {
    state.withLock { state in
      if let last = state.touched[proof], time.seconds(since: last) < Self.touchEverySeconds { return false }
      if state.touched.count >= AccessLimits.users { state.touched.removeAll() }
      state.touched[proof] = time
      return true
    }
  }

  // MARK: Log-in and log-out

  public func logIn(_ name: String, password: String, from address: IPAddress, at time: Timestamp) async -> LogIn {
    let account: Account?
    let known = try? UserName.checked(name)
    do { account = if let known { try await book.account(known) } else { nil } } catch { return .unavailable(error) }
    let key = known ?? ""
    let wait = state.withLock { state in
      state.throttle.attempt(key, isReal: account != nil, from: address, at: time)
    }
    if let wait { return .wait(seconds: wait) }
    let hash = account.flatMap { PasswordHash(parsing: $0.password) } ?? decoy
    guard let isRight = await desk.run({ hash.matches(password) }) else {
      state.withLock { $0.throttle.withdraw(key, from: address) }
      return .busy
    }
    guard isRight, let account, !account.user.isDisabled else {
      await writeFailure(of: account?.user.name, from: address, at: time)
      return .wrong
    }
    state.withLock { $0.throttle.succeeded(key, from: address, at: time) }
    await strengthen(account, hash, password)
    return await open(account.user, from: address, at: time)
  }

  private func open(_ user: User, from address: IPAddress, at time: Timestamp) async -> LogIn {
    let secret = Secret()
    let origin = address.description
    let session = Session(hash: secret.hash, user: user.name, opened: time, lastSeen: time, origin: origin)
    do {
      try await book.openSession(session, by: Actor(user.name, origin: origin))
      let back = time.advanced(bySeconds: -Double(settings.sessionLifeSeconds))
      let idle = time.advanced(bySeconds: -Double(settings.sessionIdleSeconds))
      try? await book.sweepSessions(openedBefore: back, usedBefore: idle)
    } catch {
      guard [.full, .unwritable, .damaged].contains(error.code), keepSpare(session) else { return .unavailable(error) }
    }
    let pass = Pass(
      name: user.name, role: user.role, proof: .session(session.hash), formToken: secret.derived(for: "form"))
    return .done(secret, pass)
  }

  private func keepSpare(_ session: Session) -> Bool {
    state.withLock { state in
      guard state.spare.count < Self.spareSessionsMost else { return false }
      state.spare[session.hash] = session
      return true
    }
  }

  /// Ends the session of a cookie; nothing when it is nobody's.
  public func logOut(_ pass: Pass, from address: IPAddress, at time: Timestamp) async throws(StoreError) {
    guard case .session(let hash) = pass.proof else { return }
    state.withLock { $0.spare[hash] = nil }
    try await book.closeSession(hash, by: Actor(pass.name, origin: address.description), at: time)
  }

  /// A user's own change; all sessions end, this one too.
  /// - Returns: one line that says what is wrong, or `nil` when it was done.
  public func changePassword(
    of pass: Pass, from old: String, to new: String, at address: IPAddress, time: Timestamp
  ) async throws(StoreError) -> String? {
    guard case .session = pass.proof, let account = try await book.account(pass.name),
      let hash = PasswordHash(parsing: account.password)
    else { return "only a logged-in user has a password" }
    do { try PasswordRule.check(new, for: pass.name) } catch { return error.message }
    let isLate = state.withLock { $0.throttle.attempt(pass.name, isReal: true, from: address, at: time) }
    if let isLate { return "too many attempts; try again in \(Int(isLate.rounded(.up))) s" }
    let cost = settings.passwordCost
    let answer = await desk.run { hash.matches(old) ? PasswordHash(new, cost: cost) : nil }
    guard let answer else { return "too many log-ins at once; try again" }
    guard let made = answer else {
      await writeFailure(of: pass.name, from: address, at: time)
      return "the old password is wrong"
    }
    state.withLock { $0.throttle.succeeded(pass.name, from: address, at: time) }
    let actor = Actor(pass.name, origin: address.description)
    try await book.setPassword(of: pass.name, to: made.description, by: actor, at: time)
    return nil
  }

  private func strengthen(_ account: Account, _ hash: PasswordHash, _ password: String) async {
    let cost = settings.passwordCost
    guard hash.isWeaker(than: cost), let answer = await desk.run({ PasswordHash(password, cost: cost) }),
      let new = answer
    else { return }
    // The old hash still works: a store that cannot be written now is strengthened another time.
    try? await book.strengthen(account.user.name, from: account.password, to: new.description)
  }

  // MARK: Audit

  /// A name that is no user's is not written: it may be a password typed into the wrong field.
  private func writeFailure(of name: String?, from address: IPAddress, at time: Timestamp) async {
    let decision = state.withLock { $0.failures.next(at: time, most: settings.failuresWrittenPerMinute) }
    let actor = Actor("unknown", origin: address.description)
    if decision.leftOut > 0 {
      try? await record(
        AuditEntry(
          time: time, actor: .station, action: "user.login_failed", subject: "log-ins",
          detail: "\(decision.leftOut) more in the minute before"))
    }
    guard decision.isWritten else { return }
    try? await record(
      AuditEntry(
        time: time, actor: actor, action: "user.login_failed", subject: name.map { "user \($0)" } ?? "unknown user"))
  }
}

/// How many failed log-ins get a line of audit of their own.
struct FailureBudget: Sendable {
  private var minute = Int64.min
  private var written = 0
  private var left = 0

  mutating func next(at time: Timestamp, most: Int) -> (isWritten: Bool, leftOut: Int) {
    let now = time.nanoseconds / 60_000_000_000
    var leftOut = 0
    if now != minute {
      leftOut = left
      (minute, written, left) = (now, 0, 0)
    }
    guard written < most else {
      left += 1
      return (false, leftOut)
    }
    written += 1
    return (true, leftOut)
  }
}
