/// The view that estimates are made from: nothing here changes a rollup.
extension CensusRollup {
  /// Hours with cells, earliest first.
  public var hoursWithCells: [UInt32] { hours.periods }

  /// Whole UTC days since 1970 with cells, earliest first.
  public var daysWithCells: [UInt32] { Set(days.periods).union(hours.open.map { $0.period / 24 }).sorted() }

  /// Cells of one hour, in order of country and system.
  /// - Complexity: O(octets of its parts).
  public func cells(ofHour hour: UInt32) -> [CensusCell] { hours.table(hour)?.cells(sensors: sensors.count) ?? [] }

  /// Cells of one day, in order of country and system.
  public func cells(ofDay day: UInt32) -> [CensusCell] {
    var table = days.table(day)
    for hour in hours.open where hour.period / 24 == day {
      var sum = table ?? CellTable(period: day, precision: CellStore.Kind.days.precision, keyID: keyID)
      _ = sum.merge(hour, .parts, cellsMost: .max)
      table = sum
    }
    return table?.cells(sensors: sensors.count) ?? []
  }

  /// Addresses within a window of hours, over cells that `isWanted`: the union of their counters.
  /// - Complexity: O(octets of the hours' parts); some microseconds for each cell.
  public func addresses(
    hours window: ClosedRange<UInt32>,
    where isWanted: (_ country: CountryCode, _ system: UInt32) -> Bool = { _, _ in true }
  ) -> HyperLogLog {
    var sum = HyperLogLog(precision: CellStore.Kind.hours.precision, keyID: keyID)
    for hour in hours.periods where window.contains(hour) {
      guard let table = hours.table(hour) else { continue }
      for (cell, key) in table.keys.enumerated() where isWanted(CellTable.country(key), CellTable.system(key)) {
        sum.formUnion(table.sketches[cell])
      }
    }
    return sum
  }

  /// Minutes of one hour, in order of country and minute.
  public func minutes(ofHour hour: UInt32) -> [CensusMinute] {
    (minutes.table(hour)?.cells(sensors: sensors.count) ?? []).map {
      CensusMinute(
        minute: UInt64(hour) * 60 + UInt64($0.system), country: $0.country, sketch: $0.sketch, contacts: $0.contacts)
    }
  }

  /// Rows of one sensor, valid or not, and those that are not in the census.
  public func rows(ofSensor sensor: Int) -> (given: UInt64, dropped: [RollupDrop: UInt64]) {
    guard sensors.indices.contains(sensor) else { return (0, [:]) }
    var sums: [RollupDrop: UInt64] = [:]
    for drop in RollupDrop.allCases {
      let count = dropCounts[sensor * RollupDrop.allCases.count + drop.number]
      if count > 0 { sums[drop] = count }
    }
    return (rowCounts[sensor], sums)
  }
}
