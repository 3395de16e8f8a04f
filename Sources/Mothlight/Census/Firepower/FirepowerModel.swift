import Glibc

/// Firepower of a census: live machines × mean uplink × speed-test optimism × participation × cap, by seeded draws.
///
/// Factors that are common to all machines are drawn once for all of them, so that their doubt does not average out.
/// Footprints are never used.
public struct FirepowerModel: Sendable {
  public var uplinks: UplinkTable
  public var assumptions: FirepowerAssumptions
  public var seed: UInt64

  public init(
    uplinks: UplinkTable = .builtin, assumptions: FirepowerAssumptions = FirepowerAssumptions(), seed: UInt64 = 1
  ) {
    self.uplinks = uplinks
    self.assumptions = assumptions
    self.seed = seed
  }

  /// `nil` when no hour has a live estimate, or the table has no row for the world.
  /// - Complexity: O(draws × countries).
  public func firepower(of report: CensusReport) -> Firepower? {
    let hours = report.live.compactMap { figure in figure.machines.map { (figure.hours.lowerBound, Self.sane($0)) } }
      .filter { $0.1.value > 0 }.sorted { ($0.1.value, $0.0) < ($1.1.value, $1.0) }
    guard let peak = hours.last else { return nil }
    let typical = hours[(hours.count - 1) / 2]
    let year = CivilDate.from(daysSinceEpoch: Int(report.hours.upperBound / 24)).year
    guard let parts = parts(of: report, hours.reduce(0) { $0 + $1.1.value } / Double(hours.count), year) else {
      return nil
    }
    var random = RandomSource(seed: seed, stream: 0xf12e)
    let draws = (0..<max(100, min(1_000_000, assumptions.draws))).map { _ in draw(parts, &random) }
    func moment(_ hour: (UInt32, CensusRange)) -> Firepower.Moment {
      Firepower.Moment(hour: hour.0, live: hour.1, rate: Self.rate(hour.1, draws))
    }
    var result = Firepower(
      year: year, typical: moment(typical), peak: moment(peak), addressesTaken: nil, parts: parts, flags: [],
      assumptions: assumptions, context: PublishedAttack.known, draws: draws.count)
    check(&result, report, draws)
    return result
  }

  /// One possible world: megabits a second that a live machine adds, and where in its interval the live count lies.
  private struct Draw {
    var megabitsPerMachine: Double
    var live: Double
  }

  private func draw(_ parts: [Firepower.Part], _ random: inout RandomSource) -> Draw {
    var mean = 0.0
    for part in parts {
      mean += part.liveShare * part.uplink.megabitsPerSecond * exp(random.normal(deviation: spread(part)))
    }
    let a = assumptions
    let factors =
      random.uniform(a.speedTest.lowerBound, a.speedTest.upperBound)
      * random.uniform(a.participation.lowerBound, a.participation.upperBound)
      * random.uniform(a.cap.lowerBound, a.cap.upperBound)
    return Draw(megabitsPerMachine: mean * factors, live: random.normal())
  }

  private func spread(_ part: Firepower.Part) -> Double {
    if part.isWorldRow { return assumptions.worldSpread }
    return part.uplink.isAssumption ? assumptions.assumedSpread : assumptions.measuredSpread
  }

  private static func rate(_ live: CensusRange, _ draws: [Draw]) -> Firepower.Rate {
    let sorted = draws.map { machines(live, $0.live) * $0.megabitsPerMachine / 1000 }.sorted()
    func point(_ share: Double) -> Double { sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
    return Firepower.Rate(low: point(0.05), middle: point(0.5), high: point(0.95))
  }

  /// A log-normal on either side of the value that meets both ends of the 95 % interval.
  private static func machines(_ range: CensusRange, _ z: Double) -> Double {
    range.value * exp(z / 1.96 * (z > 0 ? log(range.high / range.value) : log(range.value / range.low)))
  }

  /// Ends in order and above zero, so that logarithms exist.
  private static func sane(_ range: CensusRange) -> CensusRange {
    guard range.value.isFinite, range.value > 0 else { return CensusRange(low: 0, value: 0, high: 0) }
    let low = range.low.isFinite ? range.low : 0
    let high = range.high.isFinite ? range.high : range.value
    return CensusRange(
      low: max(range.value * 1e-3, min(low, range.value)), value: range.value,
      high: min(range.value * 1e3, max(high, range.value)))
  }
}

extension FirepowerModel {
  /// Countries by their mean live machines, and what is left of `live`, the mean over the hours.
  private func parts(of report: CensusReport, _ live: Double, _ year: Int) -> [Firepower.Part]? {
    guard let world = uplinks.world(year: year) else { return nil }
    var parts: [Firepower.Part] = []
    var known = 0.0
    for part in report.countries {
      guard case .country(let code) = part.place, code != .unknown, let machines = part.live.machines?.value,
        machines.isFinite, machines > 0
      else { continue }
      let own = uplinks.own(code, year: year)
      known += machines
      parts.append(
        .init(
          country: code, live: machines, liveShare: 0, uplinkShare: 0, uplink: own ?? world, isWorldRow: own == nil))
    }
    if live - known > live * 1e-3 {
      parts.append(
        .init(country: nil, live: live - known, liveShare: 0, uplinkShare: 0, uplink: world, isWorldRow: true))
    }
    let machines = parts.reduce(0) { $0 + $1.live }
    let uplink = parts.reduce(0) { $0 + $1.live * $1.uplink.megabitsPerSecond }
    guard machines > 0, uplink > 0 else { return nil }
    for i in parts.indices {
      parts[i].liveShare = parts[i].live / machines
      parts[i].uplinkShare = parts[i].live * parts[i].uplink.megabitsPerSecond / uplink
    }
    return parts.sorted {
      ($1.uplinkShare, $0.country?.raw ?? .max) < ($0.uplinkShare, $1.country?.raw ?? .max)
    }
  }

  /// Flags what implies more than the largest attack of its time. Not a proof: a botnet need not fire with everything.
  private func check(_ result: inout Firepower, _ report: CensusReport, _ draws: [Draw]) {
    guard let record = PublishedAttack.record(for: result.year) else { return }
    if result.peak.rate.middle > record.gigabitsPerSecond {
      result.flags.append(
        .init(subject: .peak, count: result.peak.live.value, rate: result.peak.rate, record: record))
    }
    let addresses = report.footprint.addresses
    guard let machines = report.footprint.machines?.value, machines > 0, addresses > machines else { return }
    // The same share of them live as of the machines.
    let share = addresses / machines
    let live = result.peak.live
    let taken = Self.rate(
      CensusRange(low: live.low * share, value: live.value * share, high: live.high * share), draws)
    result.addressesTaken = taken
    guard taken.middle > record.gigabitsPerSecond else { return }
    result.flags.append(.init(subject: .addresses, count: addresses, rate: taken, record: record))
  }
}
