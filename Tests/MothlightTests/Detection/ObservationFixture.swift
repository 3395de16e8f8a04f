@testable import Mothlight

/// Hand-made observations of a small network; host numbers follow the order of first mention.
struct ObservationFixture {
  var context = ShardContext()
  var observations: [Observation] = []
  /// 2010-03-03T00:00:00Z.
  var start = Timestamp(seconds: 1_267_574_400)

  static let resolver = IPAddress(v4: 0x0a00_0001)

  mutating func vantage(_ host: IPAddress, _ orientation: Orientation, _ flags: Vantage.Flags = []) -> Vantage {
    var vantage = Vantage()
    if let i = context.hosts.firstIndex(where: { $0.address == host }) {
      vantage.host = UInt32(i)
    } else {
      vantage.host = UInt32(context.hosts.count)
      context.hosts.append(HostRecord(host))
    }
    vantage.orientation = orientation
    vantage.flags = flags
    return vantage
  }

  func ends(_ client: IPAddress, _ server: IPAddress, port: UInt16, _ transport: Transport = .tcp) -> Endpoints {
    Endpoints(client: client, server: server, clientPort: 40_000, serverPort: port, transport: transport)
  }

  mutating func add(
    _ second: Double, _ host: IPAddress, _ event: Observation.Event, _ orientation: Orientation = .outbound
  ) {
    let vantage = vantage(host, orientation)
    observations.append(Observation(time: start.advanced(bySeconds: second), event: event, vantage: vantage))
  }

  /// A look-up by `host`; without addresses and with `code` 3 the name does not exist.
  mutating func dns(
    _ second: Double, _ host: IPAddress, _ name: String, code: UInt16? = 0, to addresses: [IPAddress] = [],
    type: UInt16 = 1,
    port: UInt16 = 53, ttl: UInt32 = 0
  ) {
    let lookup = DNSLookup(
      ends: ends(host, Self.resolver, port: port, .udp), name: name, type: type, responseCode: code,
      addresses: addresses, ttlSeconds: ttl)
    add(second, host, .dns(lookup), .inside)
  }

  mutating func http(_ second: Double, _ host: IPAddress, _ server: IPAddress, _ name: String?, agent: String? = nil) {
    let exchange = HTTPExchange(
      ends: ends(host, server, port: 80), method: "GET", host: name, target: "/", userAgent: agent)
    add(second, host, .http(exchange))
  }

  mutating func tls(
    _ second: Double, _ host: IPAddress, _ server: IPAddress, _ name: String?, ja3: String? = nil, sha1: String? = nil
  ) {
    let hello = TLSHandshake(
      ends: ends(host, server, port: 443), version: 0x0303, serverName: name, ja3: ja3,
      certificate: sha1.map { TLSHandshake.Certificate(sha1: $0) })
    add(second, host, .tls(hello))
  }

  mutating func flow(
    _ second: Double, _ host: IPAddress, _ server: IPAddress, port: UInt16, isFirst: Bool = true,
    orientation: Orientation = .outbound, state: ConnectionState = .closed
  ) {
    let time = start.advanced(bySeconds: second)
    let isInbound = orientation == .inbound
    let flow = Flow(
      source: isInbound ? server : host, destination: isInbound ? host : server, sourcePort: 40_000,
      destinationPort: port,
      transport: .tcp, first: time, last: time.advanced(bySeconds: 1), state: state)
    let vantage = vantage(host, orientation, isFirst ? .firstContact : [])
    observations.append(Observation(time: time, event: .flow(flow), vantage: vantage))
  }

  mutating func payload(
    _ second: Double, _ host: IPAddress, _ server: IPAddress, _ rule: String, port: UInt16 = 3433, octets: UInt32 = 7,
    fromClient: Bool = true, _ orientation: Orientation = .outbound
  ) {
    let match = PayloadMatch(
      ends: ends(host, server, port: port, .udp), rule: rule, payloadOctets: octets, fromClient: fromClient)
    add(second, host, .payload(match), orientation)
  }

  /// Findings of a fresh detector, fed in batches of `size` with event time advanced after each.
  func findings<D: Detector>(
    _ type: D.Type, _ settings: DetectorSettings = DetectorSettings(), batch size: Int = 512
  ) throws -> [Finding] {
    var detector = try D(settings)
    var findings: [Finding] = []
    var latest = Timestamp.distantPast
    for from in stride(from: 0, to: observations.count, by: size) {
      let batch = Array(observations[from..<min(from + size, observations.count)])
      detector.observe(batch, in: context, into: &findings)
      latest = max(latest, batch.map(\.time).max() ?? latest)
      detector.advance(to: latest, in: context, into: &findings)
    }
    detector.advance(to: .distantFuture, in: context, into: &findings)
    return findings
  }
}

/// A small generator with a fixed seed (SplitMix64), so that drawn names are the same on every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func label(_ length: Int, from alphabet: String = "abcdefghijklmnopqrstuvwxyz") -> String {
    String((0..<length).compactMap { _ in alphabet.randomElement(using: &self) })
  }
}
