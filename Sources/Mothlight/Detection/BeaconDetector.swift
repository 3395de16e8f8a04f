import Glibc

/// Starts toward one outside service that keep time: a program calls home.
///
/// The gate (dispersion, gap entropy, autocorrelation) is cheap; what passes is scored by a Bayes factor, dispersion, comb and
/// autocorrelation, each held against series without a timer. A timer is not yet a bot: everyday services and names everyone uses are set aside, and a timer alone never makes "infected".
public struct BeaconDetector: Detector {
  public static let card = DetectorCard(
    name: "beacon", title: "Regular call-home to one service", family: .timing, reads: [.flow],
    knobs: [
      .init("starts_least", 8, unit: "connections", "fewest starts that are judged"),
      .init(
        "dispersion_most", 0.85, unit: "ratio",
        "gate: standard deviation over mean of the gaps; more for many starts"),
      .init("entropy_most", 0.62, unit: "ratio", "gate: entropy of the gap histogram over ln(n + 1)"),
      .init("timer_least", 8, unit: "nat", "log-odds of all looks against series without a timer"),
      .init("named_discount", 2, unit: "nat", "taken off when the peer has a name and an everyday port or no answer"),
      .init("everyday_most", 2.3, unit: "nat", "most that a timer says about such a peer"),
      .init(
        "tireless_most", 2.6, unit: "nat",
        "the same for 64 answered calls or more of one size, for as long as the host is up: rarity lifts it over the bar"
      ),
      .init(
        "hammer_gap_most", 10, unit: "s", "median gap below which no everyday program opens new connections for long"),
      .init(
        "known_ports_aside", 1, unit: "0 or 1",
        "leaves out ports of services that keep time by trade: clocks, DNS, push, mail, VPN"),
    ],
    references: [
      "RITA v5 scoring, measured in reference detection.md section 3.2",
      "Hu et al., BAYWATCH, DSN 2016, doi:10.1109/DSN.2016.48",
      "Schwarz, Estimating the dimension of a model, 1978, doi:10.1214/aos/1176344136",
    ],
    knownFalsePositives: [
      "pollers without a telling name: monitoring, chat, home-made scripts",
      "software that retries a dead licence server",
    ])

  private let setsKnownPortsAside: Bool
  private let startsLeast: Int
  private let dispersionMost: Double
  private let entropyMost: Double
  private let timerLeast: Double
  private let namedDiscount: Double
  private let everydayMost: Double
  private let tirelessMost: Double
  private let hammerGap: Double

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    setsKnownPortsAside = (knobs["known_ports_aside"] ?? 1) != 0
    startsLeast = Int(max(5, min(512, knobs["starts_least"] ?? 8)))
    dispersionMost = knobs["dispersion_most"] ?? 0.85
    entropyMost = knobs["entropy_most"] ?? 0.62
    timerLeast = knobs["timer_least"] ?? 8
    namedDiscount = knobs["named_discount"] ?? 2
    everydayMost = knobs["everyday_most"] ?? 2.3
    tirelessMost = knobs["tireless_most"] ?? 2.6
    hammerGap = knobs["hammer_gap_most"] ?? 10
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled, context.hasUsableTime else { return }
    var timers: [Timer] = []
    var looks: [UInt32: Int] = [:]
    for pair in context.pairs.busyPairs where !pair.isInside && pair.isOurs && pair.starts >= UInt32(startsLeast) {
      // Behind a proxy each name has its own times: see ProxiedBeaconDetector.
      if context.isProxy(pair.peer, pair.port, of: pair.host) { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      if name == nil { looks[pair.host, default: 0] += 1 }
      if let timer = timer(pair, name, context) { timers.append(timer) }
    }
    let swarms = Swarms(timers, context)
    for timer in timers {
      findings.append(finding(timer, looks: looks[timer.pair.host] ?? 1, swarms, context))
    }
  }

  /// A pair whose starts keep time.
  struct Timer {
    var pair: Pair
    var name: String?
    var detail: PairDetail
    var series: Periodicity

    var isNamed: Bool { name.map { IPAddress($0) == nil } ?? false }
    /// Web pages poll fast too, but what comes back differs from time to time.
    var isSteady: Bool { pair.sizesOut.dispersion <= 0.2 && pair.sizesIn.dispersion <= 0.2 }
  }

  private func timer(_ pair: Pair, _ name: String?, _ context: ShardContext) -> Timer? {
    let knownPort = KnownService.byPort(pair.port, pair.transport)
    guard knownPort == nil || !setsKnownPortsAside, let detail = context.pairs.detail(of: pair) else { return nil }
    let gate = Periodicity.Gate(dispersionMost: dispersionMost, entropyMost: entropyMost)
    guard
      let series = Periodicity.analyse(
        context.pairs.startSeconds(of: pair), oldGaps: detail.oldGaps,
        absences: Self.absences(of: context.hosts[Int(pair.host)], since: detail.firstKept), gate: gate),
      series.odds.total >= timerLeast
    else { return nil }
    return Timer(pair: pair, name: name, detail: detail, series: series)
  }

  /// - Parameter looks: nameless services of this host that were judged.
  private func finding(_ timer: Timer, looks: Int, _ swarms: Swarms, _ context: ShardContext) -> Finding {
    let (pair, p) = (timer.pair, timer.series)
    // A word in a name is the peer's own claim: it counts on everyday ports only.
    let service = KnownService.isCommonPort(pair.port, pair.transport) ? timer.name.flatMap(KnownService.byName) : nil
    let host = context.hosts[Int(pair.host)]
    let isHammering =
      p.median <= hammerGap && pair.starts >= 20 && (timer.isSteady || pair.failed * 2 > pair.starts)
      && Self.dominates(pair, host)
    let expected = pair.last.seconds(since: pair.first) / max(p.model.period, 0.0625)
    let what = timer.name ?? pair.peer.description
    var finding = Finding(
      card: Self.card, host: host.address, subject: "\(what) \(pair.transport)/\(pair.port)",
      summary: "began \(pair.starts) connections to \(what) port \(pair.port)/\(pair.transport), one every "
        + "\(Phrase.seconds(p.model.period)) ± \(Phrase.percent(p.jitter))"
        + (service.map { "; its name says it is a \($0) service" } ?? "")
        + (isHammering ? ", faster than people or everyday programs open new connections" : ""),
      first: pair.first, last: pair.last,
      logOdds: weight(timer, host, looks: looks, isHammering: isHammering),
      measures: [
        Measure("starts", Double(pair.starts), "connections", atLeast: Double(startsLeast)),
        Measure("timer_log_odds", p.odds.total, "nat", atLeast: timerLeast),
        Measure("log_bayes_factor", p.model.logBayesFactor, "nat"),
        Measure("gap_dispersion", p.dispersion, "", atMost: dispersionMost),
        Measure("gap_entropy", p.entropy, "", atMost: entropyMost),
        Measure("period", p.model.period, "s"), Measure("jitter", p.jitter, "share"),
        Measure("harmonic_comb", p.comb, "share"), Measure("autocorrelation", p.autocorrelation, "standard deviations"),
        Measure(
          "beats_seen_of_expected",
          expected > 0
            ? min(1, Double(max(p.starts, timer.detail.ticksDropped > 0 ? Int(pair.starts) : 0)) / expected) : 0,
          "share"),
        Measure("host_hours_online", Double(host.hoursOnline), "h"),
        Measure("share_of_time_online", Self.persistence(timer, host), "share"),
      ],
      evidence: context.samples(of: pair).map { EvidenceFlow($0, note: timer.name ?? "") },
      refutedBy: "software on this machine that is known to poll \(what) every \(Phrase.seconds(p.model.period))",
      series: p.histogram, seriesName: GapHistogram.seriesName, peer: pair.peer, peerName: timer.name)
    Self.setAside(&finding, timer, host, service, swarms)
    return finding
  }

  /// Log-odds before anything is set aside: how sure the timer is, and what kind of peer it is kept with.
  private func weight(_ timer: Timer, _ host: HostRecord, looks: Int, isHammering: Bool) -> Double {
    let (pair, total) = (timer.pair, timer.series.odds.total)
    let persistence = Self.persistence(timer, host)
    let span = pair.last.seconds(since: pair.first)
    var odds = min(5, 2 + log(1 + total / 4))
    if timer.name == nil, host.hasVisibleLookups, persistence >= 0.2, span >= 3600 {
      odds = Self.bareTimer(total, looks: looks)
    }
    if persistence < 0.2 { odds -= 1.5 }
    if span < 300, !isHammering { odds -= 1 }
    // Feeds, chats and devices of one machine alone do the same, so that this stays below the bar when rarity adds to it.
    let isTireless = timer.isSteady && pair.starts >= 64 && persistence >= 0.8 && pair.failed * 2 < pair.starts
    if Self.isEveryday(pair, host, isNamed: timer.isNamed), !isHammering {
      odds = min(odds - namedDiscount, isTireless ? tirelessMost : everydayMost)
    }
    if isHammering { odds = max(odds, 3.5) }
    // Once or twice a day is the rhythm of people and of the machines that serve them.
    if timer.series.model.period >= 43_200 { odds = min(odds, 2) }
    return max(0, odds)
  }
}

/// Numbers as people say them.
enum Phrase {
  static func seconds(_ value: Double) -> String {
    switch value {
    case ..<0.95: "\(rounded(value, 2)) s"
    case ..<120: "\(rounded(value, value < 10 ? 1 : 0)) s"
    case ..<7200: "\(rounded(value / 60, value < 600 ? 1 : 0)) min"
    default: "\(rounded(value / 3600, 1)) h"
    }
  }
  /// A number with its noun, in the plural unless it is one.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  static func percent(_ share: Double) -> String { "\(Int((max(0, min(1000, share)) * 100).rounded())) %" }
  static func rounded(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "?" }
    let scale = pow(10, Double(digits))
    let scaled = (value * scale).rounded() / scale
    return digits == 0 || scaled == scaled.rounded() ? String(Int64(scaled)) : String(scaled)
  }
  static func octets(_ value: UInt64) -> String {
    let v = Double(value)
    switch v {
    case ..<10_000: return "\(value) B"
    case ..<10_000_000: return "\(rounded(v / 1000, 0)) kB"
    case ..<10_000_000_000: return "\(rounded(v / 1e6, 0)) MB"
    default: return "\(rounded(v / 1e9, 1)) GB"
    }
  }
}
