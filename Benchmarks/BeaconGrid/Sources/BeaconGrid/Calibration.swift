import Glibc

@testable import Mothlight

/// Makes `TimerOddsTable.swift`: what series without a timer reach, look by look, on seeds that no table of results uses.
enum Calibration {
  static let seed: UInt64 = 101
  static let series = 24_000
  static let startsFrom = [0, 12, 20, 36, 72, 144, 300]
  static let shares = [0.5, 0.9, 0.97, 0.99, 0.997]

  static func table() -> String {
    var values = [[[Double]]](
      repeating: [[Double]](repeating: [], count: startsFrom.count), count: looks.count)
    for (series, presence) in TimerlessNull.make(count: series, seed: seed, isEven: true) {
      guard let p = Periodicity.analyse(series.times, absences: presence.absences) else { continue }
      let band = startsFrom.lastIndex { $0 <= p.starts } ?? 0
      for (look, value) in [p.model.logBayesFactor, -p.dispersion, p.comb, p.autocorrelation, -p.entropy].enumerated() {
        values[look][band].append(value)
      }
    }
    var text = """
      /// Quantiles of each look over series without a timer: row by number of starts, column by share that stays below.
      ///
      /// Made by `Benchmarks/beacon-grid calibrate` from \(series) simulated series (memoryless, day and night, office visits,
      /// page loads, log-normal and heavy-tailed gaps; one to seven days; machines on all day or eight hours), seed \(seed).
      /// Do not edit.
      enum TimerOddsTable {
        /// Columns.
        static let shares = \(shares)
        /// Fewest starts of each row.
        static let startsFrom = \(startsFrom)

      """
    for (look, name) in looks.enumerated() {
      text += "  /// \(name.meaning)\n  static let \(name.name): [[Double]] = [\n"
      for band in values[look] {
        let sorted = band.sorted()
        let row = shares.map { share in
          sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        text += "    [" + row.map { Decimal.text($0, 3) }.joined(separator: ", ") + "],\n"
      }
      text += "  ]\n"
    }
    return text + "}\n"
  }

  private static let looks: [(name: String, meaning: String)] = [
    ("logBayesFactor", "Nat."), ("dispersion", "Minus the ratio."), ("comb", "Share."),
    ("autocorrelation", "Standard deviations."), ("entropy", "Minus the ratio."),
  ]
}

/// Numbers with a fixed count of digits, the same on every machine.
enum Decimal {
  static func text(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return value < 0 ? "-1e12" : "1e12" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = Int64((abs(value) * scale).rounded())
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(whole) }
    let fraction = String(whole % Int64(scale))
    return sign + String(whole / Int64(scale)) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
