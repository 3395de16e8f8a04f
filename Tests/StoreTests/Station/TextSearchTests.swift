import GRDB
import Mothlight
import Testing

@testable import MothlightStore

/// The index of texts is behind on purpose; what it does not hold yet is found all the same.
@Suite struct TextSearchTests {
  private let now = StationFixture.now
  private let today = StationFixture.today
  /// More subjects than may wait (16,384), so that some are in the index and some are not.
  private static let subjects = 24_000
  private static let ofAHost = 80

  private func fill(_ store: StationStore) async throws {
    for start in stride(from: 0, to: Self.subjects, by: 4000) {
      let days = stride(from: start, to: start + 4000, by: Self.ofAHost).map { first in
        let host = "10.0.\(first / Self.ofAHost / 250).\(first / Self.ofAHost % 250)"
        let day = today - first / Self.ofAHost % 3
        return StationFixture.hostDay(
          host, day: day, verdict: .suspicious,
          findings: (first..<first + Self.ofAHost).map { n in
            StationFixture.finding(
              StationFixture.address(host), day: day, detector: n % 2 == 0 ? "beacon" : "irc",
              subject: "Name\(n).z\(n % 40).EXAMPLE port \(n % 7)", family: n % 5 == 0 ? .dns : .timing,
              peerName: n % 4 == 0 ? "évil\(n % 9).example" : nil)
          })
      }
      try await store.keep(days, run: "a", at: now)
    }
  }

  private func count(_ store: StationStore, _ text: String) async throws -> Int {
    var query = FindingQuery()
    query.text = text
    var (found, cursor) = (Set<String>(), Mothlight.Cursor?.none)
    repeat {
      let page = try await store.findings(query, after: cursor, limit: 700)
      #expect(
        page.rows.allSatisfy {
          "\($0.finding.subject)\n\($0.finding.peerName ?? "")".lowercased().contains(text.lowercased())
        })
      found.formUnion(page.rows.map(\.id))
      cursor = page.next
    } while cursor != nil
    return found.count
  }

  /// Few subjects, hundreds of them, and nearly all: three ways to look for them.
  @Test func everyTextIsFoundWhereverItStands() async throws {
    try await StationFixture.withStore { store, _ in
      try await fill(store)
      let behind = try store.file.read { db in try AboutWords.mark(db) }
      #expect(behind > 0 && behind < Self.subjects, "some are in the index, some are not")
      #expect(try await count(store, "name12.z12.ex") == 1)
      #expect(try await count(store, "name19999.") == 1)
      #expect(try await count(store, "NAME123") == 111)
      #expect(try await count(store, ".z7.") == 600)
      #expect(try await count(store, "port 3") == (0..<Self.subjects).count { $0 % 7 == 3 })
      #expect(try await count(store, "example") == Self.subjects)
      // All its pieces stand in subjects that do not hold it.
      #expect(try await count(store, "example port 3.z7") == 0)
      #expect(try await count(store, "ÉVIL4") == (0..<Self.subjects).count { $0 % 4 == 0 && $0 % 9 == 4 })
      #expect(try await count(store, "z1") == (0..<Self.subjects).count { "z\($0 % 40)".hasPrefix("z1") })
      #expect(try await store.search("name19998", limit: 5).map(\.title) == ["Name19998.z38.EXAMPLE port 6"])
      #expect(try await store.search("évil8", limit: 5).map(\.title) == ["évil8.example"])
    }
  }

  /// A family is looked for along its detectors.
  @Test func familiesAreListedInOrder() async throws {
    try await StationFixture.withStore { store, _ in
      try await fill(store)
      var query = FindingQuery()
      query.family = .dns
      query.days = today...today
      var (ids, cursor) = ([String](), Mothlight.Cursor?.none)
      repeat {
        let page = try await store.findings(query, after: cursor, limit: 90)
        #expect(page.rows.allSatisfy { $0.finding.family == .dns })
        ids += page.rows.map(\.id)
        cursor = page.next
      } while cursor != nil
      var all = FindingQuery()
      all.days = today...today
      let expected = try await store.findings(all, after: nil, limit: 1000)
      #expect(ids.count == Self.subjects / 5 / 3)
      #expect(Set(ids).count == ids.count)
      let first = expected.rows.filter { $0.finding.family == .dns }.map(\.id)
      #expect(Array(ids.prefix(first.count)) == first, "newest first, as without the condition")
    }
  }

  /// What retention forgets is gone from the index, and the numbers that become free are taken in again.
  @Test func forgottenSubjectsAreNotFound() async throws {
    try await StationFixture.withStore { store, _ in
      try await fill(store)
      let later = StationFixture.time(today + 60)
      _ = try await store.prune(Retention(detailDays: 30), at: later)
      #expect(try await store.search("name12", limit: 5).isEmpty)
      let left = try store.file.read { db in
        (try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM about") ?? -1, try AboutWords.mark(db))
      }
      #expect(left.0 == 0 && left.1 == 0)
      try await fill(store)
      #expect(try await count(store, "name12.z12.ex") == 1)
      #expect(try await count(store, "NAME123") == 111)
    }
  }
}
