import Mothlight

/// A made-up office for pictures and tests of pages: thirty days, some machines that get infected, found out and cleaned.
enum DemoStation {
  static let lastDay = CivilDate.daysSinceEpoch(year: 2026, month: 3, day: 2)
  /// The afternoon of the last day.
  static let now = Timestamp(seconds: Int64(lastDay) * 86_400 + 52_331)

  /// One machine's infection: from which day to which, counted back from the last.
  private struct Illness {
    let host: String
    let from: Int
    let to: Int
    let kind: Kind
    enum Kind { case mariposa, scanner, loader, quiet, spam, odd, dga }
  }

  private static let illnesses: [Illness] = [
    Illness(host: "10.20.7.22", from: 6, to: 0, kind: .mariposa),
    Illness(host: "10.20.7.31", from: 5, to: 0, kind: .mariposa),
    Illness(host: "10.20.4.37", from: 0, to: 0, kind: .scanner),
    Illness(host: "10.20.11.8", from: 2, to: 0, kind: .loader),
    Illness(host: "10.20.3.15", from: 11, to: 0, kind: .quiet),
    Illness(host: "10.20.9.140", from: 0, to: 0, kind: .odd),
    Illness(host: "fd20:7::1c4", from: 3, to: 0, kind: .dga), Illness(host: "10.20.2.28", from: 1, to: 0, kind: .spam),
    Illness(host: "10.20.12.77", from: 8, to: 0, kind: .odd),
    Illness(host: "10.20.7.54", from: 6, to: 2, kind: .mariposa),
    Illness(host: "10.20.5.90", from: 21, to: 17, kind: .scanner),
    Illness(host: "10.20.5.91", from: 20, to: 17, kind: .scanner),
    Illness(host: "10.20.5.14", from: 19, to: 18, kind: .scanner),
    Illness(host: "10.20.14.3", from: 27, to: 22, kind: .loader),
    Illness(host: "10.20.6.66", from: 15, to: 9, kind: .dga),
    Illness(host: "10.20.8.12", from: 25, to: 24, kind: .spam),
  ]

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }

  static func store() async throws -> MemoryStore {
    let rules = CaseRules(owners: [
      CaseRules.Owner(name: "Library", prefixes: ["10.20.7.0/24"].compactMap { Prefix($0) }),
      CaseRules.Owner(name: "Building services", prefixes: ["10.20.4.0/24", "10.20.5.0/24"].compactMap { Prefix($0) }),
    ])
    let store = MemoryStore(caseRules: rules)
    let analyst = Actor("m.okafor", origin: "10.20.1.5")
    for back in (0..<30).reversed() where back != 13 && back != 12 {
      let day = lastDay - back
      let end = Timestamp(seconds: Int64(day) * 86_400 + (back == 0 ? 52_320 : 86_390))
      try await store.keep(hostDays(back: back), run: "r\(day)", at: end)
      for change in changes where change.back == back {
        let time = Timestamp(seconds: Int64(day + 1) * 86_400 + 32_400)
        _ = try await store.change(change.number, to: change.state, reason: change.reason, by: analyst, at: time)
      }
    }
    _ = try await store.addAllowRule(
      .name("*.telemetry.example"), reason: "our own printers report their toner here", by: analyst,
      at: now.advanced(bySeconds: -900_000))
    _ = try await store.addAllowRule(
      try AllowList.parse("pair:10.20.1.9>198.51.100.40"), reason: "nightly backup to the branch office", by: analyst,
      at: now.advanced(bySeconds: -400_000))
    return store
  }

  private static let changes: [(back: Int, number: Int64, state: Case.State, reason: String)] = [
    (24, 1, .acknowledged, "called the desk"), (22, 1, .cleaned, "reinstalled by the desk"),
    (19, 2, .acknowledged, "cameras unplugged, vendor asked"), (17, 2, .cleaned, "new firmware, port 23 shut"),
    (4, 3, .acknowledged, "the reading room's machines, M. will go there"),
  ]

  static func hostDays(back: Int) -> [HostDay] {
    let day = lastDay - back
    var out: [HostDay] = []
    var random = UInt64(day) &* 0x9e37_79b9_7f4a_7c15
    func roll(_ below: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(random >> 33) % below
    }
    let isWeekend = (day + 3) % 7 >= 5
    let present = isWeekend ? 140 : 380 + roll(25)
    let ill = illnesses.filter { $0.to <= back && back <= $0.from }
    for illness in ill { out.append(entry(illness, day: day, isFirst: back == illness.from)) }
    for i in 0..<present {
      let host = IPAddress(v4: 0x0a14_0000 | UInt32(1 + i / 30) << 8 | UInt32(100 + i % 30))
      let isThin = roll(18) == 0
      var activity = HostActivity()
      activity.flows = UInt64(isThin ? 2 + roll(6) : 300 + roll(4000))
      activity.first = Timestamp(seconds: Int64(day) * 86_400 + Int64(25_000 + roll(9000)))
      activity.last = Timestamp(seconds: Int64(day) * 86_400 + Int64(44_000 + roll(8000)))
      out.append(
        HostDay(
          host: host, day: day, verdict: isThin ? .notEnoughData : .noSign, score: isThin ? 0 : -4.2, families: [],
          findings: [],
          reason: isThin
            ? "Only \(activity.flows) flows were seen; nothing can be said." : "Nothing rose to its bar.", botnets: [],
          activity: activity))
    }
    return out
  }

  // MARK: The ill

  private static func entry(_ illness: Illness, day: Int, isFirst: Bool) -> HostDay {
    let host = address(illness.host)
    let start = Timestamp(seconds: Int64(day) * 86_400 + (isFirst ? 33_120 : 26_400))
    let findings = findings(illness.kind, host, start)
    let isNamed: Bool = illness.kind == .mariposa || illness.kind == .loader
    let isInfected = isNamed || illness.kind == .scanner
    let families = Dictionary(grouping: findings, by: \.family)
      .map { (family: $0.key, logOdds: min(6, $0.value.map(\.logOdds).max() ?? 0)) }.sorted { $0.family < $1.family }
    var entry = HostDay(
      host: host, day: day, verdict: isInfected ? .infected : .suspicious,
      score: families.reduce(-5.3) { $0 + $1.logOdds }, families: families, findings: findings,
      reason: (isInfected ? "One exact match suffices: " : "One kind of evidence alone: ")
        + (findings.first?.summary ?? ""),
      botnets: isNamed ? [illness.kind == .mariposa ? "Mariposa/BFBot" : "Emotet"] : [],
      activity: activity(start, findings))
    if illness.kind == .scanner {
      entry.story = [
        StoryStep(
          time: start.advanced(bySeconds: -840), stage: .touched, detector: "inbound-attempts",
          text: "answered 41 log-in attempts from 198.51.100.77"),
        StoryStep(
          time: start.advanced(bySeconds: -300), stage: .fetched, detector: "program-download",
          text: "got 92 kB of ELF from http://198.51.100.77/bins/x86"),
        StoryStep(time: start, stage: .calledHome, detector: "beacon", text: findings.last?.summary ?? ""),
        StoryStep(
          time: start.advanced(bySeconds: 120), stage: .attackedOut, detector: "device-attack",
          text: findings.first?.summary ?? ""),
      ]
    }
    if illness.kind == .quiet {
      entry.caveats = ["The sensor sees this machine from outside its proxy: names are missing."]
    }
    return entry
  }

  private static func activity(_ start: Timestamp, _ findings: [Finding]) -> HostActivity {
    var activity = HostActivity()
    activity.first = start.advanced(bySeconds: -1200)
    activity.last = findings.map(\.last).max() ?? start
    activity.flows = 9549
    activity.outboundFlows = 9303
    activity.answeredFlows = 2055
    activity.octetsOut = 1_030_000
    activity.octetsIn = 909_000
    activity.dnsLookups = 104
    activity.peers = 8006
    let first = max(0, min(95, Int(start.seconds / 900) % 96))
    for i in 0..<96 where i >= first - 2 && i < 59 {
      activity.bins[i] = UInt32(i < first + 5 ? 1500 + i * 11 : 30 + i % 7)
    }
    activity.topPeers = [
      PeerActivity(
        address: address("198.51.100.205"), name: nil, port: 48_101, transport: .tcp, flows: 1079, octets: 86_320),
      PeerActivity(
        address: address("203.0.113.9"), name: "wing.butterfly.example", port: 3433, transport: .udp, flows: 119,
        octets: 9800),
    ]
    activity.topNames = [
      ("wing.butterfly.example", 38, 0), ("updates.vendor.example", 22, 0), ("qpzmxowieh.example", 4, 4),
    ]
    return activity
  }

  private static func findings(_ kind: Illness.Kind, _ host: IPAddress, _ start: Timestamp) -> [Finding] {
    switch kind {
    case .mariposa:
      [
        checkIn(host, start),
        beacon(host, start, peer: "203.0.113.9", name: "wing.butterfly.example", port: 3433, every: 240),
      ]
    case .scanner: [scan(host, start), beacon(host, start, peer: "198.51.100.205", name: nil, port: 48_101, every: 60)]
    case .loader: [indicator(host, start), beacon(host, start, peer: "192.0.2.181", name: nil, port: 8080, every: 900)]
    case .quiet: [beacon(host, start, peer: "192.0.2.66", name: "cdn-static.quietmoth.example", port: 443, every: 282)]
    case .spam: [spam(host, start)]
    case .odd: [oddService(host, start)]
    case .dga: [names(host, start)]
    }
  }

  private static func flow(
    _ host: IPAddress, _ peer: IPAddress, _ port: UInt16, _ time: Timestamp, udp: Bool = false, note: String = ""
  ) -> EvidenceFlow {
    EvidenceFlow(
      Flow(
        source: host, destination: peer, sourcePort: 49_152 &+ UInt16(truncatingIfNeeded: time.hour),
        destinationPort: port,
        transport: udp ? .udp : .tcp, first: time, last: time.advanced(bySeconds: 2), state: .closed, sourceOctets: 412,
        destinationOctets: 377, origin: RecordOrigin(input: 0, record: 18_204)), note: note)
  }

  private static func beacon(
    _ host: IPAddress, _ start: Timestamp, peer: String, name: String?, port: UInt16, every seconds: Double
  ) -> Finding {
    let peer = address(peer)
    let count = Int(25_000 / seconds)
    let last = start.advanced(bySeconds: Double(count) * seconds)
    let bin = max(1, min(70, Int(log2Of(seconds) * 4)))
    var series = [Double](repeating: 0, count: bin + 6)
    series[bin] = Double(count) * 0.8
    series[bin - 1] = Double(count) * 0.15
    series[bin + 3] = Double(count) * 0.05
    return Finding(
      card: BeaconDetector.card, host: host, subject: "\(name ?? peer.description) port \(port)/tcp",
      summary:
        "began \(count) connections to \(name ?? peer.description) port \(port)/tcp, one every \(Int(seconds)) s ± 4 %; no other of 412 machines here does",
      first: start, last: last, logOdds: 3.1,
      measures: [
        Measure("contacts", Double(count), "connections", atLeast: 12),
        Measure("gap_dispersion", 0.04, "share", atMost: 0.2),
        Measure("prevalence", 1, "machines"),
      ],
      evidence: (0..<3).map { flow(host, peer, port, start.advanced(bySeconds: seconds * Double($0))) },
      refutedBy: "A known program on this machine that calls this server at this pace.", series: series,
      seriesName: "gap_histogram_quarter_octave", peer: peer, peerName: name)
  }

  /// log2 by halving: good enough to place a bar.
  private static func log2Of(_ value: Double) -> Double {
    var (value, result) = (value, 0.0)
    while value >= 2 { (value, result) = (value / 2, result + 1) }
    return result + value - 1
  }

  private static func checkIn(_ host: IPAddress, _ start: Timestamp) -> Finding {
    let peer = address("203.0.113.9")
    return Finding(
      card: MariposaDetector.card, host: host, subject: "wing.butterfly.example",
      summary:
        "sent 1 join of 7 octets that decodes to the kit's word, and 119 keep-alives, to wing.butterfly.example (UDP port 3433)",
      first: start, last: start.advanced(bySeconds: 25_100), logOdds: 9.2,
      measures: [Measure("joins", 1, "messages", atLeast: 1), Measure("keepalives", 119, "messages", atLeast: 3)],
      evidence: [flow(host, peer, 3433, start, udp: true, note: "join, version 0x61")],
      refutedBy: "A research sandbox that replays the protocol from this address.", botnet: "Mariposa/BFBot",
      isConclusive: true,
      peer: peer, peerName: "wing.butterfly.example")
  }

  private static func scan(_ host: IPAddress, _ start: Timestamp) -> Finding {
    Finding(
      card: DeviceAttackDetector.card, host: host, subject: "tcp/23",
      summary:
        "reached for 8000 addresses in 7490 networks on tcp/23, ports of devices' remote shells, within 67 min; 7840 never answered; only self-spreading malware tries these ports all over the Internet",
      first: start.advanced(bySeconds: 120), last: start.advanced(bySeconds: 4100), logOdds: 7.4,
      measures: [
        Measure("targets", 8000, "addresses", atLeast: 60), Measure("networks", 7490, "networks", atLeast: 40),
        Measure("unanswered", 0.98, "share", atLeast: 0.6),
      ],
      evidence: (0..<3).map {
        flow(host, IPAddress(v4: 0xcb00_7100 &+ UInt32($0) * 37), 23, start.advanced(bySeconds: 121 + Double($0)))
      },
      refutedBy: "A vulnerability scan that you ordered, from this very machine.", isConclusive: true)
  }

  private static func indicator(_ host: IPAddress, _ start: Timestamp) -> Finding {
    let peer = address("192.0.2.181")
    return Finding(
      card: IndicatorDetector.card, host: host, subject: "192.0.2.181:8080",
      summary:
        "had 27 answered connections with 192.0.2.181 port 8080, a published Emotet command server (example feed, 2026-02-27)",
      first: start, last: start.advanced(bySeconds: 25_000), logOdds: 6.1,
      measures: [Measure("answered", 27, "connections", atLeast: 1), Measure("indicator_age", 3, "days", atMost: 30)],
      evidence: [flow(host, peer, 8080, start)], refutedBy: "The address has been given to somebody else since.",
      botnet: "Emotet", peer: peer)
  }

  private static func spam(_ host: IPAddress, _ start: Timestamp) -> Finding {
    Finding(
      card: MailFanOutDetector.card, host: host, subject: "tcp/25",
      summary: "tried 472 different mail servers, 144 of them within one hour, and receives none", first: start,
      last: start.advanced(bySeconds: 11_000), logOdds: 3.3,
      measures: [Measure("servers", 472, "servers", atLeast: 30), Measure("hour_most", 144, "servers", atLeast: 20)],
      evidence: [flow(host, address("203.0.113.25"), 25, start)],
      refutedBy: "It is a mail relay or a newsletter's sender that nobody told us of.", peer: address("203.0.113.25"))
  }

  private static func oddService(_ host: IPAddress, _ start: Timestamp) -> Finding {
    Finding(
      card: UnnamedServiceDetector.card, host: host, subject: "198.51.100.23 port 5178/tcp",
      summary:
        "talked 61 times to 198.51.100.23 port 5178/tcp, which it never looked up and no other machine here uses",
      first: start, last: start.advanced(bySeconds: 19_000), logOdds: 2.4,
      measures: [Measure("conversations", 61, "connections", atLeast: 6)],
      evidence: [flow(host, address("198.51.100.23"), 5178, start)],
      refutedBy: "A program with its server's address built in, such as a game or a meter.",
      peer: address("198.51.100.23"))
  }

  private static func names(_ host: IPAddress, _ start: Timestamp) -> Finding {
    Finding(
      card: NXDomainBurstDetector.card, host: host, subject: "generated names",
      summary:
        "asked for 311 names that do not exist within 14 min, of one length and letter mix, such as qpzmxowieh.example",
      first: start, last: start.advanced(bySeconds: 840), logOdds: 3.2,
      measures: [
        Measure("failed_names", 311, "names", atLeast: 40), Measure("letter_entropy", 3.6, "bits", atLeast: 3.1),
      ],
      evidence: [flow(host, address("10.20.0.53"), 53, start, udp: true, note: "qpzmxowieh.example NXDOMAIN")],
      refutedBy: "A browser that probes for a resolver which answers everything.", peerName: "qpzmxowieh.example")
  }
}
