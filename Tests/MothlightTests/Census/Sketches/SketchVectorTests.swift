import Testing

@testable import Mothlight

/// What this version wrote: every later version must read it, and write the same as long as the version number stays.
///
/// `SketchVectors` holds the octets of `made…` below.
@Suite struct SketchVectorTests {
  static func madeCounter() -> HyperLogLog {
    var sketch = HyperLogLog(precision: 8, keyID: TagKeys.published.id)
    for n in 0..<20 as Range<UInt32> { sketch.insert(TagKeys.published.unit(of: IPAddress(v4: 0xc000_0200 | n))) }
    sketch.insert(0x0100_0000_0000_0001)
    return sketch
  }

  static func madeSample() -> TupleSketch {
    let keys = TagKeys.published
    var sketch = TupleSketch(keyID: keys.id, octetsMost: 8000)
    for n in 0..<200 as Range<UInt32> {
      for sensor in 0...UInt8(n % 2) {
        sketch.insert(
          unit: keys.unit(of: IPAddress(v4: 0xc633_6400 | n)), fingerprint: UInt64(n % 3), hour: 490_000 + n * 7 % 300,
          sensor: sensor * 5, place: TagPlace(system: 64_500 + n % 4, country: CountryCode("DE"), timeZone: -3),
          contacts: n, companion: n % 5 == 0 ? 0 : keys.unit(ofIdentity: UInt64(n)))
      }
    }
    return sketch
  }

  static func madeRollup() throws -> CensusRollup {
    var rollup = try CensusRollup(botnet: "Mariposa", sensors: ["west", "east"], keys: .published)
    for n in 0..<12 as Range<UInt32> {
      rollup.add(
        CensusSighting(
          hour: 490_000 + n % 2, sensor: UInt8(n % 2), address: IPAddress(v4: 0xcb00_7100 | n), system: 64_500 + n % 2,
          country: CountryCode("KR"), timeZone: 9, identity: UInt64(n % 4), contacts: 1 + n, isValid: n != 7),
        minute: UInt8(n))
    }
    return rollup
  }

  @Test func counterIsReadForEver() throws {
    let read = try HyperLogLog(serialised: SketchFixture.octets(SketchVectors.counter))
    #expect(read == Self.madeCounter() && read.estimate.rounded() == 21 && read.precision == 8)
    #expect(Self.madeCounter().serialised == SketchFixture.octets(SketchVectors.counter))
  }

  @Test func sampleIsReadForEver() throws {
    let read = try TupleSketch(serialised: SketchFixture.octets(SketchVectors.sample))
    #expect(read == Self.madeSample() && read.halvings > 0 && read.count > 20)
    #expect(read.tags.contains { $0.sensors == 0b10_0001 } && read.tags.contains { !$0.companions.isEmpty })
    #expect(Self.madeSample().serialised == SketchFixture.octets(SketchVectors.sample))
  }

  @Test func rollupIsReadForEver() throws {
    let made = try Self.madeRollup()
    let read = try CensusRollup(serialised: SketchFixture.octets(SketchVectors.rollup))
    #expect(RollupFixture.View(read) == RollupFixture.View(made))
    #expect(read.botnet == "Mariposa" && read.sensors == ["west", "east"] && read.dropped == [.invalid: 1])
    #expect(made.serialised == SketchFixture.octets(SketchVectors.rollup))
  }

  /// Hashes decide what is sampled, so they are part of the format.
  @Test func hashesStayTheSame() throws {
    let keys = TagKeys.published
    #expect(keys.id == 0xa53a_3daa_2e74_8cb8)
    #expect(keys.unit(of: IPAddress(v4: 0xc000_0201)) == 0x65dd_7cd1_e4a7_fd26)
    let six = try #require(IPAddress("2001:db8::1"))
    #expect(keys.unit(of: six) == 0x50bc_e47e_6930_06fe)
    #expect(keys.unit(ofIdentity: 1) == 0xa85b_9f8f_f9b6_8a3d)
  }
}
