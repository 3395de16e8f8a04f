/// Victims of a sinkhole in the columns of Shadowserver's `event4_sinkhole`: whoever takes theirs in takes these in.
///
/// As one text it is the report on IPv4 sources that sent no web request. As files it is one for each day and type.
public struct ShadowserverExporter: FileSetExporter {
  public static let card = ExporterCard(
    name: "shadowserver", title: "victims of a sinkhole, columns of Shadowserver's sinkhole reports",
    tellsNetworks: true)
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    try Self.export(.sinkhole, report, settings, to: write)
  }

  public func export(_ report: Report, toFile write: (_ name: String, _ text: String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    var parts: [String: String] = [:]
    var begun: Set<String> = []
    try ExchangeEvents(report: report, settings: settings).forEach(withHosts: false, marking: marking) { event in
      let kind = ShadowserverReport(event)
      let name = kind.fileName(day: event.day, isV4: event.source.isV4)
      if begun.insert(name).inserted { parts[name] = kind.header }
      parts[name, default: ""] += kind.row(event, marking: marking, reporter: settings.exchange.reporter)
      if let part = parts[name], part.utf8.count > 1 << 16 {
        parts[name] = ""
        try write(name, part)
      }
    }
    for (name, part) in parts.sorted(by: { $0.key < $1.key }) where !part.isEmpty { try write(name, part) }
  }

  static func export(
    _ kind: ShadowserverReport, _ report: Report, _ settings: ExporterSettings, to write: (String) throws -> Void
  ) throws {
    let marking = try settings.marking(of: report.tlp)
    var text = kind.header
    var others: UInt64 = 0
    try ExchangeEvents(report: report, settings: settings).forEach(withHosts: false, marking: marking) { event in
      guard ShadowserverReport(event) == kind, event.source.isV4 else {
        others &+= 1
        return
      }
      text += kind.row(event, marking: marking, reporter: settings.exchange.reporter)
      if text.utf8.count > 1 << 16 {
        try write(text)
        text = ""
      }
    }
    if others > 0 {
      settings.note("\(others) rows belong to the other reports; name a folder with --output to get each in its file")
    }
    try write(text)
  }
}
