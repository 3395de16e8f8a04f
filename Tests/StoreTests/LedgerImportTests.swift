import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct LedgerImportTests {
  private static let clash = LedgerFixture.galaxy([
    (1, "Marina Botnet", ["Damon Briant", "Kraken"]), (2, "Kraken", ["Kracken"]), (3, "Sality", ["Sality"]),
  ])

  @Test func theSameFileAgainChangesNothing() throws {
    try LedgerFixture.withLedger { ledger, store in
      let feed = LedgerFixture.feodo([
        ("192.0.2.1", "online", "2026-05-01 10:00:00", "2026-05-20", "Kraken"),
        ("192.0.2.2", "offline", "2026-05-01 10:00:00", "2026-05-02", "Newcomer"),
      ])
      let first = try LedgerFixture.take(Self.clash, feed, into: ledger)
      #expect(first.added[.botnets] == 4)
      #expect(first.added[.indicators] == 2)
      let before = try LedgerDump.text(store)
      let later = LedgerFixture.now.advanced(bySeconds: 86_400 * 3)
      let again = try ledger.apply(
        try [Self.clash, feed].map { try LedgerFixture.parse($0) }, author: "other", at: later)
      #expect(again.isEmpty)
      #expect(again.lines.isEmpty)
      #expect(try LedgerDump.text(store) == before)
    }
  }

  /// A name is its bearer's; the row that has it as a synonym keeps the claim and says whose it is.
  @Test func aClashIsTheBearers() throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.clash, into: ledger)
      #expect(try ledger.botnet("KRAKEN")?.id == LedgerFixture.uuid(2))
      let marina = try #require(try ledger.botnet("marina botnet"))
      #expect(marina.names.first { $0.text == "Kraken" }?.ownedBy == "Kraken")
      #expect(marina.names.first { $0.text == "Damon Briant" }?.ownedBy == nil)
      #expect(try ledger.botnet("Kracken")?.id == LedgerFixture.uuid(2))
    }
  }

  /// Two rows claim one synonym that neither bears: more sources win, then the lower id; in any order of import.
  @Test(arguments: [false, true]) func aSynonymOfTwoHasOneOwner(_ isReversed: Bool) throws {
    var files = [
      LedgerFixture.galaxy([(1, "Alpha", ["Shared"])]), LedgerFixture.galaxy([(2, "Beta", ["Shared"])]),
      LedgerFixture.galaxy([(2, "Beta", ["Shared"])], type: "malpedia"),
    ]
    if isReversed { files.reverse() }
    try LedgerFixture.withLedger { ledger, _ in
      for file in files { try LedgerFixture.take(file, into: ledger) }
      #expect(try ledger.botnet("shared")?.name == "Beta")
      // The narrower of two stated kinds stands, in any order.
      #expect(try ledger.botnet("Beta")?.kind.value == .botnet)
    }
  }

  /// A feed names a malware before a catalogue says that this is a synonym.
  @Test(arguments: [false, true]) func anAssumedRowIsTakenIn(_ feedFirst: Bool) throws {
    let feed = LedgerFixture.feodo([("192.0.2.1", "online", "2026-05-01 10:00:00", "2026-05-20", "Heodo")])
    let galaxy = LedgerFixture.galaxy([(7, "Emotet", ["Geodo", "Heodo"])], type: "malpedia")
    try LedgerFixture.withLedger { ledger, store in
      for file in feedFirst ? [feed, galaxy] : [galaxy, feed] { try LedgerFixture.take(file, into: ledger) }
      let emotet = try #require(try ledger.botnet("heodo"))
      #expect(emotet.name == "Emotet")
      #expect(emotet.servers.map(\.indicator.value) == ["192.0.2.1:443"])
      #expect(try ledger.summaries().count == 1)
      if feedFirst { #expect(try ledger.botnet(BotnetName.id(of: "Heodo"))?.name == "Emotet") }
      #expect(try ledger.search("heodo", limit: 5).map(\.name) == ["Emotet"])
      let again = try LedgerFixture.take(feed, galaxy, into: ledger)
      #expect(again.isEmpty)
      #expect(try store.read { try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").count } == 0)
    }
  }

  @Test func timesWidenAndTheNewerWordStands() throws {
    try LedgerFixture.withLedger { ledger, _ in
      func server() throws -> IndicatorClaim { try #require(try ledger.botnet("Bot")?.servers.first) }
      func take(_ status: String, _ first: String, _ last: String) throws -> RegistryChanges {
        try LedgerFixture.take(LedgerFixture.feodo([("192.0.2.1", status, first, last, "Bot")]), into: ledger)
      }
      _ = try take("online", "2026-05-10 00:00:00", "2026-05-20")
      #expect(try take("offline", "2026-05-10 00:00:00", "2026-05-20").changed[.claims] == 1)
      #expect(try server().isOnline == false)
      // An older file widens what is known, and takes nothing back.
      _ = try take("online", "2026-05-01 00:00:00", "2026-05-05")
      #expect(try server().isOnline == false)
      #expect(try server().firstSeen?.dayDescription == "2026-05-01")
      #expect(try server().lastSeen?.dayDescription == "2026-05-20")
    }
  }

  /// A file with an indicator twice is the same file when its lines are swapped.
  @Test func theOrderOfLinesDoesNotMatter() throws {
    let rows = [
      ("192.0.2.1", "online", "2026-05-01 00:00:00", "2026-05-20", "Bot"),
      ("192.0.2.1", "offline", "2026-05-03 00:00:00", "2026-05-20", "Bot"),
    ]
    try LedgerFixture.withLedger { ledger, store in
      try LedgerFixture.take(LedgerFixture.feodo(rows), into: ledger)
      let before = try LedgerDump.text(store)
      #expect(try LedgerFixture.take(LedgerFixture.feodo(rows.reversed()), into: ledger).isEmpty)
      #expect(try LedgerDump.text(store) == before)
    }
  }

  @Test func evidenceAddsUpToAStanding() throws {
    try LedgerFixture.withLedger { ledger, _ in
      let feed = LedgerFixture.feodo([("192.0.2.1", "online", "2026-05-01 10:00:00", "2026-05-20", "Alpha")])
      try LedgerFixture.take(feed, into: ledger)
      let at = Timestamp(seconds: Int64(try #require(CivilDay.parse("2026-05-28"))) * 86_400)
      #expect(try ledger.botnet("Alpha")?.standing(at: at, expiryDays: 30) == .candidate)
      try LedgerFixture.take(LedgerFixture.galaxy([(1, "Alpha", [])]), into: ledger)
      let alpha = try #require(try ledger.summaries().first)
      #expect(alpha.standing(at: at, expiryDays: 30) == .confirmed)
      #expect(alpha.standing(at: at, expiryDays: 5) == .dormant)
      #expect(alpha.evidence.map(\.kind.rawValue).sorted() == ["c2", "publication"])
    }
  }

  @Test func aCensusBecomesASeries() throws {
    let census = """
      {"schema_version": "1.0", "botnet": "Alpha", "window": {"first": "2026-05-10T08:00:00.000000Z",
        "end": "2026-05-17T08:00:00.000000Z", "hours": 168}, "sensors": ["north", "south"],
       "footprint": {"kind": "footprint", "window": {"first": "2026-05-10T08:00:00.000000Z",
        "end": "2026-05-17T08:00:00.000000Z", "hours": 168}, "machines": {"low": 90, "value": 100, "high": 115},
         "addresses": 640, "grade": "B"},
       "live": [{"hour": 494000, "machines": {"low": 9, "value": 10, "high": 12}, "addresses": 11, "grade": "B"},
                {"hour": 494001, "machines": {"low": 19, "value": 20, "high": 22}, "addresses": 21, "grade": "B"}],
       "active": [{"first_hour": 494016, "last_hour": 494039, "machines": null, "at_most": 70, "addresses": 80, "grade": "C"}]}
      """
    try LedgerFixture.withLedger { ledger, _ in
      #expect(try LedgerFixture.take(census, into: ledger).added[.sizes] == 3)
      let alpha = try #require(try ledger.botnet("alpha"))
      #expect(alpha.sizes.map(\.figure.kind) == [.live, .active, .footprint])
      #expect(alpha.sizes[0].figure.machines?.value == 20)
      #expect(alpha.sizes[1].figure.machines == nil)
      #expect(alpha.sizes[1].figure.atMost == 70)
      #expect(alpha.sizes[2].figure.hours == 494_000...494_167)
      #expect(alpha.sizes[2].sensors == ["north", "south"])
      #expect(alpha.evidence.first?.kind == .machines)
      #expect(alpha.evidence.first?.life == Timestamp(seconds: 494_001 * 3600 + 3599))
      #expect(try LedgerFixture.take(census, into: ledger).isEmpty)
    }
  }
}
