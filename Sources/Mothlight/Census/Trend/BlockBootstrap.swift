import Glibc

/// Interval of a line's slope, and its band, by resampling whole weeks of residuals (Künsch 1989; Carlstein 1986).
///
/// Weeks keep what days within them share. With few weeks percentiles are too narrow, so deviations are widened by the degrees of
/// freedom that the weeks leave, by Student's t over the normal, and by what one week keeps of the week before.
struct BlockBootstrap: Sendable {
  /// Slope per week, 95 %.
  private(set) var slope = CensusRange(low: 0, value: 0, high: 0)
  /// The fitted curve in machines, 95 %, for each day.
  private(set) var band: [CensusRange] = []

  /// - Parameter residuals: of the known days, from the curve that is held to be true.
  init(_ line: LogLine, residuals: [Double], _ days: [DailyLevel], seed: UInt64) {
    let blocks = Self.weeks(line)
    let freedom = max(1, blocks.count - line.coefficients.count)
    let rho = Self.memory(blocks, residuals)
    // Weeks that resemble the week before count for fewer.
    let effective = max(2, Int((Double(freedom) * (1 - rho) / (1 + rho)).rounded()))
    let widening =
      (Double(blocks.count) / Double(freedom) * (1 + rho) / (1 - rho)).squareRoot()
      * Student.quantile975(freedom: min(freedom, effective)) / 1.96
    var random = RandomSource(seed: seed, stream: 0x7e4d)
    var slopes: [Double] = []
    var curves = [[Double]](repeating: [], count: days.count)
    let rows = days.indices.map { line.row($0) }
    let solver = line.solver
    for _ in 0..<TrendModel.resamples {
      guard let solver else { break }
      let noise = Self.resampled(blocks, residuals, &random)
      let shift = solver.solve(noise.map { $0 * widening })
      slopes.append(shift[1])
      for i in days.indices { curves[i].append(LogLine.dot(rows[i], shift)) }
    }
    let ends = Self.ends(&slopes)
    slope = CensusRange(low: line.slope + ends.low, value: line.slope, high: line.slope + ends.high)
    band = days.indices.map { i in
      let value = line.value(i)
      let ends = Self.ends(&curves[i])
      return CensusRange(low: exp(value + ends.low), value: exp(value), high: exp(value + ends.high))
    }
  }

  /// Positions among the known days, week by week; a last piece of less than four days joins the one before.
  private static func weeks(_ line: LogLine) -> [Range<Int>] {
    var starts: [Int] = []
    for (i, day) in line.known.enumerated() where starts.isEmpty || day / 7 != line.known[i - 1] / 7 {
      starts.append(i)
    }
    if starts.count > 1, line.known.count - (starts.last ?? 0) < 4 { starts.removeLast() }
    return starts.enumerated().map { $1..<($0 + 1 < starts.count ? starts[$0 + 1] : line.known.count) }
  }

  /// Autocorrelation ρ of the weekly means, corrected for the bias that a fitted line and few weeks give it (Marriott and Pope
  /// 1954); 0 below six weeks, where it cannot be told.
  private static func memory(_ blocks: [Range<Int>], _ residuals: [Double]) -> Double {
    guard blocks.count >= 6 else { return 0 }
    let means = blocks.map { block in residuals[block].reduce(0, +) / Double(block.count) }
    let squares = means.reduce(0) { $0 + $1 * $1 }
    guard squares > 0 else { return 0 }
    let raw = zip(means, means.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / squares
    let n = Double(blocks.count)
    return max(0, min(0.8, (raw + 2 / n) / (1 - 4 / n)))
  }

  /// Each week's place is filled with the residuals of a week drawn from all, its sign turned at random: few weeks are few blocks.
  private static func resampled(
    _ blocks: [Range<Int>], _ residuals: [Double], _ random: inout RandomSource
  ) -> [Double] {
    var noise: [Double] = []
    noise.reserveCapacity(residuals.count)
    for place in blocks {
      guard let source = random.pick(blocks) else { continue }
      let sign = random.chance(0.5) ? 1.0 : -1.0
      for j in 0..<place.count { noise.append(sign * residuals[source.lowerBound + j % source.count]) }
    }
    return noise
  }

  private static func ends(_ values: inout [Double]) -> (low: Double, high: Double) {
    guard !values.isEmpty else { return (0, 0) }
    values.sort()
    func point(_ share: Double) -> Double { values[min(values.count - 1, Int(share * Double(values.count)))] }
    return (point(0.025), point(0.975))
  }
}

/// Student's t.
enum Student {
  /// Its 97.5 % point: exact for one and two degrees of freedom, else by Cornish and Fisher's expansion to the third order
  /// (Abramowitz and Stegun 26.7.5; within 1 % from three degrees of freedom).
  static func quantile975(freedom: Int) -> Double {
    if freedom <= 1 { return 12.706 }
    if freedom == 2 { return 4.303 }
    let z = 1.959_964
    let v = Double(freedom)
    let z2 = z * z
    let first = z * (z2 + 1) / (4 * v)
    let second = z * ((5 * z2 + 16) * z2 + 3) / (96 * v * v)
    let third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v)
    return z + first + second + third
  }
}
