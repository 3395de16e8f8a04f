/// Victims and infected hosts as XARF 4 reports of type `infrastructure/botnet`, one JSON object a line: each is a report of its own.
///
/// Text that came from the wire is not in it. Source of the fields: xarf-spec, `infrastructure-botnet.json`, 4.2.0.
public struct XARFExporter: Exporter {
  public static let card = ExporterCard(
    name: "xarf", title: "victims and infected hosts as XARF 4 reports, one JSON object per line; needs a reporter",
    tellsNetworks: true)
  static let version = "4.2.0"
  let settings: ExporterSettings
  let reporter: ExchangeSettings.Reporter

  /// - Throws: `ConfigurationError` without a reporter.
  public init(_ settings: ExporterSettings) throws(ConfigurationError) {
    self.settings = settings
    guard let reporter = settings.exchange.reporter else {
      throw ConfigurationError("xarf names who reports: give --reporter 'Organisation <abuse@organisation.example>'")
    }
    self.reporter = reporter
  }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    var json = JSONWriter()
    try ExchangeEvents(report: report, settings: settings).forEach(withHosts: true, marking: marking) { event in
      if event.isReplaced, !event.source.isStandIn {
        throw ConfigurationError(
          "xarf names addresses to those who own them; replaced by others they would accuse strangers: use pseudonyms")
      }
      line(event, marking, &json)
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    try write(json.drain())
  }

  private func line(_ event: ExchangeEvent, _ marking: TLP, _ json: inout JSONWriter) {
    json.beginObject()
    json.key("xarf_version")
    json.value(Self.version)
    json.key("report_id")
    json.value(event.uuid)
    json.key("timestamp")
    json.value(event.time.secondsDescription)
    for key: StaticString in ["reporter", "sender"] {
      json.key(key)
      json.beginObject()
      json.key("org")
      json.value(reporter.organisation)
      json.key("contact")
      json.value(reporter.contact)
      json.key("domain")
      json.value(reporter.domain)
      json.endObject()
    }
    json.key("source_identifier")
    json.value(event.source.description)
    if let port = event.sourcePort, port > 0 {
      json.key("source_port")
      json.value(Int(port))
    }
    json.key("category")
    json.value("infrastructure")
    json.key("type")
    json.value("botnet")
    // The vocabulary has no sinkhole; what stands here was seen on the wire by a program.
    json.key("evidence_source")
    json.value("traffic_analysis")
    if let botnet = event.botnet {
      json.key("malware_family")
      json.value(String(botnet.lowercased().prefix(200)))
    }
    json.key("c2_protocol")
    json.value(Self.protocolName(event))
    json.key("first_seen")
    json.value(event.first.secondsDescription)
    json.key("last_seen")
    json.value(event.last.secondsDescription)
    json.key("expires")
    json.value(event.expires.secondsDescription)
    json.key("count")
    json.value(event.count)
    json.key("compromise_evidence")
    json.value(event.sentence)
    json.key("confidence")
    json.value(event.confidence)
    json.key("tags")
    json.beginArray()
    json.value(marking.marking.lowercased())
    json.value("evidence:\(event.grade)")
    if !event.isAddressProven { json.value("address:unproven") }
    json.endArray()
    json.endObject()
    json.newline()
  }

  private static func protocolName(_ event: ExchangeEvent) -> String {
    switch (event.application, event.transport) {
    case (.http, _): "http"
    case (.irc, _): "irc"
    // What is inside was not read.
    case (_, .tcp): "tcp"
    case (_, .udp): "udp"
    default: "custom"
    }
  }
}
