import Glibc

/// How many machines stand behind an address that shows `j` different fingerprints in one hour: m with
/// Σ 1 − (1 − π_k)^m = j, where π is how common each fingerprint is in the whole botnet (census.md B2).
struct Occupancy: Sendable {
  /// Machines for 0, 1, 2... fingerprints.
  private var table: [Double]
  /// Fingerprints that exist.
  let kinds: Int

  /// - Parameter tags: their hours weigh the fingerprints, so that visitors of one hour hardly count.
  init(_ tags: CensusTable.Tags) {
    var hours: [UInt64: Double] = [:]
    for tag in tags.entries where tag.fingerprint != 0 {
      hours[tag.fingerprint, default: 0] += Double(tag.count(tags.words))
    }
    self.init(shares: Array(hours.values))
  }

  init(shares: [Double]) {
    let total = shares.reduce(0, +)
    // Sorted: sums of floating-point numbers depend on their order.
    let pi = shares.filter { $0 > 0 }.sorted().map { $0 / max(total, .leastNonzeroMagnitude) }
    kinds = pi.count
    table = [0, 1]
    guard pi.count > 1 else { return }
    func shown(_ m: Double) -> Double { pi.reduce(0) { $0 + 1 - exp(m * log1p(-min($1, 1 - 1e-12))) } }
    // Rare fingerprints are hardly ever all seen: beyond 90 % of the kinds the inversion says nothing.
    var low = 1.0
    for j in 2..<max(3, min(4096, Int(Double(pi.count) * 0.9))) {
      var high = low * 2 + 2
      while shown(high) < Double(j), high < 1e7 { high *= 2 }
      var from = low
      for _ in 0..<40 {
        let middle = (from + high) / 2
        if shown(middle) < Double(j) { from = middle } else { high = middle }
      }
      low = high
      table.append(high)
    }
  }

  /// - Parameter seen: fingerprints seen, with weights; between whole numbers it is interpolated.
  func machines(_ seen: Double) -> Double {
    guard kinds > 1 else { return seen }
    let whole = Int(seen)
    guard whole + 1 < table.count else { return max(seen, table[table.count - 1]) }
    let part = seen - Double(whole)
    return table[whole] * (1 - part) + table[whole + 1] * part
  }
}
