import Glibc

/// Many unnamed peers on high ports all over the Internet: peer-to-peer. Small, dull exchanges without bulk are what bots do.
public struct PeerToPeerDetector: Detector {
  public static let card = DetectorCard(
    name: "p2p-fan-out", title: "Peer-to-peer with strangers", family: .fanOut, reads: [.flow, .dns],
    knobs: [
      .init("peers_least", 50, unit: "addresses", "distinct unnamed peers, both ports above 1023 or an odd port"),
      .init("networks_least", 30, unit: "/16 networks", "networks that they lie in"),
      .init("unanswered_least", 0.5, unit: "share", "peers that never answered"),
      .init("bulk_most", 2_000_000, unit: "octets", "largest exchange with one peer; file sharing moves more"),
      .init("octets_most", 20_000, unit: "octets", "median octets with one answering peer"),
    ],
    references: [
      "PeerRush: Rahbarinia et al., DIMVA 2013, doi:10.1007/978-3-642-39235-1_4",
      "reference detection.md section 7, P2P",
    ],
    knownFalsePositives: ["file sharing that found no source yet; games; voice calls with many relays"])

  fileprivate struct State {
    var peers = 0
    var answered = 0
    /// One entry a peer, as are `ports`: 6 octets, where its pair takes 128.
    var networks: [UInt32] = []
    var largest: UInt64 = 0
    var volumes: [UInt64] = []
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [Flow] = []
    /// First ports of BitTorrent's and others' well-known ranges.
    var fileSharing = 0
    var ports: [UInt16] = []

    /// Peers on the commonest port.
    var mostOnOnePort: Int {
      var (most, run) = (0, 0)
      var before: UInt16?
      for port in ports.sorted() {
        run = port == before ? run + 1 : 1
        before = port
        most = max(most, run)
      }
      return most
    }
  }

  private let peersLeast: Int
  private let networksLeast: Int
  private let unansweredLeast: Double
  private let bulkMost: UInt64
  private let octetsMost: UInt64

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    peersLeast = Int(max(5, min(1e6, knobs["peers_least"] ?? 50)))
    networksLeast = Int(max(2, min(1e6, knobs["networks_least"] ?? 30)))
    unansweredLeast = knobs["unanswered_least"] ?? 0.5
    bulkMost = UInt64(max(0, min(1e15, knobs["bulk_most"] ?? 2_000_000)))
    octetsMost = UInt64(max(0, min(1e15, knobs["octets_most"] ?? 20_000)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    var states: [UInt32: State] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where !pairs[i].isInside && pairs[i].port > 1023 && pairs[i].transport.hasPorts {
      let pair = pairs[i]
      guard !KnownService.isCommonPort(pair.port, pair.transport), !ScanDetector.isWormPort(UInt32(pair.port)),
        context.name(of: pair.peer, knownTo: pair.host) == nil
      else { continue }
      states[pair.host, default: State()].add(pair, context)
    }
    for host in states.keys.sorted() {
      if let s = states[host], !context.hosts[Int(host)].isSeenOneSided, let finding = judge(s, host, context) {
        findings.append(finding)
      }
    }
  }

  private func judge(_ s: State, _ host: UInt32, _ context: ShardContext) -> Finding? {
    let unanswered = Double(s.peers - s.answered) / Double(max(1, s.peers))
    // One port on many machines is a scan, not a meeting of peers.
    guard s.peers >= peersLeast, unanswered >= unansweredLeast, s.mostOnOnePort * 2 < s.peers else { return nil }
    let networks = DistinctNetworks.count(s.networks)
    guard networks >= networksLeast else { return nil }
    let volumes = s.volumes.sorted()
    let median = volumes.isEmpty ? 0 : volumes[volumes.count / 2]
    let isBulk = s.largest > bulkMost || median > octetsMost
    let isFileSharing = Double(s.fileSharing) / Double(s.peers) > 0.03
    let odds = isBulk ? 0.5 : isFileSharing ? 2.0 : min(4.5, 3.6 + log(Double(s.peers) / Double(peersLeast)) * 0.3)
    return Finding(
      card: Self.card, host: context.address(of: host), subject: "peers on high ports",
      summary:
        "reached for \(s.peers) machines in \(networks) networks on many different high ports without looking up a name; "
        + "\(Phrase.percent(unanswered)) never answered"
        + (isBulk
          ? "; bulk transfers among them make file sharing likelier"
          : isFileSharing ? "; some ports are file sharing's" : "; the exchanges are small"),
      first: s.first, last: s.last, logOdds: odds,
      measures: [
        Measure("peers", Double(s.peers), "addresses", atLeast: Double(peersLeast)),
        Measure("networks", Double(networks), "/16 networks", atLeast: Double(networksLeast)),
        Measure("unanswered", unanswered, "share", atLeast: unansweredLeast),
        Measure("largest_exchange", Double(s.largest), "octets", atMost: Double(bulkMost)),
        Measure("median_exchange", Double(median), "octets", atMost: Double(octetsMost)),
      ],
      evidence: s.samples.map { EvidenceFlow($0) }, refutedBy: "file sharing, a game or a voice program on this machine"
    )
  }
}

extension PeerToPeerDetector.State {
  fileprivate mutating func add(_ pair: Pair, _ context: ShardContext) {
    peers += 1
    if pair.answered > 0 {
      answered += 1
      if volumes.count < 4096 { volumes.append(pair.octetsOut &+ pair.octetsIn) }
    }
    networks.append(pair.peer.network16)
    largest = max(largest, pair.octetsOut &+ pair.octetsIn)
    if pair.first < first { first = pair.first }
    if pair.last > last { last = pair.last }
    if KnownService.isFileSharing(pair.port) { fileSharing += 1 }
    ports.append(pair.port)
    if samples.count < Limits.evidenceFlowsPerFinding {
      samples.append(context.asFlow(pair))
    }
  }
}
