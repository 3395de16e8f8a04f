import Glibc

/// What a timer weighs, given the host it is on and the peer it is kept with.
extension BeaconDetector {
  /// Of timerless series one in e^(score/1.5) reaches a score: one in two hundred at 8, on the table's own null.
  private static let natPerScore = 1.5
  /// Healthy programs that keep time with an address nobody looked up: what no clearer timer can tell from a bot.
  private static let bareTimersOfHealthy = exp(-5.0)

  /// Log-odds of a timer kept with a nameless address while the names of others can be seen.
  ///
  /// Few healthy programs do so at all, so the doubt is whether it is a timer. That grows with the nameless services that
  /// were looked at: among a swarm's hundreds one looks regular by chance.
  static func bareTimer(_ score: Double, looks: Int) -> Double {
    let byChance = min(1, Double(max(1, looks)) * exp(-score / natPerScore))
    return max(0, -log(byChance + bareTimersOfHealthy))
  }

  /// Share of the time its host was up for which a timer went on. A burst of one visit keeps time too; a caller does so for as
  /// long as its host is up.
  static func persistence(_ timer: Timer, _ host: HostRecord) -> Double {
    let goesOn = timer.pair.last.seconds(since: min(timer.pair.first, timer.detail.goesOnSince))
    return min(1, goesOn / max(60, min(Double(host.hoursOnline) * 3600, host.secondsWatched)))
  }

  /// What clockwork of this kind says less than its gaps do.
  static func setAside(
    _ finding: inout Finding, _ timer: Timer, _ host: HostRecord, _ service: String?, _ swarms: Swarms
  ) {
    let pair = timer.pair
    if KnownService.isFileSharing(pair.port) {
      finding.lower(.role, by: 3, because: "peer-to-peer programs try the same peers again and again")
    } else if host.looksPeerToPeer, !KnownService.isCommonPort(pair.port, pair.transport) {
      // A swarm that comes back on a timer does so with many peers; what is alone in its ways is not the swarm's.
      let (nats, companions) = swarms.discount(timer)
      if nats > 0 {
        finding.lower(
          .role, by: nats,
          because: companions > 0
            ? "it is a peer-to-peer node and asks \(Phrase.count(companions, "other peer")) in time in the same way"
            : "peer-to-peer programs try the same peers again and again")
      }
    }
    if let service {
      finding.lower(.knownService, by: max(2, finding.logOdds - 1), because: "its name says it is a \(service) service")
    }
  }

  /// Whether healthy machines, too, keep time with such a peer.
  static func isEveryday(_ pair: Pair, _ host: HostRecord, isNamed: Bool) -> Bool {
    // Without visible look-ups every peer is nameless, so that says nothing.
    if KnownService.isCommonPort(pair.port, pair.transport), isNamed || !host.hasVisibleLookups { return true }
    // Whatever cannot reach its server tries again by timer; a dead server without a name is stranger.
    return isNamed && pair.failed * 2 > pair.starts
  }

  /// When the host showed nothing for an hour or more, seconds since `zero`: in an office eight of twenty-four hours count.
  static func absences(of host: HostRecord, since zero: Timestamp) -> [ClosedRange<Double>] {
    let offset = Double(zero.nanoseconds) / 1e9
    var result: [ClosedRange<Double>] = []
    var lastEnd: Double?
    for record in host.days.sorted(by: { $0.day < $1.day }) {
      for bin in record.activity.bins.indices where record.activity.bins[bin] > 0 {
        let start = Double(record.day) * 86_400 + Double(bin) * 900 - offset
        if let end = lastEnd, start - end >= 3600 { result.append(end...start) }
        lastEnd = start + 900
      }
    }
    return result
  }

  /// On a machine that a person uses, a fast poller is likely a page left open; on one that does little else it is a program.
  static func dominates(_ pair: Pair, _ host: HostRecord) -> Bool { UInt64(pair.starts) * 5 >= host.outboundFlows * 2 }

  /// Timers of peer-to-peer hosts with nameless peers on odd ports that answer: what a swarm's own look like.
  ///
  /// A swarm speaks one protocol, so those of its peers that are asked by timer are asked alike, and there are several. Most of
  /// what it exchanges differs in size from time to time.
  struct Swarms {
    private struct Kind: Hashable {
      var host: UInt32
      var transport: UInt8
    }
    /// Mean octets sent, by kind.
    private var sent: [Kind: [Float]] = [:]
    private let context: ShardContext
    /// Seconds without which nothing can be said of who comes back and who does not.
    private static let secondsLeast = 3600.0
    /// Means that differ by no more are one kind of message.
    private static let likeness: Float = 1.5

    init(_ timers: [Timer], _ context: ShardContext) {
      self.context = context
      for timer in timers where context.hosts[Int(timer.pair.host)].looksPeerToPeer && Self.isStranger(timer) {
        sent[Self.kind(timer.pair), default: []].append(timer.pair.sizesOut.mean)
      }
    }

    private static func kind(_ pair: Pair) -> Kind { Kind(host: pair.host, transport: pair.transport.rawValue) }

    private static func isStranger(_ timer: Timer) -> Bool {
      let pair = timer.pair
      return !timer.isNamed && pair.answered * 2 > pair.starts
        && !KnownService.isCommonPort(pair.port, pair.transport)
    }

    /// Whether all conversations that were kept, early and late ones, are of one size.
    private func isOfOneSize(_ pair: Pair) -> Bool {
      let sizes = context.samples(of: pair).map { $0.sourceOctets &+ $0.destinationOctets }
      guard sizes.count >= 4, let least = sizes.min(), let most = sizes.max() else { return false }
      return most - least <= least / 5
    }

    /// Nat that the role takes off: all for what transfers, never answers or was seen for minutes only, and else one for
    /// each other peer that is asked in time, by the same transport and in messages of nearly the same size.
    func discount(_ timer: Timer) -> (nats: Double, companions: Int) {
      let pair = timer.pair
      guard Self.isStranger(timer), isOfOneSize(pair), pair.last.seconds(since: pair.first) >= Self.secondsLeast else {
        return (3, 0)
      }
      let mine = pair.sizesOut.mean
      let alike = (sent[Self.kind(pair)] ?? []).count { max($0, mine) <= min($0, mine) * Self.likeness }
      return (min(3, Double(max(0, alike - 1))), max(0, alike - 1))
    }
  }
}
