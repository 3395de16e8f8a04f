@testable import Mothlight

/// Traffic of a small network made of flows, judged through the real shards.
struct PipelineFixture {
  var observations: [Observation] = []
  var start = Timestamp(seconds: 1_267_574_400)
  var random = SeededGenerator(42)
  var isSampled = false

  static func ours(_ n: UInt32) -> IPAddress { IPAddress(v4: 0x0a00_0000 + n) }
  static func outside(_ n: UInt32) -> IPAddress { IPAddress(v4: 0x2d00_0000 &+ n &* 65_793) }

  mutating func flow(
    _ second: Double, _ source: IPAddress, _ destination: IPAddress, port: UInt16, transport: Transport = .tcp,
    state: ConnectionState = .closed, octets: (UInt64, UInt64) = (500, 1500), packets: (UInt32, UInt32) = (5, 5),
    seconds: Double = 1,
    sourcePort: UInt16? = nil
  ) {
    let time = start.advanced(bySeconds: second)
    let answered = state != .unanswered && state != .refused
    observations.append(
      Observation(
        time: time,
        event: .flow(
          Flow(
            source: source, destination: destination, sourcePort: sourcePort ?? UInt16(20_000 + random.next() % 40_000),
            destinationPort: port, transport: transport, first: time, last: time.advanced(bySeconds: seconds),
            state: state,
            sourceOctets: octets.0, destinationOctets: answered ? octets.1 : 0, sourcePackets: packets.0,
            destinationPackets: answered ? packets.1 : 0,
            origin: RecordOrigin(input: 0, record: UInt64(observations.count + 1))))))
  }

  mutating func lookup(_ second: Double, _ host: IPAddress, _ name: String, _ address: IPAddress?) {
    observations.append(
      Observation(
        time: start.advanced(bySeconds: second),
        event: .dns(
          DNSLookup(
            ends: Endpoints(client: host, server: Self.ours(1), clientPort: 5353, serverPort: 53, transport: .udp),
            name: name, type: 1,
            responseCode: address == nil ? 3 : 0, addresses: address.map { [$0] } ?? []))))
  }

  mutating func hello(
    _ second: Double, _ host: IPAddress, _ server: IPAddress, _ name: String?, port: UInt16 = 443, ja4: String,
    subject: String? = nil
  ) {
    let ends = Endpoints(client: host, server: server, clientPort: 40_000, serverPort: port, transport: .tcp)
    let certificate = subject.map { TLSHandshake.Certificate(subject: $0, issuer: $0) }
    let hello = TLSHandshake(ends: ends, version: 0x0303, serverName: name, ja4: ja4, certificate: certificate)
    observations.append(Observation(time: start.advanced(bySeconds: second), event: .tls(hello)))
  }

  /// Everyday use: look-ups and answered web visits at human times, so that a host is not judged by its bot alone.
  mutating func browsing(_ host: IPAddress, hours: Double, visitsPerHour: Int = 30) {
    for visit in 0..<Int(hours * Double(visitsPerHour)) {
      let second = Double(random.next() % UInt64(hours * 3600))
      let site = UInt32(1000 + random.next() % 60)
      lookup(second, host, "site\(site).example", Self.outside(site))
      for i in 0..<(1 + Int(random.next() % 4)) {
        flow(
          second + Double(i) * 0.3 + Double(random.next() % 100) / 50, host, Self.outside(site), port: 443,
          octets: (UInt64(800 + random.next() % 6000), UInt64(3000 + random.next() % 400_000)))
      }
      _ = visit
    }
  }

  /// Runs everything through `shards` shards and the judge.
  func report(
    shards: Int = 1, allow: AllowList = AllowList(), batch: Int = 512, home: Home? = nil,
    undone: Set<Suppression.Kind> = []
  )
    -> Report
  {
    let home = home ?? Home(given: [Prefix(IPAddress(v4: 0x0a00_0000), length: 8)])
    let sorted = observations.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
      \.element)
    var all: [Shard] = (0..<shards).map { _ in
      Shard(home: home, detectors: (try? DetectorRoster.make(knobs: [:], registry: Registry())) ?? [])
    }
    var parts = [[Observation]](repeating: [], count: shards)
    for var o in sorted {
      guard let address = Shard.locate(&o, home: home) else { continue }
      parts[Int(address.mixed % UInt64(shards))].append(o)
    }
    for n in 0..<shards {
      var at = 0
      while at < parts[n].count {
        var slice = Array(parts[n][at..<min(parts[n].count, at + batch)])
        all[n].process(&slice)
        at += batch
      }
    }
    let isOneSided = !all.contains { $0.sawAnswers }
    let served = all.reduce(into: [:]) { $0.merge($1.lookupsServedInside, uniquingKeysWith: &+) }
    for n in all.indices where isSampled { all[n].markSampled() }
    let hellos = all.reduce(into: HelloCensus()) { $0.add($1.context.hellos) }
    for n in all.indices { all[n].finish(isOneSided: isOneSided, served: served, hellos: hellos) }
    NetworkPass.run((try? DetectorRoster.makeNetwork(knobs: [:], registry: Registry())) ?? [], over: &all)
    var report = Report(version: "test")
    Judge(allow: allow, home: home, undone: undone).judge(all, into: &report)
    return report
  }

  /// What one detector found, over all hosts.
  func findings(of detector: String, shards: Int = 1) -> [Finding] {
    report(shards: shards).hosts.flatMap(\.findings).filter { $0.detector == detector }
  }

  func verdict(of host: IPAddress) -> HostDay? { report().hosts.first { $0.host == host } }
}
