import Glibc

/// log level = a + b·(weeks since the first day) + a step for each known change of the sensors, by least squares.
struct LogLine: Sendable {
  /// Intercept, slope per week, steps.
  private(set) var coefficients: [Double]
  /// Days with a level that the fit rests on, as offsets from the first day.
  private(set) var known: [Int]
  private(set) var residuals: [Double]
  private let steps: [Int]

  var slope: Double { coefficients[1] }

  /// `nil` when the days do not tell the coefficients apart.
  init?(_ days: [DailyLevel], steps: [Int] = []) {
    self.steps = steps
    let known = days.indices.filter { days[$0].log != nil }
    self.known = known
    let logs = known.compactMap { days[$0].log }
    guard known.count > 4 + steps.count else { return nil }
    let solver = Solver(known.map { Self.row($0, steps) })
    guard let coefficients = solver?.solve(logs) else { return nil }
    self.coefficients = coefficients
    residuals = zip(known, logs).map { day, log in log - Self.dot(Self.row(day, steps), coefficients) }
  }

  static func row(_ day: Int, _ steps: [Int]) -> [Double] {
    [1, (Double(day) + 0.5) / 7] + steps.map { day >= $0 ? 1 : 0 }
  }

  static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    var i = 0
    while i < min(a.count, b.count) {
      sum += a[i] * b[i]
      i += 1
    }
    return sum
  }

  func value(_ day: Int) -> Double { Self.dot(Self.row(day, steps), coefficients) }

  /// What the steps add on a day: the sensors' part, not the botnet's.
  func step(_ day: Int) -> Double { value(day) - coefficients[0] - slope * (Double(day) + 0.5) / 7 }

  var solver: Solver? { Solver(known.map { Self.row($0, steps) }) }

  func row(_ day: Int) -> [Double] { Self.row(day, steps) }

  /// Least squares by the normal equations, whose inverse serves every resample.
  struct Solver: Sendable {
    private let rows: [[Double]]
    private let inverse: [[Double]]

    init?(_ rows: [[Double]]) {
      guard let width = rows.first?.count, let inverse = Self.inverted(Self.normal(rows, width)) else { return nil }
      self.rows = rows
      self.inverse = inverse
    }

    func solve(_ values: [Double]) -> [Double] {
      var right = [Double](repeating: 0, count: inverse.count)
      var i = 0
      while i < min(rows.count, values.count) {
        var k = 0
        while k < right.count {
          right[k] += rows[i][k] * values[i]
          k += 1
        }
        i += 1
      }
      return inverse.map { LogLine.dot($0, right) }
    }

    private static func normal(_ rows: [[Double]], _ width: Int) -> [[Double]] {
      var matrix = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
      for row in rows {
        for i in 0..<width { for j in 0..<width { matrix[i][j] += row[i] * row[j] } }
      }
      return matrix
    }

    /// Gauss and Jordan with pivots; `nil` for a singular matrix.
    private static func inverted(_ matrix: [[Double]]) -> [[Double]]? {
      let n = matrix.count
      var m = matrix.enumerated().map { i, row in row + (0..<n).map { $0 == i ? 1 : 0 } }
      for column in 0..<n {
        guard let pivot = (column..<n).max(by: { abs(m[$0][column]) < abs(m[$1][column]) }),
          abs(m[pivot][column]) > 1e-9
        else { return nil }
        m.swapAt(column, pivot)
        let scale = m[column][column]
        m[column] = m[column].map { $0 / scale }
        for row in 0..<n where row != column {
          let factor = m[row][column]
          m[row] = zip(m[row], m[column]).map { $0 - factor * $1 }
        }
      }
      return m.map { Array($0[n...]) }
    }
  }
}
