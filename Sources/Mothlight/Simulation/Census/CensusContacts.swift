import Glibc

/// How many check-ins of an hour arrive, for machines of different visibility: a table of the distribution for each of 64
/// steps, so that a draw costs one comparison or two.
struct CensusContacts: Sendable {
  /// Steps of an eighth of an octave, from 1 down to 1/235.
  static let levels = 64
  private static let most = 128
  /// Bounds of the distribution function in 2^32nds.
  private var bounds: [UInt32] = []
  /// Where to begin by the upper octet of the draw.
  private var starts: [UInt8] = []

  init(checkInSeconds: Double, loss: Double) {
    let rate = 3600 / checkInSeconds
    for level in 0..<Self.levels {
      let share = Self.visibility(of: level) * (1 - loss)
      let masses = checkInSeconds >= 1800 ? Self.poisson(rate * share) : Self.thinned(rate, share)
      var sum = 0.0
      var row: [UInt32] = []
      for mass in masses.prefix(Self.most) {
        sum += mass
        row.append(UInt32(clamping: Int(min(1, sum) * 4_294_967_296)))
      }
      row += [UInt32](repeating: .max, count: Self.most - row.count)
      row[Self.most - 1] = .max
      for octet in 0..<256 {
        let draw = UInt32(octet) << 24
        starts.append(UInt8(row.firstIndex { $0 > draw } ?? 0))
      }
      bounds += row
    }
  }

  static func visibility(of level: Int) -> Double { exp2(-Double(level) / 8) }

  /// The nearest step to a visibility.
  static func level(of visibility: Double) -> Int {
    max(0, min(levels - 1, Int((-8 * log2(max(1e-9, min(1, visibility)))).rounded())))
  }

  @inline(__always)
  func count(_ level: Int, _ draw: UInt32) -> Int {
    var n = Int(starts[level << 8 | Int(draw >> 24)])
    let base = level &* Self.most
    while n < Self.most - 1, bounds[base &+ n] <= draw { n &+= 1 }
    return n
  }

  private static func poisson(_ mean: Double) -> [Double] {
    var mass = exp(-mean)
    var out: [Double] = []
    for n in 0..<most {
      out.append(mass)
      mass *= mean / Double(n + 1)
    }
    return out
  }

  /// Regular check-ins, so the whole number below or above the rate, each arriving by itself.
  private static func thinned(_ rate: Double, _ share: Double) -> [Double] {
    let below = Int(rate)
    let above = rate - Double(below)
    return zip(binomial(below, share), binomial(below + 1, share)).map { $0 * (1 - above) + $1 * above }
  }

  private static func binomial(_ trials: Int, _ p: Double) -> [Double] {
    (0..<most).map { n in
      guard n <= trials else { return 0 }
      guard p > 0, p < 1 else { return n == (p > 0 ? trials : 0) ? 1 : 0 }
      let choose = (0..<n).reduce(1.0) { $0 * Double(trials - $1) / Double($1 + 1) }
      return choose * exp(Double(n) * log(p) + Double(trials - n) * log(1 - p))
    }
  }
}
