import Glibc

/// Estimator C: live machines from what several sensors saw of the same hour (census.md section 2.C).
///
/// An address is a valid tag within an hour, so renumbering makes no false mismatch. Unequal visibility makes
/// Chapman's and Darroch's answers lower bounds; with three sensors pairs give N e^(−v) and triples N e^(−1.5 v),
/// from which N follows when visibility is log-normal.
struct SensorEstimator: Sendable {
  /// Machines that called within an hour, mean over the hours that could be judged.
  private(set) var chapman = 0.0
  private(set) var darroch = 0.0
  /// With three or more sensors; otherwise Chapman's.
  private(set) var corrected = 0.0
  private(set) var hours = 0
  /// Relative disagreement between pairs of sensors: large when their lists depend on each other.
  private(set) var residual = 0.0

  /// - Parameter skip: networks that are no machines'.
  init?(_ table: CensusTable, skip: Set<Int32>) {
    let count = table.tags.bySensor.count
    guard count >= 2 else { return nil }
    var cells = [[Double]](repeating: [Double](repeating: 0, count: 1 << min(count, 8)), count: table.hourCount)
    let sensors = min(count, 8)
    for tag in table.tags.entries where !skip.contains(tag.network) {
      tag.forEachHour(table.tags.words) { hour in
        let place = tag.start + (hour >> 6) - Int(tag.firstWord)
        var mask = 0
        for s in 0..<sensors where table.tags.bySensor[s][place] >> UInt64(hour & 63) & 1 == 1 { mask |= 1 << s }
        cells[hour][mask] += 1
      }
    }
    var pairs = [Double](repeating: 0, count: sensors * sensors)
    for hour in cells { add(hour, sensors, &pairs) }
    guard hours > 0 else { return nil }
    chapman /= Double(hours)
    darroch /= Double(hours)
    corrected /= Double(hours)
    let known = pairs.filter { $0 > 0 }.map { $0 / Double(hours) }
    if let least = known.min(), let most = known.max(), least > 0 { residual = most / least - 1 }
  }

  private mutating func add(_ cells: [Double], _ sensors: Int, _ pairs: inout [Double]) {
    let n = (0..<sensors).map { s in cells.indices.reduce(0) { $0 + ($1 >> s & 1 == 1 ? cells[$1] : 0) } }
    // A sensor that was away in this hour says nothing.
    let most = n.max() ?? 0
    guard most >= 30, n.allSatisfy({ $0 > 0.1 * most }) else { return }
    let distinct = cells.dropFirst().reduce(0, +)
    var logPair = 0.0
    var chapmans = 0.0
    var count = 0.0
    for i in 0..<sensors {
      for j in i + 1..<sensors {
        let both = cells.indices.reduce(0) { $0 + ($1 >> i & 1 == 1 && $1 >> j & 1 == 1 ? cells[$1] : 0) }
        let estimate = (n[i] + 1) * (n[j] + 1) / (both + 1) - 1
        pairs[i * sensors + j] += estimate
        chapmans += estimate
        logPair += log(max(1, estimate))
        count += 1
      }
    }
    hours += 1
    chapman += chapmans / count
    darroch += Self.darroch(n, distinct: distinct)
    guard let triple = Self.triple(cells, n, sensors) else {
      corrected += chapmans / count
      return
    }
    let pair = exp(logPair / count)
    corrected += min(4 * pair, max(pair, pair * pair * pair / (triple * triple)))
  }

  /// Mean over triples of sensors of sqrt(n1 n2 n3 / m123); `nil` with two sensors or no common sight.
  private static func triple(_ cells: [Double], _ n: [Double], _ sensors: Int) -> Double? {
    guard sensors >= 3 else { return nil }
    var sum = 0.0
    var count = 0.0
    for i in 0..<sensors {
      for j in i + 1..<sensors {
        for k in j + 1..<sensors {
          let mask = 1 << i | 1 << j | 1 << k
          let all = cells.indices.reduce(0) { $0 + ($1 & mask == mask ? cells[$1] : 0) }
          guard all >= 5 else { continue }
          sum += log(n[i] * n[j] * n[k] / all) / 2
          count += 1
        }
      }
    }
    return count > 0 ? exp(sum / count) : nil
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

/// Two sensors that never saw the same hour, matched over their whole windows: what is left when nothing better is
/// there.
struct WindowRecapture: Sendable {
  /// Chapman's estimate and its variance (Chapman 1951; Seber 1982), addresses seen by each and by both.
  private(set) var estimate: Double
  private(set) var variance: Double
  private(set) var seen: (first: Double, second: Double, both: Double)
  /// Hours from the first sight at either to the last.
  private(set) var span: Int

  /// `nil` unless there are two sensors with sights and no common hour.
  init?(_ tags: CensusTable.Tags, hourCount: Int) {
    guard tags.bySensor.count == 2 else { return nil }
    var hours = (first: Set<Int>(), second: Set<Int>())
    seen = (0, 0, 0)
    var ends = (Int.max, 0)
    for tag in tags.entries {
      var has = (false, false)
      tag.forEachHour(tags.bySensor[0]) {
        hours.first.insert($0)
        has.0 = true
      }
      tag.forEachHour(tags.bySensor[1]) {
        hours.second.insert($0)
        has.1 = true
      }
      seen.first += has.0 ? 1 : 0
      seen.second += has.1 ? 1 : 0
      seen.both += has.0 && has.1 ? 1 : 0
      ends = (min(ends.0, tag.firstHour(tags.words)), max(ends.1, tag.lastHour(tags.words)))
    }
    guard !hours.first.isEmpty, !hours.second.isEmpty, hours.first.isDisjoint(with: hours.second), seen.both >= 5 else {
      return nil
    }
    let (a, b, m) = (seen.first, seen.second, seen.both)
    estimate = (a + 1) * (b + 1) / (m + 1) - 1
    variance = (a + 1) * (b + 1) * (a - m) * (b - m) / ((m + 1) * (m + 1) * (m + 2))
    span = ends.1 - ends.0 + 1
  }

  /// One standard deviation of the logarithm.
  var deviation: Double { variance.squareRoot() / max(1, estimate) }
}
