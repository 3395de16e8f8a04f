/// One JSON document with every figure and every series; fields in the order of docs/census-data.md.
public struct CensusJSONExporter: CensusExporter {
  public static let card = ExporterCard(name: "json", title: "one JSON document with every figure and series")

  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    let report = edition.report
    let digest = CensusDigest(edition)
    var json = JSONWriter(lineDepth: 2)
    json.beginObject()
    json.censusHead(edition, try settings.marking(of: edition.tlp))
    json.key("footprint")
    json.censusFigure(report.footprint)
    json.key("live_typical")
    json.censusFigure(digest.typical)
    json.key("live_peak")
    json.censusFigure(digest.peak)
    json.key("live_last")
    json.censusFigure(digest.last)
    try figures("live", report.live, &json, write)
    try figures("active", report.active, &json, write)
    try figures("stock", report.stock, &json, write)
    try parts("countries", report.countries, &json, write)
    try parts("networks", report.systems, &json, write)
    try figures("others", report.others, &json, write)
    json.censusCaveats(report.caveats)
    json.key("basis")
    json.censusBasis(report.basis)
    json.key("trend")
    if let trend = edition.trend { json.censusTrend(trend) } else { json.null() }
    json.key("firepower")
    if let firepower = edition.firepower { json.censusFirepower(firepower) } else { json.null() }
    json.endObject()
    json.newline()
    try write(json.drain())
  }

  private func figures(
    _ name: String, _ figures: [CensusFigure], _ json: inout JSONWriter, _ write: (String) throws -> Void
  ) throws {
    json.key(text: name)
    json.beginArray()
    for figure in figures {
      json.censusFigure(figure)
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    json.endArray()
  }

  private func parts(
    _ name: String, _ parts: [CensusPart], _ json: inout JSONWriter, _ write: (String) throws -> Void
  ) throws {
    json.key(text: name)
    json.beginArray()
    for part in parts {
      json.censusPart(part)
      if json.count > 1 << 16 { try write(json.drain()) }
    }
    json.endArray()
  }
}
