import Glibc

/// From a table to a report: chooses the estimator, says what it rests on, and refuses where it must.
///
/// Intervals are kept in the logarithm: a model term that grows with the window, the bootstrap over anchors, a share
/// of each correction, and what was sampled (census.md section 2.B). CARDCount (doi 10.14722/ndss.2023.24002) was
/// first to give intervals for bots counted in longitudinal data of addresses.
public struct CensusEstimator: Sendable {
  let rules: CensusRules
  let table: CensusTable
  let clocks: SensorClocks
  let b: AddressEstimator
  let a: IdentityEstimator?
  let c: SensorEstimator?
  let daily: DailyCounts
  let recaptureOfWindows: WindowRecapture?
  private(set) var caveats: [CensusCaveat] = []

  public init(_ given: CensusTable, rules: CensusRules = CensusRules()) {
    self.rules = rules
    clocks = SensorClocks(given)
    table = given.aligned(clocks)
    var b = AddressEstimator(table, rules: rules)
    let dropped = Set(b.networks.indices.filter { b.networks[$0].isDropped }.map(Int32.init))
    c = SensorEstimator(
      table.tags, hourCount: table.hourCount, skip: dropped, silent: clocks.silent, lag: b.visibility.lag)
    if let c { b.trust(c) }
    self.b = b
    a = IdentityEstimator(table, b, silent: clocks.silent, rules: rules)
    daily = DailyCounts(b)
    recaptureOfWindows = WindowRecapture(table.tags, hourCount: table.hourCount)
    caveats = findCaveats()
  }

  // MARK: what must be said

  var usesIdentities: Bool { a.map { !$0.isMadeAtStart } ?? false && !caveats.contains { $0.code == "few_identities" } }

  func refuses(_ kind: CensusKind) -> Bool {
    if usesIdentities && kind != .stock { return false }
    return caveats.contains { $0.refuses == kind }
  }

  /// Distinct valid addresses in the window, visitors included: what a count of addresses would say.
  var addresses: Double {
    if let known = table.addressesInWindow { return known }
    var count = 0.0
    var last: UInt64?
    for tag in table.tags.entries where tag.unit != last {
      count += 1
      last = tag.unit
    }
    return count / table.theta
  }

  // MARK: the report

  public func report(botnet: String) -> CensusReport {
    var out = CensusReport(
      botnet: botnet, hours: table.hours, sensors: table.sensors, footprint: footprint(refusing: true))
    let blind = clocks.blind
    let first = table.hours.lowerBound
    out.live = (0..<table.hourCount).map { hour in
      liveFigure(hour, isBlind: blind.contains(hour), at: first + UInt32(hour))
    }
    for (i, addresses) in daily.addresses.enumerated() {
      let from = UInt32((daily.firstDay + i) * 24)
      guard from >= first, from + 23 <= table.hours.upperBound else { continue }
      out.active.append(activeFigure(i, from, addresses))
      out.stock.append(dayFigure(.stock, from, daily.stock[i], addresses))
    }
    out.systems = parts { .system($0.system) }
    out.countries = parts { .country($0.country) }
    out.others = others()
    out.caveats = caveats
    out.basis = basis(blind)
    return out
  }

  func range(_ value: Double, _ deviation: Double) -> CensusRange {
    CensusRange(low: value * exp(-1.96 * deviation), value: value, high: value * exp(1.96 * deviation))
  }

  /// The lower end leaves out crowded networks, which may be offices or somebody's inventions; and where sources of
  /// known hosting networks keep coming back, it makes room for as many again from networks that nobody lists. The
  /// upper end takes in what was set aside.
  func doubting(_ range: CensusRange) -> CensusRange {
    let known = 1 - b.hostedShare
    return CensusRange(
      low: range.low * (1 - b.crowdedShare) * known, value: range.value, high: range.high * (1 + b.setAsideShare))
  }

  private func liveFigure(_ hour: Int, isBlind: Bool, at time: UInt32) -> CensusFigure {
    let usesIdentities = self.usesIdentities
    let seen = isBlind || refuses(.live) ? nil : usesIdentities ? a?.live(hour) : b.live(hour)
    let machines = seen.map { doubting(range($0, liveDeviation($0, byIdentities: usesIdentities))) }
    return CensusFigure(
      kind: .live, hours: time...time, machines: machines, atMost: nil, addresses: addresses(in: hour),
      grade: usesIdentities ? .identities : .addresses)
  }

  /// Machines for each tag that sensors could match in one hour.
  var callsPerTag: Double {
    let tagHours = b.measures.networks.reduce(0) { $0 + $1.tagHours }
    let machines = b.networks.reduce(0) { $0 + ($1.isDropped ? 0 : $1.machineHours) }
    return (tagHours > 0 ? max(1, machines / tagHours) : 1) * Double(b.visibility.lag)
  }

  func addresses(in hour: Int) -> Double {
    guard table.addresses.isEmpty || table.theta == 1 else {
      return stride(from: hour, to: table.addresses.count, by: table.hourCount).reduce(0) { $0 + table.addresses[$1] }
    }
    let seen = b.measures.addressHours
    return stride(from: hour, to: seen.count, by: table.hourCount).reduce(0) { $0 + seen[$1] } / table.theta
  }

  /// One standard deviation of the logarithm of a live count.
  func liveDeviation(_ machines: Double, byIdentities: Bool) -> Double {
    func missed(_ visibility: Visibility, _ theta: Double) -> Double {
      (1 / max(0.001, visibility.share) - 1) / max(1, machines * theta)
    }
    if byIdentities, let a {
      let theta = table.identityTheta
      let sampled = missed(a.visibility, theta) + (theta < 1 ? 1 / max(1, machines * theta) : 0)
      return (0.012 * 0.012 + a.visibility.error * a.visibility.error + sampled).squareRoot()
    }
    let sampled = missed(b.visibility, table.theta) + 1 / max(1, machines * table.theta)
    let sharing = b.sharing == .none ? 0.15 : rules.sharingError * log(machinesPerAddress)
    return (rules.liveModel * rules.liveModel + b.visibility.error * b.visibility.error + sharing * sharing + sampled)
      .squareRoot()
  }

  /// Machines for each address-hour.
  var machinesPerAddress: Double {
    let hours = b.measures.networks.reduce(0) { $0 + $1.addressHours }
    let machines = b.networks.indices.reduce(0) { $0 + (b.networks[$1].isDropped ? 0 : b.networks[$1].machineHours) }
    return hours > 0 ? max(1, machines / hours) : 1
  }

  /// Identities count the machines of a day as they are; where many are missed, the days of the unseen are added.
  private func activeFigure(_ day: Int, _ from: UInt32, _ addresses: Double) -> CensusFigure {
    guard usesIdentities, let a else { return dayFigure(.active, from, daily.active[day], addresses) }
    let hour = Int(from) - Int(table.hours.lowerBound)
    let value = a.active(hour..<hour + 24) / daily.shareSeen
    let missed = 0.5 * log(daily.shareSeen)
    let deviation = (0.012 * 0.012 + missed * missed + 0.25 / max(1, value)).squareRoot()
    return CensusFigure(
      kind: .active, hours: from...from + 23, machines: refuses(.live) ? nil : doubting(range(value, deviation)),
      addresses: addresses, grade: .identities)
  }

  private func dayFigure(_ kind: CensusKind, _ from: UInt32, _ value: Double?, _ addresses: Double) -> CensusFigure {
    let loose =
      b.networks.reduce(0) { $0 + ($1.isAnchor ? 0 : $1.machineDays) }
      / max(1, b.networks.reduce(0) { $0 + $1.machineDays })
    let missed = kind == .active ? 0.5 * log(daily.shareSeen) : 0
    // How long machines are on is seen through what an hour shows.
    let seldom = b.visibility.share < rules.visibilityPlain ? -0.1 * log(b.visibility.share) : 0
    let onShare = kind == .stock ? seldom + (b.sharing == .contactRate ? 0.06 : 0) : 0
    let model = onShare + (kind == .stock ? 0.07 : 0.045) + 0.02 * loose
    let isRefused = caveats.contains { $0.refuses == .footprint || $0.refuses == .live }
    let known = isRefused ? nil : value
    return CensusFigure(
      kind: kind, hours: from...from + 23,
      machines: known.map {
        range($0, (model * model + missed * missed + pow(liveDeviation($0, byIdentities: false), 2)).squareRoot())
      },
      addresses: addresses, grade: .addresses)
  }
}
