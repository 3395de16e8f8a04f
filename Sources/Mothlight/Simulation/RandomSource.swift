import Glibc

/// A seeded generator whose sequence is the same on every machine, so that a scenario is a reproducible data set.
///
/// xoshiro256** with its state filled by SplitMix64 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
/// Generators", 2018; Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014). Not for secrets.
public struct RandomSource: Sendable, RandomNumberGenerator {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// - Parameter stream: independent sequences of one seed, so that adding a machine leaves the others as they were.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var state = Self.mix(seed) ^ Self.mix(stream &* 0xd1b5_4a32_d192_ed03 &+ 0x632b_e59b_d9b4_e019)
    func next() -> UInt64 {
      state = state &+ 0x9e37_79b9_7f4a_7c15
      return Self.mix(state)
    }
    s0 = next()
    s1 = next()
    s2 = next()
    s3 = next() | 1  // the all-zero state has no way out
  }

  /// SplitMix64's output function: a good 64-bit hash of one number.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  public mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = (product << 7 | product >> 57) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = s3 << 45 | s3 >> 19
    return result
  }

  /// Uniform in 0..<1 with 53 bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

  /// Uniform in 0..<bound by multiplication (Lemire 2019, without the rejection step); 0 for a bound below 1.
  public mutating func int(below bound: Int) -> Int {
    guard bound > 0 else { return 0 }
    return Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Uniform in `low...high`.
  public mutating func int(_ low: Int, _ high: Int) -> Int { low + int(below: max(0, high - low) + 1) }

  public mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  public mutating func pick<T>(_ choices: [T]) -> T? { choices.isEmpty ? nil : choices[int(below: choices.count)] }

  /// Waiting time of a Poisson process.
  public mutating func exponential(mean: Double) -> Double { -mean * log(1 - unit()) }

  /// Box and Muller 1958; one of the pair is thrown away to keep the state small.
  public mutating func normal(mean: Double = 0, deviation: Double = 1) -> Double {
    mean + deviation * sqrt(-2 * log(1 - unit())) * cos(2 * Double.pi * unit())
  }

  public mutating func logNormal(median: Double, sigma: Double) -> Double { median * exp(normal(deviation: sigma)) }

  /// Heavy-tailed sizes (Crovella and Bestavros 1997: web objects have a tail index near 1.1), cut at `cap`.
  public mutating func pareto(minimum: Double, alpha: Double, cap: Double) -> Double {
    min(cap, minimum / pow(1 - unit(), 1 / alpha))
  }

  /// A rank from 1 with a share near 1/rank each (Zipf), below `bound`.
  public mutating func rank(below bound: Int) -> Int { Int(pow(Double(max(1, bound)), unit())) }
}
