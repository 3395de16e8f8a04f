extension Report {
  /// Adds what the shards counted and what they had no room for.
  mutating func count(_ shards: [Shard]) {
    func sum(_ value: (Shard) -> UInt64) -> UInt64 { shards.reduce(0) { $0 &+ value($1) } }
    counters["continuations"] = sum { $0.continuations }
    counters["hosts_refused"] = sum { $0.hostsRefused }
    counters["pairs_refused"] = sum { $0.context.pairs.refused }
    counters["times_refused"] = sum { $0.context.pairs.timesRefused }
    counters["contacts_refused"] = sum { $0.contactsRefused }
    counters["names_refused"] = sum { $0.context.namesRefused }
    counters["proxies_refused"] = sum { $0.context.proxiesRefused }
    counters["hellos_refused"] = shards.first?.context.hellos.refused ?? 0
    counters["known_service_pairs"] = sum { $0.knownServicePairs }
    counters["hosts_seen"] = sum { UInt64($0.context.hosts.count) }
    counters["pairs_seen"] = sum { UInt64($0.context.pairs.pairs.count) }
    if sum({ $0.hostsRefused }) > 0 {
      warnings.append("more than \(Limits.hosts) hosts: the rest was not judged")
    }
    if sum({ $0.context.pairs.refused }) > 0 {
      warnings.append("more than \(PairTable.limit) pairs a shard: later ones were not followed")
    }
    countRefused(shards)
  }

  /// What detectors had no room for: a counter each, and a warning, since a finding may be missing for it.
  private mutating func countRefused(_ shards: [Shard]) {
    var refused: [String: UInt64] = [:]
    for (name, count) in shards.flatMap(\.refusedByDetector) where count > 0 { refused[name, default: 0] &+= count }
    for (name, count) in refused.sorted(by: { $0.key < $1.key }) {
      counters["refused_\(name.replacing("-", with: "_"))"] = count
      warnings.append("detector \(name): its tables were full and \(count) observations found no room")
    }
  }
}
