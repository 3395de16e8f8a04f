import Glibc

/// TLS to a server with several oddities at once: no name, a throw-away certificate, a hello used nowhere else, an odd port.
///
/// Each of them alone is everyday. TLS 1.3 hides the certificate, so that what is left stays below the bar.
public struct TLSOddityDetector: Detector {
  public static let card = DetectorCard(
    name: "tls-oddity", version: 2, title: "Several oddities in one TLS service", family: .payload, stage: .calledHome,
    reads: [.tls],
    knobs: [
      .init("kinds_least", 3, unit: "kinds", "independent kinds of oddities that must come together"),
      .init("incomplete_most", 2.5, unit: "nat", "cap unless name, certificate, hello and port are all odd"),
      .init("hello_repeats_least", 3, unit: "handshakes", "with one hello, so that a shuffled one is not rare"),
      .init("hosts_least", 10, unit: "hosts", "with hellos, below which nothing is rare in this network"),
      .init("rare_users_most", 0.01, unit: "share", "of these hosts that use a rare hello; one host always may"),
      .init("pair_most", 2.5, unit: "nat", "cap for a hello that is rare here and no more than one other oddity"),
    ],
    references: [
      "Althouse, Atkinson, Atkins, TLS Fingerprinting with JA3 and JA3S, 2017",
      "FoxIO, JA4+ Network Fingerprinting, 2023",
      "Anderson, Paul, McGrew, Deciphering malware's use of TLS, 2018, doi:10.1007/s11416-017-0306-6",
    ],
    knownFalsePositives: [
      "Tor, VPN gateways and remote administration by address",
      "cameras, recorders and printers with factory certificates",
      "a program that one machine of the network has alone and that brings its own TLS",
    ])

  /// All handshakes with one service.
  struct Service {
    var address: IPAddress
    var port: UInt16
    var handshakes: UInt32 = 0
    var withoutName: UInt32 = 0
    var withAddressAsName: UInt32 = 0
    var onOddPort: UInt32 = 0
    /// Hellos seen toward it with their counts; a client that shuffles fills it and has none of its own.
    var hellos: [String: UInt32] = [:]
    var certificate: TLSHandshake.Certificate?
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []

    mutating func add(_ hello: TLSHandshake, _ print: String?, isNamed: Bool, at time: Timestamp) {
      handshakes &+= 1
      if hello.serverName == nil { withoutName &+= 1 } else if !isNamed { withAddressAsName &+= 1 }
      if !UsualPorts.contains(hello.ends.serverPort, .tls) { onOddPort &+= 1 }
      if let print {
        if let place = hellos.index(forKey: print) {
          hellos.values[place] &+= 1
        } else if hellos.count < Bound.hellosOfService {
          hellos[print] = 1
        }
      }
      if certificate == nil { certificate = hello.certificate }
      if time < first { first = time }
      if time > last { last = time }
      if samples.count < Bound.samples {
        let note = "\(hello.serverName ?? "no name"), \(hello.certificate?.subject ?? "certificate not seen")"
        samples.append(EvidenceFlow(hello.ends, time: time, note: note))
      }
    }
  }
  struct Key: Hashable {
    var host: UInt32
    /// Empty for a server without one.
    var name: String
    var address: IPAddress
    var port: UInt16
    var text: String { name.isEmpty ? "\(address):\(port)" : "\(name):\(port)" }
  }
  struct Use: Hashable {
    var host: UInt32
    var hello: String
  }
  enum Bound {
    /// (host, service) pairs per shard: 64 Ki × some 700 B.
    static let services = 1 << 16
    static let hellosOfService = 4
    /// (host, hello) pairs per shard, with at most two servers each: 64 Ki × 250 B.
    static let hellos = 1 << 16
    static let samples = 3
  }

  private var services: [Key: Service] = [:]
  /// Servers that a hello was used toward, by host: one, or more than one.
  private var serversOfHello: [Use: Set<String>] = [:]
  let kindsLeast: Int
  let incompleteMost: Double
  let helloRepeatsLeast: UInt32
  let hostsLeast: UInt32
  let rareUsersMost: Double
  let pairMost: Double

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    kindsLeast = Int(max(2, min(4, knobs["kinds_least"] ?? 3)))
    incompleteMost = knobs["incomplete_most"] ?? 2.5
    helloRepeatsLeast = UInt32(max(1, min(1e6, knobs["hello_repeats_least"] ?? 3)))
    hostsLeast = UInt32(max(2, min(1e6, knobs["hosts_least"] ?? 10)))
    rareUsersMost = knobs["rare_users_most"] ?? 0.01
    pairMost = knobs["pair_most"] ?? 2.5
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for i in batch.indices where batch[i].vantage.host != .max && batch[i].vantage.orientation == .outbound {
      guard case .tls(let hello) = batch[i].event, !hello.isQUIC, hello.established != false,
        !context.isProxy(hello.ends.server, hello.ends.serverPort, of: batch[i].vantage.host)
      else { continue }
      note(hello, of: batch[i].vantage.host, at: batch[i].time)
    }
  }

  private mutating func note(_ hello: TLSHandshake, of host: UInt32, at time: Timestamp) {
    let name = hello.serverName.flatMap { IPAddress($0) == nil ? $0 : nil }
    let key = Key(
      host: host, name: name ?? "", address: name == nil ? hello.ends.server : .unspecified,
      port: hello.ends.serverPort)
    let print = hello.rarityPrint
    if let print {
      let use = Use(host: host, hello: print)
      let servers = serversOfHello[use]?.count
      if servers ?? 0 < 2, servers != nil || serversOfHello.count < Bound.hellos {
        let domain = name.map { PublicSuffix.builtin.registeredDomain($0) ?? $0 } ?? hello.ends.server.description
        serversOfHello[use, default: []].insert(domain)
      } else if servers == nil {
        refused &+= 1
      }
    }
    if let place = services.index(forKey: key) {
      services.values[place].add(hello, print, isNamed: name != nil, at: time)
    } else if services.count < Bound.services {
      var service = Service(address: hello.ends.server, port: hello.ends.serverPort)
      service.add(hello, print, isNamed: name != nil, at: time)
      services[key] = service
    } else {
      refused &+= 1
    }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    var servicesOf: [UInt32: Int] = [:]
    var hellosOf: [UInt32: Int] = [:]
    for key in services.keys { servicesOf[key.host, default: 0] += 1 }
    for (key, servers) in serversOfHello where servers.count > 1 { hellosOf[key.host, default: 0] += 1 }
    var found: [(host: UInt32, finding: Finding)] = []
    for (key, service) in services {
      // Only a machine that also does everyday TLS has a hello that is rare.
      let isVaried = hellosOf[key.host] ?? 0 >= 1 && servicesOf[key.host] ?? 0 >= 5
      var oddities = Self.nameOddities(service, key, context) + Self.certificateOddities(service)
      if isVaried, let print = ownHello(service, key.host) {
        oddities += helloOddities(print, service, key, context.hellos)
      }
      if service.onOddPort == service.handshakes {
        oddities.append(Oddity(kind: .port, weight: 0.7, words: "TLS on port \(service.port)"))
      }
      if let finding = finding(service, key, oddities, context) { found.append((key.host, finding)) }
    }
    findings += found.sorted { ($0.host, $0.finding.subject) < ($1.host, $1.finding.subject) }.map(\.finding)
    services = [:]
    serversOfHello = [:]
  }

  /// The only hello used toward this service, if the host uses it nowhere else.
  private func ownHello(_ service: Service, _ host: UInt32) -> String? {
    guard service.hellos.count == 1, let (print, count) = service.hellos.first, count >= helloRepeatsLeast,
      serversOfHello[Use(host: host, hello: print)]?.count == 1
    else { return nil }
    return print
  }
}
