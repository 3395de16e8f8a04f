import Testing

@testable import Mothlight

@Suite struct RollupMergeTests {
  private typealias Fixture = RollupFixture

  private func rollup(_ rows: [CensusSighting], sensor: UInt8) throws -> CensusRollup {
    let own = rows.filter { $0.sensor == sensor }.map { row in
      var row = row
      row.sensor = 0
      return row
    }
    return try Fixture.rollup(own, sensors: [["a", "b", "c"][Int(sensor)]], closingEvery: 500)
  }

  private func merged(_ a: CensusRollup, _ b: CensusRollup) throws -> CensusRollup {
    var sum = a
    try sum.merge(b)
    return sum
  }

  /// Sensors apart and put together are one rollup of all rows; twice the same sensor is once.
  @Test(arguments: 0..<2)
  func sensorsMergeByUnion(_ seed: UInt64) throws {
    let rows = Fixture.rows(seed: seed, count: 3000, sensors: 3)
    let whole = Fixture.View(try Fixture.rollup(rows, sensors: ["a", "b", "c"]))
    let (a, b, c) = (try rollup(rows, sensor: 0), try rollup(rows, sensor: 1), try rollup(rows, sensor: 2))
    let ab = try merged(a, b)
    #expect(try Fixture.View(merged(ab, c)) == whole)
    #expect(try Fixture.View(merged(a, merged(b, c))) == whole)
    let all = try merged(ab, c)
    #expect(try Fixture.View(merged(all, b)) == whole)
    #expect(try Fixture.View(merged(all, all)) == whole)
    // In another order only the numbers of the sensors differ.
    let other = try merged(c, merged(b, a))
    #expect(other.sensors == ["c", "b", "a"] && other.total == all.total && other.rows == all.rows)
    #expect(other.hoursWithCells == all.hoursWithCells)
    for hour in all.hoursWithCells {
      let (cells, others) = (all.cells(ofHour: hour), other.cells(ofHour: hour))
      let contacts: [[UInt64]] = others.map { $0.contacts.reversed() }
      #expect(contacts == cells.map(\.contacts) && others.map(\.sketch) == cells.map(\.sketch))
    }
  }

  /// An older state of a sensor adds nothing to a newer one.
  @Test func olderStatesAddNothing() throws {
    let rows = Fixture.rows(seed: 9, count: 2000, sensors: 1)
    let older = try Fixture.rollup(rows[..<1200], sensors: ["a"])
    let newer = try Fixture.rollup(rows, sensors: ["a"], closingEvery: 300)
    #expect(try Fixture.View(merged(newer, older)) == Fixture.View(newer))
    #expect(try Fixture.View(merged(older, newer)) == Fixture.View(newer))
  }

  @Test func strangersAreNotMerged() throws {
    var a = try Fixture.rollup(Fixture.rows(seed: 1, count: 100))
    let before = Fixture.View(a)
    let keys = try TagKeys(secret: (0..<16).map { UInt8($0) })
    #expect(throws: SketchError.differentKeys) { try a.merge(CensusRollup(botnet: "x", sensors: [], keys: keys)) }
    let many = try CensusRollup(botnet: "x", sensors: (0..<15).map(String.init), keys: .published)
    #expect(throws: SketchError.tooManySensors(17)) { try a.merge(many) }
    #expect(Fixture.View(a) == before && a.sensors == ["a", "b"])
  }
}
