import Testing

@testable import Mothlight

@Suite struct HyperLogLogTests {
  private typealias Fixture = SketchFixture

  /// Registers as the paper defines them, one by one.
  @Test(arguments: [4, 10, 12, 14, 18])
  func registersAsDefined(_ precision: Int) {
    let hashes = Fixture.hashes(seed: 5, 3000) + [0, .max, 1]
    var expected: [Int: UInt8] = [:]
    for hash in hashes {
      let index = Int(hash >> UInt64(64 - precision))
      var rank: UInt8 = 1
      while Int(rank) <= 64 - precision, hash >> UInt64(64 - precision - Int(rank)) & 1 == 0 { rank += 1 }
      expected[index] = max(expected[index] ?? 0, rank)
    }
    var found: [Int: UInt8] = [:]
    Fixture.counter(hashes, precision: precision).forEachRegister { found[$0] = $1 }
    #expect(found == expected)
  }

  /// Sparse or dense is a matter of the content, not of the way there.
  @Test(arguments: [4, 8, 10, 12, 14])
  func formDependsOnTheSetOnly(_ precision: Int) {
    var random = RandomSource(seed: UInt64(precision))
    let limit = HyperLogLog(precision: precision).sparseMost
    for count in [0, 1, 2, limit / 2, limit, limit + 1, limit * 2, limit * 9] {
      let hashes = Fixture.hashes(seed: UInt64(count) &* 31 &+ 7, count)
      let once = Fixture.counter(hashes, precision: precision)
      #expect(Fixture.counter(hashes.shuffled(using: &random) + hashes.reversed(), precision: precision) == once)
      var merged = Fixture.counter(hashes[..<(count / 3)], precision: precision)
      merged.formUnion(Fixture.counter(hashes[(count / 4)...], precision: precision))
      #expect(merged == once)
      var used = 0
      once.forEachRegister { _, _ in used += 1 }
      #expect(once.isSparse == (used <= limit))
      #expect(once.rankCounts.reduce(0, +) == 1 << precision)
    }
  }

  @Test(arguments: 0..<25)
  func mergeIsUnion(_ seed: UInt64) throws {
    var random = RandomSource(seed: seed, stream: 3)
    let sizes = [0, 5, 90, 400, 5000]
    let parts = (0..<3).map { _ in Fixture.hashes(seed: random.next(), sizes[random.int(below: sizes.count)]) }
    let shared = Fixture.hashes(seed: 77, 60)
    let (a, b, c) = (parts[0] + shared, parts[1] + shared, parts[2])
    func sketch(_ hashes: [UInt64]) -> HyperLogLog { Fixture.counter(hashes, precision: 12) }
    func merged(_ a: HyperLogLog, _ b: HyperLogLog) throws -> HyperLogLog {
      var sum = a
      try sum.merge(b)
      return sum
    }
    let (sa, sb, sc) = (sketch(a), sketch(b), sketch(c))
    let all = sketch(a + b + c)
    #expect(try merged(merged(sa, sb), sc) == all)
    #expect(try merged(sa, merged(sb, sc)) == all)
    #expect(try merged(sc, merged(sb, sa)) == all)
    #expect(try merged(all, sb) == all && merged(sa, sa) == sa)
  }

  @Test func strangersAreNotMerged() {
    var a = HyperLogLog(precision: 12, keyID: 1)
    a.insert(9)
    let before = a
    #expect(throws: SketchError.differentKeys) { try a.merge(HyperLogLog(precision: 12, keyID: 2)) }
    #expect(throws: SketchError.differentPrecision(12, 14)) { try a.merge(HyperLogLog(precision: 14, keyID: 1)) }
    #expect(a == before)
  }

  /// 200 seeds: the mean is within four of its own standard errors of the truth, the scatter within a quarter of theory.
  @Test(arguments: [(10, 50), (10, 1000), (10, 5000), (12, 300), (12, 4000), (14, 1000), (14, 6000)])
  func errorIsWithinTheory(_ precision: Int, _ count: Int) {
    let seeds = 200
    var sum = 0.0
    var squares = 0.0
    for seed in 0..<seeds {
      var random = RandomSource(seed: UInt64(seed), stream: UInt64(count))
      var sketch = HyperLogLog(precision: precision)
      for _ in 0..<count { sketch.insert(random.next()) }
      let error = sketch.estimate / Double(count) - 1
      sum += error
      squares += error * error
    }
    let theory = HyperLogLog(precision: precision).relativeError
    let rmse = (squares / Double(seeds)).squareRoot()
    #expect(abs(sum / Double(seeds)) < 4 * theory / Double(seeds).squareRoot())
    #expect(rmse < theory * 1.25)
    // Below saturation counting empty registers is more exact than the asymptote; beyond it the asymptote is reached.
    if count >= 4 << precision { #expect(rmse > theory * 0.75) }
  }

  @Test func extremesHaveFiniteEstimates() {
    #expect(HyperLogLog(precision: 12).estimate == 0)
    var one = HyperLogLog(precision: 12)
    one.insert(.max)
    #expect(abs(one.estimate - 1) < 0.01)
    var full = HyperLogLog(precision: 4)
    for index in 0..<16 { full.set(index, 61) }
    #expect(full.estimate.isFinite && full.estimate > 1e17)
    #expect(HyperLogLog(precision: 99).precision == 18 && HyperLogLog(precision: 0).precision == 4)
  }

  @Test func smallSketchesAreSmall() {
    let small = Fixture.counter(Fixture.hashes(seed: 1, 20), precision: 12)
    #expect(small.octets <= 32 + 4 * 40)
    let dense = Fixture.counter(Fixture.hashes(seed: 1, 20_000), precision: 12)
    #expect((4096...4096 + 64).contains(dense.octets))
    #expect(small.serialised.count < 34 + 3 * 20 && dense.serialised.count < 34 + 2048 + 64)
  }
}
