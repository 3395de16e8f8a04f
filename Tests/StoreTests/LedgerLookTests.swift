import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct LedgerLookTests {
  private static let names = LedgerFixture.galaxy([
    (1, "Mariposa", ["Butterfly"]), (2, "Mirai", []), (3, "Hide and Seek", ["HNS"]), (4, "Conficker", ["DownadUp"]),
  ])

  @Test(arguments: [
    ("mariposa", "Mariposa", "name"), ("mari", "Mariposa", "beginning"), ("butterfyl", "Mariposa", "typing_error"),
    ("hidenseek", "Hide and Seek", "typing_error"), ("Hide-And-Seek", "Hide and Seek", "name"),
    ("conflicker", "Conficker", "typing_error"), ("adup", "Conficker", "part"), ("mriai", "Mirai", "typing_error"),
  ])
  func namesAreFound(_ asked: String, _ name: String, _ how: String) throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.names, into: ledger)
      let first = try ledger.search(asked, limit: 3).first
      #expect(first?.name == name)
      #expect(first?.how.word == how)
    }
  }

  @Test func shortWordsAllowNoError() throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.names, into: ledger)
      #expect(try ledger.search("hnx", limit: 3).isEmpty)
      #expect(try ledger.search("zzzzzzzz", limit: 3).isEmpty)
      #expect(try ledger.search("\"' DROP TABLE --", limit: 3).isEmpty)
    }
  }

  /// With FTS5 and without.
  @Test(arguments: [true, false]) func notesAreSearched(_ fullText: Bool) throws {
    try LedgerFixture.withLedger(fullText: fullText) { ledger, store in
      try LedgerFixture.take(Self.names, into: ledger)
      var additions = Ledger.Additions()
      additions.notes = ["Spread by removable media, 2009"]
      try ledger.note(additions, on: "DownadUp", by: Edit(author: "a", reason: "r", time: LedgerFixture.now))
      #expect(store.hasFullText == fullText)
      #expect(try ledger.search("removable medi", limit: 3).map(\.name) == ["Conficker"])
      #expect(try ledger.search("removable nothing", limit: 3).isEmpty)
      #expect(try ledger.search("100% _ *", limit: 3).isEmpty)
    }
  }

  private static let threatfox = """
    [{"ioc": "bad.example.net", "ioc_type": "domain", "threat_type": "botnet_cc", "malware": "win.alpha",
      "malware_printable": "Alpha", "first_seen": "2026-05-01 10:00:00 UTC", "confidence_level": 75},
     {"ioc": "198.51.100.7:8080", "ioc_type": "ip:port", "threat_type": "botnet_cc", "malware": "win.alpha",
      "malware_printable": "Alpha", "first_seen": "2026-05-01 10:00:00 UTC"},
     {"ioc": "http://203.0.113.9/a.bin", "ioc_type": "url", "threat_type": "payload_delivery", "malware": "win.alpha",
      "malware_printable": "Alpha", "first_seen": "2026-05-01 10:00:00 UTC"},
     {"ioc": "\(String(repeating: "ab", count: 32))", "ioc_type": "sha256_hash", "threat_type": "payload",
      "malware": "win.alpha", "malware_printable": "Alpha", "first_seen": "2026-05-01 10:00:00 UTC"}]
    """

  @Test(arguments: [
    ("bad.example.net", "exact"), ("BAD.example.NET.", "exact"), ("a.b.bad.example.net", "parent_domain"),
    ("bad[.]example[.]net", "exact"), ("hxxp://www.bad.example.net/x", "parent_domain"),
    ("https://bad.example.net/x", "same_host"),
    ("198.51.100.7:8080", "exact"), ("198.51.100.7", "same_host"), ("198.51.100.7:9", "same_host"),
    ("203.0.113.9", "same_host"), ("http://203.0.113.9/a.bin", "exact"), ("http://203.0.113.9/A.bin", "same_host"),
  ])
  func indicatorsAreMatched(_ asked: String, _ how: String) throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.threatfox, into: ledger)
      let hits = try #require(try ledger.matches([asked]).first)
      #expect(hits.first?.how.rawValue == how)
      #expect(hits.first?.botnet == "Alpha")
    }
  }

  @Test func whatIsNotListedDoesNotMatch() throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.threatfox, into: ledger)
      let asked = ["example.net", "notbad.example.net", "198.51.100.8", "net", "\(String(repeating: "ac", count: 32))"]
      #expect(try ledger.matches(asked).allSatisfy(\.isEmpty))
      #expect(try ledger.matches([String(repeating: "AB", count: 32)])[0].first?.claim.role == .sample)
    }
  }

  @Test func everythingIsExportedOnce() throws {
    try LedgerFixture.withLedger { ledger, _ in
      try LedgerFixture.take(Self.names, Self.threatfox, into: ledger)
      try LedgerFixture.take(
        "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
          + "\"9\",\"2026-05-01 10:00:00\",\"http://203.0.113.77/x\",\"offline\",\"\",\"malware_download\",\"elf\",\"\",\"me\"\n",
        into: ledger)
      var names: [String] = []
      var claims = 0
      var loose: [String] = []
      try ledger.forEachBotnet {
        names.append($0.name)
        claims += $0.indicators.count
      } unassigned: {
        loose.append($0.indicator.value)
      }
      #expect(names == ["Alpha", "Conficker", "Hide and Seek", "Mariposa", "Mirai"])
      #expect(claims == 4)
      #expect(loose == ["http://203.0.113.77/x"])
    }
  }
}
