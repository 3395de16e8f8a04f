/// Everything that is published of one census, and for whom.
///
/// Trend and firepower are made here, from what the audience may see, so that no number of a public edition rests on a hidden
/// one.
public struct CensusEdition: Sendable {
  public enum Audience: Sendable, Hashable {
    /// Those who run the sensors.
    case operators
    /// Everybody: cells of fewer than ten machines are hidden, and no total gives them away.
    case everybody
  }

  /// How much was hidden; all zero for operators.
  public struct Hidden: Sendable, Hashable {
    public var countries = 0
    /// Countries whose footprint is shown and whose live machines are not.
    public var liveOfCountries = 0
    public var networks = 0
    public var hours = 0
    public var days = 0
    /// The whole window is below the limit: nothing is published.
    public var isAll = false
  }

  /// What the audience may see.
  public let report: CensusReport
  public let audience: Audience
  public let hidden: Hidden
  /// `nil`: not asked for.
  public let trend: Trend?
  /// `nil`: not asked for, or no live estimate.
  public let firepower: Firepower?
  /// The program's version.
  public let version: String

  /// Version of the fields in docs/census-data.md.
  public static let schemaVersion = "1.1"

  public init(
    report: CensusReport, trend: TrendOptions? = nil, firepower: FirepowerModel? = nil,
    audience: Audience = .operators, version: String
  ) {
    var seen = report
    var options = trend
    var hidden = Hidden()
    if audience == .everybody {
      let cut = CensusSuppression(report)
      seen = cut.report
      hidden = cut.hidden
      let shown = Set(seen.countries.map(\.place))
      options?.countries.removeAll { !shown.contains(.country($0.country)) }
    }
    self.report = seen
    self.audience = audience
    self.hidden = hidden
    self.trend = options.map { TrendModel($0).trend(of: seen) }
    self.firepower = firepower?.firepower(of: seen)
    self.version = version
  }
}

/// Turns the census of a botnet into one format.
public protocol CensusExporter: Sendable {
  static var card: ExporterCard { get }
  init(_ settings: ExporterSettings)
  /// - Throws: only what `write` throws.
  func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws
}

/// Every output format of `mothlight census`, in the order in which help texts list them.
public enum CensusExporterRoster {
  public static let all: [any CensusExporter.Type] = [
    CensusTableExporter.self, CensusJSONExporter.self, CensusCSVExporter.self, CensusHTMLExporter.self,
  ]

  public static var cards: [ExporterCard] { all.map { $0.card } }

  /// The exporter called `name`.
  /// - Throws: `ConfigurationError` with the known names when there is none.
  public static func make(
    _ name: String, _ settings: ExporterSettings
  ) throws(ConfigurationError) -> any CensusExporter {
    for type in all where type.card.name == name { return type.init(settings) }
    throw ConfigurationError("no output format '\(name)'; there is: \(cards.map(\.name).joined(separator: ", "))")
  }
}
