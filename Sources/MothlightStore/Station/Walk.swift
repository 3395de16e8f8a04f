import GRDB

/// Goes over a table of a damaged file and takes what can be read.
struct Walk {
  private let db: Database
  private let table: String
  private let key: String
  private let columns: String
  /// Stretches that could not be read.
  private(set) var gaps = 0

  init(_ db: Database, table: String, key: String = "id", columns: String) {
    self.db = db
    self.table = table
    self.key = key
    self.columns = columns
  }

  /// Farthest that is looked past an unreadable place: further than any two rows lie apart.
  private static let stepMost: Int64 = 1 << 62

  /// - Parameter range: keys that are wanted.
  /// - Parameter body: gets the key and the columns; what it throws as a `BodyDefect` is a gap too.
  mutating func each(in range: ClosedRange<Int64>, _ body: (Int64, SQLRow) throws -> Void) throws {
    var from = range.lowerBound
    while from <= range.upperBound {
      var last: Int64?
      do {
        let select = try Prepared(
          db, "SELECT \(key), \(columns) FROM \(table) NOT INDEXED WHERE \(key) BETWEEN ? AND ? ORDER BY \(key)")
        try select.bind(.integer(from), .integer(range.upperBound)).each { row in
          let id = row.integer(0)
          last = id
          do { try body(id, row) } catch is BodyDefect { gaps += 1 }
          return true
        }
        return
      } catch let error as DatabaseError where Self.isDamage(error) {
        gaps += 1
        let start = last.map { $0 &+ 1 } ?? from
        // The first key that is there again; its own row may be what cannot be read.
        guard start > from || last == nil, let next = try following(start, range.upperBound) else { return }
        from = last == nil && next == from ? from &+ 1 : next
      }
    }
  }

  static func isDamage(_ error: DatabaseError) -> Bool {
    [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_IOERR].contains(error.resultCode)
  }

  /// The next key from `start` on that can be found, `nil` when there is none.
  /// - Complexity: some 120 look-ups.
  private func following(_ start: Int64, _ end: Int64) throws -> Int64? {
    if case .found(let key) = try find(start, end) { return key }
    var (bad, step) = (start, 1 as Int64)
    while step < Self.stepMost {
      let (place, isTooFar) = start.addingReportingOverflow(step)
      guard !isTooFar, place <= end else { return nil }
      switch try find(place, end) {
      case .found(var key):
        // Between the last place that failed and this one.
        var good = place
        while good - bad > 1 {
          let middle = bad + (good - bad) / 2
          if case .found(let nearer) = try find(middle, end) {
            (good, key) = (middle, nearer)
          } else {
            bad = middle
          }
        }
        return key
      case .none: return nil
      case .damaged:
        bad = place
        step <<= 1
      }
    }
    return nil
  }

  private enum Found {
    case found(Int64)
    case none, damaged
  }

  private func find(_ start: Int64, _ end: Int64) throws -> Found {
    do {
      let select = try Prepared(
        db, "SELECT \(key) FROM \(table) NOT INDEXED WHERE \(key) BETWEEN ? AND ? ORDER BY \(key) LIMIT 1")
      return try select.bind(.integer(start), .integer(end)).integer().map { .found($0) } ?? .none
    } catch let error as DatabaseError where Self.isDamage(error) { return .damaged }
  }
}
