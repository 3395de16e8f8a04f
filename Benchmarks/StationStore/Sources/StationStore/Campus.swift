import Mothlight

/// Host-days of a large network by a fixed seed: a tenth of the hosts is suspicious or infected, all have weak findings.
struct Campus {
  let hosts: Int
  let botnets: Int
  let findingsPerHostDay: Double
  let firstDay: Int

  private static let detectors = [
    "beacon", "slow-beacon", "long-channel", "nxdomain-burst", "dns-tunnel", "slow-scan", "device-attack", "tls-oddity",
    "http-callhome", "irc-command", "indicator", "fast-flux", "proxied-beacon", "synchrony", "program-download",
  ]
  private static let families: [EvidenceFamily] = [.timing, .timing, .timing, .dns, .dns, .fanOut, .fanOut, .payload]

  func host(_ n: Int) -> IPAddress { IPAddress(v4: 0x0a00_0000 + UInt32(n) * 7) }
  func botnet(_ n: Int) -> String { "Botnet \(n)" }

  /// - Parameter day: counted from 0.
  func hostDay(_ n: Int, _ day: Int, _ random: inout Chance) -> HostDay {
    let host = host(n)
    let number = firstDay + day
    let rank = random.below(100)
    let verdict: Verdict = n % 10 == 0 ? (rank < 20 ? .infected : rank < 80 ? .suspicious : .noSign) : .noSign
    let count =
      Int(findingsPerHostDay)
      + (Double(random.below(1000)) < findingsPerHostDay.truncatingRemainder(dividingBy: 1) * 1000 ? 1 : 0)
    var findings: [Finding] = []
    findings.reserveCapacity(count)
    for k in 0..<count { findings.append(finding(n, host, number, k, verdict, &random)) }
    var activity = HostActivity()
    activity.first = Timestamp(seconds: Int64(number) * 86_400 + Int64(random.below(20_000)))
    activity.last = activity.first.advanced(bySeconds: Double(random.below(60_000)))
    activity.flows = UInt64(random.below(20_000))
    activity.outboundFlows = activity.flows / 2
    activity.octetsOut = activity.flows * 1500
    activity.octetsIn = activity.flows * 9000
    activity.peers = UInt32(random.below(300))
    for k in 20..<76 { activity.bins[k] = UInt32(random.below(200)) }
    activity.topPeers = (0..<6).map { k in
      PeerActivity(
        address: peer(n * 31 + k), name: name(n * 31 + k), port: 443, transport: .tcp, flows: UInt32(600 / (k + 1)),
        octets: 1_000_000)
    }
    activity.topNames = (0..<4).map { (name: name(n * 31 + $0), lookups: UInt32(40 - $0), failed: 0) }
    return HostDay(
      host: host, day: number, verdict: verdict, score: Double(random.below(1_000_000)) / 100_000 - 6.9,
      families: [(family: .timing, logOdds: 2)], findings: findings,
      reason: "Only weak hints, none over the bar (when it talks).",
      botnets: Set(findings.compactMap(\.botnet)).sorted(),
      activity: activity)
  }

  private func peer(_ n: Int) -> IPAddress {
    IPAddress(v4: 0xc600_0000 + UInt32(truncatingIfNeeded: n &* 2_654_435_761) % 0x00ff_ffff)
  }
  private func name(_ n: Int) -> String { "c\(n % 5003).z\(n % 200_003).example" }

  private func finding(
    _ n: Int, _ host: IPAddress, _ day: Int, _ k: Int, _ verdict: Verdict, _ random: inout Chance
  ) -> Finding {
    // A machine keeps most of its peers from day to day.
    let which = random.below(10) < 9 ? n &* 17 &+ k : n &* 17 &+ k &+ day &* 7919
    let peer = peer(which)
    let name = name(which)
    let first = Timestamp(seconds: Int64(day) * 86_400 + Int64(random.below(30_000)))
    let detector = random.below(Self.detectors.count)
    let card = DetectorCard(
      name: Self.detectors[detector], version: 1, title: "", family: Self.families[detector % 8], reads: [], knobs: [],
      references: [], knownFalsePositives: [])
    let flow = Flow(
      source: host, destination: peer, sourcePort: UInt16(truncatingIfNeeded: 40_000 + k), destinationPort: 443,
      transport: .tcp, first: first, last: first, state: .closed, sourceOctets: UInt64(random.below(5000)),
      origin: RecordOrigin(input: 1, record: UInt64(random.below(1_000_000))))
    let isNamed = n % 10 == 0 && verdict.isAtLeastSuspicious && random.below(2) == 0
    // Few botnets have most of the machines.
    let botnet = isNamed ? self.botnet(min(botnets - 1, random.below(botnets) * random.below(botnets) / botnets)) : nil
    return Finding(
      card: card, host: host, subject: "\(name) (\(peer)) port 443",
      summary: "began 144 connections to \(name) (\(peer)) port 443, one every 300 s, on time within 2 %", first: first,
      last: first.advanced(bySeconds: 43_200), logOdds: Double(random.below(600)) / 100,
      measures: [
        Measure("starts", 144, "connections", atLeast: 12), Measure("gap", 300.2, "s", atLeast: 30),
        Measure("jitter", 0.017, "", atMost: 0.1), Measure("prevalence", 0.012, "share of \(hosts) hosts"),
      ],
      evidence: (0..<3).map { _ in EvidenceFlow(flow, note: name) },
      refutedBy: "an update client, a clock or a monitoring agent on this machine", botnet: botnet,
      series: (0..<12).map { _ in Double(random.below(40)) }, seriesName: "gap counts", peer: peer, peerName: name)
  }
}

extension Verdict { var isAtLeastSuspicious: Bool { self >= .suspicious } }

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195).
struct Chance {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func below(_ bound: Int) -> Int {
    state = state &+ 0x9e37_79b9_7f4a_7c15
    var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ (z >> 31)) >> 1) % bound
  }
}
