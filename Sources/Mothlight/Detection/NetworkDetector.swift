/// A pure function over all hosts together: finds what a crowd shows and no single host does.
///
/// It runs once, when every shard has finished. Its findings must not depend on how the hosts are spread over the shards, so
/// it goes over them in order of address or key, never in order of shard.
public protocol NetworkDetector: Sendable {
  static var card: DetectorCard { get }
  init(_ settings: DetectorSettings) throws(ConfigurationError)
  /// `network` holds one context for each shard; every host is in exactly one of them.
  func examine(_ network: [ShardContext], into findings: inout [Finding])
}
