import Mothlight

/// A made-up report: two flagged hosts with hostile strings in every field that an attacker can fill.
enum ReportFixture {
  /// Markup, quotes, an ANSI escape, a right-to-left override, line breaks, NUL, C1, U+2028 and a long word.
  static let hostile =
    "<script>alert(1)</script>\"'&amp;\u{1b}[31mred\u{202e}gpj.exe\r\n\u{0}\u{9b}2J\u{2028}\u{7f}"
    + String(repeating: "A", count: 120)
  static let day = 15_196  // 2011-08-10
  static let midnight = Timestamp(seconds: 15_196 * 86_400)

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }

  static func card(_ name: String, _ family: EvidenceFamily) -> DetectorCard {
    DetectorCard(
      name: name, version: 2, title: name, family: family, reads: [.flow], knobs: [], references: [],
      knownFalsePositives: [])
  }

  static func flow(_ host: IPAddress, _ peer: String, _ port: UInt16, at seconds: Double, record: UInt64) -> Flow {
    let time = midnight.advanced(bySeconds: seconds)
    return Flow(
      source: host, destination: address(peer), sourcePort: 1027, destinationPort: port, transport: .tcp, first: time,
      last: time.advanced(bySeconds: 1.5), state: .closed, sourceOctets: 612, destinationOctets: 1411,
      origin: RecordOrigin(input: 0, record: record))
  }

  static func beacon(_ host: IPAddress) -> Finding {
    var gaps = [Double](repeating: 0, count: 60)
    gaps[32] = 3
    gaps[33] = 68
    gaps[36] = 2
    return Finding(
      card: card("beacon", .timing), host: host, subject: "60.190.222.139:65520",
      summary: "Called 60.190.222.139 port 65520 every 301 s for 6 h 7 min: 68 of 73 gaps within 4 % of the period",
      first: midnight.advanced(bySeconds: 35_213), last: midnight.advanced(bySeconds: 57_247), logOdds: 5.24,
      measures: [
        Measure("contacts", 74, "", atLeast: 12), Measure("period", 301.2, "s", atLeast: 10),
        Measure("gap spread", 0.031, "", atMost: 0.15), Measure("hosts that call this peer", 1, "", atMost: 3),
        Measure("period coverage", 93.2, "%"), Measure("not a number", .nan, "", atLeast: 1),
      ],
      evidence: (0..<5).map { i in
        EvidenceFlow(
          flow(host, "60.190.222.139", 65520, at: 35_213.123456 + Double(i) * 301.2, record: 1200 + UInt64(i) * 977))
      },
      refutedBy: "The program behind port 65520 is known and wanted, or other machines of the same build call it too.",
      series: gaps, seriesName: "gap_histogram_quarter_octave", peer: address("60.190.222.139"), peerName: hostile)
  }

  static func dga(_ host: IPAddress) -> Finding {
    Finding(
      card: card("nxdomain", .dns), host: host, subject: hostile,
      summary: "412 of 431 names do not exist, such as \(hostile)",
      first: midnight.advanced(bySeconds: 36_000), last: midnight.advanced(bySeconds: 52_000), logOdds: 4.1,
      measures: [
        Measure("names that do not exist", 412, "names", atLeast: 50), Measure("share", 0.956, "", atLeast: 0.5),
      ],
      evidence: [
        EvidenceFlow(
          Endpoints(
            client: host, server: address("147.32.80.9"), clientPort: 1025, serverPort: 53, transport: .udp,
            origin: RecordOrigin(input: 1, record: 88)), time: midnight.advanced(bySeconds: 36_000), note: hostile)
      ], refutedBy: "A resolver search list or a broken updater makes the names.", botnet: "Conficker\(hostile)",
      isConclusive: true)
  }

  static func activity(_ seed: UInt32) -> HostActivity {
    var a = HostActivity()
    a.first = midnight.advanced(bySeconds: 35_000)
    a.last = midnight.advanced(bySeconds: 57_600)
    a.flows = 12_345
    a.outboundFlows = 12_001
    a.answeredFlows = 3456
    a.octetsOut = 12_345_678
    a.octetsIn = 987_654
    a.dnsLookups = 431
    a.peers = 1234
    for i in 38..<64 { a.bins[i] = (UInt32(i) &* 2_654_435_761 &+ seed) >> 24 &+ 20 }
    a.topPeers = [
      PeerActivity(
        address: address("60.190.222.139"), name: nil, port: 65520, transport: .tcp, flows: 74, octets: 150_000),
      PeerActivity(
        address: address("2001:db8::1"), name: hostile, port: 443, transport: .tcp, flows: 40, octets: 2_345_678),
    ]
    a.topNames = [(hostile, 99, 98), ("www.example.org", 12, 0)]
    return a
  }

  static let bot = address("147.32.84.165")
  static let odd = address("2001:db8:1234:5678:9abc:def0:1234:5678")

  static func report(quietHosts: Int = 30, unjudgedHosts: Int = 3, withFindings: Bool = true) -> Report {
    var report = Report(version: "0.1.0")
    report.inputs = [capture, log]
    report.home = [Prefix("147.32.0.0/16"), Prefix("2001:db8::/32")].compactMap { $0 }
    report.counters = ["evicted_flows": 12, "continuations": 3456]
    report.warnings = ["a warning about \(hostile)"]
    if withFindings {
      report.hosts.append(
        HostDay(
          host: bot, day: day, verdict: .infected, score: 2.4, families: [(.timing, 4.6), (.dns, 4.1), (.peer, 0.61)],
          findings: [beacon(bot), dga(bot)],
          reason: "Two independent families are above the bar: timing and DNS. \(hostile)",
          botnets: ["Conficker\(hostile)"], activity: activity(1)))
      report.hosts.append(
        HostDay(
          host: odd, day: day, verdict: .suspicious, score: -2.31, families: [(.timing, 4.6)], findings: [beacon(odd)],
          reason: "One family alone: timing.", botnets: [], activity: activity(7)))
      report.hidden = [HiddenFinding(finding: beacon(address("147.32.84.7")), rule: "peer 60.190.222.0/24 \(hostile)")]
    }
    for i in 0..<quietHosts {
      report.hosts.append(
        HostDay(
          host: IPAddress(v4: 0x9320_0000 &+ UInt32(i)), day: day, verdict: .noSign, score: -6.91, families: [],
          findings: [],
          reason: "Nothing rose to its bar.", botnets: [], activity: activity(UInt32(i))))
    }
    for i in 0..<unjudgedHosts {
      report.hosts.append(
        HostDay(
          host: IPAddress(v4: 0x9321_0000 &+ UInt32(i)), day: day, verdict: .notEnoughData, score: -6.91, families: [],
          findings: [], reason: "Only \(i + 1) flows were seen; 20 are needed.", botnets: [], activity: HostActivity()))
    }
    return report
  }

  private static var capture: InputSummary {
    var input = InputSummary(path: "/data/captures/botnet-\(hostile).pcap", format: "pcap")
    input.octets = 58_123_456
    input.records = 446_110
    input.used = 410_000
    input.skipped = ["not_ip": 36_000, "group_address": 90]
    input.unparsed = 20
    input.firstUnparsed = "packet 1277: \(hostile)"
    input.warnings = ["the file is cut in the middle of packet 446111"]
    input.first = midnight.advanced(bySeconds: 35_000)
    input.last = midnight.advanced(bySeconds: 57_600)
    return input
  }

  private static var log: InputSummary {
    var input = InputSummary(path: "dns.log", format: "zeek-tsv dns")
    input.records = 0
    input.error = SourceError(.empty, "dns.log has a header but no rows")
    input.isSampled = true
    input.clockIsRelative = true
    return input
  }
}
