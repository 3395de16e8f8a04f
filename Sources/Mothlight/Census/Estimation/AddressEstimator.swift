import Glibc

/// Estimator B: machines from addresses and the hours they were seen in (census.md section 2.B).
///
/// Live: machines behind the addresses of an hour, divided by the share that an hour shows. Footprint: machine-days
/// of all networks, divided by the days for which a machine of the *anchors* is on; anchors are networks whose
/// addresses are stable, so that there a tag is a machine.
struct AddressEstimator: Sendable {
  let table: CensusTable
  let rules: CensusRules
  private(set) var measures: CensusMeasures
  private(set) var visibility: Visibility
  private(set) var sharing: CensusBasis.Sharing
  /// Check-ins of one machine in an hour in which it is on; 0: not known.
  private(set) var contactsOfOne = 0.0
  private(set) var networks: [Judged]
  /// Hours for which a machine of the anchors is on in the window, and days.
  private(set) var hoursPerMachine = 0.0
  private(set) var daysPerMachine = 0.0
  private(set) var anchorShare = 0.0
  /// The same of networks that a churn table makes tell.
  private(set) var learnedShare = 0.0
  /// One standard deviation of the logarithm of the machines of anchors, for what the churn table leaves open.
  private(set) var learnedDeviation = 0.0
  /// Machines of the anchors that no hour showed, for each one seen; 0 where nearly all is seen.
  private(set) var neverSeen = 0.0
  /// Who is no machine by how it comes.
  private(set) var visit = VisitRule()
  /// Weights of tags hardly seen, in anchors and elsewhere.
  private(set) var oneShots = (anchors: 1.0, others: 1.0)
  /// First of the six local hours in which least happens.
  private(set) var quietFrom = 0
  /// Local hour at which a day is cut when the network gives no better one.
  var quietMiddle: Int { (quietFrom + 3) % 24 }

  /// What became of one network.
  struct Judged: Sendable {
    /// Sources there come and go like no machine does.
    var isDropped = false
    var occupancy = 1.0
    var isAnchor = false
    var isShared = false
    /// Far more sources behind each address than elsewhere, and always the same: an office, or somebody who poisons
    /// counts.
    var isCrowded = false
    /// Tags lost for each hour beyond clean-up.
    var loss = 0.0
    /// Local hour at which its day is cut.
    var cut = 0
    var machineHours = 0.0
    var machineDays = 0.0
    /// Machines, where it is an anchor, or where a churn table tells how many of its tags are one machine's.
    var anchored = 0.0
    /// Changes of address an hour, as learned from another botnet, and one standard error.
    var learned: (rate: Double, error: Double)?

    /// Whether it tells how many days a machine is on.
    var isMeasure: Bool { isAnchor || learned != nil }
  }

  init(_ table: CensusTable, rules: CensusRules) {
    self.table = table
    self.rules = rules
    let occupancy = Occupancy(table.tags)
    networks = [Judged](repeating: Judged(), count: table.networks.count)
    sharing = occupancy.kinds > 1 ? .fingerprints : .none
    visibility = .unknown
    contactsOfOne = Self.contactsOfOne(table)
    if sharing == .none, contactsOfOne > 0 { sharing = .contactRate }
    var choices = CensusMeasures.Choices()
    choices.lag = Visibility.lag(table.tags, hourCount: table.hourCount)
    choices.dropped = table.networks.map { rules.hosting.contains($0.system) }
    // Below four check-ins an hour a machine may well show one or none.
    if contactsOfOne >= 4 { choices.visit.briefBelow = 0.4 * contactsOfOne }
    if sharing == .contactRate { choices.peakOfOne = Self.peakOfOne(table.tags) }
    measures = CensusMeasures(table, occupancy: occupancy, choices: choices)
    judge(choices.lag)
    // Again, with what the first pass has shown: who is no machine, and which one-hour visitors are too many.
    choices.cut = quietMiddle
    choices.dropped = irregular()
    let poisoning = Poisoning(
      self, stable: networks.indices.filter { networks[$0].isAnchor && !choices.dropped[$0] })
    setAside = networks.indices.filter(poisoning.isSetAside)
    for n in setAside { choices.dropped[n] = true }
    choices.visit.seesAll = visibility.share >= rules.visibilityPlain
    let hoursSetAside = setAside.reduce(0) { $0 + networks[$1].machineHours }
    visit = choices.visit
    // Where much is missed, visitors hide the anchors until they weigh less: then once more.
    for _ in 0..<(visit.seesAll ? 1 : 2) {
      oneShots = oneShotWeights(dropped: choices.dropped)
      choices.oneShotWeights = networks.map { $0.isAnchor ? oneShots.anchors : oneShots.others }
      measures = CensusMeasures(table, occupancy: occupancy, choices: choices)
      networks = choices.dropped.map { Judged(isDropped: $0) }
      judge(choices.lag)
    }
    judgeCrowds()
    judgeHosting()
    chooseLearned()
    countDays()
    settleAnchors()
    roaming = Roaming(self)
    let others = networks.reduce(0) { $0 + ($1.isDropped ? 0 : $1.machineHours) }
    setAsideShare = others > 0 ? hoursSetAside / others : 0
  }

  /// What a tag seen once weighs, in anchors and elsewhere: what recurrence does not support are visitors.
  ///
  /// Where much is missed, tags that live for a day are seen once by the thousand, and the series of their counts is no plain
  /// one. Strangers come from anywhere, so there they are no more for each hour of a tag than among the anchors.
  private func oneShotWeights(dropped: [Bool]) -> (anchors: Double, others: Double) {
    let seesAll = visit.seesAll
    var anchors = FewHours()
    var others = FewHours()
    var hours = (anchors: 0.0, others: 0.0)
    for n in networks.indices {
      let m = measures.networks[n]
      if networks[n].isAnchor {
        anchors.add(seesAll ? m.byStretch : m.byHours)
        hours.anchors += m.tagHours
      } else if !dropped[n] {
        others.add(seesAll ? m.byStretch : m.byHours)
        hours.others += m.tagHours
      }
    }
    func weight(_ few: FewHours) -> Double {
      guard few.one > 0 else { return 1 }
      if !seesAll, let rare = few.extrapolated(shape: rules.rarityShape) { return min(1, rare.ones / few.one) }
      return few.supported(least: 0.03) / few.one
    }
    var weights = (anchors: weight(anchors), others: weight(others))
    if !seesAll, hours.anchors >= 1000, others.one > 0 {
      let visitors = anchors.one * (1 - weights.anchors) / hours.anchors * hours.others
      weights.others = max(weights.others, 1 - min(1, visitors / others.one))
    }
    return weights
  }

  /// Takes over what several sensors say of the share that an hour shows.
  mutating func trust(_ sensors: SensorEstimator) { visibility.take(sensors, rules) }

  private mutating func judge(_ lag: Int) {
    judgeSharing()
    quietFrom = Self.quietest(measures.networks.map(\.hoursOfDay))
    chooseAnchors()
    visibility = Visibility(
      table.tags, hourCount: table.hourCount, lag: lag,
      skip: Set(networks.indices.filter { networks[$0].isShared || networks[$0].isDropped }.map(Int32.init)),
      rules: rules)
  }

  /// Networks that were set aside as somebody's inventions, and their machine-hours for each of all others.
  private(set) var setAside: [Int] = []
  private(set) var setAsideShare = 0.0
  /// Tags lost for each hour in all anchors alike, taken for clean-up.
  private var commonLoss = 0.0
  /// What is left of the machines if all of that is addresses that changed; 1 where something tells.
  private(set) var leastAfterLoss = 1.0
  /// Tags of anchors that took another's place.
  private(set) var succession: Succession?
  /// Machines that move between networks; with nothing to tell, one network each.
  private(set) var roaming = Roaming.none

  /// Share of the machine-hours that come from crowded networks, where these are few.
  private(set) var crowdedShare = 0.0

  /// Machine-hours of sources in known hosting networks that keep coming back, for each of all others.
  private(set) var hostedShare = 0.0

  private mutating func judgeHosting() {
    var hosted = 0.0
    for tag in table.tags.entries where rules.hosting.contains(table.networks[Int(tag.network)].system) {
      let hours = tag.count(table.tags.words)
      if hours >= 6 { hosted += Double(hours) }
    }
    let others = networks.reduce(0) { $0 + ($1.isDropped ? 0 : $1.machineHours) }
    hostedShare = hosted > 0 ? min(0.5, hosted / (hosted + others)) : 0
  }

  private mutating func judgeCrowds() {
    let m = measures.networks
    let usual = Visibility.median(networks.indices.filter { m[$0].addresses >= 5 }.map { m[$0].tags / m[$0].addresses })
    for n in networks.indices where networks[n].isAnchor && m[n].addresses >= 1 {
      networks[n].isCrowded = m[n].tags >= rules.tagsLeast && m[n].tags / m[n].addresses > 5 * usual
    }
    let all = networks.reduce(0) { $0 + $1.machineHours }
    let crowded = networks.reduce(0) { $0 + ($1.isCrowded ? $1.machineHours : 0) }
    crowdedShare = all > 0 && crowded < 0.2 * all ? crowded / all : 0
  }

  /// How much a profile by hour of day leans to one side, 0...1.
  static func lean(_ profile: [Double]) -> Double {
    let total = profile.reduce(0, +)
    guard total > 0 else { return 0 }
    var x = 0.0
    var y = 0.0
    for (hour, weight) in profile.enumerated() {
      let angle = Double(hour) * Double.pi / 12
      x += weight * cos(angle)
      y += weight * sin(angle)
    }
    return (x * x + y * y).squareRoot() / total
  }

  /// Networks whose sources come and go like no machine does: seen before and after an hour but not in it, or without
  /// day and night although they do not stay on.
  private func irregular() -> [Bool] {
    let day = Self.lean((0..<24).map { hour in measures.networks.reduce(0) { $0 + $1.hoursOfDay[hour] } })
    let usual = Visibility.median(measures.networks.filter { $0.around >= 50 }.map(\.sandwich))
    return measures.networks.indices.map { n in
      let m = measures.networks[n]
      if rules.hosting.contains(table.networks[n].system) { return true }
      let isFlat =
        day > 0.1 && m.tagHours > 1000 && m.runs > 0 && m.tagHours / m.runs < 12
        && Self.lean(m.hoursOfDay) < rules.flatDay * day
      if isFlat, visibility.share >= rules.visibilityPlain { return true }
      // Chance spares a network: three standard errors.
      let expected = 0.5 * usual * m.around
      if m.around >= 50 { return m.between + 3 * expected.squareRoot() < expected }
      let around = 0.25 * usual * m.tagHours
      return m.tagHours >= 200 && m.around + 3 * around.squareRoot() < min(around, 0.05 * m.tagHours)
    }
  }

  // MARK: machines behind an address

  private mutating func judgeSharing() {
    for n in networks.indices {
      let m = measures.networks[n]
      var occupancy = m.occupancy
      if sharing == .contactRate, m.tagHours > 0 {
        occupancy = max(1, contacts(of: n) / contactsOfOne / m.tagHours)
      }
      if sharing == .none, let kappa = churn(of: n)?.kappa { occupancy = kappa }
      networks[n].occupancy = occupancy
      networks[n].machineHours = m.tagHours * occupancy
      networks[n].isShared = m.tagHours >= 50 && occupancy > rules.sharedOccupancy
    }
  }

  private func churn(of network: Int) -> ChurnTable.Row? {
    let middle = table.hours.lowerBound + UInt32(table.hourCount / 2)
    return rules.churn?.row(table.networks[network].system, at: ChurnTable.Quarter(hour: middle))
  }

  private func contacts(of network: Int) -> Double {
    let row = network * table.hourCount
    return table.contacts[row..<row + table.hourCount].reduce(0, +) * table.theta
  }

  // MARK: anchors

  /// Start of the six consecutive local hours with the fewest tag-hours.
  static func quietest(_ profiles: [[Double]]) -> Int {
    let pooled = (0..<24).map { hour in profiles.reduce(0) { $0 + $1[hour] } }
    let sums = (0..<24).map { from in (0..<6).reduce(0) { $0 + pooled[(from + $1) % 24] } }
    return sums.indices.min { sums[$0] < sums[$1] } ?? 1
  }

  /// Level first, then slope: a network that has been renumbered wholly has a flat slope too (census.md B4.1).
  private mutating func chooseAnchors() {
    let m = measures.networks
    let known = networks.indices.filter {
      !networks[$0].isShared && !networks[$0].isDropped && m[$0].tags >= rules.tagsLeast && m[$0].base.short >= 200
        && novelty($0) < rules.noveltyMost
    }
    guard let best = Self.quantile(0.9, known.map { (m[$0].retention.short, m[$0].base.short) }) else { return }
    let floor = max(rules.anchorLevel * best, 0.15 * min(1, visibility.share * Double(visibility.lag)))
    let level = known.filter { m[$0].retention.short >= floor }
    var slopes: [Int: Double] = [:]
    for n in level {
      let r = m[n].retention
      guard measures.lags.long > 0, r.long > 0 else { continue }
      slopes[n] = log(r.short / r.long) / Double(measures.lags.long - measures.lags.short)
    }
    // Clean-up is common to all; what is beyond it is lost tags.
    let common = Self.quantile(0.3, slopes.map { ($0.value, m[$0.key].base.long) }.sorted { $0 < $1 }) ?? 0
    commonLoss = max(0, common)
    for n in level {
      if measures.lags.long > 0 {
        guard let slope = slopes[n] else { continue }
        networks[n].loss = max(0, slope - common)
        guard networks[n].loss * Double(table.hourCount) < rules.anchorLossMost else { continue }
      }
      networks[n].isAnchor = true
    }
    let all = networks.reduce(0) { $0 + $1.machineHours }
    anchorShare = all > 0 ? networks.reduce(0) { $0 + ($1.isAnchor ? $1.machineHours : 0) } / all : 0
  }

  /// New tags a day for each tag of a day, when the window's beginning is over; 0 in windows too short to tell.
  private func novelty(_ n: Int) -> Double {
    guard table.hourCount >= rules.windowForDays else { return 0 }
    let m = measures.networks[n]
    let days = m.tagDays[quietMiddle] * Double(table.hourCount - measures.warmUp) / Double(table.hourCount)
    return days > 0 ? m.starts.reduce(0, +) / days : 0
  }

  /// Weighted quantile; `nil` of nothing.
  static func quantile(_ q: Double, _ values: [(value: Double, weight: Double)]) -> Double? {
    let sorted = values.filter { $0.weight > 0 && $0.value.isFinite }.sorted { $0.value < $1.value }
    let total = sorted.reduce(0) { $0 + $1.weight }
    var sum = 0.0
    for entry in sorted {
      sum += entry.weight
      if sum >= q * total { return entry.value }
    }
    return nil
  }

  // MARK: machine-days

  private var quietHours: [Int] { (0..<6).map { (quietFrom + $0) % 24 } }

  private mutating func countDays() {
    let m = measures.networks
    let anchors = networks.indices.filter { networks[$0].isMeasure }
    let hoursOfAnchors = (0..<24).map { hour in anchors.reduce(0) { $0 + m[$1].hoursOfDay[hour] } }
    let floor = (0..<24).map { hour in
      hoursOfAnchors[hour] > 0 ? anchors.reduce(0) { $0 + m[$1].starts[hour] } / hoursOfAnchors[hour] : 0
    }
    let usual = (0..<24).map { hour in
      hoursOfAnchors[hour] > 0 ? anchors.reduce(0) { $0 + m[$1].returns[hour] } / hoursOfAnchors[hour] : 0
    }
    let hourCount = Double(table.hourCount)
    let whole = hourCount / max(1, hourCount - Double(measures.warmUp))
    for n in networks.indices {
      let days = m[n].tagDays
      let cut = days.indices.min { days[$0] < days[$1] } ?? quietMiddle
      networks[n].cut = days[cut] < 0.98 * days[quietMiddle] ? cut : quietMiddle
      var extra = 0.0
      var rates: [Double] = []
      var turns: [Double] = []
      // New tags in the night are renumbering: nobody switches on. Those at the cut begin a day and are no extra.
      for hour in quietHours where hour != networks[n].cut {
        let hours = m[n].hoursOfDay[hour]
        guard hours > 20 else { continue }
        let more = m[n].starts[hour] - floor[hour] * hours
        rates.append(max(0, more / hours))
        turns.append(m[n].returns[hour] / hours - usual[hour])
        extra += max(0, more)
      }
      // Where sights are rare a tag is often first seen long after it was given out.
      let seesAll = visibility.share >= rules.visibilityPlain
      let steady = seesAll && !rates.isEmpty ? Visibility.median(rates) : 0
      if !seesAll { extra = 0 }
      let awake = (0..<24).filter { !quietHours.contains($0) }.reduce(0) { $0 + m[n].hoursOfDay[$1] }
      if !networks[n].isMeasure { extra = (extra + steady * awake) * whole } else { extra = 0 }
      // In a small pool an address comes back to its fingerprint: stretches that begin in the night tell, new tags do
      // not.
      if seesAll, !networks[n].isMeasure, !turns.isEmpty, Visibility.median(turns) > rules.rotationHazard {
        networks[n].isShared = true
      }
      let tagDays = days[networks[n].cut]
      networks[n].machineDays =
        max(m[n].tagHours / 24, tagDays - extra)
        * (sharing == .fingerprints ? m[n].occupancyOfDay : networks[n].occupancy)
    }
  }

  /// Where anchors are too few: networks whose tags change too often for anchors, but at a rate that another botnet
  /// has shown.
  private mutating func chooseLearned() {
    let anchors = networks.count { $0.isAnchor }
    guard rules.churn != nil, anchors < rules.anchorsLeast || anchorShare < rules.anchorShareLeast else { return }
    let m = measures.networks
    for n in networks.indices
    where !networks[n].isAnchor && !networks[n].isShared && !networks[n].isDropped && m[n].tags >= rules.tagsLeast {
      // Where addresses hardly outlive a day a machine's pauses hide how many it has.
      guard let row = churn(of: n), let rate = row.lambda, rate < rules.learnedRateMost,
        rate * m[n].span < rules.learnedLossMost * m[n].tags
      else { continue }
      networks[n].learned = (rate, row.lambdaError)
    }
    let all = networks.reduce(0) { $0 + $1.machineHours }
    learnedShare = all > 0 ? networks.reduce(0) { $0 + ($1.learned != nil ? $1.machineHours : 0) } / all : 0
  }

  /// Machines of a network that tells them: its tags, less those that took another's place. How many did is seen by
  /// fingerprints, or known from another botnet, or guessed from how tags vanish.
  private func anchoredMachines(_ n: Int, _ residence: Double) -> Double {
    let m = measures.networks[n]
    let machines = m.machinesInWindow * (sharing == .none ? networks[n].occupancy : 1) * (1 + neverSeen)
    if networks[n].isAnchor, let share = knownSuccession { return machines * (1 - share) }
    if let rate = networks[n].learned?.rate ?? churn(of: n)?.lambda {
      return machines * max(0.1, 1 - rate * m.span / max(1, m.tags))
    }
    return machines / (1 + networks[n].loss * residence)
  }

  /// Share of the anchors' tags that took another's place, where it is told well enough.
  var knownSuccession: Double? { succession.flatMap { $0.error < 0.05 ? $0.share : nil } }

  private mutating func settleAnchors() {
    let m = measures.networks
    var stay = (sum: 0.0, tags: 0.0)
    for n in networks.indices where networks[n].isAnchor && networks[n].loss * Double(table.hourCount) < 0.2 {
      stay.sum += m[n].span
      stay.tags += m[n].tags
    }
    let residence = stay.tags > 0 ? stay.sum / stay.tags : 0
    succession = Succession(self, among: networks.indices.filter { networks[$0].isAnchor })
    let measuring = networks.indices.filter { networks[$0].isMeasure }
    var few = FewHours()
    for n in measuring { few.add(m[n].byHours) }
    if visibility.share < rules.visibilityPlain, few.all > 0 {
      neverSeen = min(0.5, few.unseen(few.one * oneShots.anchors) / few.all)
    }
    var total = (days: 0.0, hours: 0.0, machines: 0.0, open: 0.0)
    for n in measuring {
      networks[n].anchored = anchoredMachines(n, residence)
      total.days += networks[n].machineDays
      total.hours += networks[n].machineHours
      total.machines += networks[n].anchored
      if let learned = networks[n].learned { total.open += (0.06 * learned.rate + learned.error) * m[n].span }
    }
    guard total.machines > 0, total.days > 0 else { return }
    if knownSuccession == nil, measuring.allSatisfy({ networks[$0].learned == nil && churn(of: $0)?.lambda == nil }) {
      let least = measuring.reduce(0) { sum, n in
        let loss = networks[n].loss * residence
        return sum + networks[n].anchored * (1 + loss) / (1 + loss + commonLoss * residence)
      }
      leastAfterLoss = least / total.machines
    }
    daysPerMachine = total.days / total.machines
    hoursPerMachine = total.hours / total.machines
    learnedDeviation = total.open / total.machines
    for n in networks.indices where networks[n].isShared {
      networks[n].machineDays = networks[n].machineHours * total.days / total.hours
    }
  }
}
