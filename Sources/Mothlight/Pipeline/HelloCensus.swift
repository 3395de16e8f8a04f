/// How many of our hosts say a TLS hello, and how many use a server, in the whole network: what makes either of them rare.
///
/// Each shard counts its own hosts; the counts of all are added up before any detector concludes, so that they do not depend
/// on how the hosts are spread.
public struct HelloCensus: Sendable {
  /// Hosts that said any hello with a print.
  public private(set) var hosts: UInt32 = 0
  private var usersOfHello: [UInt64: UInt32] = [:]
  private var usersOfServer: [UInt64: UInt32] = [:]
  /// Known (host, hello), (host, server name) and (host, server) pairs.
  private var seen = FingerprintSet(limit: HelloCensus.limit)
  /// Pairs per shard: 1 M × 16 B, and as many users at most, 64 MB in all.
  static let limit = 1 << 20
  private var refusedElsewhere: UInt64 = 0
  /// Pairs that found no room.
  public var refused: UInt64 { seen.refused &+ refusedElsewhere }

  private static let helloSalt: UInt64 = 1 << 40
  private static let nameSalt: UInt64 = 2 << 40
  private static let serverSalt: UInt64 = 3 << 40
  private static let hostSalt: UInt64 = 4 << 40

  /// Counts a hello of one of our hosts toward the outside.
  mutating func note(_ hello: TLSHandshake, of host: UInt32) {
    guard !hello.isQUIC, hello.established != false, let print = hello.rarityPrint else { return }
    if isNew(0, host, Self.hostSalt) { hosts &+= 1 }
    let key = Self.fingerprint(print)
    if isNew(key, host, Self.helloSalt) { usersOfHello[key, default: 0] &+= 1 }
    // Few names are new, so the registered domain is looked for seldom.
    if let name = hello.serverName, !isNew(Self.fingerprint(name), host, Self.nameSalt) { return }
    let server = Self.serverKey(hello)
    if isNew(server, host, Self.serverSalt) { usersOfServer[server, default: 0] &+= 1 }
  }

  private mutating func isNew(_ key: UInt64, _ host: UInt32, _ salt: UInt64) -> Bool {
    seen.insert(mix64(key ^ mix64(UInt64(host) | salt)))
  }

  /// Adds the counts of another shard, whose hosts are others.
  mutating func add(_ other: HelloCensus) {
    hosts &+= other.hosts
    usersOfHello.merge(other.usersOfHello, uniquingKeysWith: &+)
    usersOfServer.merge(other.usersOfServer, uniquingKeysWith: &+)
    refusedElsewhere &+= other.refused
  }

  public func users(ofHello print: String) -> UInt32 { usersOfHello[Self.fingerprint(print)] ?? 0 }

  /// Hosts that use any server of the registered domain of `name`; of `address` where there is no name.
  public func users(ofServer name: String, _ address: IPAddress) -> UInt32 {
    usersOfServer[Self.serverKey(name.isEmpty ? nil : name, address)] ?? 0
  }

  private static func serverKey(_ hello: TLSHandshake) -> UInt64 {
    serverKey(hello.serverName.flatMap { IPAddress($0) == nil ? $0 : nil }, hello.ends.server)
  }

  private static func serverKey(_ name: String?, _ address: IPAddress) -> UInt64 {
    name.map { fingerprint(PublicSuffix.builtin.registeredDomain($0) ?? $0) } ?? mix64(address.mixed)
  }

  /// FNV-1a over the octets, mixed.
  private static func fingerprint(_ text: String) -> UInt64 {
    mix64(text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
  }
}

extension TLSHandshake {
  /// JA4 sorts the extensions; JA3 of a client that shuffles them is new each time.
  var rarityPrint: String? { ja4 ?? ja3 }
}
