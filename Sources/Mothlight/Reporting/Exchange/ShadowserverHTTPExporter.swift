/// Victims of a sinkhole that sent web requests, in the columns of Shadowserver's `event4_sinkhole_http`.
public struct ShadowserverHTTPExporter: Exporter {
  public static let card = ExporterCard(
    name: "shadowserver-http", title: "victims of a sinkhole that sent web requests, columns of Shadowserver's report",
    tellsNetworks: true)
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    try ShadowserverExporter.export(.sinkholeHTTP, report, settings, to: write)
  }
}
