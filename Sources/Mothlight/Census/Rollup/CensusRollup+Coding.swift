extension CensusRollup {
  static let nameOctetsMost = 255

  /// The portable form: a frame `MROL` with samples, total and counts, then one frame `MCEL` for each closed part of cells.
  ///
  /// Open periods are closed first, so that the same rows give the same octets when they were closed at the same places.
  public var serialised: [UInt8] {
    var closed = self
    closed.close()
    var out = closed.serialisedState
    for store in [closed.hours, closed.days, closed.minutes] {
      for period in store.periods {
        for body in store.closed[period] ?? [] { out += SketchFrame.encoded(.cells, body) }
      }
    }
    return out
  }

  /// The frame without the cells.
  var serialisedState: [UInt8] {
    var out = SpoolOctets()
    out.text(botnet, most: Self.nameOctetsMost)
    out.fixed(keyID)
    out.number(UInt64(sensors.count))
    for sensor in sensors { out.text(sensor, most: Self.nameOctetsMost) }
    out.number(UInt64(samplingFactor))
    out.number(UInt64(newestHour))
    out.number(UInt64(RollupDrop.allCases.count))
    for count in rowCounts { out.number(count) }
    for count in dropCounts { out.number(count) }
    total.encodeRegisters(into: &out)
    tags.encodeBody(into: &out)
    identities.encodeBody(into: &out)
    return SketchFrame.encoded(.rollup, out.bytes)
  }

  /// - Parameters:
  ///   - keys: to add rows; without them the rollup can be read and merged. A key of another number is not taken.
  ///   - damage: told for each part of cells that cannot be read and is left out.
  /// - Throws: `damaged` when the samples cannot be read, `unsupportedVersion`, `differentKeys`.
  public init(
    serialised octets: [UInt8], keys: TagKeys? = nil, limits: RollupLimits = RollupLimits(),
    damage: (String) -> Void = { _ in }
  ) throws(SketchError) {
    let (body, end) = try SketchFrame.decode(octets[...], .rollup)
    var cursor = SpoolCursor(body)
    try self.init(state: &cursor, keys: keys, limits: limits)
    try cursor.needEnd()
    readCells(octets[end...], damage: damage)
  }

  private init(state cursor: inout SpoolCursor, keys: TagKeys?, limits: RollupLimits) throws(SketchError) {
    guard let botnet = cursor.text(most: Self.nameOctetsMost) else { throw .damaged(at: cursor.at, "no name") }
    let keyID = try cursor.need(UInt64.self, "the key's number")
    if let keys, keys.id != keyID { throw .differentKeys }
    var sensors: [String] = []
    for _ in 0..<(try cursor.needNumber("the number of sensors", most: UInt64(TupleSketch.sensorsMost))) {
      guard let name = cursor.text(most: Self.nameOctetsMost) else { throw .damaged(at: cursor.at, "a sensor is cut") }
      sensors.append(name)
    }
    try self.init(botnet: botnet, sensors: sensors, keyID: keyID, keys: keys, limits: limits)
    samplingFactor = try UInt32(cursor.needNumber("the sampling factor", most: UInt64(UInt32.max)))
    newestHour = try UInt32(cursor.needNumber("the newest hour", most: UInt64(limits.hours.upperBound)))
    // A later program may know more reasons; those are passed over.
    let reasons = try Int(cursor.needNumber("the number of reasons", most: 1000))
    for at in rowCounts.indices { rowCounts[at] = try cursor.needNumber("a row count") }
    for place in 0...sensors.count {
      for reason in 0..<reasons {
        let count = try cursor.needNumber("a count of dropped rows")
        if reason < RollupDrop.allCases.count { dropCounts[place * RollupDrop.allCases.count + reason] = count }
      }
    }
    try total.decodeRegisters(&cursor)
    tags = try TupleSketch(body: &cursor)
    identities = try TupleSketch(body: &cursor)
    guard tags.keyID == keyID, identities.keyID == keyID else {
      throw .damaged(at: cursor.at, "the samples have other keys than the rollup")
    }
  }

  /// Adds the parts of cells that `octets` are made of; a damaged one costs itself.
  mutating func readCells(_ octets: ArraySlice<UInt8>, damage: (String) -> Void) {
    var rest = octets
    while !rest.isEmpty {
      do throws(SketchError) {
        let (body, end) = try SketchFrame.decode(rest, .cells)
        rest = octets[end...]
        try keep(body)
      } catch {
        damage("\(error), in the frame at octet \(rest.startIndex)")
        // The next frame begins where the head says, or nowhere.
        guard let end = SketchFrame.promisedEnd(rest) else { return }
        rest = octets[end...]
      }
    }
  }

  private mutating func keep(_ body: ArraySlice<UInt8>) throws(SketchError) {
    guard let kind = body.first.flatMap(CellStore.Kind.init) else { throw .damaged(at: 0, "cells of no kind") }
    var cursor = SpoolCursor(body.dropFirst())
    let table = try CellTable(&cursor)
    try cursor.needEnd()
    guard table.keyID == keyID, table.precision == kind.precision, table.sensorPlaces <= TupleSketch.sensorsMost else {
      throw .damaged(at: 0, "the cells are of another rollup")
    }
    switch kind {
    case .hours: hours.keep(Array(body), of: table.period)
    case .days: days.keep(Array(body), of: table.period)
    case .minutes: minutes.keep(Array(body), of: table.period)
    }
  }
}
