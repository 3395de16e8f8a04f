/// One JSON object per line, for log pipelines: the run first, then inputs, host-days, findings, and on request hidden ones.
public struct NDJSONExporter: Exporter {
  public static let card = ExporterCard(
    name: "ndjson", title: "one JSON object per line: run, input, sinkhole, host_day, finding")
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    let scoped = report.scoped(to: settings)
    var json = JSONWriter()
    func line(_ type: String, _ fields: (inout JSONWriter) -> Void) throws {
      json.beginObject()
      json.key("type")
      json.value(type)
      // Lines go ways of their own, so each is marked; the run has it among its fields.
      if type != "run" {
        json.key("tlp")
        json.value(marking.rawValue)
      }
      fields(&json)
      json.endObject()
      json.newline()
      if json.bytes.count > 1 << 16 { try write(json.drain()) }
    }
    try line("run") { $0.runFields(report, ReportTally(report), marking) }
    for (i, input) in report.inputs.enumerated() {
      try line("input") { $0.inputFields(input, index: i) }
    }
    if let sinkhole = report.sinkhole {
      try line("sinkhole") { $0.sinkholeFields(sinkhole) }
      for botnet in sinkhole.botnets { try line("sinkhole_botnet") { $0.sinkholeBotnetFields(botnet) } }
      for row in sinkhole.rows { try line("sinkhole_network") { $0.sinkholeNetworkFields(row) } }
    }
    for entry in scoped.hosts {
      try line("host_day") {
        $0.hostFields(entry)
        $0.key("finding_ids")
        $0.beginArray()
        for finding in entry.findings { $0.value(finding.id) }
        $0.endArray()
      }
      for finding in entry.findings {
        try line("finding") { $0.findingFields(finding, day: entry.day, hiddenBy: nil, inputs: report.inputs) }
      }
    }
    for item in settings.showHidden ? scoped.hidden : [] {
      try line("hidden_finding") {
        $0.findingFields(item.finding, day: item.finding.first.day, hiddenBy: item.rule, inputs: report.inputs)
      }
    }
    try write(json.drain())
  }
}
