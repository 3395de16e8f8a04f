/// Victims and infected hosts as IntelMQ events, one JSON object a line, in the keys of its data harmonisation.
///
/// Where nothing proves the address the type is `undetermined`: one-way traffic is not called an infection.
public struct IntelMQExporter: Exporter {
  public static let card = ExporterCard(
    name: "intelmq", title: "victims and infected hosts as IntelMQ events, one JSON object per line",
    tellsNetworks: true)
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    let observed = report.sinkhole?.asOf ?? ReportTally(report).last
    var json = JSONWriter()
    try ExchangeEvents(report: report, settings: settings).forEach(withHosts: true, marking: marking) { event in
      line(event, marking, observed, &json)
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    try write(json.drain())
  }

  /// IntelMQ knows the words of TLP 1; where there is none, the one that guards more.
  static func word(_ tlp: TLP) -> String {
    switch tlp {
    case .clear: "WHITE"
    case .green: "GREEN"
    case .amber: "AMBER"
    case .amberStrict, .red: "RED"
    }
  }

  private func line(_ event: ExchangeEvent, _ marking: TLP, _ observed: Timestamp?, _ json: inout JSONWriter) {
    json.beginObject()
    func put(_ key: StaticString, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      json.key(key)
      json.value(value)
    }
    func put(_ key: StaticString, _ value: UInt16?) {
      guard let value, value > 0 else { return }
      json.key(key)
      json.value(Int(value))
    }
    put("__type", "Event")
    put("time.source", Self.time(event.time))
    put("time.observation", (observed.map { max($0, event.time) }).map(Self.time))
    put("classification.taxonomy", event.isAddressProven ? "malicious-code" : "other")
    put("classification.type", event.isAddressProven ? "infected-system" : "undetermined")
    put("classification.identifier", event.family)
    put("malware.name", event.family)
    // An address of nobody's network, or one that stands for another, is no source that a stranger may look up.
    if event.source.isPrivate || event.isReplaced, !event.source.isStandIn {
      put("source.local_ip", event.source.description)
    } else {
      source(event, &json)
    }
    put("source.port", event.sourcePort)
    put("destination.ip", event.destination.flatMap { $0.isStandIn ? nil : $0.description })
    put("destination.port", event.destinationPort)
    put("destination.fqdn", Self.name(event.http?.host ?? event.serverName))
    put("protocol.transport", event.transport.description)
    put("protocol.application", event.protocolName)
    put("feed.name", event.origin == .sinkhole ? "Mothlight sinkhole" : "Mothlight")
    put("feed.provider", settings.exchange.reporter?.organisation)
    json.key("feed.accuracy")
    json.value(event.confidence * 100)
    put("severity", event.isAddressProven ? "high" : "medium")
    put("event_description.text", event.sentence)
    put("tlp", Self.word(marking))
    extra(event, marking, &json)
    json.endObject()
    json.newline()
  }

  private func source(_ event: ExchangeEvent, _ json: inout JSONWriter) {
    json.key(event.source.isStandIn ? "source.local_hostname" : "source.ip")
    json.value(event.source.description)
    guard let network = event.network else { return }
    json.key("source.network")
    json.value(network.prefix.description)
    if let system = network.system, system > 0 {
      json.key("source.asn")
      json.value(Int(system))
    }
    if let name = network.systemName, !name.isEmpty {
      json.key("source.as_name")
      json.value(name)
    }
    if let country = network.country, country.utf8.count == 2 {
      json.key("source.geolocation.cc")
      json.value(country)
    }
  }

  private func extra(_ event: ExchangeEvent, _ marking: TLP, _ json: inout JSONWriter) {
    json.key("extra.first_seen")
    json.value(event.first.secondsDescription)
    json.key("extra.last_seen")
    json.value(event.last.secondsDescription)
    json.key("extra.expires")
    json.value(event.expires.secondsDescription)
    json.key("extra.count")
    json.value(event.count)
    json.key("extra.evidence_level")
    json.value(event.grade)
    json.key("extra.address_proven")
    json.value(event.isAddressProven)
    if let rule = event.rule {
      json.key("extra.rule")
      json.value(rule)
    }
    json.key("extra.rule_version")
    json.value(Int(event.ruleVersion))
    json.key("extra.sampling_factor")
    json.value(Int(event.samplingFactor))
    json.key("extra.tlp2")
    json.value(marking.marking)
    json.key("extra.event_id")
    json.value(Hex.encode(event.digest))
  }

  private static func time(_ time: Timestamp) -> String { String(time.description.prefix(19)) + "+00:00" }

  /// A name of the DNS without a port; anything else is no `fqdn`.
  private static func name(_ host: String?) -> String? {
    guard let host = host?.prefix(while: { $0 != ":" }), IPAddress(host) == nil else { return nil }
    return Indicator.domain(String(host))
  }
}
