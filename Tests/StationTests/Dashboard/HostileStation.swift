import Mothlight

@testable import MothlightStation

/// A station in which everything that an attacker or a careless user can write is markup.
enum HostileStation {
  /// Would run a script, break out of an attribute, reorder text, or end a line, wherever it is not escaped.
  static let text = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\u{202e}\u{0}\r\n"
  static let host = DemoStation.address("10.9.9.9")
  static let peer = DemoStation.address("192.0.2.9")
  static let day = DemoStation.lastDay

  static func hostDay() -> HostDay {
    let start = Timestamp(seconds: Int64(day) * 86_400 + 30_000)
    let card = DetectorCard(
      name: "hostile", title: text, family: .payload, reads: [.flow], knobs: [], references: [text],
      knownFalsePositives: [text])
    let flow = Flow(
      source: host, destination: peer, sourcePort: 1, destinationPort: 2, transport: .tcp, first: start, last: start)
    var finding = Finding(
      card: card, host: host, subject: text, summary: text + String(repeating: "long ", count: 5000), first: start,
      last: start.advanced(bySeconds: 60), logOdds: 9,
      measures: [Measure(text, 1, text, atLeast: 0.5)], evidence: [EvidenceFlow(flow, note: text)], refutedBy: text,
      botnet: text, isConclusive: true, series: [1, 2, .nan, .infinity], seriesName: text, peer: peer, peerName: text)
    finding.suppressions = [Suppression(.age, nats: 1, because: text)]
    var activity = HostActivity()
    activity.first = start
    activity.last = start
    activity.flows = 1
    activity.topPeers = [PeerActivity(address: peer, name: text, port: 2, transport: .tcp, flows: 1, octets: 1)]
    activity.topNames = [(text, 1, 1)]
    var entry = HostDay(
      host: host, day: day, verdict: .infected, score: 9, families: [(.payload, 9)], findings: [finding], reason: text,
      botnets: [text], activity: activity)
    entry.story = [StoryStep(time: start, stage: .calledHome, detector: text, text: text)]
    entry.caveats = [text]
    return entry
  }

  static func store() async throws -> MemoryStore {
    let everywhere = [Prefix(host, length: 8)]
    let store = MemoryStore(caseRules: CaseRules(owners: [CaseRules.Owner(name: text, prefixes: everywhere)]))
    let now = DemoStation.now
    let actor = Actor(text, origin: text)
    try await store.keep([hostDay()], run: "r", at: now)
    _ = try await store.change(1, to: .falseAlarm, reason: text, by: actor, at: now)
    _ = try await store.addAllowRule(.name(text), reason: text, by: actor, at: now)
    try await store.record(AuditEntry(time: now, actor: actor, action: text, subject: text, detail: text))
    await store.set(StoreCondition(state: .readOnly, reason: text, octets: 1, findings: 1, hostDays: 1))
    return store
  }

  static func board() -> StatusBoard {
    let board = DemoBoard.make()
    board.update { pipeline in
      pipeline.warnings = [text]
      pipeline.counters = [text: 3]
    }
    let meter = SourceMeter(name: text, kind: text, place: text, at: DemoStation.now)
    meter.update { source in
      source.state = .waiting
      source.trouble = text
      source.dropped = [text: 3]
      source.skipped = [text: 4]
      source.details = [text: text]
    }
    board.add(meter)
    return board
  }

  struct Registry: RegistryShelf {
    func botnet(_ name: String) throws(StoreError) -> Botnet? {
      let origin = Origin(source: text, date: DemoStation.now)
      var botnet = Botnet(id: text, name: text, kind: Sourced(.botnet, origin))
      botnet.names = [Botnet.Name(text: text, origin: origin)]
      botnet.identifiers = [Sourced(Botnet.Identifier(scheme: text, value: text), origin)]
      botnet.relations = [Sourced(Botnet.Relation(kind: text, target: text, targetName: text), origin)]
      botnet.protocols = [Sourced(text, origin)]
      botnet.notes = [Sourced(text, origin)]
      botnet.references = [Sourced("javascript:alert(1)", origin), Sourced(text, origin)]
      botnet.takedowns = [TakedownRecord(day: day, by: text, outcome: .disrupted, method: text, origin: origin)]
      return botnet
    }
    func botnets(matching wanted: String, limit: Int) throws(StoreError) -> [BotnetSummary] {
      [BotnetSummary(id: text, name: text, kind: .family)]
    }
  }

  struct Networks: NetworkDirectory {
    var origin: String { text }
    func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
      addresses.map { NetworkRecord(prefix: Prefix($0, length: 24), system: 64_500, systemName: text, country: "DE") }
    }
  }
}

/// A census of a made-up botnet over three weeks, small enough to be made at once.
enum DemoCensus {
  static func edition(_ botnet: String = "Mariposa/BFBot") -> CensusEdition {
    let first = UInt32(DemoStation.lastDay - 28) * 24
    let hours = first...(first + 28 * 24 - 1)
    func figure(_ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ value: Double, _ factor: Double) -> CensusFigure {
      CensusFigure(
        kind: kind, hours: hours, machines: CensusRange(low: value * 0.92, value: value, high: value * 1.09),
        addresses: value * factor, grade: .addresses)
    }
    var report = CensusReport(
      botnet: botnet, hours: hours, sensors: ["madrid"], footprint: figure(.footprint, hours, 41_200, 5.1))
    for hour in hours {
      let swing = [0.6, 0.5, 0.5, 0.6, 0.8, 1, 1.2, 1.3, 1.3, 1.2, 1, 0.8][Int(hour % 24) / 2]
      report.live.append(figure(.live, hour...hour, 6100 * swing * (1 - Double(hour - first) / 2400), 0.9))
    }
    for day in 0..<28 {
      let start = first + UInt32(day) * 24
      report.active.append(figure(.active, start...(start + 23), 15_000 - Double(day) * 110, 1.4))
    }
    report.countries = [("ES", 9000), ("IN", 7400), ("BR", 5200), ("VN", 3100), ("EG", 2000), ("DE", 700)].map {
      let whole = Double($0.1)
      return CensusPart(
        place: .country(CountryCode($0.0)), live: figure(.live, hours, whole / 7, 0.9),
        footprint: figure(.footprint, hours, whole, 4.2))
    }
    report.systems = [
      CensusPart(
        place: .system(64_500), live: figure(.live, hours, 800, 0.8), footprint: figure(.footprint, hours, 4000, 6))
    ]
    report.basis.rows = 1_204_118
    report.basis.dropped = ["invalid": 2009]
    return CensusEdition(report: report, trend: TrendOptions(), firepower: FirepowerModel(), version: "0")
  }

  struct Shelf: CensusShelf {
    var botnet = "Mariposa/BFBot"
    func editions() async -> [CensusEdition] { [DemoCensus.edition(botnet)] }
  }
}
