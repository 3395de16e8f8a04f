import Testing

@testable import Mothlight

@Suite("Stress grid") struct StressGridTests {
  static func gaps(_ flows: [Flow]) -> [Double] {
    zip(flows, flows.dropFirst()).map { $1.first.seconds(since: $0.first) }
  }

  static func variation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot() / mean
  }

  @Test(arguments: StressGrid.cells) func countsMatchTheCell(cell: StressGrid.Cell) {
    var counts: [Int] = []
    for seed in 0..<20 as Range<UInt64> {
      let flows = StressGrid.beacon(cell, seed: seed)
      counts.append(flows.count)
      #expect(zip(flows, flows.dropFirst()).allSatisfy { $0.first <= $1.first })
      #expect(Set(flows.map(\.destination)).count == 1)
      #expect(flows == StressGrid.beacon(cell, seed: seed))
    }
    let beats = cell.onlineHours * 3600 / cell.periodSeconds
    let expected = beats * (1 - cell.miss + cell.extra)
    let mean = Double(counts.reduce(0, +)) / 20
    #expect(abs(mean - expected) < 0.12 * expected + 1, "\(cell.name): \(mean) for \(expected)")
  }

  @Test func officeHostsStayInTheirHours() throws {
    let cell = try #require(StressGrid.cells.first { $0.onlineHours == 8 })
    let flows = StressGrid.beacon(cell, seed: 4)
    let first = try #require(flows.first)
    let last = try #require(flows.last)
    #expect(last.first.seconds(since: first.first) < 8 * 3600)
  }

  /// Exponential gaps vary by 1, bursts by more, benign clockwork by much less: the premise of the timing study.
  @Test func nullPairsHaveTheirShape() {
    for seed in 1..<8 as Range<UInt64> {
      let poisson = Self.variation(Self.gaps(StressGrid.null(.poisson, seed: seed, days: 3)))
      #expect(abs(poisson - 1) < 0.25)
      #expect(Self.variation(Self.gaps(StressGrid.null(.officeBursts, seed: seed, days: 3))) > 1.2)
      let ntp = Self.gaps(StressGrid.null(.ntp, seed: seed)).dropFirst(30)
      #expect(ntp.allSatisfy { abs($0 - 1024) < 2 })
      let push = Self.gaps(StressGrid.null(.pushReconnects, seed: seed, days: 3)).sorted()
      #expect(push[push.count / 4] > 880 && push[push.count * 3 / 4] < 1720)
    }
    #expect(StressGrid.NullPair.allCases.filter(\.isPeriodic) == [.ntp, .updater, .pushReconnects])
  }
}
