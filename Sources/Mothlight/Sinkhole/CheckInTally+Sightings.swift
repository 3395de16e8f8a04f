extension CheckInTally {
  /// Ends the hour that a record is in and begins the present one.
  func turn<Key: SourceKey>(_ record: UnsafeMutablePointer<SourceRecord>, _ key: Key) {
    emit(record, key)
    let passed = hour &- record.pointee.hour
    record.pointee.hours = passed < 32 ? record.pointee.hours << UInt32(passed) : 0
    if day(ofHour: hour) != day(ofHour: record.pointee.hour) { record.pointee.samples = 0 }
    record.pointee.hour = hour
    record.pointee.ports = 0
  }

  /// Writes the row of the record's hour, if it has one, and starts counting anew.
  func emit<Key: SourceKey>(_ record: UnsafeMutablePointer<SourceRecord>, _ key: Key) {
    guard record.pointee.count > 0 else { return }
    let isV4: UInt32 = Key.bitWidth == 32 ? 1 : 0
    inFlight?.note(
      .init(key: UInt64(key), second: UInt32(clamping: second), isV4: isV4, record: record.pointee))
    var row = sighting(record.pointee, key)
    if let identities {
      row.identities = identities.take(
        UInt64(key), isV4: Key.bitWidth == 32, botnet: record.pointee.botnet, hour: record.pointee.hour)
    }
    sink.append(.sighting(row))
    counters.sightings &+= 1
    record.pointee.count = 0
    record.pointee.factor = 0
  }

  /// Goes over the next `slots` of the tables: writes rows of hours that have ended, forgets who has not been seen.
  /// - Returns: whether a whole round was finished.
  public func sweep(slots: Int) -> Bool {
    let isV4Done = sweep(v4, &cursorV4, slots)
    let isV6Done = sweep(v6, &cursorV6, max(1, slots / 8))
    return isV4Done && isV6Done
  }

  private func sweep<Key: SourceKey>(_ table: SourceTable<Key>, _ cursor: inout Int, _ slots: Int) -> Bool {
    var left = slots
    while left > 0, cursor < table.slots {
      left -= 1
      guard table.isUsed(cursor) else {
        cursor += 1
        continue
      }
      let record = table.record(cursor)
      if record.pointee.hour < hour {
        emit(record, table.key(cursor))
        if hour &- record.pointee.hour > settings.idleHours {
          table.remove(cursor)
          counters.forgotten &+= 1
          continue
        }
      }
      cursor += 1
    }
    return cursor >= table.slots
  }

  /// Begins a new round of the sweep.
  public func restartSweep() {
    cursorV4 = 0
    cursorV6 = 0
  }

  /// Writes what the hour has so far; rows of one source, botnet and hour add up. What `isTimeUp` cuts off stays in the
  /// tables, and with a file it goes on from there.
  /// - Returns: whether everything was written.
  public func flush(isTimeUp: () -> Bool = { false }) -> Bool {
    flush(v4, isTimeUp) && flush(v6, isTimeUp)
  }

  private func flush<Key: SourceKey>(_ table: SourceTable<Key>, _ isTimeUp: () -> Bool) -> Bool {
    for i in 0..<table.slots {
      if i % 8192 == 0, isTimeUp() { return false }
      if table.isUsed(i) { emit(table.record(i), table.key(i)) }
    }
    return true
  }

  /// Sources times botnets in the tables.
  public var sources: Int { v4.count + v6.count }

  /// Different sources and botnets with a check-in since the tables were made or last forgot them, and of them the
  /// victims. A walk over everything: for tests and benchmarks.
  public func census() -> (sources: Int, victims: Int) {
    var victims = 0
    func look(_ record: SourceRecord) {
      let level = EvidenceLevel(number: record.level)
      let label = VisitorJudgement.Label(rawValue: record.visitor) ?? .none
      if VisitorJudgement.isVictim(VisitorJudgement.visitor(label, level: level), level: level) { victims += 1 }
    }
    for i in 0..<v4.slots where v4.isUsed(i) { look(v4.record(i).pointee) }
    for i in 0..<v6.slots where v6.isUsed(i) { look(v6.record(i).pointee) }
    return (sources, victims)
  }
}
