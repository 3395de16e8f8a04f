import Glibc

/// A machine that takes its orders by IRC: a kit's nickname, a channel with a key, an odd port, no person at the keyboard.
public struct IRCCommandDetector: Detector {
  public static let card = DetectorCard(
    name: "irc-command-channel", title: "IRC that a program speaks", family: .payload, stage: .calledHome,
    reads: [.irc],
    knobs: [
      .init("signs_least", 3, unit: "signs", "signs without which the weight stays below the bar"),
      .init("join_seconds_most", 3, unit: "s", "from registration to join without a person in between"),
      .init("servers_least", 3, unit: "servers", "servers of one nickname pattern that count as many"),
    ],
    references: [
      "RFC 2812", "Goebel, Holz, Rishi: Identify Bot Contaminated Hosts by IRC Nickname Evaluation, HotBots 2007",
      "Gu, Zhang, Lee, BotSniffer, NDSS 2008",
    ],
    knownFalsePositives: [
      "people who chat, with clients that join by themselves", "bouncers and chat robots that somebody runs on purpose",
    ])

  private struct Key: Hashable {
    var host: UInt32
    var server: IPAddress
    var port: UInt16
  }
  private struct Tally {
    var clientPorts: Set<UInt16> = []
    var nicks: Set<String> = []
    var channels: Set<String> = []
    var hasChannelKey = false
    var hasPassword = false
    var soonestJoin = Double.infinity
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
  }
  private enum Bound {
    /// (host, server, port) triples per shard: 16 Ki × some 1.5 KB.
    static let services = 1 << 14
    static let names = 16
    static let ports = 256
  }

  private var tallies: [Key: Tally] = [:]
  private let signsLeast: Int
  private let joinSecondsMost: Double
  private let serversLeast: Int

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    signsLeast = Int(max(1, min(8, knobs["signs_least"] ?? 3)))
    joinSecondsMost = knobs["join_seconds_most"] ?? 3
    serversLeast = Int(max(2, min(1000, knobs["servers_least"] ?? 3)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .irc(let session) = o.event, o.vantage.host != .max, o.vantage.orientation == .outbound else {
        continue
      }
      note(session, o)
    }
  }

  private mutating func note(_ session: IRCSession, _ o: Observation) {
    let key = Key(host: o.vantage.host, server: session.ends.server, port: session.ends.serverPort)
    guard tallies[key] != nil || tallies.count < Bound.services else {
      refused &+= 1
      return
    }
    var tally = tallies.removeValue(forKey: key) ?? Tally()
    if tally.clientPorts.count < Bound.ports { tally.clientPorts.insert(session.ends.clientPort) }
    if !session.nick.isEmpty, tally.nicks.count < Bound.names { tally.nicks.insert(session.nick) }
    for channel in session.channels where tally.channels.count < Bound.names { tally.channels.insert(channel) }
    tally.hasChannelKey = tally.hasChannelKey || session.hasChannelKey
    tally.hasPassword = tally.hasPassword || session.hasPassword
    tally.soonestJoin = min(tally.soonestJoin, session.secondsToJoin ?? .infinity)
    if o.time < tally.first { tally.first = o.time }
    if o.time > tally.last { tally.last = o.time }
    if tally.samples.count < Limits.evidenceFlowsPerFinding {
      let channels = session.channels.joined(separator: ",")
      tally.samples.append(EvidenceFlow(session.ends, time: o.time, note: "NICK \(session.nick) JOIN \(channels)"))
    }
    tallies[key] = tally
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    var servers: [UInt32: [String: Int]] = [:]
    for (key, tally) in tallies {
      for pattern in Set(tally.nicks.map(IRCNick.pattern)) { servers[key.host, default: [:]][pattern, default: 0] += 1 }
    }
    let order = tallies.sorted {
      ($0.key.host, $0.key.server, $0.key.port) < ($1.key.host, $1.key.server, $1.key.port)
    }
    for (key, tally) in order {
      findings.append(finding(key, tally, serversOfPattern: servers[key.host] ?? [:], context))
    }
    tallies = [:]
  }

  private struct Sign {
    var weight: Double
    var words: String
    /// Whether it tells what names the client uses rather than where it goes.
    var isOfNick = false
  }

  private func signs(
    _ key: Key, _ tally: Tally, _ servers: [String: Int], isNamed: Bool, _ context: ShardContext
  ) -> [Sign] {
    var signs: [Sign] = []
    let nicks = tally.nicks.sorted()
    if let kit = nicks.first(where: { IRCNick($0).isKitLike }) {
      signs.append(Sign(weight: 1.5, words: "nickname \(kit) is made like a kit's", isOfNick: true))
    } else if let number = nicks.first(where: { IRCNick($0).signs >= 2 }) {
      signs.append(Sign(weight: 0.7, words: "nickname \(number) is half a kit's", isOfNick: true))
    }
    if nicks.count >= 3, Set(nicks.map(IRCNick.pattern)).count == 1,
      nicks.allSatisfy({ $0.utf8.contains { $0 >= 0x30 && $0 <= 0x39 } })
    {
      signs.append(Sign(weight: 0.8, words: "\(nicks.count) nicknames of one pattern", isOfNick: true))
    }
    if !UsualPorts.contains(key.port, .irc) { signs.append(Sign(weight: 1.2, words: "port \(key.port)")) }
    if tally.hasChannelKey { signs.append(Sign(weight: 0.7, words: "a channel with a key")) }
    if tally.soonestJoin <= joinSecondsMost {
      signs.append(Sign(weight: 0.2, words: "joined \(Phrase.seconds(tally.soonestJoin)) after registering"))
    }
    let host = context.hosts.indices.contains(Int(key.host)) ? context.hosts[Int(key.host)] : nil
    if !isNamed, host?.hasVisibleLookups == true {
      signs.append(Sign(weight: 0.5, words: "an address that was never looked up"))
    }
    let most = nicks.compactMap { servers[IRCNick.pattern($0)] }.max() ?? 0
    if most >= serversLeast { signs.append(Sign(weight: 0.5, words: "the same pattern on \(most) servers")) }
    return signs
  }

  private func finding(
    _ key: Key, _ tally: Tally, serversOfPattern: [String: Int], _ context: ShardContext
  ) -> Finding {
    let name = context.name(of: key.server, knownTo: key.host)
    let signs = signs(key, tally, serversOfPattern, isNamed: name != nil, context)
    // Few healthy machines speak IRC at all any more.
    var odds = 0.5 + signs.reduce(0) { $0 + $1.weight }
    if signs.count < signsLeast || !signs.contains(where: \.isOfNick) { odds = min(odds, 2.8) }
    let what = "\(name ?? key.server.description) port \(key.port)"
    let channels = tally.channels.sorted().prefix(3).joined(separator: ", ")
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: what,
      summary: "spoke IRC with \(what), \(Phrase.count(tally.clientPorts.count, "connection"))"
        + (channels.isEmpty ? "" : ", channels \(channels)")
        + (signs.isEmpty ? "" : ": " + signs.map(\.words).joined(separator: "; ")),
      first: tally.first, last: tally.last, logOdds: min(5, odds),
      measures: [
        Measure("signs", Double(signs.count), "signs", atLeast: Double(signsLeast)),
        Measure("connections", Double(tally.clientPorts.count), "connections"),
        Measure("nicknames", Double(tally.nicks.count), "names"),
        Measure("channels", Double(tally.channels.count), "channels"),
      ],
      evidence: tally.samples, refutedBy: "a person on this machine who chats, or a chat robot that its owner runs",
      peer: key.server, peerName: name)
  }
}
