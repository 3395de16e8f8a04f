/// A name in the place of an address, for reports that are not to tell it.
///
/// It is held as an address of a block that is reserved and never routed (RFC 4291 section 2.4, `0000::/8`), so that all that handles
/// addresses handles stand-ins, and prints as `host-` with eight letters. Before addresses are replaced, those of the block
/// that came from the wire are taken out: nobody can pass for a stand-in.
enum StandIn {
  /// `0000:6d6f:7468:5354::/64`.
  static let high: UInt64 = 0x0000_6d6f_7468_5354
  static let bitsMost: UInt64 = 1 << 40
  static let prefix = "host-"

  /// Crockford's base 32: nothing that could be taken for something else.
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

  static func letters(_ bits: UInt64) -> String {
    let octets = (0..<8).map { alphabet[Int(bits >> UInt64(35 - 5 * $0) & 31)] }
    return String(decoding: octets, as: UTF8.self)
  }

  /// The forty bits of eight letters, small ones too; `nil` for anything else.
  static func bits(_ letters: Substring) -> UInt64? {
    guard letters.utf8.count == 8 else { return nil }
    var bits: UInt64 = 0
    for octet in letters.uppercased().utf8 {
      guard let place = alphabet.firstIndex(of: octet) else { return nil }
      bits = bits << 5 | UInt64(place)
    }
    return bits
  }
}

extension IPAddress {
  /// - Parameter bits: forty, of a keyed hash.
  init(standIn bits: UInt64) { self.init(high: StandIn.high, low: bits & (StandIn.bitsMost &- 1)) }

  /// In the place of a network; prints as `net-7F3K2QXD`.
  init(standInOfNetwork bits: UInt64) {
    self.init(high: StandIn.high, low: bits & (StandIn.bitsMost &- 1) | StandIn.bitsMost)
  }

  /// From the name of a stand-in, `host-7F3K2QXD`; `nil` for anything else. Parsing addresses never gives one: what came from a
  /// wire or a log cannot pass for a stand-in.
  public init?(standInName text: some StringProtocol) {
    guard text.utf8.count == 13, text.lowercased().hasPrefix(StandIn.prefix),
      let bits = StandIn.bits(Substring(text.dropFirst(StandIn.prefix.utf8.count)))
    else { return nil }
    self.init(standIn: bits)
  }

  public var isStandIn: Bool { high == StandIn.high }
}
