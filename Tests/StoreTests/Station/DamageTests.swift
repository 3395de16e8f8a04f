import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

/// Damaged files: read as far as that goes, never written, rescued.
@Suite struct DamageTests {
  private static let now = StationFixture.now
  private static let today = StationFixture.today
  private static let pageOctets = 4096

  /// 300 host-days with two findings each, cases, a rule and a registry; - Returns: pages of the file.
  static func fill(_ path: String) async throws -> Int {
    let store = try StationStore.open(path, at: now)
    for day in 0..<3 {
      let days = (0..<100).map { n in
        let host = StationFixture.address("10.0.\(day).\(n)")
        return StationFixture.hostDay(
          "10.0.\(day).\(n)", day: today - day, verdict: n < 5 ? .infected : .suspicious,
          findings: [
            StationFixture.finding(host, day: today - day, botnet: n < 50 ? "Zeus" : nil),
            StationFixture.finding(host, day: today - day, subject: "host \(n).\(day).example", family: .dns),
          ])
      }
      try await store.keep(days, run: "day \(day)", at: now)
    }
    _ = try await store.addAllowRule(.name("a.example"), reason: "ours", by: StationFixture.ada, at: now)
    _ = try Ledger(store.file).add(
      "Zeus", kind: .botnet, aliases: ["Zbot"], by: Edit(author: "ada", reason: "", time: now))
    store.close()
    return try Data(contentsOf: URL(fileURLWithPath: path)).count / pageOctets
  }

  static func overwrite(_ path: String, pages: [Int]) throws {
    var octets = try Data(contentsOf: URL(fileURLWithPath: path))
    for page in pages {
      octets.replaceSubrange(
        (page * pageOctets)..<((page + 1) * pageOctets), with: Data(repeating: 0x5a, count: pageOctets))
    }
    try octets.write(to: URL(fileURLWithPath: path))
  }

  @Test func aDamagedStoreIsReadAndNotWritten() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await Self.fill(path)
      try Self.overwrite(path, pages: [pages / 2])
      // Damage is found at the opening of a small file, as a check of this age is due.
      let store = try StationStore.open(path, at: Self.now.advanced(bySeconds: 86_400 * 2))
      defer { store.close() }
      let condition = await store.condition()
      #expect(condition.state == .readOnly)
      #expect(condition.reason?.contains("is damaged") == true)
      #expect(condition.reason?.contains("\n") == false)
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      await #expect(throws: StoreError(.damaged, "")) {
        try await store.keep([StationFixture.plain("10.0.0.1", day: Self.today)], run: "z", at: Self.now)
      }
      await #expect(throws: StoreError(.damaged, "")) {
        try await store.record(AuditEntry(time: Self.now, actor: .station, action: "x", subject: "y"))
      }
      #expect(
        try await store.overview(day: Self.today, days: 0).days.map(\.hosts) == [[.infected: 5, .suspicious: 95]])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
  }

  /// Damage that shows only while it runs stops the writing too.
  @Test func damageThatIsMetStopsWriting() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await Self.fill(path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      var met = 0
      for page in stride(from: 2, to: pages, by: 5) {
        try whole.write(to: URL(fileURLWithPath: path))
        try Self.overwrite(path, pages: [page])
        guard let store = try? StationStore.open(path, at: Self.now) else { continue }
        let trouble = try await store.check(at: Self.now)
        if !trouble.isEmpty {
          met += 1
          #expect(await store.condition().state == .readOnly)
          await #expect(throws: StoreError(.damaged, "")) {
            try await store.keep([StationFixture.plain("10.0.0.1", day: Self.today)], run: "z", at: Self.now)
          }
        }
        store.close()
      }
      #expect(met > pages / 5 / 2)
    }
  }

  /// A restart does not write to a store that was found damaged; another file in its place is another store.
  @Test func damageIsRemembered() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await Self.fill(path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      // In the middle, so that no glance at the ends of tables meets it.
      try Self.overwrite(path, pages: [pages / 2])
      let first = try StationStore.open(path, at: Self.now)
      try #require(try await first.check(at: Self.now) != [])
      await #expect(throws: StoreError(.damaged, "")) {
        try await AccessStore(first.file).addUser(
          "a", role: .admin, password: "$", by: StationFixture.ada, at: Self.now)
      }
      #expect(throws: StoreError(.damaged, "")) {
        try Ledger(first.file).add("B", kind: .botnet, aliases: [], by: Edit(author: "ada", reason: "", time: Self.now))
      }
      first.close()
      let again = try StationStore.open(path, at: Self.now)
      #expect(await again.condition().state == .readOnly)
      #expect(await again.condition().reason?.contains("is damaged") == true)
      again.close()
      // Repaired in its place: the note holds until a check finds all well.
      try whole.write(to: URL(fileURLWithPath: path))
      let repaired = try StationStore.open(path, at: Self.now)
      #expect(await repaired.condition().state == .readOnly)
      #expect(try await repaired.check(at: Self.now) == [])
      repaired.close()
      let ready = try StationStore.open(path, at: Self.now)
      #expect(await ready.condition().state == .ready)
      ready.note(damage: StoreError(.damaged, "noted"))
      ready.close()
      #expect(await Self.state(path) == .readOnly)
      // A backup in its place is another file.
      try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
      try whole.write(to: URL(fileURLWithPath: path))
      #expect(await Self.state(path) == .ready)
    }
  }

  private static func state(_ path: String) async -> StoreCondition.State? {
    guard let store = try? StationStore.open(path, at: now) else { return nil }
    defer { store.close() }
    return await store.condition().state
  }

  /// Whatever page is lost, the opening's glance or the check tells; nothing is called ready that is not.
  @Test func everyLostPageIsTold() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await Self.fill(path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      var (atOpening, byCheck, unused) = (0, 0, 0)
      for page in stride(from: 1, to: pages, by: max(1, pages / 60)) {
        unlink(path)
        unlink(path + ".damaged")
        try whole.write(to: URL(fileURLWithPath: path))
        try Self.overwrite(path, pages: [page])
        guard let store = try? StationStore.open(path, at: Self.now) else {
          atOpening += 1
          continue
        }
        if store.file.trouble != nil {
          atOpening += 1
        } else if try await store.check(at: Self.now) != [] {
          byCheck += 1
        } else {
          unused += 1
        }
        store.close()
      }
      #expect(atOpening > 10 && byCheck > 10)
      // A page that is free, or one that only says which pages belong together.
      #expect(unused <= 2)
    }
  }

  @Test func aNewerStoreIsRefused() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      _ = try await Self.fill(path)
      try Self.setVersion(99, path)
      #expect(throws: StoreError(.newer, "")) { try StationStore.open(path, at: Self.now) }
      #expect(throws: StoreError(.newer, "")) { try SQLiteStore(reading: path, because: "x") }
    }
  }

  private static func setVersion(_ version: Int, _ path: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = \(version)") }
    try queue.close()
  }

  @Test func aWholeStoreIsRescuedWhole() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      _ = try await Self.fill(path)
      let rescued = try Rescue.run(path, to: folder + "/out.sqlite", at: Self.now)
      #expect(rescued.isWhole)
      #expect(rescued.hostDays == 300)
      #expect(rescued.findings == 600)
      let (a, b) = (
        try StationStore.open(path, at: Self.now), try StationStore.open(folder + "/out.sqlite", at: Self.now)
      )
      for n in [0, 40, 99] {
        let host = StationFixture.address("10.0.1.\(n)")
        let day = Self.today - 1
        let (old, new) = (try await a.hostDay(host, day: day), try await b.hostDay(host, day: day))
        #expect(StationFixture.text(old) == StationFixture.text(new))
      }
      let days = Self.today - 5...Self.today
      #expect(try await a.botnets(days, limit: 9) == b.botnets(days, limit: 9))
      #expect(try await a.overview(day: Self.today, days: 5) == b.overview(day: Self.today, days: 5))
      #expect(
        try await a.cases(CaseQuery(), after: nil, limit: 99).rows == b.cases(CaseQuery(), after: nil, limit: 99).rows)
      #expect(try await a.allowRules() == b.allowRules())
      #expect(try await a.audit(after: nil, limit: 99).rows == b.audit(after: nil, limit: 99).rows)
      #expect(try await b.search("host 7.1.example", limit: 5).isEmpty == false)
      let id = try #require(try await a.findings(FindingQuery(), after: nil, limit: 1).rows.first)
      #expect(try await b.finding(id: id.id)?.recorded == id.recorded)
      #expect(try Ledger(b.file).botnet("zbot", indicatorLimit: 9)?.name == "Zeus")
      #expect(try KeepTests.differences(b) == [])
      a.close()
      b.close()
      #expect(throws: StoreError(.refused, "")) { try Rescue.run(path, to: folder + "/out.sqlite", at: Self.now) }
    }
  }

  /// Each page in turn is lost. The rescue ends, says so where records were lost, and what it makes is sound.
  @Test func anyLostPageIsSurvived() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await Self.fill(path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      var (worst, all, told) = (300, 0, 0)
      let tried = Array(stride(from: 1, to: pages, by: max(1, pages / 40)))
      for page in tried {
        try whole.write(to: URL(fileURLWithPath: path))
        try Self.overwrite(path, pages: [page])
        for suffix in ["", "-wal", "-shm"] { unlink(folder + "/out.sqlite" + suffix) }
        guard let rescued = try? Rescue.run(path, to: folder + "/out.sqlite", at: Self.now) else { continue }
        all += 1
        worst = min(worst, rescued.hostDays + rescued.hostDaysInPart)
        if !rescued.isWhole { told += 1 }
        if rescued.hostDays < 300 || rescued.findings < 600 { #expect(!rescued.isWhole, "page \(page)") }
        let store = try StationStore.open(folder + "/out.sqlite", at: Self.now)
        #expect(try KeepTests.differences(store) == [], "page \(page)")
        #expect(
          try store.file.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"], "page \(page)")
        store.close()
      }
      #expect(all > tried.count * 3 / 4)
      #expect(told > 0)
      // A page of a table's inside takes most of that table, but not the findings beside it.
      #expect(worst > 0)
    }
  }
}
