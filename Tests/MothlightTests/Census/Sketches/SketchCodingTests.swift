import Testing

@testable import Mothlight

@Suite struct SketchCodingTests {
  private typealias Fixture = SketchFixture

  @Test(arguments: [4, 10, 12, 14, 18], [0, 1, 100, 2000, 60_000])
  func countersComeBack(_ precision: Int, _ count: Int) throws {
    var sketch = HyperLogLog(precision: precision, keyID: 77)
    sketch.insert(contentsOf: Fixture.hashes(seed: UInt64(count), count))
    sketch.insert(0)  // the highest rank
    let octets = sketch.serialised
    #expect(try HyperLogLog(serialised: octets) == sketch)
    #expect(octets.count <= 16 + 9 + (1 << precision) / 2 + 40 + 8)
  }

  @Test func samplesComeBack() throws {
    for (seed, octets) in [(1, 20_000), (2, 1 << 20), (3, 8000)] as [(UInt64, Int)] {
      let sketch = Fixture.tuples(Fixture.rows(seed: seed, count: 4000, addresses: 700), octets: octets)
      let back = try TupleSketch(serialised: sketch.serialised)
      #expect(back == sketch && back.serialised == sketch.serialised)
    }
    let empty = TupleSketch(keyID: 4)
    #expect(try TupleSketch(serialised: empty.serialised) == empty)
  }

  private func isDamaged(_ body: () throws(SketchError) -> Void) -> Bool {
    do {
      try body()
      return false
    } catch .damaged, .unsupportedVersion {
      return true
    } catch {
      return false
    }
  }

  /// Every octet that is changed, and every cut, is told; nothing crashes.
  @Test func damageIsTold() throws {
    let counter = Fixture.counter(Fixture.hashes(seed: 2, 40), precision: 10).serialised
    let sample = Fixture.tuples(Fixture.rows(seed: 2, count: 30, addresses: 9)).serialised
    for (octets, isCounter) in [(counter, true), (sample, false)] {
      func read(_ octets: [UInt8]) throws(SketchError) {
        if isCounter { _ = try HyperLogLog(serialised: octets) } else { _ = try TupleSketch(serialised: octets) }
      }
      try read(octets)
      for at in octets.indices {
        var changed = octets
        changed[at] ^= 0x41
        #expect(isDamaged { () throws(SketchError) in try read(changed) } || at == 6 || at == 7)
        #expect(isDamaged { () throws(SketchError) in try read(Array(octets[..<at])) })
      }
      #expect(isDamaged { () throws(SketchError) in try read(octets + [0]) })
    }
  }

  /// An enemy's octets behind a right checksum.
  @Test(arguments: 0..<120)
  func hostileBodiesAreRefusedOrRead(_ seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let bodies: [(SketchFrame.Kind, [UInt8])] = [
      (.hyperLogLog, Fixture.counter(Fixture.hashes(seed: seed, 30), precision: 8).serialised),
      (.tuples, Fixture.tuples(Fixture.rows(seed: seed, count: 30, addresses: 9)).serialised),
    ]
    for (kind, frame) in bodies {
      var body = Array(frame[16..<frame.count - 8])
      for _ in 0..<random.int(1, 4) { body[random.int(below: body.count)] = UInt8(truncatingIfNeeded: random.next()) }
      let octets = SketchFrame.encoded(kind, body)
      // What is read must be a sketch: it is written and read again without a difference.
      if kind == .tuples, let sketch = try? TupleSketch(serialised: octets) {
        #expect(try TupleSketch(serialised: sketch.serialised) == sketch)
      } else if kind == .hyperLogLog, let sketch = try? HyperLogLog(serialised: octets) {
        #expect(try HyperLogLog(serialised: sketch.serialised) == sketch)
      }
    }
  }

  @Test func laterVersionsAreRefused() {
    let octets = SketchFrame.encoded(.hyperLogLog, version: 2, [])
    #expect(throws: SketchError.unsupportedVersion(2)) { try HyperLogLog(serialised: octets) }
    #expect(throws: SketchError.damaged(at: 0, "does not begin with MTUP")) { try TupleSketch(serialised: octets) }
  }
}
