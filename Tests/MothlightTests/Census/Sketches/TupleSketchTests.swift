import Testing

@testable import Mothlight

@Suite struct TupleSketchTests {
  private typealias Fixture = SketchFixture

  private func merged(_ a: TupleSketch, _ b: TupleSketch) throws -> TupleSketch {
    var sum = a
    try sum.merge(b)
    return sum
  }

  /// Rows in any order and merges in any tree give one sample, also where the budget halves θ several times.
  @Test(arguments: 0..<5, [60_000, 8000])
  func contentDependsOnTheSetOfRowsOnly(_ seed: UInt64, _ octets: Int) throws {
    var random = RandomSource(seed: seed, stream: 4)
    let rows = Fixture.rows(seed: seed, count: 4000, addresses: 1000)
    func sketch(_ rows: some Sequence<Fixture.Row>) -> TupleSketch { Fixture.tuples(rows, octets: octets) }
    let once = sketch(rows)
    #expect(once.halvings >= 2 && once.octets <= octets && once.count > 10)
    #expect(sketch(rows.shuffled(using: &random)) == once)
    #expect(sketch(rows + rows.reversed()) == once)
    let cut = [0] + [random.int(below: 4000), random.int(below: 4000)].sorted() + [4000]
    let (a, b, c) = (sketch(rows[cut[0]..<cut[1]]), sketch(rows[cut[1]..<cut[2]]), sketch(rows[cut[2]..<cut[3]]))
    #expect(try merged(merged(a, b), c) == once)
    #expect(try merged(a, merged(b, c)) == once)
    #expect(try merged(c, merged(b, a)) == once)
    #expect(try merged(once, b) == once && merged(once, once) == once)
    #expect(once.serialised == (try merged(c, merged(b, a)).serialised))
  }

  /// Each sampled tag holds exactly what its rows say.
  @Test func tagsHoldWhatRowsSay() throws {
    let rows = Fixture.rows(seed: 8, count: 8000, addresses: 900)
    let sketch = Fixture.tuples(rows, octets: 60_000)
    struct Key: Hashable { var unit, fingerprint: UInt64 }
    let byTag = Dictionary(grouping: rows) { Key(unit: $0.unit, fingerprint: $0.fingerprint) }
    let limit = UInt64.max >> UInt64(sketch.halvings)
    #expect(sketch.count == byTag.keys.count { $0.unit <= limit })
    #expect(sketch.octets == sketch.tags.reduce(0) { $0 + $1.octets })
    for tag in sketch.tags {
      let own = try #require(byTag[Key(unit: tag.unit, fingerprint: tag.fingerprint)])
      #expect(tag.peakContacts == own.map(\.contacts).max())
      for sensor in 0..<4 {
        #expect(Array(tag.hours(at: sensor)) == Set(own.filter { $0.sensor == sensor }.map(\.hour)).sorted())
      }
      #expect(Set(tag.allHours) == Set(own.map(\.hour)))
      let known = own.filter(\.place.isKnown)
      #expect(tag.hasMoved == (Set(known.map(\.place)).count > 1))
      if let first = known.map(\.hour).min() {
        let candidates = known.filter { $0.hour == first }.map(\.place)
        #expect(candidates.contains(tag.place) && candidates.allSatisfy { $0.system >= tag.place.system })
      }
      let identities = Dictionary(grouping: own.filter { $0.companion != 0 }) { UInt32($0.companion >> 32) }
      #expect(tag.companions.map(\.hash) == Array(identities.keys.sorted().prefix(4)))
      #expect(tag.hasMoreCompanions == (identities.count > 4))
      for companion in tag.companions {
        let hours = try #require(identities[companion.hash]).map(\.hour)
        #expect(companion.firstHour == hours.min() && companion.lastHour == hours.max())
      }
    }
  }

  @Test func sensorsAreRenamedOnMerge() throws {
    let rows = Fixture.rows(seed: 3, count: 500, addresses: 40, sensors: 2)
    var renamed = rows
    for i in rows.indices { renamed[i].sensor = rows[i].sensor == 0 ? 7 : 2 }
    var sum = TupleSketch(keyID: TagKeys.published.id, octetsMost: 80_000)
    try sum.merge(Fixture.tuples(rows), sensorNumbers: [7, 2])
    #expect(sum == Fixture.tuples(renamed))
    #expect(throws: SketchError.tooManySensors(17)) { try sum.merge(Fixture.tuples(rows), sensorNumbers: [1, 16]) }
    #expect(throws: SketchError.tooManySensors(2)) { try sum.merge(Fixture.tuples(rows), sensorNumbers: [1]) }
    #expect(sum == Fixture.tuples(renamed))
  }

  @Test func strangersAreNotMerged() {
    var a = TupleSketch(keyID: 1)
    #expect(throws: SketchError.differentKeys) { try a.merge(TupleSketch(keyID: 2)) }
  }

  @Test func sensorsBeyondTheLimitAreNotTaken() {
    var sketch = TupleSketch(keyID: 1)
    sketch.insert(unit: 1, fingerprint: 0, hour: 5, sensor: 16, place: TagPlace(), contacts: 1)
    #expect(sketch.isEmpty)
    sketch.insert(unit: 1, fingerprint: 0, hour: 5, sensor: 15, place: TagPlace(), contacts: 1)
    #expect(sketch.tags.map(\.sensors) == [0x8000])
  }

  @Test func oldHoursCanBeForgotten() {
    let rows = Fixture.rows(seed: 21, count: 3000, addresses: 300)
    let first = Fixture.firstHour + 400
    var sketch = Fixture.tuples(rows, octets: 10 << 20)
    let octets = sketch.octets
    sketch.dropHours(before: first)
    let late = Fixture.tuples(rows.filter { $0.hour >= first }, octets: 10 << 20)
    #expect(sketch.count == late.count && sketch.octets < octets && sketch.halvings == 0)
    for (a, b) in zip(sketch.sortedTags, late.sortedTags) { #expect(a.unit == b.unit && a.allHours == b.allHours) }
  }

  /// A subset of n·θ sampled addresses is off by 1/√(nθ): RMSE over 50 keys, for all addresses and for a ninth of them.
  @Test func subsetErrorIsWithinTheory() {
    let (addresses, keys) = (9000, 50)
    var squares = [0.0, 0.0]
    var theory = [0.0, 0.0]
    for number in 0..<keys {
      var sketch = TupleSketch(keyID: 0, octetsMost: 80_000)
      for address in 0..<addresses {
        let unit = mix64(UInt64(address) &* 1000 &+ UInt64(number) &+ 1)
        let place = TagPlace(system: UInt32(address % 9 + 1))
        sketch.insert(unit: unit, fingerprint: 0, hour: 490_000, sensor: 0, place: place, contacts: 1)
      }
      let counts = [sketch.count, sketch.tags.count { $0.place.system == 3 }]
      for (i, truth) in [Double(addresses), Double(addresses / 9)].enumerated() {
        let error = Double(counts[i]) / sketch.theta / truth - 1
        squares[i] += error * error
        theory[i] += 1 / (truth * sketch.theta)
      }
      #expect(sketch.halvings == 4)
    }
    for i in 0..<2 {
      let ratio = (squares[i] / theory[i]).squareRoot()
      #expect((0.7...1.25).contains(ratio))
    }
  }

  /// Why recapture never uses HyperLogLog: the overlap of two sensors by inclusion and exclusion is lost in the errors of the unions.
  @Test func smallOverlapsNeedTuples() {
    let (each, common, trials) = (30_000, 300, 12)
    var counters = 0.0
    var tuples = 0.0
    for trial in 0..<trials {
      var a = HyperLogLog(precision: 12)
      var b = HyperLogLog(precision: 12)
      // Half of the addresses stay.
      var sample = TupleSketch(keyID: 0, octetsMost: 5 << 20)
      for address in 0..<(2 * each - common) {
        let unit = mix64(UInt64(address) &+ UInt64(trial) << 32 &+ 0x9e37_79b9_7f4a_7c15)
        if address < each {
          a.insert(unit)
          sample.insert(unit: unit, fingerprint: 0, hour: 490_000, sensor: 0, place: TagPlace(), contacts: 1)
        }
        if address >= each - common {
          b.insert(unit)
          sample.insert(unit: unit, fingerprint: 0, hour: 490_000, sensor: 1, place: TagPlace(), contacts: 1)
        }
      }
      let union = {
        var sum = a
        sum.formUnion(b)
        return sum
      }()
      let byCounters = a.estimate + b.estimate - union.estimate
      let byTuples = Double(sample.tags.count { $0.hours(at: 0).commonCount($0.hours(at: 1)) > 0 }) / sample.theta
      counters += (byCounters / Double(common) - 1) * (byCounters / Double(common) - 1)
      tuples += (byTuples / Double(common) - 1) * (byTuples / Double(common) - 1)
    }
    #expect((counters / Double(trials)).squareRoot() > 1)
    #expect((tuples / Double(trials)).squareRoot() < 0.12)
  }
}
