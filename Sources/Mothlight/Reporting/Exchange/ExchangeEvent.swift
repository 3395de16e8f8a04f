import Crypto

/// A machine that somebody outside is told of: a victim at the sinkhole, or a host of ours that was called infected.
struct ExchangeEvent {
  enum Origin { case sinkhole, host }

  var origin: Origin
  /// UTC days since the epoch.
  var day: Int
  var time: Timestamp
  var source: IPAddress
  var sourcePort: UInt16?
  var destination: IPAddress?
  var destinationPort: UInt16?
  var transport: Transport
  /// As published; `nil` when only behaviour was seen.
  var botnet: String?
  var first: Timestamp
  var last: Timestamp
  /// Messages, or findings of a host.
  var count: UInt64
  /// What the words of the outputs call it: a level of evidence, or a verdict.
  var grade: String
  /// Signature or detector.
  var rule: String?
  var ruleVersion: UInt32
  var samplingFactor: UInt32
  var application: ApplicationShape
  var network: NetworkRecord?
  /// When it is to be forgotten unless it is seen again.
  var expires: Timestamp
  /// Our estimate, 0 to 1, that there is an infected machine behind the address.
  var confidence: Double
  /// The address stands for another one.
  var isReplaced = false
  /// Both directions were seen, so the address is no invention of somebody else's.
  var isAddressProven: Bool
  var tlp: TLP

  /// 128 bits of SHA-256 over what tells it from others: writing it twice changes nothing.
  var digest: [UInt8] {
    let text =
      "exchange\u{0}\(origin)\u{0}\(source)\u{0}\(sourcePort ?? 0)\u{0}\(botnet ?? "")\u{0}\(day)\u{0}\(time)\u{0}\(rule ?? "")"
    return Array(SHA256.hash(data: Array(text.utf8)).prefix(16))
  }

  /// The digest as a UUID of version 8 (RFC 9562).
  var uuid: String {
    var octets = digest
    octets[6] = octets[6] & 0x0f | 0x80
    octets[8] = octets[8] & 0x3f | 0x80
    let hex = Hex.encode(octets)
    var out = ""
    for (i, digit) in hex.enumerated() {
      if [8, 12, 16, 20].contains(i) { out += "-" }
      out.append(digit)
    }
    return out
  }

  var family: String { botnet?.lowercased() ?? "" }
  var http: HTTPShapeSeen? { if case .http(let shape) = application { shape } else { nil } }
  var serverName: String? {
    guard case .tls(let shape) = application, !shape.serverName.isEmpty else { return nil }
    return shape.serverName
  }

  /// Protocol above the transport, where it was seen.
  var protocolName: String? {
    switch application {
    case .http: "http"
    case .tls: "tls"
    case .irc: "irc"
    case .raw, .udp: nil
    }
  }

  /// What was seen and what it does not prove, in plain words (N19 of the reference on sharing).
  var sentence: String {
    let what =
      origin == .sinkhole
      ? "\(ReportWords.count(count, "message", "messages")) to a sinkhole of \(botnet ?? "an unknown botnet")"
      : "behaviour of an infected machine\(botnet.map { " (\($0))" } ?? "")"
    let span = "from \(first.secondsDescription) to \(last.secondsDescription)"
    var doubts = ["an address is not a machine: it may be shared, or be another customer's by now"]
    if !isAddressProven {
      doubts.insert("nothing was answered, so the address may be forged: suspected, not proven", at: 0)
    }
    return "\(what) \(span); \(grade). \(doubts.joined(separator: "; "))."
  }
}

extension ExchangeEvent {
  /// Estimates, not measurements: a handshake proves the address, a datagram does not; coming back with the bot's timing is what
  /// visitors do not do.
  private static func confidence(_ level: EvidenceLevel, isAddressProven: Bool) -> Double {
    switch (level, isAddressProven) {
    case (.repeated, true): 0.95
    case (.recognised, true): 0.8
    case (.repeated, false): 0.6
    case (.recognised, false): 0.4
    case (_, true): 0.2
    case (_, false): 0.1
    }
  }

  init(_ v: Victim) {
    let isAddressProven = v.transport == .tcp
    self.init(
      origin: .sinkhole, day: v.day, time: v.time, source: v.source, sourcePort: v.sourcePort,
      destination: v.destination, destinationPort: v.destinationPort, transport: v.transport,
      botnet: v.botnet.isEmpty ? nil : v.botnet, first: v.first, last: v.last, count: v.count, grade: v.level.name,
      rule: v.rule, ruleVersion: v.ruleVersion, samplingFactor: v.samplingFactor, application: v.application,
      network: v.network, expires: Decay.expiry(of: v.level, last: v.last),
      confidence: Self.confidence(v.level, isAddressProven: isAddressProven), isAddressProven: isAddressProven,
      tlp: .amber)
  }

  /// A host that was called infected, by the finding that says most; `nil` for any other verdict.
  init?(_ entry: HostDay, isAnonymised: Bool) {
    guard entry.verdict == .infected, let finding = entry.findings.first else { return nil }
    let flow = finding.evidence.last { $0.source == entry.host }
    self.init(
      origin: .host, day: entry.day, time: flow?.time ?? finding.last, source: entry.host,
      sourcePort: flow?.sourcePort, destination: flow?.destination ?? finding.peer,
      destinationPort: flow?.destinationPort, transport: flow?.transport ?? .tcp, botnet: entry.botnets.first,
      first: entry.findings.map(\.first).min() ?? finding.first, last: entry.findings.map(\.last).max() ?? finding.last,
      count: UInt64(entry.findings.count), grade: entry.verdict.rawValue, rule: finding.detector,
      ruleVersion: UInt32(clamping: finding.version), samplingFactor: 1, application: .raw, network: nil,
      expires: Decay.expiry(of: .repeated, last: finding.last), confidence: finding.isConclusive ? 0.9 : 0.7,
      isAddressProven: true, tlp: isAnonymised ? .green : .amber)
    isReplaced = isAnonymised
  }
}

extension Timestamp {
  /// `2026-03-02T10:00:00Z`
  var secondsDescription: String { String(description.prefix(19)) + "Z" }
  /// `2026-03-02 10:00:00`, which Shadowserver's reports mean as UTC.
  var spacedDescription: String { String(description.prefix(19)).replacing("T", with: " ") }
}

/// All events of a report, a part at a time.
struct ExchangeEvents {
  let report: Report
  let settings: ExporterSettings

  /// - Parameter marking: of the export; an event that is to be guarded better is refused.
  func forEach(withHosts: Bool, marking: TLP, _ body: (ExchangeEvent) throws -> Void) throws {
    func give(_ event: ExchangeEvent) throws {
      _ = try Self.check(event, marking)
      try body(event)
    }
    if let victims = report.victims {
      let counts = try victims.read(settings.exchange.choice) { part in
        for victim in part { try give(ExchangeEvent(victim)) }
      }
      note(counts)
    }
    guard withHosts else {
      noteHostsOfNoRow()
      return
    }
    var counts = HostCounts()
    for event in hosts(&counts) { try give(event) }
    note(counts)
  }

  /// Host-days that were called infected: given, and left out.
  private struct HostCounts {
    var rows = 0
    /// In networks that are not the recipient's.
    var elsewhere = 0
    /// Nobody can tell whose network the address was in.
    var replaced = 0
  }

  /// A host of the home network is somebody's customer like any victim: a recipient is told of its own alone.
  private func hosts(_ counts: inout HostCounts) -> [ExchangeEvent] {
    let all = report.hosts.compactMap { ExchangeEvent($0, isAnonymised: report.isAnonymised) }
    let recipient = settings.exchange.choice.recipient
    guard !recipient.isEverybody else {
      counts.rows = all.count
      return all
    }
    guard !report.isAnonymised else {
      counts.replaced = all.count
      return []
    }
    let networks: [NetworkRecord?] =
      recipient.systems.isEmpty ? [] : settings.exchange.networks?.records(of: all.map(\.source)) ?? []
    let chosen = all.enumerated().filter { i, event in
      recipient.covers(event.source, networks.indices.contains(i) ? networks[i] : nil)
    }
    counts.rows = chosen.count
    counts.elsewhere = all.count - chosen.count
    return chosen.map(\.element)
  }

  static func check(_ event: ExchangeEvent, _ marking: TLP) throws(ConfigurationError) -> ExchangeEvent {
    guard event.tlp <= marking else {
      throw ConfigurationError("a row marked \(event.tlp.marking) does not go into an export marked \(marking.marking)")
    }
    return event
  }

  private func note(_ counts: HostCounts) {
    var parts = ["\(ReportWords.count(counts.rows, "row", "rows")) of infected hosts of the home network"]
    if counts.elsewhere > 0 { parts.append("\(counts.elsewhere) in others' networks left out") }
    if counts.replaced > 0 {
      parts.append("\(counts.replaced) under replaced addresses left out, as whose they are cannot be told")
    }
    // Rows alone are told only beside those of victims, whose line would seem to count all.
    guard parts.count > 1 || (report.victims != nil && counts.rows > 0) else { return }
    settings.note(parts.joined(separator: "; "))
  }

  /// For formats without a place for hosts of the home network.
  private func noteHostsOfNoRow() {
    let hosts = Set(report.hosts.filter { $0.verdict == .infected }.map(\.host)).count
    guard hosts > 0 else { return }
    settings.note(
      "\(ReportWords.count(hosts, "infected host is", "infected hosts are")) not in this format: it tells of check-ins at a "
        + "sinkhole; use intelmq or xarf")
  }

  private func note(_ counts: VictimReader.Counts) {
    var parts = ["\(ReportWords.count(counts.rows, "row", "rows")) of victims, one for each source, botnet and day"]
    if counts.visitors > 0 { parts.append("\(counts.visitors) of visitors left out") }
    if counts.belowLevel > 0 {
      parts.append("\(counts.belowLevel) below '\(settings.exchange.choice.leastLevel.name)' left out")
    }
    if counts.elsewhere > 0 { parts.append("\(counts.elsewhere) in others' networks left out") }
    if counts.early > 0 { parts.append("some days in two rows, as there was no room for more sources") }
    if settings.exchange.choice.recipient.isEverybody, counts.rows > 0 {
      parts.append("for all networks: give a network its own only (--recipient)")
    }
    settings.note(parts.joined(separator: "; "))
  }
}
