/// Typing errors between what was asked for and the beginning of a name.
public struct NameDistance: Sendable {
  private let query: [UInt8]
  /// Errors allowed: none below four letters, one below eight, else two.
  public let most: Int
  /// Three rows in turn, one behind the other: the present one, the last, and the one before it for swaps.
  private var rows: [Int]

  /// - Parameter query: folded text, cut at 64 octets.
  public init(_ query: String) {
    self.query = Array(query.utf8.prefix(64))
    most = self.query.count < 4 ? 0 : self.query.count < 8 ? 1 : 2
    rows = Array(repeating: 0, count: 3 * (self.query.count + 1))
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment, Damerau, CACM 7(3) 1964,
  /// DOI 10.1145/363958.363994) to the best prefix of `name`; `nil` when more than allowed.
  /// - Complexity: O(query × (query + most)).
  public mutating func toPrefix(of name: String) -> Int? {
    let columns = query.count
    guard columns > 0 else { return 0 }
    let width = columns &+ 1
    for column in 0...columns { rows[column] = column }
    var best = columns
    var (before, last, now) = (2 &* width, 0, width)
    var previous: UInt8 = 0
    var leastBefore = 0
    for (i, letter) in name.utf8.prefix(columns &+ most).enumerated() {
      rows[now] = i &+ 1
      var least = i &+ 1
      for column in 1...columns {
        let asked = query[column &- 1]
        var value = min(
          rows[last &+ column] &+ 1, rows[now &+ column &- 1] &+ 1,
          rows[last &+ column &- 1] &+ (asked == letter ? 0 : 1))
        if i > 0, column > 1, asked == previous, query[column &- 2] == letter {
          value = min(value, rows[before &+ column &- 2] &+ 1)
        }
        rows[now &+ column] = value
        least = min(least, value)
      }
      best = min(best, rows[now &+ columns])
      // A swap reaches back two rows.
      if least > most, leastBefore >= most { break }
      leastBefore = least
      (before, last, now) = (last, now, before)
      previous = letter
    }
    return best <= most ? best : nil
  }
}
