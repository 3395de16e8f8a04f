import Glibc

@testable import Mothlight

/// A network of sixty machines with what they do all day, judged by the product's own shard and judge.
struct Network {
  static let hosts = 60
  let days: Int
  private(set) var observations: [Observation] = []
  private(set) var pairs: [Contact] = []
  var random: RandomSource
  private(set) var presences: [Presence] = []
  private var nextPeer: UInt32 = 1
  /// Midnight, 14 November 2023 UTC.
  private static let start = Timestamp(seconds: 1_699_920_000)

  /// One machine's use of one service outside, as RITA would see it.
  struct Contact {
    var host: Int
    var peer: IPAddress
    var label: String
    var series: Series
    var around: RITAScore.Surroundings
    var isBot: Bool
  }

  /// How a service is reached.
  struct Endpoint {
    var peer: IPAddress
    /// `nil`: by its address.
    var name: String?
    var port: UInt16 = 443
    var transport = Transport.tcp
    var isAnswered = true
    /// Answers are of one size; else most have news in them.
    var isReplySteady = true
  }

  init(days: Int, seed: UInt64, stream: UInt64, isOfficeHours: (Int) -> Bool?) {
    self.days = days
    random = RandomSource(seed: seed, stream: stream)
    for host in 0..<Self.hosts {
      let office = isOfficeHours(host) ?? random.chance(0.6)
      presences.append(Presence(days: days, isOfficeHours: office, &random))
    }
  }

  static func address(of host: Int) -> IPAddress { IPAddress(v4: 0x0a00_0001 + UInt32(host)) }
  /// An address outside that nobody else has.
  mutating func newPeer() -> IPAddress {
    nextPeer += 1
    return IPAddress(v4: 0x2d00_0000 &+ nextPeer &* 65_793)
  }

  /// Adds the connections of `host` to a service, and remembers the pair if it could be judged.
  mutating func add(
    _ series: Series, of host: Int, to end: Endpoint, label: String, around: RITAScore.Surroundings, isBot: Bool = false
  ) {
    let source = Self.address(of: host)
    for (i, t) in series.times.enumerated() {
      let time = Self.start.advanced(bySeconds: t)
      if i == 0, let name = end.name { look(up: name, at: time, source, end.peer) }
      let sent = UInt64(max(60, min(1e9, series.sizes[i])))
      let reply = end.isReplySteady ? Double(sent) * 2 : random.logNormal(median: Double(sent) * 4, sigma: 0.8)
      let received = end.isAnswered ? UInt64(max(60, min(1e9, reply))) : 0
      observations.append(
        Observation(
          time: time,
          event: .flow(
            Flow(
              source: source, destination: end.peer, sourcePort: UInt16(20_000 + random.int(below: 40_000)),
              destinationPort: end.port, transport: end.transport, first: time,
              last: time.advanced(bySeconds: end.isAnswered ? 0.4 : 3), state: end.isAnswered ? .closed : .unanswered,
              sourceOctets: sent, destinationOctets: received, sourcePackets: 6,
              destinationPackets: end.isAnswered ? 6 : 0))))
    }
    if series.times.count >= 4 {
      pairs.append(
        Contact(host: host, peer: end.peer, label: label, series: series, around: around, isBot: isBot))
    }
  }

  private mutating func look(up name: String, at time: Timestamp, _ host: IPAddress, _ peer: IPAddress) {
    observations.append(
      Observation(
        time: time.advanced(bySeconds: -0.1),
        event: .dns(
          DNSLookup(
            ends: Endpoints(
              client: host, server: IPAddress(v4: 0x0a00_ff35), clientPort: 5353, serverPort: 53, transport: .udp),
            name: name, type: 1, responseCode: 0, addresses: [peer]))))
  }

  /// Short visits to sites that others visit as well.
  mutating func browse(_ host: Int, visitsPerDay: Int) {
    for _ in 0..<visitsPerDay * days {
      let t = presences[host].moment(&random)
      let site = UInt32(random.rank(below: 400))
      let peer = IPAddress(v4: 0x5000_0000 &+ site &* 4099)
      var series = Series(days: days)
      for i in 0...random.int(0, 2) {
        series.times.append(t + Double(i) * random.uniform(0.05, 1))
        series.sizes.append(random.logNormal(median: 1500, sigma: 0.9))
      }
      add(
        series, of: host, to: Endpoint(peer: peer, name: "site\(site).example", isReplySteady: false), label: "visit",
        around: .init(prevalence: 1, knownDays: 60, lacksHost: false, hasRareSignature: false))
    }
  }

  /// The report that the product would give, all shards' detectors and the judge included.
  func report() -> Report {
    let home = Home(given: [Prefix(IPAddress(v4: 0x0a00_0000), length: 8)])
    var shard = Shard(
      home: home, detectors: (try? DetectorRoster.make(knobs: [:], registry: Registry())) ?? [])
    let order = observations.indices.sorted { a, b in
      observations[a].time != observations[b].time ? observations[a].time < observations[b].time : a < b
    }
    var at = 0
    while at < order.count {
      var slice = order[at..<min(order.count, at + 512)].map { observations[$0] }
      shard.process(&slice)
      at += 512
    }
    shard.finish(isOneSided: false)
    var report = Report(version: "beacon-grid")
    Judge(allow: AllowList(), home: home).judge([shard], into: &report)
    return report
  }
}
