/// The census as the program makes it: rows into a rollup, a rollup into a report.
public struct RollupCensus: CensusEstimating {
  private let limits: RollupLimits
  private let rules: CensusRules

  public init(rules: CensusRules = CensusRules(), limits: RollupLimits = RollupCensus.limitsOfFiles) {
    self.rules = rules
    self.limits = limits
  }

  /// For files that are read once on an analyst's machine: samples of 512 MiB keep every address of some millions.
  public static var limitsOfFiles: RollupLimits {
    var limits = RollupLimits()
    limits.tagOctetsMost = 512 << 20
    limits.identityOctetsMost = 512 << 20
    limits.openOctetsMost = 256 << 20
    limits.closedOctetsMost = 4 << 30
    limits.hoursKeptDays = 3660
    // Hours may be counted from anything.
    limits.hours = 0...1_139_568
    return limits
  }

  public func report(
    _ trial: CensusTrial, rows: (_ row: (CensusSighting) -> Void) throws -> Void
  ) throws -> CensusReport {
    var rollup = try CensusRollup(botnet: trial.botnet, sensors: trial.sensors, keys: .published, limits: limits)
    var joiner = SightingJoiner()
    try rows { row in joiner.add(row) { rollup.add($0) } }
    joiner.finish { rollup.add($0) }
    rollup.close()
    var rules = self.rules
    rules.hosting = Set(trial.hosting)
    guard let table = CensusTable(rollup, window: trial.hours) else {
      let nothing = CensusFigure(kind: .footprint, hours: trial.hours, machines: nil, addresses: 0, grade: .addresses)
      return CensusReport(botnet: trial.botnet, hours: trial.hours, sensors: trial.sensors, footprint: nothing)
    }
    return CensusEstimator(table, rules: rules).report(botnet: trial.botnet)
  }
}
