/// A census of one simulated botnet, held against what was really so. All sizes are shares of the truth.
public struct CensusScore: Sendable, Equatable {
  /// Whose numbers.
  public enum Method: String, Sendable, CaseIterable {
    /// What the report prints, made with everything that the rows carry.
    case printed
    /// Its figures from identities.
    case identities = "A"
    /// What the report prints when the rows have no identities.
    case addresses = "B"
    /// Its figures from several sensors.
    case sensors = "C"
  }

  /// One number; `nil` when it was refused.
  public struct Estimate: Sendable, Equatable {
    public var ratio: Double?
    public var low = 0.0
    public var high = 0.0
    /// Whether the upper bound beside a refusal holds; `nil` without one.
    public var holdsBound: Bool?

    public var isCovered: Bool { ratio != nil && low <= 1 && high >= 1 }
    public var error: Double? { ratio.map { abs($0 - 1) } }

    init(_ figure: CensusFigure, truth: Double) {
      guard let machines = figure.machines, truth > 0 else {
        holdsBound = figure.atMost.map { $0 >= truth }
        return
      }
      ratio = machines.value / truth
      low = machines.low / truth
      high = machines.high / truth
    }
  }

  /// Many numbers of a kind: hours, days, countries, networks.
  public struct Series: Sendable, Equatable {
    public var refused = 0
    public var count = 0
    public var covered = 0
    public var worst = 0.0
    fileprivate var ratios = 0.0
    fileprivate var errors = 0.0
    fileprivate var widths = 0.0

    public var meanRatio: Double? { count > 0 ? ratios / Double(count) : nil }
    public var meanError: Double? { count > 0 ? errors / Double(count) : nil }
    /// Of the interval, as a share of the estimate.
    public var meanWidth: Double? { count > 0 ? widths / Double(count) : nil }

    mutating func add(_ estimate: Estimate) {
      guard let ratio = estimate.ratio, let error = estimate.error else {
        refused += 1
        return
      }
      count += 1
      covered += estimate.isCovered ? 1 : 0
      worst = max(worst, error)
      ratios += ratio
      errors += error
      widths += ratio > 0 ? (estimate.high - estimate.low) / ratio : 0
    }

    mutating func add(_ other: Series) {
      refused += other.refused
      count += other.count
      covered += other.covered
      worst = max(worst, other.worst)
      ratios += other.ratios
      errors += other.errors
      widths += other.widths
    }
  }

  public var seed: UInt64
  /// What the printed footprint rests on.
  public var grade = CensusGrade.addresses
  public var rows: UInt64
  /// Machines infected and on within the window.
  public var footprint: Int
  /// Share of them that reached a sensor.
  public var reached: Double
  public var meanLive: Double
  /// Distinct addresses of all rows for each machine of the footprint.
  public var naive: Double
  /// Distinct addresses in an hour for each live machine, mean over the hours.
  public var naiveLive: Double
  public var footprints: [Method: Estimate] = [:]
  /// Mean over the window.
  public var lives: [Method: Estimate] = [:]
  public var hours: [Method: Series] = [:]
  public var active: [Method: Series] = [:]
  public var stock: [Method: Series] = [:]
  /// Footprint and mean live of places with at least `placeLeast` machines.
  public var countries: [Method: Series] = [:]
  public var countriesLive: [Method: Series] = [:]
  public var systems: [Method: Series] = [:]
  public var systemsLive: [Method: Series] = [:]
  /// Codes of the caveats with everything, and without identities.
  public var caveats: Set<String> = []
  public var caveatsWithoutIdentities: Set<String> = []

  /// Machines in a place below which it is not scored: a handful is a matter of luck.
  public static let placeLeast = 50
}

extension CensusScore {
  /// - Parameters:
  ///   - full: the report made with everything; `nil`: the rows have no identities, so both are the same.
  ///   - plain: the report made without identities.
  init(
    _ truth: CensusTruth, seed: UInt64, naiveLive: Double, full: CensusReport?, plain: CensusReport
  ) {
    self.seed = seed
    self.naiveLive = naiveLive
    rows = truth.rows
    footprint = truth.footprint
    reached = truth.footprint > 0 ? Double(truth.reached) / Double(truth.footprint) : 0
    meanLive = truth.meanLive
    naive = truth.footprint > 0 ? Double(truth.addresses) / Double(truth.footprint) : 0
    let report = full ?? plain
    grade = report.footprint.grade
    caveats = Set(report.caveats.map(\.code))
    caveatsWithoutIdentities = Set(plain.caveats.map(\.code))
    add(.printed, report, truth)
    add(.addresses, plain, truth)
    for (method, grade) in [(Method.identities, CensusGrade.identities), (.sensors, .sensors)] {
      let figures = [report.footprint] + report.others
      let own = figures.filter { $0.grade == grade && $0.hours == report.hours }
      if let figure = own.first(where: { $0.kind == .footprint }) {
        footprints[method] = Estimate(figure, truth: Double(truth.footprint))
      }
      if let figure = own.first(where: { $0.kind == .live }) {
        lives[method] = Estimate(figure, truth: Self.meanLive(report, truth))
      }
    }
  }

  /// Over the hours for which the report has a number, or all where it has none.
  private static func meanLive(_ report: CensusReport, _ truth: CensusTruth) -> Double {
    let known = report.live.filter { $0.machines != nil }.compactMap { live(truth, $0.hours.lowerBound) }
    return known.isEmpty ? truth.meanLive : known.reduce(0, +) / Double(known.count)
  }

  private static func live(_ truth: CensusTruth, _ hour: UInt32) -> Double? {
    guard truth.hours.contains(hour) else { return nil }
    return Double(truth.live[Int(hour - truth.hours.lowerBound)])
  }

  private mutating func add(_ method: Method, _ report: CensusReport, _ truth: CensusTruth) {
    footprints[method] = Estimate(report.footprint, truth: Double(truth.footprint))
    var hours = Series()
    var sum = CensusRange(low: 0, value: 0, high: 0)
    var known = 0.0
    for figure in report.live {
      guard let live = Self.live(truth, figure.hours.lowerBound), live > 0 else { continue }
      hours.add(Estimate(figure, truth: live))
      if let machines = figure.machines {
        sum = CensusRange(
          low: sum.low + machines.low, value: sum.value + machines.value, high: sum.high + machines.high)
        known += live
      }
    }
    self.hours[method] = hours
    let mean = CensusFigure(
      kind: .live, hours: report.hours, machines: known > 0 ? sum : nil, addresses: 0, grade: report.footprint.grade)
    lives[method] = Estimate(mean, truth: known)
    active[method] = days(report.active, truth.active, truth)
    stock[method] = days(report.stock, truth.stock, truth)
    places(method, report, truth)
  }

  private func days(_ figures: [CensusFigure], _ counts: [Int], _ truth: CensusTruth) -> Series {
    var series = Series()
    for figure in figures where figure.hours.lowerBound >= truth.hours.lowerBound {
      let day = Int(figure.hours.lowerBound - truth.hours.lowerBound) / 24
      if day < counts.count, counts[day] > 0 { series.add(Estimate(figure, truth: Double(counts[day]))) }
    }
    return series
  }

  private mutating func places(_ method: Method, _ report: CensusReport, _ truth: CensusTruth) {
    var found: [CensusPart.Place: CensusPart] = [:]
    for part in report.countries + report.systems { found[part.place] = part }
    func score(_ parts: [CensusTruth.Part], _ place: (CensusTruth.Part) -> CensusPart.Place) -> (Series, Series) {
      var footprint = Series()
      var live = Series()
      for part in parts where part.footprint >= Self.placeLeast {
        guard let known = found[place(part)] else { continue }
        footprint.add(Estimate(known.footprint, truth: Double(part.footprint)))
        live.add(Estimate(known.live, truth: part.live))
      }
      return (footprint, live)
    }
    (countries[method], countriesLive[method]) = score(truth.countries) { .country($0.country) }
    (systems[method], systemsLive[method]) = score(truth.systems) { .system($0.asn) }
  }
}
