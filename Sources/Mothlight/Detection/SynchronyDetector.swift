import Glibc

/// Several machines that begin toward one rare service at the same irregular moments, again and again: they obey one voice.
///
/// Independent of each machine's own rhythm: chance is measured by shifting whole series, so rate, hours and timers stay, and
/// moments that themselves keep time (schedulers, timers in step) are thrown away. What is left cannot be seen on any single
/// machine, which is why it counts as reach (whom the crowd has in common) and not as timing.
public struct SynchronyDetector: NetworkDetector {
  public static let card = DetectorCard(
    name: "synchrony", title: "Machines that act together", family: .fanOut, reads: [.flow, .dns, .tls, .http],
    scope: .whole,
    knobs: [
      .init("hosts_least", 8, unit: "hosts", "hosts with ten outbound flows, below which nothing is said"),
      .init("group_least", 3, unit: "hosts", "fewest machines that act together"),
      .init("user_share_most", 0.2, unit: "share", "hosts that use the service at all"),
      .init("users_most", 32, unit: "hosts", "the same as a number"),
      .init("window", 10, unit: "s", "within which starts are one moment"),
      .init("quiet", 60, unit: "s", "silence after which a start counts"),
      .init("moments_least", 5, unit: "moments", "joint moments left when clockwork and common events are gone"),
      .init("surprise_least", 14, unit: "nat", "minus ln of the chance of so many, for all services tried"),
      .init(
        "octets_most", 20_000, unit: "octets", "mean octets of a conversation; above it people meet, in games and calls"
      ),
    ],
    references: [
      "Gu, Zhang, Lee, BotSniffer, NDSS 2008", "Gu, Perdisci, Zhang, Lee, BotMiner, USENIX Security 2008",
    ],
    knownFalsePositives: [
      "agents of one product that a server without a name wakes all at once, on a few machines only"
    ])

  private let hostsLeast: Int
  private let bounds: Crowd.Bounds
  private let window: Int64
  private let momentsLeast: Int
  private let surpriseLeast: Double
  private let octetsMost: Float

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    func whole(_ name: String, _ standard: Double, _ least: Double, _ most: Double) -> Int {
      Int(max(least, min(most, knobs[name] ?? standard)))
    }
    hostsLeast = whole("hosts_least", 8, 3, 1e6)
    bounds = Crowd.Bounds(
      groupLeast: whole("group_least", 3, 2, 32), usersMost: whole("users_most", 32, 2, 32),
      userShareMost: knobs["user_share_most"] ?? 0.2, quiet: Int64(whole("quiet", 60, 1, 86_400)) * 100)
    window = Int64(whole("window", 10, 1, 3600)) * 100
    momentsLeast = whole("moments_least", 5, 3, 1000)
    surpriseLeast = knobs["surprise_least"] ?? 14
    octetsMost = Float(knobs["octets_most"] ?? 20_000)
  }

  public func examine(_ network: [ShardContext], into findings: inout [Finding]) {
    guard network.allSatisfy({ $0.hasUsableTime && !$0.isSampled }) else { return }
    let hosts = network.reduce(0) { $0 + $1.hosts.count { $0.outboundFlows >= 10 } }
    guard hosts >= hostsLeast else { return }
    let crowds = Crowd.all(in: network, hosts: hosts, bounds)
    // Clockwork goes first: it is cheap, and few crowds have irregular moments at all.
    var candidates: [(crowd: Crowd, moments: [JointMoments.Moment])] = []
    var taken = 0
    for crowd in crowds where taken < CommonEvents.momentsMost {
      let moments = irregularMoments(crowd)
      guard moments.count >= momentsLeast else { continue }
      candidates.append((crowd, moments))
      taken += moments.count
    }
    guard !candidates.isEmpty else { return }
    let kept = withoutCommonEvents(candidates, network)
    var strongest: [IPAddress: Finding] = [:]
    for (candidate, moments) in zip(candidates, kept) {
      for finding in judge(candidate.crowd, moments, tried: crowds.count, hosts: hosts, network) {
        if let known = strongest[finding.host], (known.logOdds, finding.subject) >= (finding.logOdds, known.subject) {
          continue
        }
        strongest[finding.host] = finding
      }
    }
    findings += strongest.keys.sorted().compactMap { strongest[$0] }
  }

  private func least(_ crowd: Crowd) -> Int { max(bounds.groupLeast, (crowd.members.count * 2 + 4) / 5) }

  private func irregularMoments(_ crowd: Crowd) -> [JointMoments.Moment] {
    let moments = JointMoments.find(crowd.members.map(\.onsets), window: window, least: least(crowd))
    guard moments.count >= momentsLeast else { return [] }
    let rest = JointMoments.withoutClockwork(moments)
    return JointMoments.keepTime(rest) ? [] : rest
  }

  private func withoutCommonEvents(
    _ candidates: [(crowd: Crowd, moments: [JointMoments.Moment])], _ network: [ShardContext]
  ) -> [[JointMoments.Moment]] {
    let all = candidates.enumerated().flatMap { c, candidate in candidate.moments.map { (time: $0.time, crowd: c) } }
    let activity = CommonEvents.activity(
      around: Array(all.prefix(CommonEvents.momentsMost * 2)), crowds: candidates.map(\.crowd), network)
    var slot = 0
    return candidates.map { candidate in
      var kept: [JointMoments.Moment] = []
      var busy = 0.0
      var usual = 0.0
      for moment in candidate.moments {
        defer { slot += 1 }
        guard slot < activity.count else { continue }
        let here = activity[slot]
        if Double(here.others) >= 2 * here.controlOthers + 3 { continue }
        busy += Double(here.members)
        usual += here.controlMembers
        kept.append(moment)
      }
      // Members that turn to everything at these moments lost their line, and found it again.
      return busy > 1.5 * usual + 2 * usual.squareRoot() + Double(kept.count) * 0.5 ? [] : kept
    }
  }

  private func judge(
    _ crowd: Crowd, _ moments: [JointMoments.Moment], tried: Int, hosts: Int, _ network: [ShardContext]
  ) -> [Finding] {
    guard moments.count >= momentsLeast else { return [] }
    let chance = JointMoments.byChance(
      crowd.members.map(\.onsets), window: window, least: least(crowd), shiftLeast: bounds.quiet, shiftMost: 180_000,
      seed: crowd.key)
    let surprise = JointMoments.surprise(moments.count, mean: chance.mean) - log(Double(max(1, tried)))
    guard surprise >= surpriseLeast, moments.count > 2 * chance.most else { return [] }
    let part = crowd.members.indices.map { i in
      i < 32 ? moments.count { $0.members & (1 << UInt32(i)) != 0 } : 0
    }
    let joined = crowd.members.indices.filter { part[$0] * 5 >= moments.count * 3 }
    guard joined.count >= bounds.groupLeast else { return [] }
    return joined.map { i in
      finding(
        crowd, i, others: joined.filter { $0 != i }.map { crowd.members[$0].host },
        moments.filter {
          $0.members & (1 << UInt32(i)) != 0
        },
        [
          Measure("joint_moments", Double(moments.count), "moments", atLeast: Double(momentsLeast)),
          Measure("by_chance", chance.mean, "moments"),
          Measure("surprise", surprise, "nat", atLeast: surpriseLeast),
          Measure("machines", Double(joined.count), "hosts", atLeast: Double(bounds.groupLeast)),
          Measure("hosts_here", Double(hosts), "hosts", atLeast: Double(hostsLeast)),
        ], network)
    }
  }

  private func finding(
    _ crowd: Crowd, _ index: Int, others: [IPAddress], _ moments: [JointMoments.Moment], _ measures: [Measure],
    _ network: [ShardContext]
  ) -> Finding {
    let member = crowd.members[index]
    let context = network[member.context]
    let pair = context.pairs.pairs[member.pairs[0]]
    let name = context.name(of: pair.peer, knownTo: pair.host)
    let service = "\(pair.transport)/\(pair.port)"
    let what = crowd.kind == .shape ? "like servers" : name ?? pair.peer.description
    let shown = others.prefix(3).map(\.description).joined(separator: ", ")
    let rest = others.count > 3 ? " and \(others.count - 3) more" : ""
    func stamp(_ moment: JointMoments.Moment?) -> Timestamp {
      moment.map { Timestamp(seconds: $0.time / 100) } ?? pair.first
    }
    return Finding(
      card: Self.card, host: member.host, subject: "\(what) \(service) with others",
      summary:
        "began toward \(what) port \(pair.port)/\(pair.transport) within \(Phrase.seconds(Double(window) / 100)) of "
        + "\(shown)\(rest) at \(moments.count) irregular moments",
      first: stamp(moments.first), last: stamp(moments.last),
      logOdds: weight(crowd, member, pair, isNamed: name != nil, moments: moments.count, network),
      measures: measures,
      evidence: context.samples(of: pair).map { EvidenceFlow($0, note: name ?? "") },
      refutedBy: "a program that these machines share and that \(what) wakes for all of them at once",
      peer: pair.peer, peerName: name)
  }

  /// Healthy crowds meet too: in games and calls, which carry much, and where a service with a name wakes its clients.
  private func weight(
    _ crowd: Crowd, _ member: Crowd.Member, _ pair: Pair, isNamed: Bool, moments: Int, _ network: [ShardContext]
  ) -> Double {
    let isSmall = crowd.members.allSatisfy { other in
      guard let first = other.pairs.first else { return false }
      let theirs = network[other.context].pairs.pairs[first]
      return theirs.sizesOut.mean + theirs.sizesIn.mean <= octetsMost && theirs.sizesOut.dispersion <= 0.5
        && theirs.sizesIn.dispersion <= 0.5
    }
    let isCommon = KnownService.isCommonPort(pair.port, pair.transport)
    let host = network[member.context].hosts[Int(pair.host)]
    let isEveryday = isCommon && (isNamed || !host.hasVisibleLookups)
    guard isSmall else { return isEveryday ? 1 : 2 }
    let odds = 3.6 + 0.4 * log(Double(moments) / Double(momentsLeast))
    return isEveryday ? min(3, odds - 1) : min(5, odds)
  }
}
