extension CensusRollup {
  /// Takes in everything of another rollup, sensor by sensor: the union.
  ///
  /// Sensors of the same name are the same sensor; of its numbers the greater stand. Associative, commutative but for the order of the
  /// sensors' names, idempotent.
  /// - Throws: `differentKeys`, `tooManySensors`; nothing is changed then.
  public mutating func merge(_ other: CensusRollup) throws(SketchError) {
    guard keyID == other.keyID else { throw .differentKeys }
    let names = sensors + other.sensors.filter { !sensors.contains($0) }
    guard names.count <= TupleSketch.sensorsMost else { throw .tooManySensors(names.count) }
    let numbers = other.sensors.map { name in UInt8(names.firstIndex(of: name) ?? 0) }
    var theirs = other
    theirs.close()
    close()
    widen(to: names)
    try total.merge(theirs.total)
    try tags.merge(theirs.tags, sensorNumbers: numbers)
    try identities.merge(theirs.identities, sensorNumbers: numbers)
    samplingFactor = max(samplingFactor, theirs.samplingFactor)
    newestHour = max(newestHour, theirs.newestHour)
    mergeCounts(of: theirs, numbers)
    var refused: UInt64 = 0
    for period in theirs.hours.periods {
      if let table = theirs.hours.table(period) { refused &+= hours.merge(table, sensorNumbers: numbers) }
    }
    for period in theirs.days.periods {
      if let table = theirs.days.table(period) { refused &+= days.merge(table, sensorNumbers: numbers) }
    }
    for period in theirs.minutes.periods {
      if let table = theirs.minutes.table(period) { refused &+= minutes.merge(table, sensorNumbers: numbers) }
    }
    dropCounts[sensors.count * RollupDrop.allCases.count + RollupDrop.cells.number] &+= refused
    expire(asOf: newestHour)
  }

  /// Makes places for more sensors; what is of no sensor stays last.
  mutating func widen(to names: [String]) {
    let reasons = RollupDrop.allCases.count
    let added = names.count - sensors.count
    rowCounts.insert(contentsOf: repeatElement(0, count: added), at: sensors.count)
    dropCounts.insert(contentsOf: repeatElement(0, count: added * reasons), at: sensors.count * reasons)
    sensors = names
  }

  private mutating func mergeCounts(of other: CensusRollup, _ numbers: [UInt8]) {
    let reasons = RollupDrop.allCases.count
    for from in 0...other.sensors.count {
      let to = from < numbers.count ? Int(numbers[from]) : sensors.count
      rowCounts[to] = max(rowCounts[to], other.rowCounts[from])
      for reason in 0..<reasons {
        let at = to * reasons + reason
        dropCounts[at] = max(dropCounts[at], other.dropCounts[from * reasons + reason])
      }
    }
  }
}
