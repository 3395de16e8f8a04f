import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct RulesTests {
  private let now = StationFixture.now
  private let ada = StationFixture.ada

  @Test func rulesHoldUntilTheyEnd() async throws {
    try await StationFixture.withStore { store, _ in
      let texts = ["name:*.example", "pair:10.0.0.1/32>192.0.2.0/24", "source:2001:db8::/32"]
      for text in texts {
        _ = try await store.addAllowRule(try AllowList.parse(text), reason: "ours", by: ada, at: now)
      }
      let rules = try await store.allowRules()
      #expect(rules.map(\.rule.description) == texts)
      #expect(rules.allSatisfy { $0.actor == ada && $0.reason == "ours" && $0.added == now })
      await #expect(throws: StoreError(.refused, "")) {
        try await store.addAllowRule(.name("*.example"), reason: "twice", by: ada, at: now)
      }
      await #expect(throws: StoreError(.refused, "")) {
        try await store.addAllowRule(.name(""), reason: "empty", by: ada, at: now)
      }
      #expect(try await store.endAllowRule(rules[0].number, by: ada, at: now))
      #expect(try await store.endAllowRule(rules[0].number, by: ada, at: now) == false)
      #expect(try await store.endAllowRule(77, by: ada, at: now) == false)
      #expect(try await store.allowRules().map(\.number) == [2, 3])
      // A number is never given twice.
      #expect(try await store.addAllowRule(.name("*.example"), reason: "", by: ada, at: now).number == 4)
      let audit = try await store.audit(after: nil, limit: 10).rows
      #expect(audit.map(\.action) == ["allow.add", "allow.end", "allow.add", "allow.add", "allow.add"])
    }
  }

  @Test func theAuditHoldsAllAndIsNeverRewritten() async throws {
    try await StationFixture.withStore { store, _ in
      let ledger = Ledger(store.file)
      _ = try ledger.add(
        "Alpha", kind: .botnet, aliases: [], by: Edit(author: "bob", reason: "seen", time: now))
      for n in 0..<5 {
        try await store.record(
          AuditEntry(
            time: Timestamp(nanoseconds: now.nanoseconds + Int64(n)), actor: ada, action: "user.login_failed",
            subject: "user eve", detail: "\(n)"))
      }
      var all: [AuditEntry] = []
      var cursor: Mothlight.Cursor?
      repeat {
        let page = try await store.audit(after: cursor, limit: 2)
        all += page.rows
        cursor = page.next
      } while cursor != nil
      #expect(all.map(\.detail) == ["4", "3", "2", "1", "0", "botnet (seen)"])
      #expect(all.map(\.time.nanoseconds).prefix(5) == (0..<5).reversed().map { now.nanoseconds + $0 }[...])
      #expect(all.last?.actor == Actor("bob"))
      for sql in ["UPDATE audit SET author = 'eve'", "DELETE FROM audit"] {
        #expect(throws: DatabaseError.self) { try store.file.pool.write { try $0.execute(sql: sql) } }
      }
    }
  }

  @Test func theRegistryIsAShelf() async throws {
    try await StationFixture.withStore { store, _ in
      let ledger = Ledger(store.file)
      for name in ["Alpha", "Alphabet", "Beta"] {
        _ = try ledger.add(name, kind: .botnet, aliases: [], by: Edit(author: "bob", reason: "", time: now))
      }
      let shelf: any RegistryShelf = ledger
      #expect(try await shelf.botnet("alpha")?.name == "Alpha")
      #expect(try await shelf.botnet("gamma") == nil)
      #expect(try await shelf.botnets(matching: "alpha", limit: 5).map(\.name) == ["Alpha", "Alphabet"])
      #expect(try await shelf.botnets(matching: "", limit: 5).isEmpty)
    }
  }
}
