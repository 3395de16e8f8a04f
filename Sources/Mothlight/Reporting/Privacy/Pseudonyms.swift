import Crypto

/// Short names for addresses and names of our own network: equal ones get equal names as long as the key is the same.
///
/// Forty bits of HMAC-SHA-256 (RFC 2104): of 65,536 machines two share a name with probability 0.002.
public struct Pseudonyms: Sendable {
  private let key: SymmetricKey

  /// - Parameter key: 32 octets.
  public init(key octets: [UInt8]) { key = SymmetricKey(data: octets) }

  private func bits(_ kind: StaticString, _ octets: some Sequence<UInt8>) -> UInt64 {
    var message = kind.withUTF8Buffer { Array($0) }
    message.append(0)
    message += octets
    let code = HMAC<SHA256>.authenticationCode(for: message, using: key)
    return code.prefix(5).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  }

  /// A stand-in that prints as `host-7F3K2QXD`.
  public func standIn(for address: IPAddress) -> IPAddress { IPAddress(standIn: bits("address", address.networkBytes)) }

  /// A stand-in that prints as `net-7F3K2QXD`.
  func standIn(for network: Prefix) -> IPAddress {
    IPAddress(standInOfNetwork: bits("prefix", network.address.networkBytes + [UInt8(clamping: network.length)]))
  }

  /// `name-7F3K2QXD`.
  public func name(for name: String) -> String { "name-" + StandIn.letters(bits("name", name.lowercased().utf8)) }
}
