/// Turns addresses and identities into numbers that only holders of the secret can predict.
///
/// A sketch keeps the addresses with small hashes. Whoever could compute these could stay out of the sample or fill it, so the hash is
/// keyed: SipHash-2-4 with 128 bits that all sensors of a census share. The key's own number is kept with each sketch, the secret never is.
public struct TagKeys: Sendable, Hashable {
  private let low: UInt64
  private let high: UInt64
  /// Hash of the secret: tells that two sketches belong together, and nothing of the secret.
  public let id: UInt64

  public static let secretOctets = 16

  /// - Throws: `badSecret` unless there are 16 octets that differ.
  public init(secret: [UInt8]) throws(SketchError) {
    guard secret.count == Self.secretOctets, Set(secret).count > 1 else { throw .badSecret }
    self.init(low: Self.word(secret[..<8]), high: Self.word(secret[8...]))
  }

  private init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
    let name = Array("mothlight tag keys 1".utf8)
    id = name.withUnsafeBytes { SipHash.hash($0, key: (low, high)) }
  }

  /// For simulations and files that are read once: a key that everybody knows. An enemy can aim at what it samples.
  public static let published = TagKeys(low: 0x7075_626c_6973_6865, high: 0x6420_7461_6720_6b65)

  /// The unit of an address: an IPv4 address whole; of IPv6 the /64, which is one household's (RFC 6177).
  /// - Complexity: O(1), six or eight SipHash rounds.
  @inline(__always)
  public func unit(of address: IPAddress) -> UInt64 {
    // Messages of different lengths cannot meet, so no tag is needed to keep the kinds apart.
    address.isV4
      ? SipHash.hash(last: UInt64(address.v4.byteSwapped), octets: 4, key: (low, high))
      : SipHash.hash(word: address.high.byteSwapped, key: (low, high))
  }

  /// The unit of an identity as the protocol carries it, already hashed to 64 bits.
  @inline(__always)
  public func unit(ofIdentity identity: UInt64) -> UInt64 {
    SipHash.hash(word: identity, last: 0x69, octets: 9, key: (low, high))
  }

  private static func word(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
