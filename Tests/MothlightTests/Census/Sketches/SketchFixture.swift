import Testing

@testable import Mothlight

/// Seeded rows as a botnet would make them: addresses that come for some hours, a few that stay, some fingerprints and identities.
enum SketchFixture {
  struct Row: Hashable {
    var unit: UInt64
    var fingerprint: UInt64
    var hour: UInt32
    var sensor: UInt8
    var place: TagPlace
    var contacts: UInt32
    var companion: UInt64
  }

  static let firstHour: UInt32 = 490_000

  static func rows(seed: UInt64, count: Int, addresses: Int, sensors: Int = 3) -> [Row] {
    var random = RandomSource(seed: seed)
    let keys = TagKeys.published
    return (0..<count).map { _ in
      let address = random.int(below: addresses)
      let isSteady = address % 5 == 0
      let start = firstHour + UInt32(address * 37 % 600)
      // One in eleven addresses is told to lie elsewhere half of the time; one in thirteen is unknown at times.
      var place = TagPlace(system: UInt32(64_496 + address % 9), country: CountryCode("DE"), timeZone: 1)
      if address % 11 == 0, random.chance(0.5) { place = TagPlace(system: 64_510, country: CountryCode("PL")) }
      if address % 13 == 0, random.chance(0.5) { place = TagPlace(timeZone: Int8(random.int(below: 3))) }
      return Row(
        unit: keys.unit(of: IPAddress(v4: 0x0a00_0000 | UInt32(address))), fingerprint: UInt64(random.int(below: 3)),
        hour: isSteady ? firstHour + UInt32(random.int(below: 720)) : start + UInt32(random.int(below: 30)),
        sensor: UInt8(random.int(below: sensors)), place: place, contacts: UInt32(1 + random.int(below: 20)),
        companion: random.chance(0.3) ? 0 : keys.unit(ofIdentity: UInt64(address * 8 + random.int(below: 7))))
    }
  }

  static func tuples(_ rows: some Sequence<Row>, octets: Int = 80_000, key: TagKeys = .published) -> TupleSketch {
    var sketch = TupleSketch(keyID: key.id, octetsMost: octets)
    for row in rows {
      sketch.insert(
        unit: row.unit, fingerprint: row.fingerprint, hour: row.hour, sensor: row.sensor, place: row.place,
        contacts: row.contacts, companion: row.companion)
    }
    return sketch
  }

  static func counter(_ hashes: some Sequence<UInt64>, precision: Int) -> HyperLogLog {
    var sketch = HyperLogLog(precision: precision)
    sketch.insert(contentsOf: hashes)
    return sketch
  }

  static func hashes(seed: UInt64, _ count: Int) -> [UInt64] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in random.next() }
  }

  /// Of hexadecimal digits; white space between them is passed over.
  static func octets(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
