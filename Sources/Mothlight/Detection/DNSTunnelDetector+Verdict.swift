import Glibc

extension DNSTunnelDetector {
  /// A channel that may be told; whether its answers were used is looked up when all flows are known.
  struct Suspect {
    var channel: Channel
    /// Values in the order of `TunnelModel.signs`; the share of unused answers is set at the end.
    var values: [Double]
    var isPoll: Bool
    var pace: Periodicity?
    var refused: UInt32
  }

  private enum Sign {
    static let unused = 8
    static let loopback = 9
    static let newData = 6
  }

  /// The signs of a channel, or `nil` when they cannot add up to a finding.
  func suspect(_ channel: Channel, refused: UInt32) -> Suspect? {
    guard Double(channel.lookups) >= knob("lookups_least"), channel.isDetailed else { return nil }
    let values = Self.values(of: channel)
    let starts = channel.times.sorted().map { Double($0) / 100 }
    let isPoll =
      values[3] >= 0.8 && values[0] <= 3 && Double(channel.lookups) >= knob("poll_lookups")
      && values[Sign.loopback] < 0.5
    guard isPoll || Self.weigh(values).odds + Self.paceOdds >= knob("odds_least") else { return nil }
    let pace = Periodicity.analyse(starts).flatMap { $0.model.logBayesFactor >= 6 ? $0 : nil }
    return Suspect(channel: channel, values: values, isPoll: isPoll, pace: pace, refused: refused)
  }

  /// What a fixed pace of data-carrying questions adds: a judgement, below what any sign of content can reach.
  private static let paceOdds = 1.0
  /// A poll of one name: a licence or version check does the same, more slowly.
  private static let pollOdds = 2.0

  static func values(of channel: Channel) -> [Double] {
    let n = Double(max(1, channel.lookups))
    let names = min(n, channel.names.count)
    let octets = Double(channel.nameOctets)
    return [
      names, octets / n, channel.entropy / n, Double(channel.dataTyped) / n,
      octets / Double(max(1, channel.hours.nonzeroBitCount)), names / n, min(n, channel.dataNames.count) / n,
      Double(channel.answerOctets) / Double(max(1, channel.answered)), 1, Double(channel.loopbacks) / n,
    ]
  }

  /// ln of the likelihood ratio and the number of signs at least half full; below `signs_least` of them it is not a tunnel.
  static func weigh(_ values: [Double]) -> (odds: Double, signs: Int) {
    var odds = TunnelModel.bias
    var signs = 0
    for (value, sign) in zip(values, TunnelModel.signs) {
      let share = ramp(value, sign)
      odds += sign.weight * share
      if sign.weight >= 0, share >= 0.5 { signs += 1 }
    }
    return (odds, signs)
  }

  private static func ramp(
    _ value: Double, _ sign: (name: String, low: Double, high: Double, isLog: Bool, weight: Double)
  ) -> Double {
    let share =
      sign.isLog
      ? log(max(value, 1e-9) / sign.low) / log(sign.high / sign.low) : (value - sign.low) / (sign.high - sign.low)
    return max(0, min(1, share))
  }

  /// Tells the suspects, now that it is known which answers were used and which hosts are resolvers.
  mutating func report(in context: ShardContext, into findings: inout [Finding]) {
    let suspected = hosts.indices.filter { !hosts[$0].suspects.isEmpty }
    guard !suspected.isEmpty else { return }
    let numbers = Set(suspected.map { UInt32(clamping: $0) })
    var used: [UInt32: Set<IPAddress>] = [:]
    for pair in context.pairs.pairs where pair.service != .dns && pair.port != 53 && numbers.contains(pair.host) {
      used[pair.host, default: []].insert(pair.peer)
    }
    for host in suspected {
      let number = UInt32(clamping: host)
      for suspect in hosts[host].suspects.sorted(by: {
        ($0.channel.first, $0.channel.domain) < ($1.channel.first, $1.channel.domain)
      }) {
        if let finding = finding(suspect, number, used: used[number], context) { findings.append(finding) }
      }
      hosts[host].suspects = []
    }
  }

  private func finding(_ suspect: Suspect, _ host: UInt32, used: Set<IPAddress>?, _ context: ShardContext) -> Finding? {
    let channel = suspect.channel
    var values = suspect.values
    let isUsed = used.map { used in channel.addresses.contains { used.contains($0) } } ?? false
    // Without any other flow of this host nothing can be said about use.
    values[Sign.unused] = used == nil || isUsed ? 0 : 1
    var (odds, signs) = Self.weigh(values)
    if Double(signs) < knob("signs_least") { odds = min(0, odds) }
    if suspect.pace != nil, values[Sign.newData] >= 0.8, odds > 0 { odds += Self.paceOdds }
    var isPoll = false
    if suspect.isPoll, let pace = suspect.pace, pace.model.period <= knob("poll_period_most"), odds < Self.pollOdds {
      odds = Self.pollOdds
      isPoll = true
    }
    let served = Int(host) < context.hosts.count ? Double(context.hosts[Int(host)].lookupsServed) : 0
    let isResolver = served >= knob("served_lookups")
    if isResolver { odds = values[Sign.newData] >= 0.5 ? odds - 1 : min(odds - 1, 3) }
    let isReputation = Self.reputationZones.contains(channel.domain)
    if isReputation { odds -= 3 }
    guard odds >= knob("odds_least") else { return nil }
    var summary = summary(suspect, isPoll, values)
    if isReputation { summary += "; the domain is a reputation service's" }
    if isResolver { summary += "; this host asks for others, and which of them it was cannot be told from here" }
    return Finding(
      card: Self.card, host: context.address(of: host), subject: channel.domain, summary: summary,
      first: channel.first, last: channel.last, logOdds: min(5.5, odds),
      measures: measures(suspect, values, signs, served), evidence: channel.samples,
      refutedBy: isResolver
        ? "the look-ups of the machines behind this resolver, which show who asked and why"
        : "a program on this host whose maker owns the domain and sends reports or fetches settings by DNS",
      peerName: channel.domain)
  }

  private func summary(_ suspect: Suspect, _ isPoll: Bool, _ values: [Double]) -> String {
    let channel = suspect.channel
    let sample = channel.samples.first?.note ?? ""
    if isPoll, let pace = suspect.pace {
      return "asked for the same data record below \(channel.domain) \(channel.lookups) times, every "
        + "\(Phrase.seconds(pace.model.period)), e.g. \(sample)"
    }
    var text =
      "asked \(channel.lookups) times for \(Int(values[0].rounded())) different names below \(channel.domain), "
      + "\(Phrase.rounded(values[1], 0)) octets each beyond it, e.g. \(sample)"
    if values[3] >= 0.5 { text += "; \(Phrase.percent(values[3])) asked for data instead of addresses" }
    if values[Sign.unused] == 1 { text += "; nothing that it resolved was connected to" }
    if let pace = suspect.pace, values[Sign.newData] >= 0.8 {
      text += "; about every \(Phrase.seconds(pace.model.period))"
    }
    return text
  }

  private func measures(_ suspect: Suspect, _ values: [Double], _ signs: Int, _ served: Double) -> [Measure] {
    let units = [
      "names", "octets", "bit/character", "share", "octets/h", "share", "share", "octets", "share", "share",
    ]
    var measures = [
      Measure("look_ups", Double(suspect.channel.lookups), "look-ups", atLeast: knob("lookups_least")),
      Measure("signs", Double(signs), "signs", atLeast: knob("signs_least")),
    ]
    for ((sign, value), unit) in zip(zip(TunnelModel.signs, values), units) {
      // The value at which the sign counts as one of three.
      let half = sign.isLog ? (sign.low * sign.high).squareRoot() : (sign.low + sign.high) / 2
      measures.append(
        sign.weight < 0 ? Measure(sign.name, value, unit, atMost: half) : Measure(sign.name, value, unit, atLeast: half)
      )
    }
    if let pace = suspect.pace { measures.append(Measure("period", pace.model.period, "s")) }
    if served > 0 { measures.append(Measure("served_look_ups", served, "look-ups")) }
    if suspect.refused > 0 { measures.append(Measure("look_ups_not_counted", Double(suspect.refused), "look-ups")) }
    return measures
  }

  /// Domains under which reputation services publish that they are asked by name; a tunnel cannot run through them without
  /// their owner.
  static let reputationZones: Set<String> = [
    "mcafee.com", "sophosxl.net", "sophosxl.com", "e5.sk", "spamhaus.org", "spamhaus.net", "surbl.org", "uribl.com",
    "barracudacentral.org", "spamcop.net", "cymru.com", "senderscore.com", "trendmicro.com", "mailspike.net",
    "dnswl.org", "sorbs.net", "invaluement.com", "abuseat.org", "ripe.net",
  ]
}
