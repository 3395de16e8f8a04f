import Glibc

/// What share of the machines that are on an hour shows, from gaps in what was seen (census.md B1).
///
/// The *sandwich*: of the tags seen `lag` hours before and after an hour, the share seen in it. Machines that are
/// seen more often weigh more in it, so where many are missed each tag gets a share of its own. (census.md proposes
/// p2²/p3 with p2 = r(1)²/r(2); r falls when people switch off, so that erred by 6 to 13 % here.)
struct Visibility: Sendable {
  /// Share of the live machines that call and are seen within an hour.
  var share: Double
  /// As measured by the sandwich alone.
  var sandwich: Double
  /// Hours between check-ins when machines call less than once an hour, else 1.
  var lag: Int
  /// By hour of the window, relative to `share`; 1 where too little was seen to tell.
  var byHour: [Double]
  /// Tag-hours that the sandwich rests on.
  var base: Double
  /// What several sensors say of its standard error; `nil`: it rests on gaps alone.
  private(set) var errorOfSensors: Double?

  static let unknown = Visibility()

  private init() {
    share = 1
    sandwich = 1
    lag = 1
    byHour = []
    base = 0
  }

  /// - Parameter skip: networks that are left out because a tag there is many machines.
  init(_ tags: CensusTable.Tags, hourCount: Int, lag: Int, skip: Set<Int32>, rules: CensusRules) {
    self = .unknown
    self.lag = lag
    var both = [Double](repeating: 0, count: hourCount)
    var middle = both
    for tag in tags.entries where !skip.contains(tag.network) {
      tag.forEachWord(tags.words) { index, bits in
        guard bits != 0 else { return }
        let b = tag.word(tags.words, index, after: lag)
        var around = bits & tag.word(tags.words, index, after: 2 * lag)
        while around != 0 {
          let bit = around.trailingZeroBitCount
          let hour = index * 64 + bit + lag
          both[hour] += 1
          if b >> UInt64(bit) & 1 == 1 { middle[hour] += 1 }
          around &= around &- 1
        }
      }
    }
    settle(both, middle, rules)
    if sandwich < rules.visibilityPlain { share = Self.evened(tags, lag, skip, sandwich) / Double(lag) }
  }

  /// The share for machines instead of for sights of machines: each tag that was seen long enough has a share of its
  /// own, drawn towards the common one by a Beta prior whose strength is what the tags' spread asks for, and counts
  /// by the hours for which it must have been on.
  private static func evened(_ tags: CensusTable.Tags, _ lag: Int, _ skip: Set<Int32>, _ sandwich: Double) -> Double {
    var known: [(seen: Double, around: Double, between: Double)] = []
    for tag in tags.entries where !skip.contains(tag.network) {
      var around = 0
      var between = 0
      tag.forEachWord(tags.words) { index, bits in
        guard bits != 0 else { return }
        let both = bits & tag.word(tags.words, index, after: 2 * lag)
        around += both.nonzeroBitCount
        between += (both & tag.word(tags.words, index, after: lag)).nonzeroBitCount
      }
      if around >= 2 { known.append((Double(tag.count(tags.words)), Double(around), Double(between))) }
    }
    guard known.count >= 50 else { return sandwich }
    let mean = known.reduce(0) { $0 + $1.between / $1.around } / Double(known.count)
    var spread = 0.0
    var noise = 0.0
    for tag in known {
      let gap = tag.between / tag.around - mean
      spread += gap * gap
      noise += mean * (1 - mean) / tag.around
    }
    let real = max(1e-4, (spread - noise) / Double(known.count))
    let strength = max(1, mean * (1 - mean) / real - 1)
    var seen = 0.0
    var on = 0.0
    for tag in known {
      seen += tag.seen
      on += tag.seen * (tag.around + strength) / (tag.between + strength * mean)
    }
    let share = min(1, seen / on)
    // Tags seen too seldom to have a share of their own are not among these: the step from sights to tags is taken
    // on, the further the more is missed. The exponent was set on tuning seeds (docs/census.md).
    return share * pow(min(1, share / sandwich), 0.75 * (1 - sandwich))
  }

  /// One standard deviation of the logarithm of `share`: a part of what is missed, or what recapture knows.
  var error: Double { errorOfSensors ?? 0.25 * abs(log(share * Double(lag))) }

  /// Takes the share over from three sensors or more, where many machines are missed.
  ///
  /// Gaps see machines that are seen often; matching sensors do not mind. Sensors that get copies of each call see
  /// callers and not machines: then they say far more than the gaps do, and nothing is taken over.
  mutating func take(_ sensors: SensorEstimator, _ rules: CensusRules) {
    let known = sensors.showing.filter { $0 > 0 }
    guard sensors.shares.count >= 3, sensors.residual < 0.5, sensors.matches >= 100, share < rules.visibilityPlain,
      !known.isEmpty, byHour.count == sensors.showing.count
    else { return }
    let mean = known.reduce(0, +) / Double(known.count)
    guard (0.4...1.4).contains(mean / Double(lag) / share) else { return }
    share = mean / Double(lag)
    byHour = sensors.showing.map { $0 / mean }
    errorOfSensors = sensors.deviation
  }

  private mutating func settle(_ both: [Double], _ middle: [Double], _ rules: CensusRules) {
    // Silent hours are known by themselves; they must not make all others look blind.
    let typical = Self.median(zip(both, middle).filter { $0.0 >= 20 }.map { $0.1 / $0.0 })
    var sum = (both: 0.0, middle: 0.0)
    for i in both.indices where both[i] < 20 || middle[i] / both[i] > 0.5 * typical {
      sum.both += both[i]
      sum.middle += middle[i]
    }
    base = sum.both
    byHour = [Double](repeating: 1, count: both.count)
    guard sum.both >= 50, sum.middle > 0 else { return }
    let p3 = sum.middle / sum.both
    sandwich = p3
    share = p3
    share /= Double(lag)
    for i in both.indices where both[i] >= 20 {
      // Shrunk to the whole by a hundred tags' worth.
      byHour[i] = (middle[i] + 100 * p3) / (both[i] + 100) / p3
      if middle[i] / both[i] < 0.5 * typical { byHour[i] = middle[i] / both[i] / p3 }
    }
  }

  /// Hours between check-ins: the lag at which tags come again, when it is clearly not every hour.
  static func lag(_ tags: CensusTable.Tags, hourCount: Int) -> Int {
    let most = min(12, hourCount / 6)
    guard most > 1 else { return 1 }
    var again = [Double](repeating: 0, count: most + 1)
    for tag in tags.entries.prefix(200_000) {
      tag.forEachWord(tags.words) { index, bits in
        guard bits != 0 else { return }
        for lag in 1...most {
          again[lag] += Double((bits & tag.word(tags.words, index, after: lag)).nonzeroBitCount)
        }
      }
    }
    let best = (1...most).max { again[$0] < again[$1] } ?? 1
    return again[best] > 2 * again[1] ? best : 1
  }

  static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 1 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
