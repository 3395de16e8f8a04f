/// Ids of rows of detail: the day in the upper half, a number within the day in the lower one.
enum RowID {
  static func day(_ id: Int64) -> Int { Int(id >> 32) }
  static func place(_ id: Int64) -> Int64 { id & 0xffff_ffff }

  /// Ids of the rows of some days; days beyond those that a timestamp can have are clamped.
  static func range(_ days: ClosedRange<Int>) -> ClosedRange<Int64> {
    let first = Int64(max(-dayMost, min(dayMost, days.lowerBound)))
    let last = Int64(max(-dayMost, min(dayMost, days.upperBound)))
    return (first << 32)...((last << 32) | 0xffff_ffff)
  }

  static func range(_ day: Int) -> ClosedRange<Int64> { range(day...day) }

  /// Years 1678 to 2262, and some.
  static let dayMost = 1_000_000
}
