import GRDB

/// Ids of rows of detail: the day in the upper half, a number within the day in the lower one.
enum RowID {
  static func day(_ id: Int64) -> Int { Int(id >> 32) }
  static func place(_ id: Int64) -> Int64 { id & 0xffff_ffff }
  static func id(_ day: Int, place: Int64) -> Int64 { Int64(day) << 32 | place }

  /// Ids of the rows of some days; days beyond those that a timestamp can have are clamped.
  static func range(_ days: ClosedRange<Int>) -> ClosedRange<Int64> {
    let first = Int64(max(-dayMost, min(dayMost, days.lowerBound)))
    let last = Int64(max(-dayMost, min(dayMost, days.upperBound)))
    return (first << 32)...((last << 32) | 0xffff_ffff)
  }

  static func range(_ day: Int) -> ClosedRange<Int64> { range(day...day) }

  /// Years 1678 to 2262, and some.
  static let dayMost = 1_000_000

  /// The 32,768 ids that an index with random keys keeps together: some 200 pages, which a large transaction fills and then leaves
  /// alone. The schema says so, too (`id >> 15`).
  static func stretch(_ id: Int64) -> Int64 { id >> 15 }

  /// Stretches of one day's findings, `nil` without any.
  static func stretches(_ db: Database, _ day: Int) throws -> ClosedRange<Int64>? {
    let range = range(day)
    let most = try Prepared(db, "SELECT MAX(id) FROM finding WHERE id BETWEEN ? AND ?")
    guard let last = try most.bind(.integer(range.lowerBound), .integer(range.upperBound)).integer() else { return nil }
    return stretch(range.lowerBound)...stretch(last)
  }
}
