@testable import Mothlight

/// Seeded rows of a small botnet over some days, for tests that keep books of their own.
enum RollupFixture {
  static let firstHour: UInt32 = 490_008  // midnight

  static func rows(seed: UInt64, count: Int, hours: Int = 45, sensors: Int = 2) -> [CensusSighting] {
    var random = RandomSource(seed: seed, stream: 12)
    return (0..<count).map { _ in
      let machine = random.int(below: 400)
      let hour = random.int(below: hours)
      let address = machine % 3 == 0 ? machine : machine + 1000 * (1 + hour / 24)
      return CensusSighting(
        hour: firstHour + UInt32(hour), sensor: UInt8(random.int(below: sensors)),
        address: IPAddress(v4: 0x0b00_0000 | UInt32(address)), system: UInt32(64_496 + machine % 5),
        country: CountryCode(machine % 2 == 0 ? "DE" : "KR"), timeZone: machine % 2 == 0 ? 1 : 9,
        fingerprint: UInt64(machine % 4), identity: machine % 4 == 0 ? 0 : UInt64(machine),
        contacts: UInt32(1 + random.int(below: 9)), isValid: !random.chance(0.05))
    }
  }

  static func rollup(
    _ rows: some Sequence<CensusSighting>, sensors: [String] = ["a", "b"], limits: RollupLimits = RollupLimits(),
    closingEvery closing: Int = .max
  ) throws(SketchError) -> CensusRollup {
    var rollup = try CensusRollup(botnet: "test", sensors: sensors, keys: .published, limits: limits)
    for (number, row) in rows.enumerated() {
      rollup.add(row, minute: UInt8(row.address.v4 % 60))
      if number % closing == closing - 1 { rollup.close() }
    }
    return rollup
  }

  /// Everything that can be read of a rollup, for comparison.
  struct View: Equatable {
    var hours: [UInt32: [CensusCell]]
    var days: [UInt32: [CensusCell]]
    var minutes: [UInt32: [CensusMinute]]
    var total: HyperLogLog
    var tags: TupleSketch
    var identities: TupleSketch
    var rows: UInt64
    var dropped: [RollupDrop: UInt64]

    init(_ rollup: CensusRollup) {
      hours = Dictionary(uniqueKeysWithValues: rollup.hoursWithCells.map { ($0, rollup.cells(ofHour: $0)) })
      days = Dictionary(uniqueKeysWithValues: rollup.daysWithCells.map { ($0, rollup.cells(ofDay: $0)) })
      minutes = Dictionary(uniqueKeysWithValues: rollup.hoursWithCells.map { ($0, rollup.minutes(ofHour: $0)) })
      total = rollup.total
      tags = rollup.tags
      identities = rollup.identities
      rows = rollup.rows
      dropped = rollup.dropped
    }
  }
}
