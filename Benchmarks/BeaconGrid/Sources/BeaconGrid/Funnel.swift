@testable import Mothlight

/// Table (b): pairs as the product judges them, against everything that a healthy network does.
enum Funnel {
  /// Healthy networks: mostly a day, some three or seven.
  static let healthyDays = [1, 1, 3, 1, 7, 1, 1, 3, 1, 1, 7, 1, 1, 3, 1, 1]

  struct Outcome: Sendable {
    var scores: [[Double]] = []
    var labels: [String] = []
    var verdicts: [Verdict: Int] = [:]
    /// Host-days.
    var days = 0
    /// Bots whose host was called infected, or at least suspicious.
    var infected = 0
    var suspected = 0
  }

  static func healthy(_ index: Int) -> Outcome {
    var network = Network(
      days: healthyDays[index], seed: Grid.nullSeed, stream: UInt64(index), isOfficeHours: { _ in nil })
    for host in 0..<Network.hosts { network.browse(host, visitsPerDay: 60) }
    network.addBenign(BenignService.all)
    network.addTimerless(perHost: 4)
    return judge(network, onlyBots: false)
  }

  /// Forty machines of sixty have the cell's bot; half of what a healthy machine does goes on.
  static func infected(_ index: Int) -> Outcome {
    let cell = Cell.all[index]
    var network = Network(
      days: cell.days, seed: Grid.reportedSeed, stream: UInt64(1_000_000 + index),
      isOfficeHours: { $0 < Grid.trials ? cell.isOfficeHours : nil })
    for host in 0..<Network.hosts { network.browse(host, visitsPerDay: 25) }
    network.addBenign(BenignService.all.filter { ["update check", "antivirus cloud"].contains($0.label) })
    for host in 0..<Grid.trials {
      let series = cell.bot(network.presences[host], &network.random)
      let peer = network.newPeer()
      // A name that only this bot asks for; an address and an odd port; an address and the web's port.
      let end: Network.Endpoint =
        switch host % 3 {
        case 0: .init(peer: peer, name: "cdn-\(host)-edge.example")
        case 1: .init(peer: peer, name: nil, port: UInt16(network.random.int(2000, 60_000)))
        default: .init(peer: peer, name: nil, port: 80)
        }
      network.add(
        series, of: host, to: end, label: "bot",
        around: .init(
          prevalence: 1 / Double(Network.hosts), knownDays: 1, lacksHost: host % 3 == 2,
          hasRareSignature: host % 2 == 0), isBot: true)
    }
    return judge(network, onlyBots: true)
  }

  private struct Key: Hashable {
    var host: IPAddress
    var peer: IPAddress
  }

  private static func judge(_ network: Network, onlyBots: Bool) -> Outcome {
    let report = network.report()
    var families: [Key: [EvidenceFamily: Double]] = [:]
    var worst: [IPAddress: Verdict] = [:]
    var outcome = Outcome()
    for row in report.hosts {
      outcome.days += 1
      outcome.verdicts[row.verdict, default: 0] += 1
      worst[row.host] = max(worst[row.host] ?? row.verdict, row.verdict)
      for finding in row.findings {
        guard let peer = finding.peer else { continue }
        let key = Key(host: row.host, peer: peer)
        let odds = min(Judge.cap, finding.logOdds)
        families[key, default: [:]][finding.family] = max(families[key]?[finding.family] ?? 0, odds)
      }
    }
    let range = 0...Double(network.days) * 86_400
    var seen: Set<Int> = []
    for pair in network.pairs where onlyBots ? pair.isBot : pair.series.times.count >= 8 && pair.label != "visit" {
      let key = Key(host: Network.address(of: pair.host), peer: pair.peer)
      let mothlight = (families[key] ?? [:]).values.reduce(0, +)
      let rolling = aged(families[key] ?? [:], pair.around.knownDays).values.reduce(0, +)
      let rita = RITAScore(times: pair.series.times, sizes: pair.series.sizes, range: range)
      var oneDay = pair.around
      oneDay.knownDays = nil
      outcome.scores.append([
        mothlight > 0 ? mothlight : -1e9, rita?.threat(oneDay) ?? -1e9, rita?.threat(pair.around) ?? -1e9,
        rolling > 0 ? rolling : -1e9,
      ])
      outcome.labels.append(pair.label)
      seen.insert(pair.host)
      let verdict = worst[key.host] ?? .noSign
      if verdict == .infected { outcome.infected += 1 }
      if verdict >= .suspicious { outcome.suspected += 1 }
    }
    // Too few starts for anybody to score: missed by all.
    if onlyBots {
      for host in 0..<Grid.trials where !seen.contains(host) {
        outcome.scores.append(Method.funnel.map { _ in -1e9 })
        outcome.labels.append("bot")
      }
    }
    return outcome
  }

  /// What `DestinationAges` would make of it if the peer had been known for so long, and used.
  private static func aged(_ families: [EvidenceFamily: Double], _ days: Double?) -> [EvidenceFamily: Double] {
    guard let days else { return families }
    var aged = families
    for family in [EvidenceFamily.timing, .peer] {
      guard let odds = families[family] else { continue }
      if days >= Double(DestinationAges.daysOld) {
        aged[family] = max(0, odds - DestinationAges.oldDiscount)
      } else if days <= Double(DestinationAges.daysNew), odds > 1 {
        aged[family] = min(Judge.cap, odds + DestinationAges.newSurcharge)
      }
    }
    return aged
  }

  static func run() async -> (scores: Scores, healthy: [Outcome], infected: [Outcome]) {
    let healthy = await Grid.map(healthyDays.count, healthy)
    let infected = await Grid.map(Cell.all.count, infected)
    let rows = healthy.flatMap(\.scores)
    return (
      Scores(
        methods: Method.funnel, null: Method.funnel.indices.map { m in rows.map { $0[m] } },
        bots: infected.map(\.scores)), healthy, infected
    )
  }
}
