import Mothlight

/// What keeps time in a healthy network.
struct BenignService {
  enum Reach {
    /// Share of the machines, all to the same server.
    case shared(Double)
    /// Share of the machines, each to a server of its own.
    case own(Double)
  }
  var label: String
  var reach: Reach
  /// Seconds; one value per network, or per machine if each has its own.
  var period: ClosedRange<Double>
  var jitter: Double
  var extra = 0.0
  var name: String?
  var port: UInt16 = 443
  var transport = Transport.tcp
  var isAnswered = true
  /// Its answers have no news in them.
  var isReplySteady = false
  var octets: ClosedRange<Double> = 300...3000
  /// A program of its own, so its agent string or fingerprint is seen toward this server only.
  var hasRareSignature = false

  static let all: [BenignService] = [
    BenignService(
      label: "time", reach: .shared(0.9), period: 64...1024, jitter: 0.02, name: "ntp.pool.example", port: 123,
      transport: .udp, isReplySteady: true, octets: 76...76),
    BenignService(
      label: "update check", reach: .shared(0.85), period: 3600...14_400, jitter: 0.2, name: "update.vendor.example"),
    BenignService(
      label: "package archive", reach: .shared(0.2), period: 1800...7200, jitter: 0.3, name: "archive.distro.example",
      port: 80),
    BenignService(
      label: "push, own port", reach: .shared(0.5), period: 600...1800, jitter: 0.05, name: "mtalk.push.example",
      port: 5228, isReplySteady: true),
    BenignService(
      label: "push, web", reach: .shared(0.4), period: 240...1740, jitter: 0.03, name: "push.phone.example",
      isReplySteady: true),
    BenignService(
      label: "telemetry", reach: .shared(0.7), period: 300...3600, jitter: 0.1, name: "telemetry.maker.example"),
    BenignService(
      label: "mail", reach: .shared(0.6), period: 60...900, jitter: 0.02, name: "imap.provider.example", port: 993),
    BenignService(
      label: "antivirus cloud", reach: .shared(0.8), period: 600...1800, jitter: 0.3, name: "cloud.antivirus.example"),
    BenignService(
      label: "chat polling", reach: .shared(0.3), period: 20...60, jitter: 0.1, extra: 0.3, name: "chat.example",
      octets: 400...6000),
    BenignService(
      label: "monitoring", reach: .shared(0.06), period: 15...60, jitter: 0.02, name: "collector.monitor.example",
      isReplySteady: true, octets: 900...1100, hasRareSignature: true),
    BenignService(
      label: "weather", reach: .shared(0.15), period: 900...3600, jitter: 0.05, name: "weather.example",
      octets: 350...420),
    BenignService(
      label: "feed reader", reach: .own(0.25), period: 900...3600, jitter: 0.05, name: "feed", octets: 350...420,
      hasRareSignature: true),
    BenignService(
      label: "device cloud", reach: .own(0.05), period: 30...600, jitter: 0.1, name: "device-cloud",
      isReplySteady: true, octets: 200...400,
      hasRareSignature: true),
    BenignService(
      label: "home-made script", reach: .own(0.02), period: 300...3600, jitter: 0.01, name: "script-target",
      octets: 200...210, hasRareSignature: true),
    BenignService(
      label: "dead licence server", reach: .own(0.02), period: 60...600, jitter: 0.01, name: "licence", port: 27_000,
      isAnswered: false, octets: 180...180, hasRareSignature: true),
  ]
}

extension Network {
  /// Everything that `host`s of a healthy network do on top of visits.
  mutating func addBenign(_ services: [BenignService]) {
    for service in services {
      switch service.reach {
      case .shared(let share):
        let end = Endpoint(
          peer: newPeer(), name: service.name, port: service.port, transport: service.transport,
          isAnswered: service.isAnswered, isReplySteady: service.isReplySteady)
        let period = random.uniform(service.period.lowerBound, service.period.upperBound)
        let users = presences.indices.filter { _ in random.chance(share) }
        for host in users {
          run(service, period, on: host, end, prevalence: Double(users.count) / Double(Self.hosts))
        }
      case .own(let share):
        for host in presences.indices where random.chance(share) {
          let end = Endpoint(
            peer: newPeer(), name: service.name.map { "\($0)\(host).example" }, port: service.port,
            transport: service.transport, isAnswered: service.isAnswered, isReplySteady: service.isReplySteady)
          let period = random.uniform(service.period.lowerBound, service.period.upperBound)
          run(service, period, on: host, end, prevalence: 1 / Double(Self.hosts))
        }
      }
    }
  }

  private mutating func run(
    _ service: BenignService, _ period: Double, on host: Int, _ end: Endpoint, prevalence: Double
  ) {
    let cell = Cell(
      period: period, jitter: service.jitter, misses: 0.02, extra: service.extra, isOfficeHours: false)
    var series = cell.bot(presences[host], &random)
    series.days = days
    let usual = random.uniform(service.octets.lowerBound, service.octets.upperBound)
    let spread = service.octets.upperBound > service.octets.lowerBound ? 0.15 : 0
    series.sizes = series.times.map { _ in usual * (1 + spread * random.uniform(-1, 1)) }
    add(
      series, of: host, to: end, label: service.label,
      around: .init(
        prevalence: prevalence, knownDays: random.chance(0.9) ? 60 : 3, lacksHost: false,
        hasRareSignature: service.hasRareSignature && random.chance(0.5)))
  }

  /// Pairs without a timer toward sites that few others use.
  mutating func addTimerless(perHost: Int) {
    for host in presences.indices {
      for _ in 0..<perHost {
        let kind = random.chance(0.4) ? Unrelated.memoryless : random.pick(Unrelated.people) ?? .memoryless
        let n = Int(random.pareto(minimum: 8, alpha: 1, cap: 1200))
        let series = kind.series(days: days, starts: n, presences[host], &random)
        let peer = newPeer()
        add(
          series, of: host, to: Endpoint(peer: peer, name: "rare\(peer).example", isReplySteady: false),
          label: "no timer",
          around: .init(
            prevalence: 1 / Double(Self.hosts), knownDays: random.chance(0.7) ? 60 : 3, lacksHost: false,
            hasRareSignature: random.chance(0.02)))
      }
    }
  }
}
