import Glibc

/// A program fetched over plain HTTP from where programs are rarely fetched: a bare address, an odd port, under a picture's name.
///
/// Updates come from named servers and weigh nothing here. Loaders of IoT bots fetch one program for each processor type.
public struct ProgramDownloadDetector: Detector {
  public static let card = DetectorCard(
    name: "program-download", title: "Program fetched from an odd place", family: .payload, stage: .fetched,
    reads: [.http],
    knobs: [
      .init("platforms_least", 3, unit: "processor types", "programs for so many from one server make a loader"),
      .init("weak_most", 2.5, unit: "nat", "cap with fewer than three kinds of signs"),
    ],
    references: [
      "Antonakakis et al., Understanding the Mirai Botnet, USENIX Security 2017",
      "Invernizzi et al., Nazca: Detecting malware distribution in large-scale networks, NDSS 2014",
      "Gu et al., BotHunter, USENIX Security 2007",
    ],
    knownFalsePositives: [
      "an update cache or mirror that is used by address", "developers who test their own builds",
      "programs and games of makers that deliver from bare addresses",
    ])

  struct Source {
    var address: IPAddress
    var port: UInt16
    var isProxied = false
    var programs: UInt32 = 0
    var disguised: UInt32 = 0
    var opaque: UInt32 = 0
    var byTool: UInt32 = 0
    var platforms: Set<String> = []
    var scripts: UInt32 = 0
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
  }
  struct Key: Hashable {
    var host: UInt32
    var server: String
  }
  private enum Bound {
    /// (host, server) pairs that gave a program: 16 Ki × some 900 B.
    static let sources = 1 << 14
  }

  private var sources: [Key: Source] = [:]
  private let platformsLeast: Int
  private let weakMost: Double

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    platformsLeast = Int(max(2, min(16, knobs["platforms_least"] ?? 3)))
    weakMost = knobs["weak_most"] ?? 2.5
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .http(let exchange) = o.event, o.vantage.host != .max, exchange.leaves(o.vantage.orientation),
        exchange.method == "GET", exchange.status.map({ $0 / 100 == 2 }) ?? true,
        let program = ProgramFile(exchange)
      else { continue }
      note(exchange, program, o)
    }
  }

  private mutating func note(_ exchange: HTTPExchange, _ program: ProgramFile, _ o: Observation) {
    let key = Key(host: o.vantage.host, server: exchange.serverText)
    guard sources[key] != nil || sources.count < Bound.sources else {
      refused &+= 1
      return
    }
    var source =
      sources.removeValue(forKey: key) ?? Source(address: exchange.ends.server, port: exchange.ends.serverPort)
    source.isProxied = source.isProxied || exchange.isProxied(o.vantage.orientation)
    if program.isOpaque { source.opaque &+= 1 } else { source.programs &+= 1 }
    if program.isDisguised { source.disguised &+= 1 }
    if program.isScript { source.scripts &+= 1 }
    // A set of suffixes, so bounded by the table that they come from.
    if let platform = program.platform { source.platforms.insert(platform) }
    switch HTTPShape.agent(exchange.userAgent) {
    case .missing, .library: source.byTool &+= 1
    case .browser, .program: break
    }
    if o.time < source.first { source.first = o.time }
    if o.time > source.last { source.last = o.time }
    if source.samples.count < Limits.evidenceFlowsPerFinding {
      source.samples.append(
        EvidenceFlow(
          exchange.ends, time: o.time,
          note: "GET \(key.server) \(exchange.target) \(exchange.contentType ?? "")"))
    }
    sources[key] = source
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    for (key, source) in sources.sorted(by: { ($0.key.host, $0.key.server) < ($1.key.host, $1.key.server) }) {
      if let finding = finding(source, key, context) { findings.append(finding) }
    }
    sources = [:]
  }

  private func finding(_ source: Source, _ key: Key, _ context: ShardContext) -> Finding? {
    let isNamed = IPAddress(key.server) == nil || context.name(of: source.address, knownTo: key.host) != nil
    guard source.programs > 0 else { return opaque(source, key, isNamed: isNamed, context) }
    var odds = 0.0
    var words: [String] = []
    var kinds = 0
    func count(_ weight: Double, _ text: String) {
      odds += weight
      words.append(text)
      kinds += 1
    }
    if !isNamed { count(1, "from a bare address") }
    if !source.isProxied, !UsualPorts.contains(source.port, .http) { count(0.7, "on port \(source.port)") }
    if source.disguised > 0 { count(1.2, "under the name of a picture or text") }
    if source.platforms.count >= platformsLeast {
      count(2, "for \(source.platforms.count) processor types")
    } else if !source.platforms.isEmpty {
      count(0.8, "for processor type \(source.platforms.sorted().joined(separator: ", "))")
    }
    // Install scripts come from named servers by the same tools every day, so a tool weighs beside another sign only.
    if source.byTool * 2 > source.programs, kinds > 0, !isNamed || !source.platforms.isEmpty {
      count(0.4, "by a download tool or without an agent")
    }
    guard kinds > 0 else { return nil }
    if kinds < 3 { odds = min(odds, weakMost) }
    if isNamed { odds = min(odds, weakMost) }
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: key.server,
      summary:
        "fetched \(Phrase.count(source.programs, "program")) from \(key.server): \(words.joined(separator: "; "))",
      first: source.first, last: source.last, logOdds: min(4.5, odds),
      measures: [
        Measure("programs", Double(source.programs), "answers", atLeast: 1),
        Measure("processor_types", Double(source.platforms.count), "types", atLeast: Double(platformsLeast)),
        Measure("disguised", Double(source.disguised), "answers"), Measure("kinds_of_signs", Double(kinds), "kinds"),
      ],
      evidence: source.samples,
      refutedBy: "somebody meant to fetch this program from \(key.server), and it is what its maker published",
      peer: source.isProxied ? nil : source.address, peerName: isNamed ? key.server : nil)
  }

  /// Untyped content under a picture's name, from a bare address: servers that know no types do that too.
  private func opaque(_ source: Source, _ key: Key, isNamed: Bool, _ context: ShardContext) -> Finding? {
    guard !isNamed else { return nil }
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: key.server,
      summary:
        "fetched untyped content under a picture's name \(source.opaque) times from the bare address \(key.server)",
      first: source.first, last: source.last, logOdds: 0.6,
      measures: [Measure("untyped", Double(source.opaque), "answers", atLeast: 1)],
      evidence: source.samples, refutedBy: "the content is a picture", peer: source.isProxied ? nil : source.address)
  }
}
