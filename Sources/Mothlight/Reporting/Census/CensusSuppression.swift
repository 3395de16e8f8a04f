/// A census with its small cells hidden, and with no total that gives them away.
///
/// Primary: a cell in which any published count is below ten. Complementary: in a group with hidden cells there are at least two
/// of them, and together they hold at least ten in every count, so that the total less what is shown tells of nobody (Willenborg
/// and de Waal, "Elements of Statistical Disclosure Control", Springer 2001, section 4.4). Networks are left out: which country
/// a network is in is public, so a network's row could give its country's away, or the other way round.
struct CensusSuppression {
  /// Fewest machines, or addresses, that a published cell holds.
  static let least = 10.0

  private(set) var report: CensusReport
  private(set) var hidden = CensusEdition.Hidden()

  init(_ whole: CensusReport) {
    report = whole
    anonymise()
    hidden.networks = whole.systems.count
    report.systems = []
    guard !Self.isSmall(Self.counts(whole.footprint)) else {
      withholdAll()
      return
    }
    hideCountries()
    hideHours()
    report.others.removeAll { $0.hours != whole.hours || Self.isSmall(Self.counts($0)) }
  }

  /// Names of sensors tell where they stand; texts with figures may tell of single cells.
  private mutating func anonymise() {
    var names: [String: String] = [:]
    for (i, name) in report.sensors.enumerated() { names[name] = "sensor \(i + 1)" }
    report.sensors = report.sensors.indices.map { "sensor \($0 + 1)" }
    report.basis.silentHours = Dictionary(
      report.basis.silentHours.map { (names[$0.key] ?? "another sensor", $0.value) }, uniquingKeysWith: +)
    for i in report.caveats.indices { report.caveats[i].text = CensusWords.caveat(report.caveats[i].code) }
  }

  private mutating func withholdAll() {
    hidden = .init(
      countries: report.countries.count, networks: hidden.networks, hours: report.live.count,
      days: report.active.count + report.stock.count, isAll: true)
    var empty = CensusReport(
      botnet: report.botnet, hours: report.hours, sensors: report.sensors, footprint: Self.nothing(report.footprint))
    empty.caveats = [CensusCaveat("below_ten", CensusWords.caveat("below_ten"), refuses: .footprint)]
    report = empty
  }

  /// A country goes when its footprint is small; one whose mean live machines are few keeps the footprint alone.
  private mutating func hideCountries() {
    let gone = Self.hiddenCells(report.countries.map { Self.counts($0.footprint) })
    let quiet = Self.hiddenCells(report.countries.map { Self.counts($0.live) }, and: gone)
    for i in quiet.subtracting(gone) {
      report.countries[i].live = Self.nothing(report.countries[i].live)
    }
    hidden.countries = gone.count
    hidden.liveOfCountries = quiet.count - gone.count
    report.countries = report.countries.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
  }

  private static func nothing(_ figure: CensusFigure) -> CensusFigure {
    CensusFigure(kind: figure.kind, hours: figure.hours, machines: nil, addresses: .nan, grade: figure.grade)
  }

  private mutating func hideHours() {
    let hours = Self.hiddenCells(report.live.map(Self.counts))
    hidden.hours = hours.count
    let days = Set(hours.map { report.live[$0].hours.lowerBound / 24 })
    report.live = report.live.enumerated().filter { !hours.contains($0.offset) }.map(\.element)
    let active = Self.hiddenCells(report.active.map(Self.counts))
    report.active = report.active.enumerated().filter { !active.contains($0.offset) }.map(\.element)
    // The stock of a day is its mean of live hours up to a constant that the other days show.
    let also = Set(report.stock.indices.filter { days.contains(report.stock[$0].hours.lowerBound / 24) })
    let stock = Self.hiddenCells(report.stock.map(Self.counts), and: also)
    report.stock = report.stock.enumerated().filter { !stock.contains($0.offset) }.map(\.element)
    hidden.days = active.count + stock.count
  }
}

extension CensusSuppression {
  /// The counts that a figure shows: of machines, or at most so many, and of addresses.
  static func counts(_ figure: CensusFigure) -> [Double] {
    [figure.machines?.value ?? figure.atMost ?? figure.addresses, figure.addresses]
  }

  static func isSmall(_ counts: [Double]) -> Bool { counts.contains { !($0 >= least) } }

  /// Which cells of a group with a known total are not shown.
  /// - Parameter and: cells that are hidden for another reason.
  /// - Complexity: O(cells²) at worst.
  static func hiddenCells(_ cells: [[Double]], and others: Set<Int> = []) -> Set<Int> {
    var hidden = others.union(cells.indices.filter { isSmall(cells[$0]) })
    guard !hidden.isEmpty else { return hidden }
    // Smallest last.
    var shown = cells.indices.filter { !hidden.contains($0) }.sorted { cells[$0][0] > cells[$1][0] }
    func isTelling() -> Bool {
      guard hidden.count > 1 else { return true }
      let width = cells.map(\.count).min() ?? 0
      return (0..<width).contains { measure in
        !(hidden.reduce(0) { $0 + (cells[$1][measure].isFinite ? cells[$1][measure] : 0) } >= least)
      }
    }
    while isTelling(), let next = shown.popLast() { hidden.insert(next) }
    return hidden
  }
}
