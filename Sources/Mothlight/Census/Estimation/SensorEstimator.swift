import Glibc

/// Estimator C: live machines from what several sensors saw of the same hour (census.md section 2.C).
///
/// An address is a valid tag within an hour, so renumbering makes no false mismatch. Unequal visibility makes Chapman's and
/// Darroch's answers lower bounds; with three sensors pairs give N e^(−v) and triples N e^(−1.5 v), from which N follows when
/// visibility is log-normal.
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
