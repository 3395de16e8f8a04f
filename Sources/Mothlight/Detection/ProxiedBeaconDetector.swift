import Glibc

/// Requests to a web proxy that keep time for one name behind it: a program calls home through the proxy.
///
/// All connections go to the proxy, so its address says nothing; the name in `CONNECT` or in the target is the server.
public struct ProxiedBeaconDetector: Detector {
  public static let card = DetectorCard(
    name: "proxied-beacon", title: "Regular call-home through a proxy", family: .timing, stage: .calledHome,
    reads: [.http],
    knobs: [
      .init("requests_least", 9, unit: "requests", "fewest requests that are judged"),
      .init("timer_least", 8, unit: "nat", "log-odds of all looks against series without a timer"),
      .init("named_discount", 2, unit: "nat", "taken off, for a server behind a proxy always has a name"),
      .init("dominant_share", 0.5, unit: "share", "of the host's proxied requests, from which half a nat comes back"),
      .init("dominant_beats", 50, unit: "requests", "fewest requests for the same"),
    ],
    references: [
      "Hu et al., BAYWATCH, DSN 2016, doi:10.1109/DSN.2016.48 (beacons in proxy logs)",
      "Schwarz, Estimating the dimension of a model, 1978, doi:10.1214/aos/1176344136",
    ],
    knownFalsePositives: ["pollers without a telling name", "an appliance that does little but ask its maker"])

  struct Key: Hashable {
    var host: UInt32
    /// Name and port as asked for.
    var server: String
  }
  struct Series {
    var name: String
    var proxy: IPAddress
    var proxyPort: UInt16
    /// Hundredths of a second since `zero`, in order of arrival, the newest `Bound.times` of them.
    var ticks: [Int32] = []
    var zero: Timestamp
    var requests: UInt32 = 0
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [EvidenceFlow] = []
  }
  private enum Bound {
    /// (host, name) pairs per shard: 16 Ki × at most 5 KB, reached by those that are asked for all day.
    static let series = 1 << 14
    static let times = 512
  }

  private var series: [Key: Series] = [:]
  private var requestsOf: [UInt32: UInt32] = [:]
  private let requestsLeast: UInt32
  private let timerLeast: Double
  private let namedDiscount: Double
  private let dominantShare: Double
  private let dominantBeats: UInt32

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    requestsLeast = UInt32(max(6, min(512, knobs["requests_least"] ?? 9)))
    timerLeast = knobs["timer_least"] ?? 8
    namedDiscount = knobs["named_discount"] ?? 2
    dominantShare = knobs["dominant_share"] ?? 0.5
    dominantBeats = UInt32(max(9, min(1e6, knobs["dominant_beats"] ?? 50)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for o in batch {
      guard case .http(let exchange) = o.event, o.vantage.host != .max, o.vantage.orientation != .inbound,
        exchange.isProxied(o.vantage.orientation), let name = exchange.host
      else { continue }
      requestsOf[o.vantage.host, default: 0] &+= 1
      note(exchange, name, o)
    }
  }

  private mutating func note(_ exchange: HTTPExchange, _ name: String, _ o: Observation) {
    let isTunnel = exchange.method == "CONNECT"
    let key = Key(host: o.vantage.host, server: isTunnel ? exchange.target : name)
    guard series[key] != nil || series.count < Bound.series else {
      refused &+= 1
      return
    }
    var entry =
      series.removeValue(forKey: key)
      ?? Series(
        name: name, proxy: exchange.ends.server, proxyPort: exchange.ends.serverPort,
        zero: Timestamp(seconds: Int64(o.time.hour) &* 3600))
    entry.requests &+= 1
    let (nanoseconds, overflow) = o.time.nanoseconds.subtractingReportingOverflow(entry.zero.nanoseconds)
    if !overflow, let tick = Int32(exactly: Timestamp.floorDivide(nanoseconds, 10_000_000)) {
      entry.ticks.append(tick)
      if entry.ticks.count >= Bound.times * 2 { entry.ticks.removeFirst(Bound.times) }
    }
    if o.time < entry.first { entry.first = o.time }
    if o.time > entry.last { entry.last = o.time }
    if entry.samples.count < Limits.evidenceFlowsPerFinding {
      entry.samples.append(
        EvidenceFlow(exchange.ends, time: o.time, note: "\(exchange.method) \(exchange.target)"))
    }
    series[key] = entry
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    if !context.isSampled, context.hasUsableTime {
      for (key, entry) in series.sorted(by: { ($0.key.host, $0.key.server) < ($1.key.host, $1.key.server) })
      where entry.requests >= requestsLeast {
        if let finding = judge(key, entry, context) { findings.append(finding) }
      }
    }
    series = [:]
    requestsOf = [:]
  }

  private func judge(_ key: Key, _ entry: Series, _ context: ShardContext) -> Finding? {
    let ticks = entry.ticks.sorted()
    guard let first = ticks.first, Int(key.host) < context.hosts.count else { return nil }
    let starts = ticks.map { Double(Int64($0) - Int64(first)) / 100 }
    let gate = Periodicity.Gate(dispersionMost: 0.85, entropyMost: 0.62)
    guard let p = Periodicity.analyse(starts, gate: gate), p.odds.total >= timerLeast else { return nil }
    let host = context.hosts[Int(key.host)]
    let span = entry.last.seconds(since: entry.first)
    let online = Double(host.hoursOnline) * 3600
    let persistence = min(1, span / max(60, min(online, host.secondsWatched)))
    let share = Double(entry.requests) / Double(max(1, requestsOf[key.host] ?? 1))
    let service = KnownService.byName(entry.name)
    var odds = min(5, 2 + log(1 + p.odds.total / 4)) - namedDiscount
    if persistence < 0.2 { odds -= 1.5 }
    if span < 300 { odds -= 1 }
    // A machine that people use asks for many names; on this one the timer is nearly all there is.
    let isDominant = share >= dominantShare && entry.requests >= dominantBeats && persistence >= 0.5
    if isDominant { odds += 0.5 }
    if service != nil { odds = min(odds - 2, 1) }
    return Finding(
      card: Self.card, host: host.address, subject: key.server,
      summary: "asked the proxy \(entry.proxy) for \(key.server) \(entry.requests) times, once every "
        + "\(Phrase.seconds(p.model.period)) ± \(Phrase.percent(p.jitter))"
        + (isDominant ? "; that is \(Phrase.percent(share)) of all it asked the proxy for" : "")
        + (service.map { "; its name says it is a \($0) service" } ?? ""),
      first: entry.first, last: entry.last, logOdds: max(0, odds),
      measures: [
        Measure("requests", Double(entry.requests), "requests", atLeast: Double(requestsLeast)),
        Measure("timer_log_odds", p.odds.total, "nat", atLeast: timerLeast),
        Measure("gap_dispersion", p.dispersion, ""), Measure("gap_entropy", p.entropy, ""),
        Measure("period", p.model.period, "s"), Measure("jitter", p.jitter, "share"),
        Measure("harmonic_comb", p.comb, ""), Measure("autocorrelation", p.autocorrelation, ""),
        Measure("share_of_proxied_requests", share, "share"), Measure("share_of_time_online", persistence, "share"),
      ],
      evidence: entry.samples,
      refutedBy: "software on this machine that is known to poll \(key.server) every \(Phrase.seconds(p.model.period))",
      series: p.histogram, seriesName: GapHistogram.seriesName, peerName: entry.name)
  }
}
