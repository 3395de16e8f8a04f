/// Every output format, in the order in which help texts list them.
public enum ExporterRoster {
  public static let all: [any Exporter.Type] = [
    TableExporter.self, JSONExporter.self, NDJSONExporter.self, HTMLExporter.self, ShadowserverExporter.self,
    ShadowserverHTTPExporter.self, IntelMQExporter.self, XARFExporter.self,
  ]

  public static var cards: [ExporterCard] { all.map { $0.card } }

  /// The exporter called `name`.
  /// - Throws: `ConfigurationError` with the known names when there is none.
  public static func make(_ name: String, _ settings: ExporterSettings) throws(ConfigurationError) -> any Exporter {
    for type in all where type.card.name == name { return try type.init(settings) }
    throw ConfigurationError("no output format '\(name)'; there is: \(cards.map(\.name).joined(separator: ", "))")
  }
}
