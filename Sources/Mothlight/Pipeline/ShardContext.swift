/// What a shard knows that its detectors may ask: who a host number is, what a peer was called.
public struct ShardContext: Sendable {
  /// Address of each host number of this shard.
  public internal(set) var hosts: [IPAddress] = []
  /// Span of event time seen so far.
  public internal(set) var first = Timestamp.distantFuture
  public internal(set) var last = Timestamp.distantPast
  /// Flow records were sampled by the exporter, so gaps and counts mean little.
  public internal(set) var isSampled = false
  var names: [NameKey: String] = [:]
  var nameOrder: [NameKey] = []

  struct NameKey: Hashable {
    var host: UInt32
    var peer: IPAddress
  }

  public init() {}

  public func address(of host: UInt32) -> IPAddress {
    Int(host) < hosts.count ? hosts[Int(host)] : .unspecified
  }

  /// The name that `host` last knew `peer` by, from DNS answers, SNI or Host headers.
  public func name(of peer: IPAddress, knownTo host: UInt32) -> String? {
    names[NameKey(host: host, peer: peer)]
  }
}
