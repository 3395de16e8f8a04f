import Mothlight

/// Counts what the sinkhole's spools hold while they grow, and makes a census of it now and then.
///
/// Its memory is that of the rollups, which are bounded. At a start it is filled again from the spools: they are the record,
/// and what is made of them can be made anew.
public actor CensusDesk: CensusShelf {
  private var rollups: RollupSet
  private let version: String
  private let rules: CensusRules
  private var made: [CensusEdition] = []
  private var hasNews = false
  private var isCounting = false
  /// What could not be counted, one line.
  public private(set) var trouble: String?

  public init(networks: (any NetworkDirectory)?, rules: CensusRules = CensusRules(), version: String) {
    rollups = RollupSet(keys: .published, networks: networks, limits: RollupCensus.limitsOfFiles)
    self.rules = rules
    self.version = version
  }

  /// Takes records of one instrument in the order of its spool.
  public func take(_ records: [SpoolRecord], from sensor: String) {
    do throws(SketchError) {
      let number = try rollups.sensor(sensor)
      for record in records { rollups.add(record, sensor: number) }
      hasNews = hasNews || !records.isEmpty
    } catch { trouble = "census: \(error)" }
  }

  /// Counts again if anything came.
  /// - Returns: whether there are new editions.
  public func count() async -> Bool {
    guard hasNews, !isCounting else { return false }
    isCounting = true
    hasNews = false
    defer { isCounting = false }
    rollups.finish()
    let copies = rollups.rollups
    let (rules, version) = (rules, version)
    made = await Task.detached(priority: .utility) {
      copies.compactMap { Self.edition($0, rules, version) }.sorted { $0.report.botnet < $1.report.botnet }
    }.value
    return true
  }

  private static func edition(_ rollup: CensusRollup, _ rules: CensusRules, _ version: String) -> CensusEdition? {
    var copy = rollup
    copy.close()
    guard let table = CensusTable(copy, window: nil) else { return nil }
    let estimator = CensusEstimator(table, rules: rules)
    var trend = TrendOptions()
    trend.countries = estimator.countrySeries()
    return CensusEdition(
      report: estimator.report(botnet: rollup.botnet), trend: trend, firepower: FirepowerModel(), version: version)
  }

  public func editions() -> [CensusEdition] { made }
}
