/// Follows the sequence numbers of one exporter: what was lost on the way.
///
/// Exporters disagree with their standards on what they count, so a count that keeps fitting the other unit is taken for it.
struct SequenceTracker {
  enum Unit { case records, messages }

  private(set) var unit: Unit
  /// In `unit`.
  private(set) var lost: UInt64 = 0
  /// Messages that came after later ones.
  private(set) var late: UInt64 = 0
  /// How often it began anew.
  private(set) var restarts: UInt64 = 0
  private var last: (sequence: UInt32, records: Int?)?
  /// Messages in a row that fitted the other unit alone, and what they were taken to have lost.
  private var misfits = 0
  private var misfitsLost: UInt64 = 0

  /// Messages that must fit the other unit.
  private static let misfitsMost = 4
  /// A larger step forward is a restart, not a loss: a second of the fastest exporter.
  private static let gapMost: Int32 = 1 << 20
  /// A larger step back is a restart, not a message that came late.
  private static let lateMost: Int32 = 1 << 12

  init(_ unit: Unit) { self.unit = unit }

  /// - Parameter records: data records of this message; `nil` when they could not be counted.
  mutating func note(_ sequence: UInt32, records: Int?) {
    guard let last else {
      self.last = (sequence, records)
      return
    }
    let byRecords = last.records.map { Self.step(sequence, from: last.sequence, by: UInt32(clamping: $0)) }
    let byMessages = Self.step(sequence, from: last.sequence, by: 1)
    guard let gap = unit == .records ? byRecords : byMessages else {
      self.last = (sequence, records)
      return
    }
    if gap < 0, gap >= -Self.lateMost {
      late &+= 1
      lost &-= min(lost, unit == .records ? UInt64(clamping: records ?? 0) : 1)
      return
    }
    self.last = (sequence, records)
    if gap == 0 {
      // A message of one record fits both units and tells nothing.
      if byRecords != byMessages { misfits = 0 }
      misfitsLost = misfits == 0 ? 0 : misfitsLost
    } else if gap > 0, gap <= Self.gapMost {
      lost &+= UInt64(gap)
      countMisfit((unit == .records ? byMessages : byRecords) == 0, UInt64(gap))
    } else if (unit == .records ? byMessages : byRecords) == 0 {
      countMisfit(true, 0)
    } else {
      restarts &+= 1
      misfits = 0
      misfitsLost = 0
    }
  }

  private mutating func countMisfit(_ fitsOther: Bool, _ gap: UInt64) {
    guard fitsOther else {
      misfits = 0
      misfitsLost = 0
      return
    }
    misfits += 1
    misfitsLost &+= gap
    guard misfits >= Self.misfitsMost else { return }
    unit = unit == .records ? .messages : .records
    lost &-= min(lost, misfitsLost)
    misfits = 0
    misfitsLost = 0
  }

  private static func step(_ sequence: UInt32, from last: UInt32, by count: UInt32) -> Int32 {
    Int32(bitPattern: sequence &- last &- count)
  }
}
