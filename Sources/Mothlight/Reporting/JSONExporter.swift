/// One JSON document: the run, its inputs, every host-day with its findings, and on request what an allow-list hid.
public struct JSONExporter: Exporter {
  public static let card = ExporterCard(name: "json", title: "one JSON document with everything in it")
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    let scoped = report.scoped(to: settings)
    var json = JSONWriter(lineDepth: 2)
    json.beginObject()
    json.runFields(report, ReportTally(report), marking)
    json.key("inputs")
    json.beginArray()
    for (i, input) in report.inputs.enumerated() {
      json.beginObject()
      json.inputFields(input, index: i)
      json.endObject()
    }
    json.endArray()
    json.key("sinkhole")
    if let sinkhole = report.sinkhole { try self.sinkhole(sinkhole, &json, write) } else { json.null() }
    json.key("host_days")
    json.beginArray()
    for entry in scoped.hosts {
      json.beginObject()
      json.hostFields(entry)
      json.key("findings")
      json.beginArray()
      for finding in entry.findings {
        json.beginObject()
        json.findingFields(finding, day: entry.day, hiddenBy: nil, inputs: report.inputs)
        json.endObject()
      }
      json.endArray()
      json.endObject()
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    json.endArray()
    json.key("hidden")
    json.beginArray()
    for item in settings.showHidden ? scoped.hidden : [] {
      json.beginObject()
      json.findingFields(item.finding, day: item.finding.first.day, hiddenBy: item.rule, inputs: report.inputs)
      json.endObject()
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    json.endArray()
    json.endObject()
    json.newline()
    try write(json.drain())
  }

  private func sinkhole(_ s: SinkholeSummary, _ json: inout JSONWriter, _ write: (String) throws -> Void) throws {
    json.beginObject()
    json.sinkholeFields(s)
    json.key("botnets")
    json.beginArray()
    for botnet in s.botnets {
      json.beginObject()
      json.sinkholeBotnetFields(botnet)
      json.endObject()
    }
    json.endArray()
    json.key("networks")
    json.beginArray()
    for row in s.rows {
      json.beginObject()
      json.sinkholeNetworkFields(row)
      json.endObject()
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    json.endArray()
    json.endObject()
  }
}
