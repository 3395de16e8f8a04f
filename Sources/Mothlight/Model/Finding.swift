import Crypto

/// What kind of evidence a finding is. Each family counts once per host and day, so that things that always
/// come together cannot add up to a verdict.
public enum EvidenceFamily: String, Sendable, CaseIterable, Comparable, Codable {
  /// When it talks: beacons, long quiet channels.
  case timing
  /// Whom it reaches for: scans, floods, spam, peer-to-peer.
  case fanOut = "fan_out"
  /// What it asks the DNS.
  case dns
  /// What it says: application shape, payload rules.
  case payload
  /// What the other end is like: dead, unnamed, on an odd port.
  case peer
  /// A published indicator.
  case list

  public static func < (a: EvidenceFamily, b: EvidenceFamily) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}

/// A measured number beside the threshold it was held against.
public struct Measure: Hashable, Sendable {
  public var name: String
  public var value: Double
  public var unit: String
  /// `nil` when the number is shown for context only.
  public var threshold: Double?
  /// Whether the threshold is a floor (`true`) or a ceiling.
  public var atLeast: Bool
  public init(_ name: String, _ value: Double, _ unit: String = "", atLeast threshold: Double? = nil) {
    self.name = name
    self.value = value
    self.unit = unit
    self.threshold = threshold
    atLeast = true
  }
  public init(_ name: String, _ value: Double, _ unit: String = "", atMost threshold: Double) {
    self.name = name
    self.value = value
    self.unit = unit
    self.threshold = threshold
    atLeast = false
  }
}

/// A pointer to a record that shows what a finding says.
public struct EvidenceFlow: Hashable, Sendable {
  public var time: Timestamp
  public var source: IPAddress
  public var destination: IPAddress
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var transport: Transport
  public var octets: UInt64
  public var state: ConnectionState
  public var origin: RecordOrigin
  /// A name, request line or rule that belongs to it.
  public var note: String
  public var communityID: String {
    CommunityID.v1(source, destination, sourcePort, destinationPort, transport)
  }
  public init(_ flow: Flow, note: String = "") {
    time = flow.first
    source = flow.source
    destination = flow.destination
    sourcePort = flow.sourcePort
    destinationPort = flow.destinationPort
    transport = flow.transport
    octets = flow.sourceOctets &+ flow.destinationOctets
    state = flow.state
    origin = flow.origin
    self.note = note
  }
  public init(_ ends: Endpoints, time: Timestamp, note: String) {
    self.time = time
    source = ends.client
    destination = ends.server
    sourcePort = ends.clientPort
    destinationPort = ends.serverPort
    transport = ends.transport
    octets = 0
    state = .unknown
    origin = ends.origin
    self.note = note
  }
}

/// Host H shows behaviour B of botnet X from t1 to t2, because E; and what would refute it.
public struct Finding: Sendable, Hashable {
  /// The detector's name and version.
  public var detector: String
  public var version: Int
  public var host: IPAddress
  public var family: EvidenceFamily
  /// A published name, or `nil`: behaviour alone names nothing.
  public var botnet: String?
  /// What it is about: a peer, a name, a port. Part of the identity.
  public var subject: String
  /// One sentence with the numbers in it.
  public var summary: String
  public var first: Timestamp
  public var last: Timestamp
  /// Evidence in bans' natural cousin: ln of the likelihood ratio infected : healthy, before capping.
  public var logOdds: Double
  /// A single exact match that needs no second family (payload rule, self-propagation).
  public var isConclusive: Bool
  public var measures: [Measure]
  /// At most `Limits.evidenceFlowsPerFinding`.
  public var evidence: [EvidenceFlow]
  public var refutedBy: String
  /// Numbers for a picture, e.g. gap counts; named by `seriesName`, empty when there is none.
  public var series: [Double]
  public var seriesName: String
  /// The other end, where there is one: prevalence and allow-lists look at it.
  public var peer: IPAddress?
  /// The name our host knew the peer by (DNS, SNI, Host), if any.
  public var peerName: String?
  /// What was taken off its weight, and why.
  public var suppressions: [Suppression] = []
  /// What it goes by where its host is not told: from `id` a host could be found by trying all.
  package var alias: String?

  public init(
    card: DetectorCard, host: IPAddress, subject: String, summary: String, first: Timestamp, last: Timestamp,
    logOdds: Double, measures: [Measure], evidence: [EvidenceFlow], refutedBy: String, botnet: String? = nil,
    isConclusive: Bool = false, family: EvidenceFamily? = nil, series: [Double] = [], seriesName: String = "",
    peer: IPAddress? = nil, peerName: String? = nil
  ) {
    detector = card.name
    version = card.version
    self.host = host
    self.family = family ?? card.family
    self.botnet = botnet
    self.subject = subject
    self.summary = summary
    self.first = first
    self.last = last
    self.logOdds = logOdds
    self.isConclusive = isConclusive
    self.measures = measures
    self.evidence = evidence
    self.refutedBy = refutedBy
    self.series = series
    self.seriesName = seriesName
    self.peer = peer
    self.peerName = peerName
  }

  /// 128 bits of SHA-256 over detector, version, host, botnet, subject and day: writing it twice changes nothing.
  public var id: String {
    if let alias { return alias }
    let text = "\(detector)\u{0}\(version)\u{0}\(host)\u{0}\(botnet ?? "")\u{0}\(subject)\u{0}\(first.day)"
    return Hex.encode(Array(SHA256.hash(data: Array(text.utf8)).prefix(16)))
  }
}

/// Lower-case hexadecimal.
public enum Hex {
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(64)
    for b in bytes {
      out.append(digit(b >> 4))
      out.append(digit(b & 15))
    }
    return String(decoding: out, as: UTF8.self)
  }

  @inline(__always) private static func digit(_ n: UInt8) -> UInt8 { n < 10 ? 0x30 &+ n : 0x57 &+ n }
}
