/// What speaks for a visitor instead of a victim (sinkhole.md R8–R11).
///
/// Nobody is dropped: a source gets a label, and counts are published with and without the labelled ones.
struct VisitorSigns: OptionSet, Sendable, Hashable {
  var rawValue: UInt16

  /// Asked for `/robots.txt`, `/favicon.ico` or `/`.
  static let askedForSite = VisitorSigns(rawValue: 1)
  static let crawlerAgent = VisitorSigns(rawValue: 2)
  static let scannerAgent = VisitorSigns(rawValue: 4)
  /// A page elsewhere led here.
  static let referer = VisitorSigns(rawValue: 8)
  static let manyBotnets = VisitorSigns(rawValue: 16)
  static let manyPorts = VisitorSigns(rawValue: 32)
  static let scannerNetwork = VisitorSigns(rawValue: 64)
  static let researcherNetwork = VisitorSigns(rawValue: 128)
  static let hostingNetwork = VisitorSigns(rawValue: 256)
  /// Called by a name that no bot was ever given.
  static let unannouncedName = VisitorSigns(rawValue: 512)
}

/// Judges one source in one botnet from its level and its signs. Pure: no clock, no table.
enum VisitorJudgement {
  /// Botnets of one source within `botnetWindowSeconds` that make it a sandbox: a network behind one address has one or
  /// two infections, a sandbox runs samples of everything.
  static let botnetsMost = 3
  static let botnetWindowSeconds = 600
  /// Of 16 groups of destination ports within one hour: eight groups take eleven ports or more as a rule, and kits use a handful.
  static let portGroupsMost = 7

  /// How a source is labelled; kept in the tally as its number.
  enum Label: UInt16, CaseIterable, Sendable {
    case none
    /// Soft: a person or a bot may do it, too.
    case siteAsker, referer
    /// Firm.
    case hosting, sandbox, crawler, scanner, researcher

    /// Said of the machine, not of one visit.
    var isFirm: Bool { rawValue >= Label.hosting.rawValue }
  }

  static func label(for signs: VisitorSigns) -> Label {
    if signs.isEmpty { return .none }
    if signs.contains(.researcherNetwork) { return .researcher }
    if !signs.isDisjoint(with: [.scannerNetwork, .scannerAgent, .manyPorts, .unannouncedName]) { return .scanner }
    if signs.contains(.crawlerAgent) { return .crawler }
    if signs.contains(.manyBotnets) { return .sandbox }
    if signs.contains(.hostingNetwork) { return .hosting }
    return signs.contains(.referer) ? .referer : .siteAsker
  }

  /// The firmer one.
  static func merged(_ a: Label, _ b: Label) -> Label { a.rawValue >= b.rawValue ? a : b }

  /// The label that is published. Coming back with the bot's timing outweighs a soft one: somebody behind the same
  /// address looked at the page.
  static func visitor(_ label: Label, level: EvidenceLevel) -> VisitorClass? {
    switch label {
    case .none: nil
    case .siteAsker: level == .repeated ? nil : .scanner
    case .referer: level == .repeated ? nil : .referer
    case .hosting: .hosting
    case .sandbox: .sandbox
    case .crawler: .crawler
    case .scanner: .scanner
    case .researcher: .researcher
    }
  }

  /// Counted as infected: recognised or better, and no visitor (R7, R12).
  static func isVictim(_ visitor: VisitorClass?, level: EvidenceLevel) -> Bool {
    visitor == nil && level >= .recognised
  }
}

/// Words of a request that tell who asks.
enum VisitorWords {
  static let sitePaths: Set<String> = ["/", "/robots.txt", "/favicon.ico", "/sitemap.xml", "/.well-known/security.txt"]

  /// Parts of user agents, lower case: what search engines, monitors and previews call themselves.
  private static let crawlers = WordSearch([
    "bot/", "bot;", "bot)", "googlebot", "bingbot", "yandex", "baiduspider", "duckduck", "slurp", "crawler", "spider",
    "archive.org", "facebookexternalhit", "applebot", "petalbot", "semrush", "ahrefs", "feedfetcher",
  ])

  /// The same for those who look for machines, and for tools that no bot of these families uses.
  private static let scanners = WordSearch([
    "zgrab", "masscan", "nmap", "censys", "shodan", "expanse", "nuclei", "internetmeasurement", "paloalto", "netcraft",
    "curl/", "wget/", "python-requests", "python-urllib", "go-http-client", "libwww-perl", "httpx", "aiohttp", "okhttp",
    "scan", "survey", "research",
  ])

  static func signs(_ exchange: HTTPExchange) -> VisitorSigns {
    var signs = VisitorSigns()
    if sitePaths.contains(exchange.target) { signs.insert(.askedForSite) }
    if let referer = exchange.referer, !referer.isEmpty { signs.insert(.referer) }
    if let agent = exchange.userAgent, !agent.isEmpty {
      if scanners.finds(in: agent) {
        signs.insert(.scannerAgent)
      } else if crawlers.finds(in: agent) {
        signs.insert(.crawlerAgent)
      }
    }
    return signs
  }
}

/// Networks that an operator lists: one hash look-up per prefix length in use; and names that only who guesses or reads zone
/// lists can know (R11).
public struct VisitorNetworks: Sendable {
  private let unannounced: Set<String>
  private var lengths: [(isV4: Bool, length: Int, networks: [IPAddress: VisitorSigns])] = []

  /// - Parameter unannounced: host names, of any case, that no bot was ever given.
  public init(
    scanners: [Prefix] = [], researchers: [Prefix] = [], hosting: [Prefix] = [], unannounced: [String] = []
  ) {
    self.unannounced = Set(unannounced.map(Self.plain))
    add(scanners, .scannerNetwork)
    add(researchers, .researcherNetwork)
    add(hosting, .hostingNetwork)
  }

  private mutating func add(_ list: [Prefix], _ sign: VisitorSigns) {
    for prefix in list {
      let isV4 = prefix.address.isV4
      let length = isV4 ? prefix.bits - 96 : prefix.bits
      let place = lengths.firstIndex { $0.isV4 == isV4 && $0.length == length } ?? lengths.count
      if place == lengths.count { lengths.append((isV4, length, [:])) }
      lengths[place].networks[prefix.address, default: []].insert(sign)
    }
  }

  /// Without port and last dot, in lower case.
  private static func plain(_ host: String) -> String {
    var name = host[...]
    if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") { name = name[..<colon] }
    if name.hasSuffix(".") { name = name.dropLast() }
    return name.lowercased()
  }

  func isUnannounced(_ host: String) -> Bool { !unannounced.isEmpty && unannounced.contains(Self.plain(host)) }

  var isEmpty: Bool { lengths.isEmpty }

  /// Signs of every listed network around an address.
  func signs(of address: IPAddress) -> VisitorSigns {
    var signs = VisitorSigns()
    for (isV4, length, networks) in lengths where isV4 == address.isV4 {
      if let found = networks[Prefix(address, length: length).address] { signs.formUnion(found) }
    }
    return signs
  }
}
