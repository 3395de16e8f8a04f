import Crypto
import CryptoExtras

/// Replaces addresses so that two that share their first n bits share exactly n bits afterwards (Xu, Fan, Ammar, Moon,
/// "Prefix-preserving IP address anonymization", ICNP 2002, doi 10.1109/ICNP.2002.1181415); for IPv6 over 128 bits.
///
/// Weak against who can send traffic from addresses of his choice and find them again: a key for each release, destroyed after it.
/// What comes out is still personal data.
public struct CryptoPAn: Sendable {
  public static let keyOctets = 32
  private let key: SymmetricKey
  private let pad: [UInt8]

  /// - Parameter key: 32 octets: the key of AES-128, then what its encryption pads with.
  /// - Throws: `ConfigurationError` for another number of octets.
  public init(key octets: [UInt8]) throws(ConfigurationError) {
    guard octets.count == Self.keyOctets else {
      throw ConfigurationError("the key of Crypto-PAn has \(Self.keyOctets) octets, not \(octets.count)")
    }
    key = SymmetricKey(data: octets[..<16])
    var block = Array(octets[16...])
    do { try AES.permute(&block, key: key) } catch { throw ConfigurationError("AES: \(error)") }
    pad = block
  }

  /// - Complexity: 32 blocks of AES for IPv4, 128 for IPv6.
  public func anonymised(_ address: IPAddress) -> IPAddress {
    let octets = address.networkBytes
    var flips = [UInt8](repeating: 0, count: octets.count)
    for bit in 0..<(octets.count * 8) {
      if isFlipped(octets, bit) { flips[bit / 8] |= 0x80 >> UInt8(bit % 8) }
    }
    let out = zip(octets, flips).map { $0 ^ $1 }
    if address.isV4 { return IPAddress(v4: out.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) }
    return IPAddress(
      high: out[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) },
      low: out[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  /// The prefix of all addresses that those of `prefix` become.
  public func anonymised(_ prefix: Prefix) -> Prefix {
    Prefix(anonymised(prefix.address), length: prefix.length)
  }

  /// One bit of AES over the bits before this one and the pad behind them.
  private func isFlipped(_ octets: [UInt8], _ bit: Int) -> Bool {
    var block = pad
    let whole = bit / 8
    for i in 0..<whole { block[i] = octets[i] }
    let mask = ~(UInt8.max >> UInt8(bit % 8))
    if mask != 0 { block[whole] = octets[whole] & mask | pad[whole] & ~mask }
    // It fails for a block or key of another size only, and both are of this file.
    guard (try? AES.permute(&block, key: key)) != nil else { return false }
    return block[0] & 0x80 != 0
  }
}
