import Glibc

/// Estimator C: live machines from what several sensors saw of the same hour (census.md section 2.C).
///
/// An address is a valid tag within an hour, so renumbering makes no false mismatch. The share that a sensor sees is
/// the share of the other sensors' sights that it saw as well in the same hour (Lincoln, Petersen, Chapman 1951; with
/// all hours together, since rare sights match rarely). Machines of unequal visibility make that too large; how much is
/// told by a third sensor: between two sights by the others a machine was on, and those two weigh the visible ones.
struct SensorEstimator: Sendable {
  /// Share of the calling machines that each sensor sees.
  private(set) var shares: [Double]
  /// Share that all sensors that spoke see, by hour of the window.
  private(set) var showing: [Double]
  /// Machines that called within an hour, mean over the hours in which a sensor spoke; with unequal visibility undone.
  private(set) var corrected = 0.0
  /// The same by Darroch's formula for all sensors at once: a lower bound.
  private(set) var darroch = 0.0
  /// Sights matched.
  private(set) var matches = 0.0
  /// Relative disagreement between pairs of sensors: large when their lists depend on each other.
  private(set) var residual = 0.0
  /// How many times more a third sensor sees of a machine between two sights by others than of any; 1 where nothing
  /// tells. And one standard error of it.
  private(set) var inequality = 1.0
  private(set) var inequalityError = 0.0

  static let sensorsMost = 8
  /// Sights that are further apart than this many calls do not tell that a machine was on between them.
  static let spanMost = 6

  /// - Parameters:
  ///   - skip: networks that are no machines'.
  ///   - silent: hours in which each sensor said nothing.
  ///   - lag: hours between check-ins.
  init?(_ tags: CensusTable.Tags, hourCount: Int, skip: Set<Int32>, silent: [[Int]], lag: Int) {
    let sensors = min(tags.bySensor.count, Self.sensorsMost)
    guard sensors >= 2 else { return nil }
    var speaks = [[Bool]](repeating: [Bool](repeating: true, count: hourCount), count: sensors)
    for (s, hours) in silent.prefix(sensors).enumerated() { for hour in hours { speaks[s][hour] = false } }
    var sights = SensorSights(sensors: sensors, hourCount: hourCount)
    for tag in tags.entries where !skip.contains(tag.network) { sights.add(tag, tags, speaks) }
    shares = sights.shares
    guard shares.allSatisfy({ $0 > 0 }) else { return nil }
    matches = sights.matches
    residual = sights.residual
    showing = []
    if sensors >= 3, matches >= 50 {
      var between = (seen: 0.0, expected: 0.0)
      for tag in tags.entries where !skip.contains(tag.network) {
        sights.addBetween(tag, tags, speaks, lag: lag, shares, &between)
      }
      if between.expected > 0, between.seen >= 50 {
        inequality = between.seen / between.expected
        // Pairs of sights look at the same sights of the third again: half as much again, as measured.
        inequalityError = 1.5 * inequality * (2 / between.seen + 1 / matches).squareRoot()
      }
    }
    settle(sights, speaks)
  }

  /// What the others see of a machine, undone where it is clearly unequal: with log-normal visibility of variance v,
  /// pairs give N e^(−v), and between two sights by others a third sees e^v times as much.
  private var undone: Double {
    let excess = inequality - 1
    return excess > 3 * inequalityError ? min(3, inequality) : 1
  }

  private mutating func settle(_ sights: SensorSights, _ speaks: [[Bool]]) {
    let own = shares.map { $0 / undone }
    shares = own
    showing = (0..<speaks[0].count).map { hour in
      1 - own.indices.reduce(1.0) { speaks[$1][hour] ? $0 * (1 - own[$1]) : $0 }
    }
    var sum = 0.0
    var hours = 0.0
    for (hour, seen) in sights.seen.enumerated() where showing[hour] > 0 {
      sum += seen / showing[hour]
      hours += 1
    }
    corrected = hours > 0 ? sum / hours : 0
    darroch = Self.darroch(sights.together.own, distinct: sights.together.distinct) / max(1, sights.together.hours)
  }

  /// One standard deviation of the logarithm of the share that is seen.
  var deviation: Double {
    let unequal = 0.5 * log(undone)
    return
      (0.02 * 0.02 + 1.5 / max(1, matches) + inequalityError * inequalityError / 4 + unequal * unequal
      + residual * residual / 16).squareRoot()
  }

  /// Solves 1 − D/N = Π (1 − n_s/N) (Darroch 1958, doi 10.2307/2333183): a lower bound under unequal visibility.
  static func darroch(_ n: [Double], distinct: Double) -> Double {
    guard distinct > 0 else { return 0 }
    var low = max(distinct, n.max() ?? 0)
    var high = low * 1e4
    for _ in 0..<80 {
      let middle = (low + high) / 2
      let missed = n.reduce(1.0) { $0 * (1 - $1 / middle) }
      if 1 - distinct / middle > missed { high = middle } else { low = middle }
    }
    return low
  }
}

/// Sights of tags by hour and sensor, added up for recapture.
struct SensorSights: Sendable {
  private let sensors: Int
  /// Tags seen by any sensor, by hour.
  private(set) var seen: [Double]
  /// Hours in which all sensors spoke: sights of each, tags seen by any, and how many such hours there are.
  private(set) var together: (own: [Double], distinct: Double, hours: Double)
  /// `s * sensors + u`: sights of s while u spoke, and those of them that u had as well.
  private var given: [Double]
  private var both: [Double]
  private var spoken: [Bool]

  init(sensors: Int, hourCount: Int) {
    self.sensors = sensors
    seen = [Double](repeating: 0, count: hourCount)
    together = ([Double](repeating: 0, count: sensors), 0, 0)
    given = [Double](repeating: 0, count: sensors * sensors)
    both = given
    spoken = [Bool](repeating: false, count: hourCount)
  }

  private func mask(_ tag: CensusTable.Tags.Entry, _ tags: CensusTable.Tags, _ hour: Int) -> Int {
    let place = tag.start + (hour >> 6) - Int(tag.firstWord)
    var mask = 0
    for s in 0..<sensors where tags.bySensor[s][place] >> UInt64(hour & 63) & 1 == 1 { mask |= 1 << s }
    return mask
  }

  mutating func add(_ tag: CensusTable.Tags.Entry, _ tags: CensusTable.Tags, _ speaks: [[Bool]]) {
    tag.forEachHour(tags.words) { hour in
      let mask = mask(tag, tags, hour)
      seen[hour] += 1
      let isWhole = speaks.allSatisfy { $0[hour] }
      if isWhole {
        if !spoken[hour] {
          spoken[hour] = true
          together.hours += 1
        }
        together.distinct += 1
      }
      for s in 0..<sensors where mask >> s & 1 == 1 {
        if isWhole { together.own[s] += 1 }
        for u in 0..<sensors where u != s && speaks[u][hour] {
          given[s * sensors + u] += 1
          if mask >> u & 1 == 1 { both[s * sensors + u] += 1 }
        }
      }
    }
  }

  var shares: [Double] {
    (0..<sensors).map { u in
      let others = (0..<sensors).filter { $0 != u }
      let all = others.reduce(0) { $0 + given[$1 * sensors + u] }
      return all > 0 ? others.reduce(0) { $0 + both[$1 * sensors + u] } / all : 0
    }
  }

  var matches: Double { both.reduce(0, +) / 2 }

  /// Of each sensor's share, as its partners tell it: the largest disagreement, beyond three standard errors.
  var residual: Double {
    guard sensors >= 3 else { return 0 }
    var worst = 0.0
    for u in 0..<sensors {
      let told = (0..<sensors).filter { $0 != u && both[$0 * sensors + u] >= 20 }
      let shares = told.map { (both[$0 * sensors + u] / given[$0 * sensors + u], 1 / both[$0 * sensors + u]) }
      guard let least = shares.min(by: { $0.0 < $1.0 }), let most = shares.max(by: { $0.0 < $1.0 }) else { continue }
      worst = max(worst, most.0 / least.0 / exp(3 * (least.1 + most.1).squareRoot()) - 1)
    }
    return worst
  }

  /// What third sensors saw between two sights of others, the hours of the sights with it, and what they would have
  /// seen of any machine.
  func addBetween(
    _ tag: CensusTable.Tags.Entry, _ tags: CensusTable.Tags, _ speaks: [[Bool]], lag: Int, _ shares: [Double],
    _ sum: inout (seen: Double, expected: Double)
  ) {
    var sights: [(hour: Int, mask: Int)] = []
    tag.forEachHour(tags.words) { sights.append(($0, mask(tag, tags, $0))) }
    for i in sights.indices {
      // Two of one sight are looked at with the next sights only once.
      for j in i..<min(sights.count, i + SensorEstimator.spanMost + 1) {
        let span = sights[j].hour - sights[i].hour
        guard span <= SensorEstimator.spanMost * lag else { break }
        guard span % lag == 0 else { continue }
        for a in 0..<sensors where sights[i].mask >> a & 1 == 1 {
          for b in 0..<sensors where b != a && sights[j].mask >> b & 1 == 1 && (i != j || a < b) {
            for c in 0..<sensors where c != a && c != b {
              for hour in stride(from: sights[i].hour, through: sights[j].hour, by: lag) where speaks[c][hour] {
                sum.expected += shares[c]
              }
              for k in i...j where sights[k].mask >> c & 1 == 1 && (sights[k].hour - sights[i].hour) % lag == 0 {
                sum.seen += 1
              }
            }
          }
        }
      }
    }
  }
}
