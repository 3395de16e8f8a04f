import Glibc

/// Estimator A: machines from identities that the protocol carries (census.md section 2.A).
struct IdentityEstimator: Sendable {
  /// Distinct (identity, fingerprint) pairs; two fingerprints with one identity are two machines (Stone-Gross et al.
  /// 2009).
  private(set) var distinct = 0.0
  /// Pairs that recurrence does not support: sandboxes and poisoners make a fresh identity at each run.
  private(set) var unsupported = 0.0
  /// Identities that called far more seldom than a machine does: not counted.
  private(set) var brief = 0.0
  /// Identities seen in hours of which none follows another, and those of them that recurrence supports.
  private var isolated = 0.0
  private(set) var supported = 0.0
  /// Machines that no hour showed (Chao 1984); where visibility is high, 0.
  private(set) var unseen = 0.0
  /// The same if every singleton is a machine.
  private var unseenAtMost = 0.0
  /// Identities that took the place of another on the same machine.
  private(set) var replaced = 0.0
  /// Identities for each day of a tag: near 1 when one is made at each start.
  private(set) var renewal = 0.0
  /// Median hours between first and last sight.
  private(set) var lifeHours = 0.0
  private(set) var visibility: Visibility
  /// One standard error of the counts of those seen once and never.
  private var rarityError = 0.0
  /// Machines by network and hour, and in the window by network, corrected alike.
  private(set) var machines: [Double]
  private(set) var byNetwork: [Double]
  private let hourCount: Int
  private let theta: Double
  /// Weighted identities, for counts over spans of hours.
  private var kept: [(weight: Double, entry: CensusTable.Tags.Entry)] = []
  private let words: [UInt64]
  /// Hours between first and last sight, summed over identities.
  private var span = 0.0
  /// Weight of an identity seen in one hour only.
  private(set) var oneShotWeight = 1.0

  /// - Parameters:
  ///   - addresses: what B found, for its anchors and for the networks that are no machines'.
  ///   - silent: hours in which each sensor said nothing.
  init?(_ table: CensusTable, _ addresses: AddressEstimator, silent: [[Int]], rules: CensusRules) {
    guard !table.identities.isEmpty else { return nil }
    hourCount = table.hourCount
    theta = table.identityTheta
    words = table.identities.words
    let dropped = Set(addresses.networks.indices.filter { addresses.networks[$0].isDropped }.map(Int32.init))
    let ids = table.identities
    visibility = Visibility(ids, hourCount: hourCount, lag: addresses.visibility.lag, skip: dropped, rules: rules)
    if let sensors = SensorEstimator(
      ids, hourCount: hourCount, skip: dropped, silent: silent, lag: addresses.visibility.lag)
    {
      visibility.take(sensors, rules)
    }
    machines = [Double](repeating: 0, count: table.networks.count * hourCount)
    byNetwork = [Double](repeating: 0, count: table.networks.count)
    var rule = addresses.visit
    rule.seesAll = visibility.share >= rules.visibilityPlain
    var few = FewHours()
    var lives: [Double] = []
    for id in ids.entries where !dropped.contains(id.network) {
      if rule.isBrief(id, ids.words) {
        brief += 1
        continue
      }
      distinct += 1
      if rule.isIsolated(id, ids.words) { isolated += 1 }
      if !rule.seesAll || id.stretches(ids.words) == 1 { few.count(id.count(ids.words)) }
      let life = Double(id.lastHour(ids.words) - id.firstHour(ids.words))
      span += life
      lives.append(life + 1)
    }
    guard distinct > 0 else { return nil }
    lifeHours = Visibility.median(lives)
    settle(few, rules)
    let weight = oneShotWeight
    for id in ids.entries where !dropped.contains(id.network) {
      if rule.isBrief(id, ids.words) { continue }
      let w = rule.isIsolated(id, ids.words) ? weight : 1
      byNetwork[Int(id.network)] += w
      kept.append((w, id))
      id.forEachHour(ids.words) { machines[Int(id.network) * hourCount + $0] += w }
    }
    judgeTags(table, addresses)
    let factor = estimate / max(1, byNetwork.reduce(0, +) / theta)
    for n in byNetwork.indices { byNetwork[n] = byNetwork[n] / theta * factor }
  }

  private mutating func settle(_ few: FewHours, _ rules: CensusRules) {
    oneShotWeight = few.one > 0 ? few.supported(least: 0.01 * distinct / max(1, few.all)) / few.one : 1
    supported = isolated * oneShotWeight
    unsupported = isolated - supported
    guard visibility.share < rules.visibilityPlain else {
      unseenAtMost = -unsupported
      return
    }
    if let rare = few.extrapolated(shape: rules.rarityShape), few.one > 0 {
      oneShotWeight = min(1, rare.ones / few.one)
      supported = isolated * oneShotWeight
      unsupported = isolated - supported
      unseen = rare.none
      unseenAtMost = unseen - unsupported
      rarityError = rare.error
    } else {
      unseen = few.unseen(few.one * oneShotWeight)
      unseenAtMost = few.unseen(few.one)
    }
  }

  /// What tags say of identities: whether they last, and how often one follows another on the same machine.
  private mutating func judgeTags(_ table: CensusTable, _ addresses: AddressEstimator) {
    var days = 0.0
    var seen = 0.0
    var stable = (hours: 0.0, exchanged: 0.0)
    var all = stable
    let words = table.tags.words
    for tag in table.tags.entries where tag.identities > 0 && tag.identities < 255 {
      let network = addresses.networks[Int(tag.network)]
      guard !network.isShared, !network.isDropped else { continue }
      let count = Self.days(tag, words)
      if (3...5).contains(count) {
        days += Double(count)
        seen += Double(tag.identities)
      }
      let hours = Double(tag.lastHour(words) - tag.firstHour(words))
      all.hours += hours
      all.exchanged += tag.isReplaced ? 1 : 0
      guard network.isAnchor else { continue }
      stable.hours += hours
      stable.exchanged += tag.isReplaced ? 1 : 0
    }
    renewal = days > 0 ? seen / days : 0
    // One network alone, taken for stable, may be one shared by all.
    let anchors = addresses.networks.count { $0.isAnchor }
    let isKnown = stable.hours > 24 * 500 && anchors >= addresses.rules.anchorsLeast
    let rate = isKnown ? stable : all
    let most = isKnown ? 0.3 : 0.02
    // Where addresses are handed on, two machines after one another look like one with two identities.
    replaced = rate.hours > 0 ? min(most * distinct, rate.exchanged / rate.hours * span) : 0
  }

  /// Days on which a tag was seen, counted in steps of 24 hours from its first hour.
  private static func days(_ tag: CensusTable.Tags.Entry, _ words: [UInt64]) -> Int {
    let first = tag.firstHour(words)
    var day = -1
    var count = 0
    tag.forEachHour(words) { hour in
      let today = (hour - first) / 24
      if today != day { count += 1 }
      day = today
    }
    return count
  }

  /// An identity that is made at each start counts starts. Tags of shared addresses show several, too; but theirs last.
  var isMadeAtStart: Bool { renewal > 0.7 && lifeHours < 0.25 * Double(hourCount) }

  /// Distinct machines in the window. Where many are missed, singletons that nothing supports may be machines hardly
  /// seen: the answer lies in the middle between leaving them out and taking them all.
  var estimate: Double { (least * most).squareRoot() }

  private var least: Double { (distinct - unsupported - replaced + unseen) / theta }
  private var most: Double { max(least, (distinct - replaced + unseenAtMost) / theta) }

  /// One standard deviation of its logarithm: a model term, and a part of each correction.
  var deviation: Double {
    let kept = max(1, distinct - unsupported)
    let model = rarityError > 0 ? 0.15 : 0.5
    let terms = [
      0.008, 0.6 * model * supported / kept * (unsupported > 0 ? 1 : 0), model * unseen / kept, rarityError / kept,
      0.3 * replaced / kept, (theta < 1 ? 1 : 0.5) / kept.squareRoot(),
    ]
    return terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// Machine-hours of a network.
  func machineHours(of network: Int) -> Double {
    machines[network * hourCount..<(network + 1) * hourCount].reduce(0, +) / theta
  }

  /// Distinct identities seen within a span of hours of the window.
  func active(_ hours: Range<Int>) -> Double {
    var sum = 0.0
    for (weight, entry) in kept {
      for index in hours.lowerBound >> 6...(hours.upperBound - 1) >> 6 {
        var bits = entry.word(words, index)
        let from = hours.lowerBound - index * 64
        let to = hours.upperBound - index * 64
        if from > 0 { bits &= ~0 << UInt64(from) }
        if to < 64 { bits &= (1 << UInt64(to)) - 1 }
        if bits != 0 {
          sum += weight
          break
        }
      }
    }
    return sum / theta
  }

  /// From leaving all doubtful ones out to taking them all, and the doubt of either.
  var range: CensusRange {
    CensusRange(low: least * exp(-1.96 * deviation), value: estimate, high: most * exp(1.96 * deviation))
  }

  func live(_ hour: Int, network: Int? = nil) -> Double? {
    let factor = visibility.byHour.isEmpty ? 1 : visibility.byHour[hour]
    guard factor > 0.2 else { return nil }
    let seen =
      network.map { machines[$0 * hourCount + hour] }
      ?? stride(from: hour, to: machines.count, by: hourCount).reduce(0) { $0 + machines[$1] }
    return seen / theta / visibility.share / factor
  }
}
