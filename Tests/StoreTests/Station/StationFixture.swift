import Foundation
import Mothlight
import MothlightStore

/// Host-days with everything in them, made by hand with documentation addresses.
enum StationFixture {
  static let now = Timestamp(seconds: 1_780_000_000)
  static var today: Int { now.day }
  static let ada = Actor("ada", origin: "192.0.2.9")

  static func withStore<T>(
    rules: CaseRules = CaseRules(), fullText: Bool = true, _ body: (StationStore, String) async throws -> T
  ) async throws -> T {
    try await withFolder { folder in
      let path = folder + "/store.sqlite"
      let store = StationStore(
        try SQLiteStore(path: path, mode: .create, at: now, wantsFullText: fullText), rules: rules)
      defer { store.close() }
      return try await body(store, path)
    }
  }

  static func withFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
  }

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }

  static func time(_ day: Int, hour: Double = 12) -> Timestamp {
    Timestamp(seconds: Int64(day) * 86_400).advanced(bySeconds: hour * 3600)
  }

  static func finding(
    _ host: IPAddress, day: Int, detector: String = "beacon", subject: String = "198.51.100.7 port 443",
    family: EvidenceFamily = .timing, botnet: String? = nil, logOdds: Double = 4, peerName: String? = "evil.example",
    hours: ClosedRange<Double> = 1...13
  ) -> Finding {
    let card = DetectorCard(
      name: detector, version: 3, title: "", family: family, reads: [], knobs: [], references: [],
      knownFalsePositives: [])
    let peer = address("198.51.100.7")
    let flow = Flow(
      source: host, destination: peer, sourcePort: 50_123, destinationPort: 443, transport: .tcp,
      first: time(day, hour: hours.lowerBound), last: time(day, hour: hours.lowerBound), state: .closed,
      sourceOctets: 1234, destinationOctets: 99, origin: RecordOrigin(input: 2, record: 77))
    var finding = Finding(
      card: card, host: host, subject: subject, summary: "began 144 connections, one every 300 s",
      first: time(day, hour: hours.lowerBound), last: time(day, hour: hours.upperBound), logOdds: logOdds,
      measures: [
        Measure("gap", 300.25, "s", atLeast: 30), Measure("jitter", 0.015, "", atMost: 0.1),
        Measure("prevalence", 1.0 / 3, "share"), Measure("zero", -0.0),
      ],
      evidence: [
        EvidenceFlow(flow, note: "SNI évil.example \u{1F41B}"),
        EvidenceFlow(
          Endpoints(
            client: address("2001:db8::5"), server: address("2001:db8::6"), clientPort: 1, serverPort: 65_535,
            transport: .udp),
          time: time(day, hour: hours.lowerBound).advanced(bySeconds: -3.5), note: ""),
      ],
      refutedBy: "an update client", botnet: botnet, isConclusive: false, series: [1, 2.5, 1e300, -7],
      seriesName: "gaps", peer: peer, peerName: peerName)
    finding.suppressions = [Suppression(.prevalence, nats: 1.25, because: "3 of 9 use it")]
    return finding
  }

  static func hostDay(
    _ host: String, day: Int, verdict: Verdict = .infected, score: Double = 3.5, findings: [Finding] = [],
    botnets: [String]? = nil, flows: UInt64 = 1000
  ) -> HostDay {
    var activity = HostActivity()
    activity.first = time(day, hour: 0.5)
    activity.last = time(day, hour: 20)
    activity.flows = flows
    activity.outboundFlows = 900
    activity.answeredFlows = 800
    activity.octetsOut = 5_000_000_000
    activity.octetsIn = .max
    activity.dnsLookups = 17
    activity.events = 33
    activity.peers = 48
    activity.bins[5] = 700
    activity.bins[95] = .max
    activity.topPeers = [
      PeerActivity(
        address: address("198.51.100.7"), name: "evil.example", port: 443, transport: .tcp, flows: 144, octets: 9999),
      PeerActivity(address: address("2001:db8::1"), name: nil, port: 53, transport: .udp, flows: 3, octets: 0),
    ]
    activity.topNames = [(name: "evil.example", lookups: 12, failed: 1), (name: "", lookups: 0, failed: .max)]
    let named = botnets ?? Set(findings.compactMap(\.botnet)).sorted()
    var result = HostDay(
      host: address(host), day: day, verdict: verdict, score: score,
      families: [(family: .timing, logOdds: 4), (family: .dns, logOdds: 0.5)], findings: findings,
      reason: "2 independent kinds of evidence agree.", botnets: named, activity: activity)
    result.roles = [.resolver, .server]
    result.story = [
      StoryStep(time: time(day, hour: 2), stage: .fetched, detector: "beacon", text: "a program"),
      StoryStep(time: time(day, hour: 3), stage: .calledHome, detector: "beacon", text: "home"),
    ]
    result.caveats = ["Its look-ups were not seen.", "It was seen for 3 min only."]
    return result
  }

  /// A host-day with one finding about its own subject.
  static func plain(
    _ host: String, day: Int, verdict: Verdict = .infected, score: Double = 3.5, botnet: String? = nil,
    subject: String = "198.51.100.7 port 443", detector: String = "beacon", hours: ClosedRange<Double> = 1...13
  ) -> HostDay {
    let finding = finding(
      address(host), day: day, detector: detector, subject: subject, botnet: botnet, hours: hours)
    return hostDay(host, day: day, verdict: verdict, score: score, findings: [finding])
  }

  /// Everything of a host-day as text: its `==` does not look at all of it.
  static func text(_ day: HostDay?) -> String { day.map { "\($0)" } ?? "none" }
}
