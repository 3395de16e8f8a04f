import Glibc

/// Scans that the walk loses because healthy contacts lie between the tries: one port, strangers in many networks, a day long.
extension ScanDetector {
  /// Shares a bucket only by accident; exact counting follows for the few that pass.
  private static let buckets = 1 << 16

  /// One finding per host and port. On sampled records an unseen answer proves nothing, so only ports that healthy machines
  /// leave alone outside are taken, by the number of networks.
  func slowScans(in context: ShardContext) -> [Finding] {
    let candidates = context.hasUsableTime ? slowCandidates(context) : []
    guard !candidates.isEmpty else { return [] }
    var tallies: [UInt64: SlowTally] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where Self.mayBeScanned(pairs[i]) {
      let pair = pairs[i]
      let key = UInt64(pair.host) << 16 | UInt64(pair.port)
      guard candidates.contains(key) else { continue }
      // In place: a copy of a tally would copy its targets.
      tallies[key, default: SlowTally()].add(pair, at: i, isTarget: isTarget(pair, context))
    }
    return tallies.keys.sorted().compactMap { key in
      guard let tally = tallies[key] else { return nil }
      let failed = Double(tally.failed) / Double(max(1, tally.met))
      guard context.isSampled || failed >= 0.8 else { return nil }
      return slowFinding(tally.spread.densestDay(), host: UInt32(key >> 16), failed: failed, context)
    }
  }

  private struct SlowTally {
    var spread = TargetSpread()
    var met = 0
    var failed = 0

    mutating func add(_ pair: Pair, at index: Int, isTarget: Bool) {
      met += 1
      if pair.answered == 0 { failed += 1 }
      if isTarget { spread.add(pair, at: index) }
    }
  }

  private static func mayBeScanned(_ pair: Pair) -> Bool {
    pair.transport == .tcp && !pair.isInside && pair.packetsOut > 0 && !AttackedPort.isDeviceShell(pair.port)
  }

  private func isTarget(_ pair: Pair, _ context: ShardContext) -> Bool {
    guard context.isSampled || pair.answered == 0 && pair.failed > 0 else { return false }
    return context.name(of: pair.peer, knownTo: pair.host) == nil
  }

  /// Hosts and ports with failed strangers enough; counted in buckets first, so that a swarm's many ports cost nothing.
  private func slowCandidates(_ context: ShardContext) -> Set<UInt64> {
    var counts = [UInt32](repeating: 0, count: Self.buckets)
    var keys: Set<UInt64> = []
    let pairs = context.pairs.pairs
    for i in pairs.indices where Self.mayBeScanned(pairs[i]) {
      let pair = pairs[i]
      let isService = AttackedPort.isServerService(pair.port)
      guard isService || !context.isSampled && !KnownService.isCommonPort(pair.port, .tcp), isTarget(pair, context),
        !context.hosts[Int(pair.host)].isSeenOneSided || context.isSampled, !KnownService.isFileSharing(pair.port),
        isService || !context.hosts[Int(pair.host)].looksPeerToPeer
      else { continue }
      let key = UInt64(pair.host) << 16 | UInt64(pair.port)
      let bucket = Int(mix64(key) & UInt64(Self.buckets - 1))
      counts[bucket] &+= 1
      if counts[bucket] >= UInt32(slowNetworksLeast) { keys.insert(key) }
    }
    return keys
  }

  private func slowFinding(
    _ met: TargetSpread.Densest, host: UInt32, failed: Double, _ context: ShardContext
  ) -> Finding? {
    let least = context.isSampled ? max(spreadLeast, slowNetworksLeast) : slowNetworksLeast
    guard met.networks >= least, met.spread >= 0.3, let first = met.targets.first else { return nil }
    let port = Self.describe(UInt32(context.pairs.pairs[first.pair].port))
    let pairs = met.targets.prefix(Limits.evidenceFlowsPerFinding).map { context.pairs.pairs[$0.pair] }
    let hours = max(1, met.last.seconds(since: met.first) / 3600)
    let outcome =
      context.isSampled
      ? "a lower bound, as the source is sampled" : "\(Phrase.percent(failed)) of its contacts on this port failed"
    return Finding(
      card: Self.card, host: context.address(of: host), subject: "\(port) over a day",
      summary: "tried \(met.targets.count) strangers in \(met.networks) networks on \(port), "
        + "\(Phrase.rounded(Double(met.targets.count) / hours, 1)) an hour; \(outcome)",
      first: met.first, last: met.last, logOdds: min(4.5, 3.5 + 0.5 * log(Double(met.networks) / Double(least))),
      measures: [
        Measure("networks", Double(met.networks), "/16 networks", atLeast: Double(least)),
        Measure("failed_share", failed, "share"),
        Measure("spread", met.spread, "networks per address", atLeast: 0.3),
      ],
      evidence: pairs.map { EvidenceFlow(context.asFlow($0)) },
      refutedBy: "a program on this machine whose many servers are gone, or an authorised scanner")
  }
}
