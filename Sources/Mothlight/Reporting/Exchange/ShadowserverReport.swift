/// The reports of Shadowserver that tell of sinkholes: columns and file names as in their public schema (report_schema,
/// 2026-03-24), so that what reads theirs reads ours.
enum ShadowserverReport: String, CaseIterable {
  case sinkhole, sinkholeHTTP

  /// The 31 columns that all event reports begin with.
  private static let common = [
    "timestamp", "protocol", "src_ip", "src_port", "src_asn", "src_geo", "src_region", "src_city", "src_hostname",
    "src_naics", "src_sector", "device_vendor", "device_type", "device_model", "severity", "dst_ip", "dst_port",
    "dst_asn", "dst_geo", "dst_region", "dst_city", "dst_hostname", "dst_naics", "dst_sector", "public_source",
    "infection", "family", "tag", "application", "version", "event_id",
  ]

  var columns: [String] {
    switch self {
    case .sinkhole: Self.common + ["ssl_cipher", "ssl_servername"]
    case .sinkholeHTTP:
      Self.common + [
        "http_url", "http_host", "http_agent", "forwarded_by", "ssl_cipher", "http_referer", "ssl_servername",
        "machine_name",
      ]
    }
  }

  init(_ event: ExchangeEvent) { self = event.http == nil ? .sinkhole : .sinkholeHTTP }

  /// The report's type, by the family of the source's address.
  func type(isV4: Bool) -> String {
    (isV4 ? "event4_" : "event6_") + (self == .sinkhole ? "sinkhole" : "sinkhole_http")
  }

  /// `2026-03-02-event4_sinkhole-mothlight.csv`: readers take the type from between the first two hyphens behind the day.
  func fileName(day: Int, isV4: Bool) -> String {
    "\(Timestamp.describe(day: day))-\(type(isV4: isV4))-mothlight.csv"
  }

  var header: String { Self.line(columns) }

  func row(_ event: ExchangeEvent, marking: TLP, reporter: ExchangeSettings.Reporter?) -> String {
    var values: [String: String] = [
      "timestamp": event.time.spacedDescription, "protocol": event.transport.description,
      "src_ip": event.source.description, "src_port": event.sourcePort.map(String.init) ?? "",
      "src_asn": event.network?.system.map(String.init) ?? "", "src_geo": event.network?.country ?? "",
      // A datagram's sender can be anybody: the row says so, and is not called critical.
      "severity": event.isAddressProven ? "critical" : "medium",
      "dst_ip": event.destination?.description ?? "", "dst_port": event.destinationPort.map(String.init) ?? "",
      "public_source": reporter?.organisation ?? "", "infection": event.family, "family": event.family,
      "tag": tags(event, marking).joined(separator: ";"), "application": event.protocolName ?? "",
      "event_id": Hex.encode(event.digest), "ssl_servername": event.serverName ?? "",
    ]
    if let http = event.http {
      values["http_url"] = http.target
      values["http_host"] = http.host
      values["http_agent"] = http.userAgent
    }
    return Self.line(columns.map { values[$0] ?? "" })
  }

  private func tags(_ event: ExchangeEvent, _ marking: TLP) -> [String] {
    var tags = ["sinkhole", event.grade, marking.marking.lowercased()]
    if !event.isAddressProven { tags.append("address-unproven") }
    if event.samplingFactor > 1 { tags.append("sampled-1-in-\(event.samplingFactor)") }
    return tags
  }

  /// Every field in quotes, as theirs are.
  private static func line(_ fields: [String]) -> String {
    fields.map { "\"" + RegistryCSV.defused($0).replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\n"
  }
}
