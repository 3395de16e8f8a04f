/// What the scores of one scenario amount to.
public struct CensusSummary: Sendable, Equatable {
  /// One kind of number by one method.
  public struct Line: Sendable, Equatable {
    /// Estimates given, and refused.
    public var given = 0
    public var refused = 0
    public var meanRatio: Double?
    public var meanError: Double?
    public var worstError: Double?
    /// Estimates whose 95 % interval has the truth within.
    public var covered = BinomialShare(0, of: 0)
    /// Of the interval, as a share of the estimate.
    public var meanWidth: Double?
    /// Refusals whose upper bound holds, of those that give one.
    public var bounds = BinomialShare(0, of: 0)

    public var refusedShare: Double? { given + refused > 0 ? Double(refused) / Double(given + refused) : nil }

    init(_ estimates: [CensusScore.Estimate]) {
      var series = CensusScore.Series()
      for estimate in estimates { series.add(estimate) }
      self.init(series)
      let bounds = estimates.compactMap(\.holdsBound)
      self.bounds = BinomialShare(bounds.count { $0 }, of: bounds.count)
    }

    init(_ series: CensusScore.Series) {
      given = series.count
      refused = series.refused
      meanRatio = series.meanRatio
      meanError = series.meanError
      worstError = series.count > 0 ? series.worst : nil
      covered = BinomialShare(series.covered, of: series.count)
      meanWidth = series.meanWidth
    }
  }

  public var name: String
  public var days: Double
  public var runs: Int
  /// Whether most runs print a footprint made with identities.
  public var usesIdentities: Bool
  public var naive: Double
  public var naiveLive: Double
  public var footprints: [CensusScore.Method: Line] = [:]
  /// Mean over the window, by run.
  public var lives: [CensusScore.Method: Line] = [:]
  /// All hours of all runs.
  public var hours: [CensusScore.Method: Line] = [:]
  public var active: [CensusScore.Method: Line] = [:]
  public var stock: [CensusScore.Method: Line] = [:]
  public var countries: [CensusScore.Method: Line] = [:]
  public var countriesLive: [CensusScore.Method: Line] = [:]
  public var systems: [CensusScore.Method: Line] = [:]
  public var systemsLive: [CensusScore.Method: Line] = [:]
  /// Runs that gave a caveat, by code; with everything and without identities.
  public var caveats: [String: Int] = [:]
  public var caveatsWithoutIdentities: [String: Int] = [:]

  public init(_ outcome: CensusEvaluation.Outcome) {
    name = outcome.name
    days = outcome.days
    let scores = outcome.scores
    runs = scores.count
    usesIdentities = scores.count { $0.grade == .identities } * 2 > scores.count
    func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
    naive = mean(scores.map(\.naive))
    naiveLive = mean(scores.map(\.naiveLive))
    for method in CensusScore.Method.allCases {
      let footprints = scores.compactMap { $0.footprints[method] }
      if !footprints.isEmpty { self.footprints[method] = Line(footprints) }
      let lives = scores.compactMap { $0.lives[method] }
      if !lives.isEmpty { self.lives[method] = Line(lives) }
      hours[method] = Self.line(scores.compactMap { $0.hours[method] })
      active[method] = Self.line(scores.compactMap { $0.active[method] })
      stock[method] = Self.line(scores.compactMap { $0.stock[method] })
      countries[method] = Self.line(scores.compactMap { $0.countries[method] })
      countriesLive[method] = Self.line(scores.compactMap { $0.countriesLive[method] })
      systems[method] = Self.line(scores.compactMap { $0.systems[method] })
      systemsLive[method] = Self.line(scores.compactMap { $0.systemsLive[method] })
    }
    for score in scores {
      for code in score.caveats { caveats[code, default: 0] += 1 }
      for code in score.caveatsWithoutIdentities { caveatsWithoutIdentities[code, default: 0] += 1 }
    }
  }

  private static func line(_ series: [CensusScore.Series]) -> Line? {
    var all = CensusScore.Series()
    for one in series { all.add(one) }
    return all.count + all.refused > 0 ? Line(all) : nil
  }
}

/// What a census must reach (issue 5, demand 5), and what it did not.
public struct CensusTargets: Sendable {
  public static let liveError = 0.02
  public static let identityError = 0.01
  public static let addressError = 0.1
  public static let longAddressError = 0.2
  /// Days from which on a window is long.
  public static let longDays = 60.0
  public static let coverage = 0.9

  /// One line for each target that is missed; a refusal misses none.
  public static func missed(_ summary: CensusSummary) -> [String] {
    var out: [String] = []
    func error(_ line: CensusSummary.Line?, _ most: Double, _ what: String) {
      guard let error = line?.meanError, error > most else { return }
      out.append("\(summary.name): \(what): mean error \(percent(error)), target \(percent(most))")
    }
    func coverage(_ line: CensusSummary.Line?, _ what: String) {
      guard let line, let share = line.covered.share, share < Self.coverage else { return }
      out.append(
        "\(summary.name): \(what): the interval holds \(line.covered.count) of \(line.covered.of), target \(percent(Self.coverage))"
      )
    }
    let isLong = summary.days >= longDays
    if summary.usesIdentities { error(summary.footprints[.identities], identityError, "footprint by identities") }
    error(summary.footprints[.addresses], isLong ? longAddressError : addressError, "footprint by addresses")
    for (method, words) in [(CensusScore.Method.printed, "as printed"), (.addresses, "by addresses")] {
      error(summary.lives[method], liveError, "live \(words)")
      coverage(summary.footprints[method], "footprint \(words)")
      coverage(summary.hours[method], "live by hour \(words)")
    }
    return out
  }

  /// Two digits or more.
  static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    func text(_ value: Int, _ of: Int) -> String {
      value % of == 0 ? "\(value / of) %" : "\(value / of).\(of == 100 && value % of < 10 ? "0" : "")\(value % of) %"
    }
    if hundredths < 200 { return text(hundredths, 100) }
    return hundredths < 1000 ? text((hundredths + 5) / 10, 10) : "\((hundredths + 50) / 100) %"
  }
}
