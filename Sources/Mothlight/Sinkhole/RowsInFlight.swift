/// The newest rows that have left the tables, kept in the tally's file beside them.
///
/// A row that was handed to the spool is on no disk for some seconds, and its place in the table counts the next hour already: a
/// process killed then would take the hour's count with it. The next process finds the row here and asks the spool whether it came.
struct RowsInFlight {
  /// More than the queue to the spool, what its writer has in hand and one block hold together.
  static let rows = 1 << 18
  /// Seconds after which a row is durable, or lost to a full disk and told as lost.
  static let secondsMost: UInt64 = 600
  private static let headOctets = 64
  private static let rowOctets = MemoryLayout<Row>.stride
  static let octets = headOctets + rows * rowOctets

  struct Row {
    var key: UInt64 = 0
    var second: UInt32 = 0
    var isV4: UInt32 = 0
    var record = SourceRecord()
  }

  private let base: UnsafeMutableRawPointer

  /// - Parameter base: `octets` octets on a boundary of eight, zero or as another process left them.
  init(_ base: UnsafeMutableRawPointer) { self.base = base }

  // Numbers of rows only grow, and a row's number says its place.
  private enum Head: Int {
    case next = 0
    case settled = 8
    case alive = 16
  }
  private func word(_ head: Head) -> UInt64 { base.load(fromByteOffset: head.rawValue, as: UInt64.self) }
  private func set(_ head: Head, _ value: UInt64) {
    base.storeBytes(of: value, toByteOffset: head.rawValue, as: UInt64.self)
  }

  private func place(_ number: UInt64) -> UnsafeMutableRawPointer {
    base + Self.headOctets + Int(truncatingIfNeeded: number % UInt64(Self.rows)) * Self.rowOctets
  }

  @inline(__always)
  func note(_ row: Row) {
    let number = word(.next)
    place(number).storeBytes(of: row, as: Row.self)
    set(.next, number &+ 1)
  }

  /// The process was there in this second.
  func isAlive(second: Int64) { set(.alive, UInt64(clamping: second)) }

  /// What may not have come to the disk, oldest first.
  func unsettled() -> [Row] {
    let next = word(.next)
    let first = max(word(.settled), next >= UInt64(Self.rows) ? next &- UInt64(Self.rows) : 0)
    guard first < next else { return [] }
    let alive = word(.alive)
    return (first..<next).map { place($0).load(as: Row.self) }
      .filter { UInt64($0.second) &+ Self.secondsMost >= alive }
  }

  var mark: UInt64 { word(.next) }

  /// Rows before `mark` need no more care.
  func settle(before mark: UInt64) { set(.settled, mark) }
}

extension CheckInTally {
  /// Rows that a process before this one sent to the spool shortly before it ended; without their identities, which have left with
  /// them.
  public func rowsInFlight() -> [Sighting] {
    guard let inFlight else { return [] }
    return inFlight.unsettled().map { row in
      row.isV4 != 0
        ? sighting(row.record, UInt32(truncatingIfNeeded: row.key)) : sighting(row.record, row.key)
    }
  }

  /// Writes those rows again that `isKept` does not know; they count as in flight until then.
  /// - Parameter wait: called before each row, to wait for room.
  /// - Returns: how many there were.
  public func writeAgain(unless isKept: (Sighting) -> Bool, waiting wait: () -> Void = {}) -> Int {
    guard let inFlight else { return 0 }
    let mark = inFlight.mark
    var written: Set<Sighting> = []
    for row in inFlight.unsettled() {
      let key = UInt32(truncatingIfNeeded: row.key)
      let sighting = row.isV4 != 0 ? sighting(row.record, key) : sighting(row.record, row.key)
      guard !isKept(sighting), written.insert(sighting).inserted else { continue }
      wait()
      inFlight.note(row)
      sink.append(.sighting(sighting))
    }
    inFlight.settle(before: mark)
    return written.count
  }
}
