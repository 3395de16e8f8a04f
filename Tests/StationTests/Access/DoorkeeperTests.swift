import Mothlight
import Synchronization
import Testing

@testable import MothlightStation

@Suite struct DoorkeeperTests {
  static let start = Timestamp(seconds: 1_700_000_000)
  static let password = "four words of mine"
  static let cheap = PasswordHash.Cost(logN: 4, blockSize: 1, parallelism: 1)
  private let home = IPAddress(v4: 0x7f00_0001)
  private let abroad = IPAddress(v4: 0xc000_0201)

  private func at(_ seconds: Double) -> Timestamp { Self.start.advanced(bySeconds: seconds) }

  private func door(
    users: [(String, Role)] = [("alice", .admin)], _ change: (inout AccessSettings) -> Void = { _ in }
  ) async throws -> (Doorkeeper, MemoryAccessBook) {
    let book = MemoryAccessBook()
    for (name, role) in users {
      let hash = try #require(PasswordHash(Self.password, cost: Self.cheap))
      try await book.addUser(name, role: role, password: hash.description, by: .station, at: at(-1000))
    }
    var settings = AccessSettings()
    settings.passwordCost = Self.cheap
    change(&settings)
    return (Doorkeeper(settings, book: book) { try await book.record($0) }, book)
  }

  private func opened(_ door: Doorkeeper, _ name: String = "alice", at time: Timestamp) async throws -> (Secret, Pass) {
    guard case .done(let secret, let pass) = await door.logIn(name, password: Self.password, from: home, at: time)
    else {
      Issue.record("no log-in")
      throw CancellationError()
    }
    return (secret, pass)
  }

  @Test func rightPasswordOpens() async throws {
    let (door, book) = try await door()
    let (secret, pass) = try await opened(door, at: at(0))
    #expect(pass.name == "alice" && pass.role == .admin)
    #expect(try await door.pass(cookie: secret.text, at: at(1)) == pass)
    #expect(book.audit.last?.action == "user.log_in")
    #expect(book.audit.last?.actor == Actor("alice", origin: "127.0.0.1"))
  }

  @Test func nothingElseOpens() async throws {
    let (door, _) = try await door()
    for (name, password) in [
      ("alice", "four words of mine "), ("alice", ""), ("bob", Self.password), ("", Self.password),
      ("alice' OR '1'='1", Self.password),
    ] {
      #expect(await door.logIn(name, password: password, from: abroad, at: at(0)) == .wrong)
    }
    for cookie in ["", "x", Secret().text, String(repeating: "A", count: 10_000)] {
      #expect(try await door.pass(cookie: cookie, at: at(0)) == nil)
      #expect(try await door.pass(token: "mothlight_" + cookie, at: at(0)) == nil)
    }
  }

  /// A name that is unknown, one that is disabled and a wrong password cost one derivation of equal cost each, and have one
  /// answer.
  @Test func unknownUsersCostTheSame() async throws {
    let (door, book) = try await door(users: [("alice", .admin), ("bob", .viewer)])
    try await book.setDisabled(true, of: "bob", by: .station, at: at(0))
    for (n, name) in ["alice", "nobody", "bob", "<script>"].enumerated() {
      let before = door.counts.passwordsChecked
      let password = name == "bob" ? Self.password : "wrong password"
      #expect(await door.logIn(name, password: password, from: abroad, at: at(Double(n) * 100)) == .wrong)
      #expect(door.counts.passwordsChecked == before + 1)
    }
  }

  @Test func guessingIsSlowed() async throws {
    let (door, _) = try await door()
    var answers: [LogIn] = []
    for _ in 0..<20 { answers.append(await door.logIn("alice", password: "wrong", from: abroad, at: at(0))) }
    #expect(answers.filter { $0 == .wrong }.count == 5)
    #expect(await door.logIn("alice", password: Self.password, from: abroad, at: at(0)) == .wait(seconds: 1))
    #expect(door.counts.passwordsChecked == 5, "a throttled attempt costs no derivation")
  }

  @Test func failuresAreInTheAuditButNotFlooding() async throws {
    let (door, book) = try await door { settings in
      settings.failuresWrittenPerMinute = 3
      settings.throttle.freeFailures = 1000
    }
    for _ in 0..<10 { _ = await door.logIn("alice", password: "wrong", from: abroad, at: at(0)) }
    _ = await door.logIn("s3cret typed as a name", password: "wrong", from: abroad, at: at(120))
    let failures = book.audit.filter { $0.action == "user.login_failed" }
    #expect(failures.count == 5)
    #expect(failures[0].subject == "user alice" && failures[0].actor.origin == "192.0.2.1")
    #expect(failures[3].detail == "7 more in the minute before")
    #expect(failures[4].subject == "unknown user", "a password typed as a name is not written")
  }

  @Test func sessionsEndWhenIdleOrOld() async throws {
    let (door, book) = try await door()
    let (idle, _) = try await opened(door, at: at(0))
    #expect(try await door.pass(cookie: idle.text, at: at(12 * 3600 - 1)) != nil)
    #expect(try await door.pass(cookie: idle.text, at: at(24 * 3600)) == nil)
    #expect(book.sessionCount == 0, "it is gone for good")
    let (used, _) = try await opened(door, at: at(0))
    var last = 0.0
    for hour in stride(from: 6.0, through: 7 * 24 + 12, by: 6) {
      if try await door.pass(cookie: used.text, at: at(hour * 3600)) != nil { last = hour }
    }
    #expect(last == 7 * 24 - 6, "used all the time, it ends after a week")
  }

  @Test func useIsWrittenSeldom() async throws {
    let (door, book) = try await door()
    let (secret, _) = try await opened(door, at: at(0))
    let before = book.writes
    for n in 0..<600 { _ = try await door.pass(cookie: secret.text, at: at(Double(n))) }
    #expect(book.writes - before == 1)
  }

  @Test func logInMakesANewSecret() async throws {
    let (door, _) = try await door()
    let (first, one) = try await opened(door, at: at(0))
    let (second, two) = try await opened(door, at: at(1))
    #expect(first != second && one.formToken != two.formToken)
    try await door.logOut(one, from: home, at: at(2))
    #expect(try await door.pass(cookie: first.text, at: at(3)) == nil)
    #expect(try await door.pass(cookie: second.text, at: at(3)) != nil, "only the session that was meant")
  }

  @Test func changingThePasswordEndsAllSessions() async throws {
    let (door, book) = try await door()
    let (first, pass) = try await opened(door, at: at(0))
    let (second, _) = try await opened(door, at: at(1))
    let next = "other words of mine"
    #expect(try await door.changePassword(of: pass, from: "wrong", to: next, at: home, time: at(2)) != nil)
    #expect(try await door.changePassword(of: pass, from: Self.password, to: "short", at: home, time: at(2)) != nil)
    #expect(try await door.pass(cookie: first.text, at: at(3)) != nil)
    #expect(try await door.changePassword(of: pass, from: Self.password, to: next, at: home, time: at(4)) == nil)
    #expect(try await door.pass(cookie: first.text, at: at(5)) == nil)
    #expect(try await door.pass(cookie: second.text, at: at(5)) == nil)
    #expect(await door.logIn("alice", password: Self.password, from: home, at: at(60)) == .wrong)
    guard case .done = await door.logIn("alice", password: next, from: home, at: at(120)) else {
      Issue.record("the new password does not open")
      return
    }
    #expect(book.audit.contains { $0.action == "user.password" })
  }

  @Test func disabledUsersAreOutAtOnce() async throws {
    let (door, book) = try await door(users: [("alice", .admin), ("bob", .viewer)])
    let (secret, _) = try await opened(door, "bob", at: at(0))
    let token = Secret()
    _ = try await book.addToken(
      "t", owner: "bob", role: .viewer, expires: nil, hash: token.hash, by: .station, at: at(0))
    #expect(try await door.pass(token: token.token, at: at(1)) != nil)
    try await book.setDisabled(true, of: "bob", by: .station, at: at(2))
    #expect(try await door.pass(cookie: secret.text, at: at(3)) == nil)
    #expect(try await door.pass(token: token.token, at: at(3)) == nil)
  }

  @Test func tokensHaveNoMoreThanTheirOwnersRole() async throws {
    let (door, book) = try await door(users: [("alice", .admin), ("bob", .viewer)])
    let (low, high, late) = (Secret(), Secret(), Secret())
    for (label, owner, role, secret, expires) in [
      ("reader", "alice", Role.viewer, low, nil), ("greedy", "bob", .admin, high, nil),
      ("late", "alice", .admin, late, at(100)),
    ] {
      _ = try await book.addToken(
        label, owner: owner, role: role, expires: expires, hash: secret.hash, by: .station, at: at(0))
    }
    #expect(try await door.pass(token: low.token, at: at(1))?.role == .viewer)
    let greedy = try #require(try await door.pass(token: high.token, at: at(1)))
    #expect(greedy.role == .viewer && greedy.name == "bob/greedy")
    #expect(try await door.pass(token: late.token, at: at(99)) != nil)
    #expect(try await door.pass(token: late.token, at: at(100)) == nil)
    #expect(try await door.pass(cookie: low.text, at: at(1)) == nil, "a token is no cookie")
  }

  @Test func localIsForThisMachineWithoutUsers() async throws {
    let (empty, _) = try await door(users: [])
    #expect(try await empty.localPass(from: home)?.role == .admin)
    #expect(try await empty.localPass(from: abroad) == nil)
    let (bound, _) = try await door(users: []) { $0.admitsLocal = false }
    #expect(try await bound.localPass(from: home) == nil)
    let (peopled, _) = try await door()
    #expect(try await peopled.localPass(from: home) == nil)
  }

  /// With a full disk nobody is shut out: that is when somebody has to look.
  @Test func aFullDiskLetsPeopleIn() async throws {
    let (door, book) = try await door()
    let (before, _) = try await opened(door, at: at(0))
    book.fill()
    #expect(try await door.pass(cookie: before.text, at: at(1000)) != nil)
    let (secret, pass) = try await opened(door, at: at(1001))
    #expect(try await door.pass(cookie: secret.text, at: at(1002)) == pass)
    book.fill(false)
    try await book.setPassword(of: "alice", to: "$", by: .station, at: at(1003))
    #expect(try await door.pass(cookie: secret.text, at: at(1004)) == nil, "it ends as all others do")
  }

  @Test func aWeakHashIsMadeStrong() async throws {
    let stronger = PasswordHash.Cost(logN: 5, blockSize: 1, parallelism: 1)
    let (door, book) = try await door { $0.passwordCost = stronger }
    _ = try await opened(door, at: at(0))
    let kept = try #require(try await book.account("alice")?.password)
    #expect(kept.hasPrefix("$scrypt$ln=5,"))
    #expect(PasswordHash(parsing: kept)?.matches(Self.password) == true)
  }
}

/// How many run now, and how many ran at once at most.
private final class Crowd: Sendable {
  private let counts = Mutex((now: 0, most: 0))
  var most: Int { counts.withLock { $0.most } }
  func enter() {
    counts.withLock { count in
      count.now += 1
      count.most = max(count.most, count.now)
    }
  }
  func leave() { counts.withLock { $0.now -= 1 } }
}

@Suite struct PasswordDeskTests {
  @Test func lineIsBounded() async {
    let desk = PasswordDesk(atOnce: 1, waitingMost: 3)
    let crowd = Crowd()
    let done = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<40 {
        group.addTask {
          await desk.run {
            crowd.enter()
            _ = PasswordHash("some words of mine", cost: .init(logN: 10, blockSize: 8, parallelism: 1))
            crowd.leave()
            return true
          } ?? false
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(crowd.most == 1)
    #expect(done >= 1 && done <= 40)
    #expect(desk.counts.checked == UInt64(done))
    #expect(desk.counts.turnedAway == UInt64(40 - done))
    #expect(await desk.run { 7 } == 7, "the line moves on")
  }
}
