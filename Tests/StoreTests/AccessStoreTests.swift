import Foundation
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct AccessStoreTests {
  private static let start = Timestamp(seconds: 1_700_000_000)
  private static let boss = Actor("boss", origin: "127.0.0.1")

  private func withBook(_ body: (AccessStore, SQLiteStore) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-access-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try SQLiteStore(
      path: folder.appending(path: "store.sqlite").path(percentEncoded: false), mode: .create, at: Self.start)
    defer { store.close() }
    try await body(AccessStore(store), store)
  }

  private func later(_ seconds: Double) -> Timestamp { Self.start.advanced(bySeconds: seconds) }

  private func refusal(_ body: () async throws -> Void) async -> StoreError.Code? {
    do {
      try await body()
      return nil
    } catch { return (error as? StoreError)?.code }
  }

  private func session(_ user: String, _ secret: Secret, at time: Timestamp) -> Session {
    Session(hash: secret.hash, user: user, opened: time, lastSeen: time, origin: "::1")
  }

  @Test func usersAreKept() async throws {
    try await withBook { book, _ in
      #expect(try await book.users() == [])
      try await book.addUser("zoe", role: .viewer, password: "$p1", by: Self.boss, at: Self.start)
      try await book.addUser("alice", role: .admin, password: "$p2", by: Self.boss, at: later(5))
      #expect(
        try await book.users() == [
          User(name: "alice", role: .admin, created: later(5), passwordChanged: later(5)),
          User(name: "zoe", role: .viewer, created: Self.start, passwordChanged: Self.start),
        ])
      #expect(try await book.account("zoe")?.password == "$p1")
      #expect(try await book.account("Zoe") == nil)
      #expect(
        await refusal { try await book.addUser("zoe", role: .admin, password: "$", by: Self.boss, at: later(9)) }
          == .refused)
      #expect(
        await refusal { try await book.setRole(of: "nobody", to: .viewer, by: Self.boss, at: later(9)) } == .absent)
    }
  }

  @Test func somebodyStaysAdmin() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      try await book.addUser("bob", role: .analyst, password: "$", by: Self.boss, at: Self.start)
      #expect(
        await refusal { try await book.setRole(of: "alice", to: .viewer, by: Self.boss, at: later(1)) } == .refused)
      #expect(await refusal { try await book.setDisabled(true, of: "alice", by: Self.boss, at: later(1)) } == .refused)
      #expect(await refusal { try await book.removeUser("alice", by: Self.boss, at: later(1)) } == .refused)
      #expect(try await book.account("alice")?.user.role == .admin, "a refused change changes nothing")
      try await book.setRole(of: "bob", to: .admin, by: Self.boss, at: later(2))
      try await book.removeUser("alice", by: Self.boss, at: later(3))
      try await book.removeUser("bob", by: Self.boss, at: later(4))
      #expect(try await book.users() == [], "the last of all may go")
    }
  }

  @Test func changesOfPasswordAndStandingEndSessions() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      try await book.addUser("bob", role: .viewer, password: "$", by: Self.boss, at: Self.start)
      let (one, two, other) = (Secret(), Secret(), Secret())
      for secret in [one, two] { try await book.openSession(session("bob", secret, at: later(1)), by: Actor("bob")) }
      try await book.openSession(session("alice", other, at: later(1)), by: Actor("alice"))
      #expect(try await book.session(one.hash)?.user.name == "bob")
      try await book.setPassword(of: "bob", to: "$new", by: Self.boss, at: later(2))
      #expect(try await book.session(one.hash) == nil)
      #expect(try await book.session(two.hash) == nil)
      #expect(try await book.session(other.hash) != nil, "others stay")
      #expect(try await book.account("bob")?.user.passwordChanged == later(2))

      try await book.openSession(session("bob", one, at: later(3)), by: Actor("bob"))
      try await book.setDisabled(true, of: "bob", by: Self.boss, at: later(4))
      #expect(try await book.session(one.hash) == nil)
      try await book.setDisabled(false, of: "bob", by: Self.boss, at: later(5))
      #expect(try await book.session(one.hash) == nil, "enabling does not bring it back")

      try await book.openSession(session("bob", two, at: later(6)), by: Actor("bob"))
      try await book.removeUser("bob", by: Self.boss, at: later(7))
      #expect(try await book.session(two.hash) == nil)
    }
  }

  @Test func sessionsAreFewAndSwept() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      let secrets = (0..<AccessLimits.sessionsPerUser + 3).map { _ in Secret() }
      for (n, secret) in secrets.enumerated() {
        try await book.openSession(session("alice", secret, at: later(Double(n))), by: Actor("alice"))
      }
      var open: [Bool] = []
      for secret in secrets { open.append(try await book.session(secret.hash) != nil) }
      #expect(open == [false, false, false] + Array(repeating: true, count: AccessLimits.sessionsPerUser))

      try await book.touchSession(secrets[3].hash, at: later(500))
      #expect(try await book.session(secrets[3].hash)?.session.lastSeen == later(500))
      #expect(try await book.account("alice")?.user.lastSeen == later(500))
      try await book.touchSession(secrets[3].hash, at: later(100))
      #expect(try await book.session(secrets[3].hash)?.session.lastSeen == later(500), "time does not go back")
      try await book.sweepSessions(openedBefore: later(0), usedBefore: later(400))
      #expect(try await book.session(secrets[3].hash) != nil)
      #expect(try await book.session(secrets[4].hash) == nil)
    }
  }

  @Test func tokensBelongToTheirOwner() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      let secret = Secret()
      let token = try await book.addToken(
        "prometheus", owner: "alice", role: .viewer, expires: later(1000), hash: secret.hash, by: Self.boss,
        at: later(1))
      #expect(try await book.tokens() == [token])
      let found = try #require(try await book.token(secret.hash))
      #expect(found.token == token && found.user.name == "alice")
      #expect(try await book.token(Secret().hash) == nil)
      try await book.touchToken(token.number, at: later(50))
      #expect(try await book.tokens().first?.lastUsed == later(50))
      for (label, owner, code) in [
        ("prometheus", "alice", StoreError.Code.refused), ("x", "nobody", .absent), ("", "alice", .refused),
        (String(repeating: "l", count: 65), "alice", .refused),
      ] {
        let answer = await refusal {
          _ = try await book.addToken(
            label, owner: owner, role: .viewer, expires: nil, hash: Secret().hash, by: Self.boss, at: later(2))
        }
        #expect(answer == code)
      }
      #expect(try await book.endToken(token.number, by: Self.boss, at: later(3)))
      #expect(try await !book.endToken(token.number, by: Self.boss, at: later(4)))
      #expect(try await book.token(secret.hash) == nil)
      let second = Secret()
      _ = try await book.addToken(
        "x", owner: "alice", role: .viewer, expires: nil, hash: second.hash, by: Self.boss, at: later(5))
      try await book.removeUser("alice", by: Self.boss, at: later(6))
      #expect(try await book.token(second.hash) == nil)
      #expect(try await book.tokens() == [])
    }
  }

  @Test func tokensHaveNoMoreThanTheirOwnersRole() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      try await book.addUser("vic", role: .viewer, password: "$", by: Self.boss, at: Self.start)
      for role in [Role.analyst, .admin] {
        let answer = await refusal {
          _ = try await book.addToken(
            "mon", owner: "vic", role: role, expires: nil, hash: Secret().hash, by: Self.boss, at: later(1))
        }
        #expect(answer == .refused, "\(role)")
      }
      #expect(try await book.tokens() == [])
      // What was lowered later is shown as it now is, and rises again with its owner.
      try await book.setRole(of: "vic", to: .admin, by: Self.boss, at: later(2))
      let secret = Secret()
      _ = try await book.addToken(
        "mon", owner: "vic", role: .admin, expires: nil, hash: secret.hash, by: Self.boss, at: later(3))
      try await book.setRole(of: "vic", to: .viewer, by: Self.boss, at: later(4))
      #expect(try await book.tokens().map(\.role) == [.viewer])
      #expect(try await book.token(secret.hash)?.token.role == .viewer)
      try await book.setRole(of: "vic", to: .admin, by: Self.boss, at: later(5))
      #expect(try await book.tokens().map(\.role) == [.admin])
    }
  }

  @Test func strongerHashReplacesTheSameOnly() async throws {
    try await withBook { book, _ in
      try await book.addUser("alice", role: .admin, password: "$old", by: Self.boss, at: Self.start)
      try await book.strengthen("alice", from: "$other", to: "$x")
      #expect(try await book.account("alice")?.password == "$old")
      try await book.strengthen("alice", from: "$old", to: "$strong")
      #expect(try await book.account("alice")?.password == "$strong")
    }
  }

  /// Who reads a stolen store cannot log in with what stands in it.
  @Test func noSecretIsOnDisk() async throws {
    try await withBook { book, store in
      let (cookie, token) = (Secret(), Secret())
      let hash = try #require(PasswordHash("four words of mine", cost: .init(logN: 4, blockSize: 1, parallelism: 1)))
      try await book.addUser("alice", role: .admin, password: hash.description, by: Self.boss, at: Self.start)
      try await book.openSession(session("alice", cookie, at: later(1)), by: Actor("alice"))
      _ = try await book.addToken(
        "t", owner: "alice", role: .admin, expires: nil, hash: token.hash, by: Self.boss, at: later(2))
      var disk = Data()
      for end in ["", "-wal"] { disk += (try? Data(contentsOf: URL(filePath: store.path + end))) ?? Data() }
      #expect(disk.range(of: Data(cookie.hash)) != nil, "the fixture writes where we look")
      for secret in [cookie.text, token.text, token.token, "four words of mine"] {
        #expect(disk.range(of: Data(secret.utf8)) == nil)
      }
    }
  }

  /// Each change and its line of audit are one: a change that was refused leaves none.
  @Test func changesAreInTheAudit() async throws {
    try await withBook { book, store in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      try await book.openSession(session("alice", Secret(), at: later(1)), by: Actor("alice", origin: "::1"))
      _ = await refusal { try await book.setRole(of: "alice", to: .viewer, by: Self.boss, at: later(2)) }
      let token = try await book.addToken(
        "t", owner: "alice", role: .viewer, expires: nil, hash: Secret().hash, by: Self.boss, at: later(3))
      _ = try await book.endToken(token.number, by: Self.boss, at: later(4))
      try await book.setPassword(of: "alice", to: "$2", by: Self.boss, at: later(5))
      let rows = try await StationStore(store).audit(after: nil, limit: 100).rows.reversed()
      #expect(rows.map(\.action) == ["user.add", "user.log_in", "token.add", "token.end", "user.password"])
      #expect(rows.map(\.actor.origin) == ["127.0.0.1", "::1", "127.0.0.1", "127.0.0.1", "127.0.0.1"])
      #expect(rows.last?.subject == "user alice" && rows.last?.detail == "1 sessions ended")
      #expect(rows.last?.time == later(5))
    }
  }

  @Test func othersProgramsChangesAreSeen() async throws {
    try await withBook { book, store in
      try await book.addUser("alice", role: .admin, password: "$", by: Self.boss, at: Self.start)
      let secret = Secret()
      try await book.openSession(session("alice", secret, at: later(1)), by: Actor("alice"))
      #expect(try await book.session(secret.hash) != nil)
      let second = try SQLiteStore(path: store.path, at: Self.start)
      defer { second.close() }
      try await AccessStore(second).setPassword(of: "alice", to: "$2", by: Self.boss, at: later(2))
      #expect(try await book.session(secret.hash) == nil)
    }
  }
}
