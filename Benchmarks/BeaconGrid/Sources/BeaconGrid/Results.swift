import Mothlight

/// A way to score a pair: higher is more like a bot.
enum Method: String, CaseIterable, Sendable {
  case mothlightTimer = "mothlight_timer"
  case ritaTimestamps = "rita_timestamps"
  case ritaScore = "rita_score"
  case dispersion = "cv"
  case mothlightPair = "mothlight_pair"
  case ritaThreat = "rita_threat"
  case mothlightRolling = "mothlight_pair_rolling"
  case ritaRolling = "rita_threat_rolling"

  static let timing: [Method] = [.mothlightTimer, .ritaTimestamps, .ritaScore, .dispersion]
  static let funnel: [Method] = [.mothlightPair, .ritaThreat, .ritaRolling, .mothlightRolling]

  var title: String {
    switch self {
    case .mothlightTimer: "Mothlight, timer"
    case .ritaTimestamps: "RITA, timestamps"
    case .ritaScore: "RITA, score"
    case .dispersion: "CV"
    case .mothlightPair: "Mothlight, pair"
    case .mothlightRolling: "Mothlight, pair, rolling"
    case .ritaThreat: "RITA, threat"
    case .ritaRolling: "RITA, threat, rolling"
    }
  }
}

/// Scores of one table: of pairs that are no bots, and of the bots of each cell, by method.
struct Scores: Sendable {
  var methods: [Method]
  /// By method, then pair.
  var null: [[Double]] = []
  /// By cell, then trial, then method.
  var bots: [[[Double]]] = []

  /// A score that at most the share `rate` of the null exceeds.
  func threshold(_ method: Int, rate: Double) -> Double {
    let sorted = null[method].sorted(by: >)
    let place = Int(Double(sorted.count) * rate)
    return place < sorted.count ? sorted[place] : -.infinity
  }

  /// Bots found in each cell, by method. Of the null's pairs that score the threshold exactly, as many count as the rate has
  /// room for, and of the bots the same share: what a coin thrown at the threshold would find.
  func detected(rate: Double) -> [[Int]] {
    let limits = methods.indices.map { m -> (threshold: Double, share: Double) in
      let threshold = threshold(m, rate: rate)
      let above = null[m].count(where: { $0 > threshold })
      let equal = null[m].count(where: { $0 == threshold })
      guard threshold > -1e9, equal > 0 else { return (threshold, 0) }
      return (threshold, max(0, Double(null[m].count) * rate - Double(above)) / Double(equal))
    }
    return bots.map { trials in
      methods.indices.map { m in
        let above = trials.count(where: { $0[m] > limits[m].threshold })
        let equal = trials.count(where: { $0[m] == limits[m].threshold })
        return above + Int((Double(equal) * limits[m].share).rounded())
      }
    }
  }
}

/// Settings of a run. The seeds of a report are used for nothing else.
enum Grid {
  static let trials = 40
  static let rates = [0.01, 0.001]
  static let reportedSeed: UInt64 = 71_201
  static let nullSeed: UInt64 = 71_202
  static let timerlessPairs = 20_000

  /// Works on all of `0..<count`, two at a time, and gives the results in order.
  static func map<T: Sendable>(_ count: Int, _ work: @escaping @Sendable (Int) -> T) async -> [T] {
    await withTaskGroup(of: (Int, T).self) { group in
      var results = [T?](repeating: nil, count: count)
      var next = 0
      while next < min(count, 4) {
        let index = next
        group.addTask { (index, work(index)) }
        next += 1
      }
      for await (index, value) in group {
        results[index] = value
        if next < count {
          let index = next
          group.addTask { (index, work(index)) }
          next += 1
        }
      }
      return results.compactMap { $0 }
    }
  }
}
