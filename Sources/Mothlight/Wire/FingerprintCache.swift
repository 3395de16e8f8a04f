/// Fingerprints already computed, by a keyed 128-bit digest of what they are made from.
///
/// A network's programs send few different hellos, and a digest costs a fiftieth of the MD5 and SHA-256 that JA3 and JA4 ask
/// for. The key is new in each process, so nobody can prepare two hellos that share an entry.
final class FingerprintCache {
  /// Entries of each kind: 1 Ki × about 200 B. A full cache is emptied, not searched.
  static let limit = 1024

  private var texts: [Digest: String] = [:]

  /// The text kept under `digest`, or what `make` gives, kept from now on.
  func text(_ digest: Digest, _ make: @autoclosure () -> String) -> String {
    if let known = texts[digest] { return known }
    let made = make()
    if texts.count >= Self.limit { texts.removeAll(keepingCapacity: true) }
    texts[digest] = made
    return made
  }

  /// Two independent 64-bit lanes over 16-bit values, seeded once a process.
  struct Digest: Hashable {
    private var a: UInt64
    private var b: UInt64

    private static let seeds = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    /// - Parameter kind: tells lists of different meaning apart.
    init(_ kind: UInt64) {
      (a, b) = Self.seeds
      add(kind)
    }

    @inline(__always) mutating func add(_ value: UInt64) {
      a = (a ^ value) &* 0x9e37_79b9_7f4a_7c15
      a ^= a >> 29
      b = (b &+ value) &* 0xd6e8_feb8_6659_fd93
      b ^= b >> 32
    }

    /// Adds a value whatever its place among others: the sum of two keyed mixtures.
    @inline(__always) mutating func addUnordered(_ value: UInt64) {
      a = a &+ mix64(value ^ Self.seeds.1)
      b = b &+ mix64(value &+ Self.seeds.0)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(a) }
  }
}
