import Testing

@testable import Mothlight

@Suite struct RollupCodingTests {
  private typealias Fixture = RollupFixture

  @Test func comesBackAndGoesOn() throws {
    let rows = Fixture.rows(seed: 2, count: 3000)
    var first = try Fixture.rollup(rows[..<1500])
    first.note(samplingFactor: 8)
    var back = try CensusRollup(serialised: first.serialised, keys: .published)
    #expect(Fixture.View(back) == Fixture.View(first) && back.serialised == first.serialised)
    #expect(back.botnet == "test" && back.sensors == ["a", "b"] && back.samplingFactor == 8)
    for row in rows[1500...] { back.add(row, minute: UInt8(row.address.v4 % 60)) }
    #expect(try Fixture.View(back) == Fixture.View(Fixture.rollup(rows)))
  }

  /// Without the secret a rollup can be read and merged, and refuses rows.
  @Test func secretIsNeededToAddOnly() throws {
    let rollup = try Fixture.rollup(Fixture.rows(seed: 2, count: 300))
    var back = try CensusRollup(serialised: rollup.serialised)
    #expect(Fixture.View(back) == Fixture.View(rollup))
    back.add(CensusSighting(hour: 490_010, address: IPAddress(v4: 7)))
    #expect(back.total == rollup.total)
    let keys = try TagKeys(secret: (0..<16).map { UInt8($0) })
    #expect(throws: SketchError.differentKeys) { try CensusRollup(serialised: rollup.serialised, keys: keys) }
  }

  /// A damaged part costs itself; damaged samples cost all.
  @Test func damageCostsItself() throws {
    let rollup = try Fixture.rollup(Fixture.rows(seed: 3, count: 2000))
    let octets = rollup.serialised
    let (_, end) = try SketchFrame.decode(octets[...], .rollup)
    var changed = octets
    changed[end + 40] ^= 1
    var told: [String] = []
    let back = try CensusRollup(serialised: changed) { told.append($0) }
    #expect(told.count == 1 && told[0].contains("checksum"))
    #expect(back.hoursWithCells == Array(rollup.hoursWithCells.dropFirst()) && back.tags == rollup.tags)
    told = []
    let cut = try CensusRollup(serialised: Array(octets.dropLast(3))) { told.append($0) }
    #expect(told.count == 1 && cut.hoursWithCells == rollup.hoursWithCells)
    changed = octets
    changed[30] ^= 1
    #expect(throws: SketchError.self) { try CensusRollup(serialised: changed) }
  }

  @Test(arguments: 0..<80)
  func hostileOctetsAreRefusedOrRead(_ seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let rollup = try Fixture.rollup(Fixture.rows(seed: 3, count: 40, hours: 3))
    let octets = rollup.serialised
    let (state, end) = try SketchFrame.decode(octets[...], .rollup)
    let (cells, _) = try SketchFrame.decode(octets[end...], .cells)
    var bodies = [Array(state), Array(cells)]
    for i in bodies.indices {
      for _ in 0..<random.int(1, 3) {
        bodies[i][random.int(below: bodies[i].count)] = UInt8(truncatingIfNeeded: random.next())
      }
    }
    let whole = SketchFrame.encoded(.rollup, Array(state)) + SketchFrame.encoded(.cells, bodies[1])
    let read = try CensusRollup(serialised: whole)
    _ = Fixture.View(read)
    if let read = try? CensusRollup(serialised: SketchFrame.encoded(.rollup, bodies[0])) { _ = Fixture.View(read) }
  }
}
