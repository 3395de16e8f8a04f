/// Recognises the check-in of Mariposa, the BFBot (Butterfly) kit, to its server over UDP.
///
/// The bytes are judged by the wire rules `bfbot-…`; this groups their matches per host, server and day. A join whose four
/// payload octets decode to the kit's word passes by chance once in 2⁴⁰ datagrams, so one is enough.
public struct MariposaDetector: Detector {
  public static let card = DetectorCard(
    name: "mariposa-checkin", title: "Mariposa check-in", family: .payload, reads: [.payload],
    knobs: [
      .init("keepalive_interval", 240, unit: "s", "published time between two keepalives"),
      .init("keepalive_tolerance", 30, unit: "s", "largest deviation of a gap that still counts"),
      .init("keepalives", 5, unit: "datagrams", "without a join, at least so many keepalives"),
      .init("keepalive_share", 0.6, unit: "share", "of the gaps between keepalives that fit the interval"),
    ],
    references: [
      "Emerging Threats sids 2010100, 2010101, 2011295, 2011296, 2013236",
      "ICS-CERT ICSA-10-090-01, Mariposa Botnet (2010)",
      "Sinha, Boukhtouta, Belarde, Debbabi: Insights from the Analysis of the Mariposa Botnet, CRiSIS 2010",
    ],
    knownFalsePositives: [
      "sinkholes, honeypots and simulators that speak the protocol",
      "three-octet keepalives of other UDP programs, if they keep to four minutes",
    ])

  static let botnet = "Mariposa/BFBot"
  static let rulePrefix = Signature.mariposaPrefix
  private static let join = "bfbot-join"
  private static let longJoin = "bfbot-join-21"
  private static let otherJoin = "bfbot-join-other-word"
  private static let keepalive = "bfbot-keepalive"
  /// Whatever the server sent that fits the protocol.
  private static let answer = "answer"

  private enum Bound {
    /// (host, server, day) triples open in a shard: a bot has a handful of servers; about 500 B each.
    static let talks = 1 << 16
    /// Keepalive times kept per talk: 360 make a day.
    static let keepalives = 512
    /// A record that late still belongs to its day.
    static let graceSeconds = 3600.0
  }

  private struct Key: Hashable {
    var host: UInt32
    var server: IPAddress
    var day: Int
  }

  private struct Talk {
    var first: Timestamp
    var last: Timestamp
    var isInside: Bool
    var counts: [String: Int] = [:]
    var keepalives: [Timestamp] = []
    var strongest: [EvidenceFlow] = []
    var others: [EvidenceFlow] = []
    var ports: Set<UInt16> = []
  }

  private let interval: Double
  private let tolerance: Double
  private let leastKeepalives: Double
  private let leastShare: Double
  private let registry: Registry
  private var talks: [Key: Talk] = [:]
  private var nextClose = Timestamp.distantFuture

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    interval = knobs["keepalive_interval"] ?? 240
    tolerance = knobs["keepalive_tolerance"] ?? 30
    leastKeepalives = knobs["keepalives"] ?? 5
    leastShare = knobs["keepalive_share"] ?? 0.6
    registry = settings.registry
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for observation in batch {
      guard case .payload(let match) = observation.event, match.rule.hasPrefix(Self.rulePrefix) else { continue }
      let vantage = observation.vantage
      guard vantage.host != .max, vantage.orientation == .outbound || vantage.orientation == .inside,
        match.ends.client == context.address(of: vantage.host)
      else { continue }
      note(match, vantage, observation.time)
    }
  }

  private mutating func note(_ match: PayloadMatch, _ vantage: Vantage, _ time: Timestamp) {
    let key = Key(host: vantage.host, server: match.ends.server, day: time.day)
    guard talks[key] != nil || talks.count < Bound.talks else {
      refused &+= 1
      return
    }
    var talk = talks[key] ?? Talk(first: time, last: time, isInside: vantage.orientation == .inside)
    talk.first = min(talk.first, time)
    talk.last = max(talk.last, time)
    talk.ports.insert(match.ends.serverPort)
    // Answers of the server support a join; they prove nothing alone.
    let rule = match.fromClient ? match.rule : Self.answer
    talk.counts[rule, default: 0] &+= 1
    if rule == Self.keepalive, talk.keepalives.count < Bound.keepalives { talk.keepalives.append(time) }
    let isJoin = rule == Self.join || rule == Self.longJoin || rule == Self.otherJoin
    let note = "\(match.rule), \(match.payloadOctets) octets"
    if isJoin, talk.strongest.count < 3 {
      talk.strongest.append(EvidenceFlow(match.ends, time: time, note: note))
    } else if !isJoin, talk.others.count < Limits.evidenceFlowsPerFinding {
      talk.others.append(EvidenceFlow(match.ends, time: time, note: note))
    }
    talks[key] = talk
    nextClose = min(nextClose, Self.close(ofDay: key.day))
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time >= nextClose || time == .distantFuture else { return }
    nextClose = .distantFuture
    var done: [Key] = []
    for key in talks.keys {
      let end = Self.close(ofDay: key.day)
      if time >= end || time == .distantFuture { done.append(key) } else { nextClose = min(nextClose, end) }
    }
    done.sort { ($0.day, $0.host, $0.server) < ($1.day, $1.host, $1.server) }
    for key in done {
      guard let talk = talks.removeValue(forKey: key) else { continue }
      if let finding = finding(key, talk, context) { findings.append(finding) }
    }
  }

  private static func close(ofDay day: Int) -> Timestamp {
    Timestamp(seconds: Int64(day &+ 1) &* 86_400).advanced(bySeconds: Bound.graceSeconds)
  }

  /// Share of the gaps between keepalives that are the interval, or twice it when one datagram was lost.
  private func regularity(_ talk: Talk) -> Double {
    let times = talk.keepalives.sorted()
    guard times.count >= 2 else { return 0 }
    let fitting = zip(times.dropFirst(), times).reduce(0) { sum, pair in
      let gap = pair.0.seconds(since: pair.1)
      return sum + (abs(gap - interval) <= tolerance || abs(gap - 2 * interval) <= tolerance ? 1 : 0)
    }
    return Double(fitting) / Double(times.count - 1)
  }

  private func finding(_ key: Key, _ talk: Talk, _ context: ShardContext) -> Finding? {
    let joins = talk.counts[Self.join] ?? 0
    let longJoins = talk.counts[Self.longJoin] ?? 0
    let keepalives = talk.counts[Self.keepalive] ?? 0
    let regularity = regularity(talk)
    let keepsTime = Double(talk.keepalives.count) >= leastKeepalives && regularity >= leastShare
    let answers = talk.counts[Self.answer] ?? 0
    let others = talk.counts[Self.otherJoin] ?? 0
    guard joins > 0 || longJoins > 0 || keepsTime || (others > 0 && answers > 0) else { return nil }
    let name = context.name(of: key.server, knownTo: key.host)
    let isListed =
      name.map { registry.matches(domain: $0).contains { registry.indicator(of: $0).family == "Mariposa" } } ?? false
    let isConclusive = joins > 0 && !talk.isInside
    var odds = joins > 0 ? (talk.isInside ? 5.0 : 6.9) : 0
    if joins == 0 {
      // Weak shapes gain from each other: 24 fixed bits, four-minute rhythm, an answer in kind.
      if keepsTime { odds += 3.0 }
      if longJoins > 0 { odds += 2.5 } else if others > 0 { odds += 1.0 }
      if answers > 0 { odds += 1.0 }
      if isListed { odds += 2.0 }
    }
    var said: [String] = []
    if joins > 0 { said.append("\(Phrase.count(joins, "join")) of 7 octets that decode to the kit's word") }
    if longJoins > 0 { said.append("\(Phrase.count(longJoins, "join")) of the 21-octet build") }
    if others > 0 { said.append("\(Phrase.count(others, "join")) with another word") }
    if keepalives > 0 { said.append("\(keepalives) keepalives") }
    let ports = talk.ports.sorted().prefix(4).map(String.init).joined(separator: ", ")
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: "\(key.server)",
      summary: "sent \(said.joined(separator: ", ")) to \(name ?? "\(key.server)") (UDP port \(ports))"
        + (talk.isInside ? "; the server is one of ours" : ""),
      first: talk.first, last: talk.last, logOdds: odds,
      measures: [
        Measure("joins", Double(joins), "datagrams", atLeast: 1), Measure("joins_21", Double(longJoins), "datagrams"),
        Measure("keepalives", Double(keepalives), "datagrams", atLeast: leastKeepalives),
        Measure("keepalive_regularity", regularity, "share", atLeast: leastShare),
        Measure("server_answers", Double(answers), "datagrams"),
      ],
      evidence: Array((talk.strongest + talk.others).prefix(Limits.evidenceFlowsPerFinding)),
      refutedBy:
        "a sinkhole, honeypot or simulator test from this host, or a UDP program documented to send these octets",
      botnet: joins > 0 || isListed ? Self.botnet : nil, isConclusive: isConclusive, peer: key.server, peerName: name)
  }
}
