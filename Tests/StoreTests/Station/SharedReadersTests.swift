import Mothlight
import Testing

@testable import MothlightStore

/// Registry and station share the readers of one file, and all tasks share a thread for each core.
@Suite struct SharedReadersTests {
  /// A look-up that waits for a reader on a shared thread stops those that hold the readers: with one for each thread, for good.
  @Test(.timeLimit(.minutes(1))) func registryAndStationNeverWaitForEachOther() async throws {
    try await StationFixture.withStore { store, _ in
      let ledger = Ledger(store.file)
      let galaxy = LedgerFixture.galaxy((1...20).map { (number: $0, name: "Example \($0)", synonyms: ["Other \($0)"]) })
      try LedgerFixture.take(galaxy, into: ledger)
      try await store.keep(
        [StationFixture.hostDay("192.0.2.10", day: StationFixture.today)], run: "a", at: StationFixture.now)
      let answers = try await withThrowingTaskGroup(of: Int.self) { group in
        for n in 0..<400 {
          group.addTask {
            switch n % 3 {
            case 0: return try await ledger.botnets(matching: "example", limit: 5).count
            case 1: return try await ledger.botnet("Example \(n % 20 + 1)") == nil ? 0 : 5
            default: return try await store.hostDays(HostDayQuery(), after: nil, limit: 10).rows.count * 5
            }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers == [Int](repeating: 5, count: 400))
    }
  }
}
