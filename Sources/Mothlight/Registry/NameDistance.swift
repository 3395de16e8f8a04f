/// Typing errors between what was asked for and the beginning of a name.
public struct NameDistance: Sendable {
  private let query: [UInt8]
  /// Errors allowed: none below four letters, one below eight, else two.
  public let most: Int
  private var rows: [[Int]]

  /// - Parameter query: folded text, cut at 64 octets.
  public init(_ query: String) {
    self.query = Array(query.utf8.prefix(64))
    most = self.query.count < 4 ? 0 : self.query.count < 8 ? 1 : 2
    rows = Array(repeating: Array(repeating: 0, count: self.query.count + 1), count: 3)
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment, Damerau, CACM 7(3) 1964,
  /// DOI 10.1145/363958.363994) to the best prefix of `name`; `nil` when more than allowed.
  /// - Complexity: O(query × (query + most)).
  public mutating func toPrefix(of name: String) -> Int? {
    let columns = query.count
    guard columns > 0 else { return 0 }
    let text = Array(name.utf8.prefix(columns &+ most))
    for column in 0...columns { rows[0][column] = column }
    var best = rows[0][columns]
    // Three rows in turn: the present one, the last, and the one before it for swaps.
    for (i, letter) in text.enumerated() {
      let now = (i &+ 1) % 3
      let last = i % 3
      let before = (i &+ 2) % 3
      rows[now][0] = i &+ 1
      var least = i &+ 1
      for column in 1...columns {
        let cost = query[column &- 1] == letter ? 0 : 1
        var value = min(rows[last][column] &+ 1, rows[now][column &- 1] &+ 1, rows[last][column &- 1] &+ cost)
        if i > 0, column > 1, query[column &- 2] == letter, query[column &- 1] == text[i &- 1] {
          value = min(value, rows[before][column &- 2] &+ 1)
        }
        rows[now][column] = value
        least = min(least, value)
      }
      best = min(best, rows[now][columns])
      if least > most { break }
    }
    return best <= most ? best : nil
  }
}
