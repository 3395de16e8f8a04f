import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct LedgerEditTests {
  private let edit = Edit(author: "ada", reason: "seen in the spool", time: LedgerFixture.now)

  @Test func everyEditIsKept() throws {
    try LedgerFixture.withLedger { ledger, _ in
      let id = try ledger.add("Alpha", kind: .botnet, aliases: ["Alef"], by: edit)
      _ = try ledger.add("Alpha Two", kind: .variant, aliases: [], variantOf: "alef", by: edit)
      try ledger.alias("Aleph", of: "alpha", by: edit)
      var additions = Ledger.Additions()
      additions.protocols = ["irc"]
      additions.references = ["https://example.org/alpha"]
      try ledger.note(additions, on: "aleph", kind: .family, by: edit)
      let day = try #require(CivilDay.parse("2026-05-01"))
      try ledger.takedown(
        TakedownRecord(
          day: day, by: "police", outcome: .sinkholed, method: "court order",
          origin: Origin(source: edit.source, date: edit.time)), of: id, by: edit)
      let alpha = try #require(try ledger.botnet(id))
      #expect(alpha.names.map(\.text) == ["Alef", "Aleph", "Alpha"])
      #expect(alpha.names.allSatisfy { $0.origin == Origin(source: "analyst/ada", date: LedgerFixture.now) })
      #expect(alpha.kind.value == .family)
      #expect(alpha.protocols.map(\.value) == ["irc"])
      #expect(alpha.takedowns.map(\.by) == ["police"])
      #expect(alpha.standing(at: LedgerFixture.now, expiryDays: 30) == .sinkholed)
      #expect(try ledger.botnet("Alpha Two")?.relations.first?.value.targetName == "Alpha")
      let rows = try ledger.audit(limit: 10)
      #expect(rows.map(\.action) == ["takedown", "note", "alias", "add", "add"])
      #expect(rows.allSatisfy { $0.author == "ada" && $0.reason == "seen in the spool" })
    }
  }

  /// An analyst's kind stands against what any catalogue says later.
  @Test func aPersonsWordOutranksACatalogue() throws {
    try LedgerFixture.withLedger { ledger, _ in
      _ = try ledger.add("Alpha", kind: .tool, aliases: [], by: edit)
      try LedgerFixture.take(LedgerFixture.galaxy([(1, "Alpha", [])]), into: ledger)
      #expect(try ledger.botnet("Alpha")?.kind.value == .tool)
    }
  }

  @Test func wrongEditsChangeNothing() throws {
    try LedgerFixture.withLedger { ledger, store in
      _ = try ledger.add("Alpha", kind: .botnet, aliases: [], by: edit)
      try LedgerFixture.take(LedgerFixture.galaxy([(1, "Beta", ["Bet"])]), into: ledger)
      let before = try LedgerDump.text(store)
      #expect(throws: StoreError(.refused, "")) { try ledger.add("alpha", kind: .botnet, aliases: [], by: edit) }
      #expect(throws: StoreError(.refused, "")) { try ledger.alias("x", of: "nobody", by: edit) }
      #expect(throws: StoreError(.refused, "")) { try ledger.note(Ledger.Additions(), on: "alpha", by: edit) }
      // A source's alias is the source's to take back.
      #expect(throws: StoreError(.refused, "")) { try ledger.alias("Bet", of: "Beta", remove: true, by: edit) }
      #expect(throws: StoreError(.refused, "")) {
        try ledger.add("Gamma", kind: .variant, aliases: [], variantOf: "nobody", by: edit)
      }
      #expect(try LedgerDump.text(store) == before)
    }
  }

  @Test func anAliasCanBeTakenBackButNotItsHistory() throws {
    try LedgerFixture.withLedger { ledger, _ in
      _ = try ledger.add("Alpha", kind: .botnet, aliases: [], by: edit)
      try ledger.alias("Wrong", of: "Alpha", by: edit)
      try ledger.alias("Wrong", of: "Alpha", remove: true, by: edit)
      #expect(try ledger.botnet("Wrong") == nil)
      #expect(try ledger.search("wrong", limit: 5).isEmpty)
      #expect(try ledger.audit(limit: 5).map(\.action) == ["alias removed", "alias", "add"])
    }
  }

  @Test func historyCannotBeRewritten() throws {
    try LedgerFixture.withLedger { ledger, store in
      _ = try ledger.add("Alpha", kind: .botnet, aliases: [], by: edit)
      for sql in ["UPDATE audit SET author = 'eve'", "DELETE FROM audit"] {
        #expect(throws: DatabaseError.self) { try store.pool.write { try $0.execute(sql: sql) } }
      }
      #expect(try ledger.audit(limit: 5).map(\.author) == ["ada"])
    }
  }
}
