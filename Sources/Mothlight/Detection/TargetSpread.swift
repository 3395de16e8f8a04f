/// Targets that one host met, and how many networks they lie in within any one day.
///
/// A count of distinct targets is a lower bound: neither sampling nor a one-sided view can raise it.
struct TargetSpread {
  struct Target {
    var first: Timestamp
    var network: UInt32
    /// Index into the pair table.
    var pair: Int
    init(_ pair: Pair, at index: Int) {
      first = pair.first
      network = pair.peer.network16
      self.pair = index
    }
  }

  /// What was met within one day's length.
  struct Densest {
    var networks = 0
    var targets: ArraySlice<Target> = []
    /// Networks over targets: near 1 when targets are drawn from the whole Internet.
    var spread: Double { targets.isEmpty ? 0 : Double(networks) / Double(targets.count) }
    var first: Timestamp { targets.first?.first ?? .distantFuture }
    var last: Timestamp { targets.last?.first ?? .distantPast }
  }

  /// Targets kept per host and kind: 24 B each, so 1.5 MB; a host that meets more has shown what it does.
  static let targetsMost = 1 << 16
  static let daySeconds = 86_400.0

  private(set) var targets: [Target] = []

  mutating func add(_ pair: Pair, at index: Int) {
    if targets.count < Self.targetsMost { targets.append(Target(pair, at: index)) }
  }

  /// The stretch of 24 hours with the most networks; the earliest of equals.
  func densestDay() -> Densest {
    let sorted = targets.sorted { ($0.first, $0.network, $0.pair) < ($1.first, $1.network, $1.pair) }
    guard let first = sorted.first, let last = sorted.last else { return Densest() }
    // Nothing to slide over: all within one day, as in most inputs.
    if last.first.seconds(since: first.first) <= Self.daySeconds {
      return Densest(networks: DistinctNetworks.count(sorted.lazy.map(\.network)), targets: sorted[...])
    }
    var best = Densest()
    var inside: [UInt32: Int] = [:]
    var from = 0
    for to in sorted.indices {
      inside[sorted[to].network, default: 0] += 1
      while sorted[to].first.seconds(since: sorted[from].first) > Self.daySeconds {
        let left = sorted[from].network
        let rest = (inside[left] ?? 1) - 1
        inside[left] = rest > 0 ? rest : nil
        from += 1
      }
      if inside.count > best.networks || inside.count == best.networks && from == best.targets.startIndex {
        best.networks = inside.count
        best.targets = sorted[from...to]
      }
    }
    return best
  }
}
