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
    json.line("run") { $0.runFields(report, ReportTally(report), marking) }
    for (i, input) in report.inputs.enumerated() {
      json.line("input", marking) { $0.inputFields(input, index: i) }
    }
    if let sinkhole = report.sinkhole {
      json.line("sinkhole", marking) { $0.sinkholeFields(sinkhole) }
      for botnet in sinkhole.botnets {
        json.line("sinkhole_botnet", marking) { $0.sinkholeBotnetFields(botnet) }
        if json.count > 1 << 16 { try write(json.drain()) }
      }
      for row in sinkhole.rows {
        json.line("sinkhole_network", marking) { $0.sinkholeNetworkFields(row) }
        if json.count > 1 << 16 { try write(json.drain()) }
      }
    }
    try write(json.drain())
    let inputs = report.inputs
    try SideBySide.write(
      scoped.hosts, threads: settings.threads,
      text: { hosts in
        var json = JSONWriter()
        for host in hosts { json.lines(of: host, inputs, marking) }
        return json.drain()
      }, to: write)
    guard settings.showHidden else { return }
    try SideBySide.write(
      scoped.hidden, threads: settings.threads,
      text: { hidden in
        var json = JSONWriter()
        for item in hidden {
          json.line("hidden_finding", marking) {
            $0.findingFields(item.finding, day: item.finding.first.day, hiddenBy: item.rule, inputs: inputs)
          }
        }
        return json.drain()
      }, to: write)
  }
}

extension JSONWriter {
  /// - Parameter marking: lines go ways of their own, so each is marked; the run has it among its fields.
  fileprivate mutating func line(_ type: String, _ marking: TLP? = nil, _ fields: (inout JSONWriter) -> Void) {
    beginObject()
    key("type")
    value(type)
    if let marking {
      key("tlp")
      value(marking.rawValue)
    }
    fields(&self)
    endObject()
    newline()
  }

  /// A host's day, then its findings.
  fileprivate mutating func lines(of host: HostDay, _ inputs: [InputSummary], _ marking: TLP) {
    line("host_day", marking) {
      $0.hostFields(host)
      $0.key("finding_ids")
      $0.beginArray()
      for finding in host.findings { $0.value(finding.id) }
      $0.endArray()
    }
    for finding in host.findings {
      line("finding", marking) { $0.findingFields(finding, day: host.day, hiddenBy: nil, inputs: inputs) }
    }
  }
}
