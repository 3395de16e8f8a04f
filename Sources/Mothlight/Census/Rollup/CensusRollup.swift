/// All that a census keeps of one botnet: counters by hour, day and minute, and samples of tags and identities.
///
/// Rows may come in any order and late. A row goes to the cell of its hour (address counter of precision 12, contacts by sensor); days
/// are the unions of their hours; the total has precision 14. Each sampled tag and identity keeps its hours by sensor.
///
/// Rollups of several sensors are merged by union. What is counted (rows, contacts) is kept by sensor, and of two states of one sensor
/// the greater number stands, so merging the same sensor twice changes nothing. That makes it wrong to give two sensors one name.
///
/// - Complexity: O(1) a row; memory as `RollupLimits` says, whatever comes.
public struct CensusRollup: Sendable {
  static let totalPrecision = 14
  /// Rows between two looks at the memory: a row that makes a cell takes some 256 octets, so open cells stay below twice their limit.
  private let lookEvery: UInt64
  private static let octetsOfRow = 256
  private static let looks: ClosedRange<Int> = 256...1 << 16
  /// Rows of an hour that let old hours expire: one row with a wrong clock must not.
  private static let rowsThatMoveTime: UInt64 = 32

  public let botnet: String
  /// Names, at most `TupleSketch.sensorsMost`; a row's sensor is a place in this list.
  public internal(set) var sensors: [String]
  public let keyID: UInt64
  public let limits: RollupLimits
  private let keys: TagKeys?
  /// Units of valid addresses over everything.
  public internal(set) var total: HyperLogLog
  public internal(set) var tags: TupleSketch
  public internal(set) var identities: TupleSketch
  var hours: CellStore
  var days: CellStore
  var minutes: CellStore
  /// Rows by sensor, and at `sensors.count...` of none.
  var rowCounts: [UInt64]
  /// At `sensor * RollupDrop.allCases.count + reason`.
  var dropCounts: [UInt64]
  /// Valid rows by sensor and check-ins in the row.
  var contactCounts: [ContactCounts]
  /// Largest share of sources for which one stands, when a sensor recorded only some: 1 in `samplingFactor`.
  public internal(set) var samplingFactor: UInt32 = 1
  /// Newest hour with enough rows to be believed.
  public internal(set) var newestHour: UInt32 = 0
  private var rowsSinceLook: UInt64 = 0

  /// - Throws: `tooManySensors`.
  public init(
    botnet: String, sensors: [String], keys: TagKeys, limits: RollupLimits = RollupLimits()
  ) throws(SketchError) {
    try self.init(botnet: botnet, sensors: sensors, keyID: keys.id, keys: keys, limits: limits)
  }

  init(
    botnet: String, sensors: [String], keyID: UInt64, keys: TagKeys?, limits: RollupLimits
  ) throws(SketchError) {
    guard sensors.count <= TupleSketch.sensorsMost else { throw .tooManySensors(sensors.count) }
    self.botnet = botnet
    self.sensors = sensors
    self.keyID = keyID
    self.keys = keys
    self.limits = limits
    lookEvery = UInt64(
      min(max(limits.openOctetsMost / Self.octetsOfRow, Self.looks.lowerBound), Self.looks.upperBound))
    total = HyperLogLog(precision: Self.totalPrecision, keyID: keyID)
    tags = TupleSketch(keyID: keyID, octetsMost: limits.tagOctetsMost)
    identities = TupleSketch(keyID: keyID, octetsMost: limits.identityOctetsMost)
    hours = CellStore(.hours, keyID: keyID, cellsMost: limits.cellsMost)
    days = CellStore(.days, keyID: keyID, cellsMost: limits.cellsMost)
    minutes = CellStore(.minutes, keyID: keyID, cellsMost: limits.cellsMost)
    rowCounts = [UInt64](repeating: 0, count: sensors.count + 1)
    dropCounts = [UInt64](repeating: 0, count: (sensors.count + 1) * RollupDrop.allCases.count)
    contactCounts = [ContactCounts](repeating: ContactCounts(), count: sensors.count)
  }

  /// Rows given, valid or not.
  public var rows: UInt64 { rowCounts.reduce(0, &+) }

  /// Rows that are not in the census, by reason.
  public var dropped: [RollupDrop: UInt64] {
    var sums: [RollupDrop: UInt64] = [:]
    for (at, count) in dropCounts.enumerated() where count > 0 {
      sums[RollupDrop.allCases[at % RollupDrop.allCases.count], default: 0] &+= count
    }
    return sums
  }

  /// Adds one row.
  /// - Parameter minute: of the hour, 0 to 59, where it is known; the row then counts in its minute's country, too.
  /// - Complexity: O(1).
  @inline(__always)
  public mutating func add(_ row: CensusSighting, minute: UInt8? = nil) {
    add(row, minute: minute, weight: 1, drop: row.isValid ? nil : .invalid)
  }

  /// All of them.
  @inlinable
  public mutating func add(_ rows: some Sequence<CensusSighting>) {
    for row in rows { add(row) }
  }

  /// Adds one row, or counts it as dropped for a reason.
  /// - Parameter weight: how many sources of this kind it stands for; contacts in the cells are multiplied by it.
  public mutating func add(_ row: CensusSighting, minute: UInt8? = nil, weight: UInt32 = 1, drop: RollupDrop?) {
    let sensor = min(Int(row.sensor), sensors.count)
    rowCounts[sensor] &+= 1
    guard drop == nil, sensor < sensors.count, limits.hours.contains(row.hour), let keys else {
      note(drop ?? (sensor < sensors.count ? .hour : .sensor), at: sensor)
      return
    }
    let unit = keys.unit(of: row.address)
    total.insert(unit)
    contactCounts[sensor].add(row.contacts)
    let identity = row.identity == 0 ? 0 : keys.unit(ofIdentity: row.identity)
    if tags.samples(unit) || identity != 0 && identities.samples(identity) { sample(row, unit, identity) }
    let key = CellTable.key(row.country, row.system)
    let contacts = UInt64(row.contacts) &* UInt64(weight)
    if !hours.add(period: row.hour, key: key, sensor: sensor, unit: unit, contacts: contacts) {
      note(.cells, at: sensor)
    }
    if let minute { add(row, minute, unit, contacts) }
    rowsSinceLook &+= 1
    if rowsSinceLook == lookEvery { makeRoom() }
  }

  private mutating func sample(_ row: CensusSighting, _ unit: UInt64, _ identity: UInt64) {
    let place = TagPlace(system: row.system, country: row.country, timeZone: row.timeZone)
    tags.insert(
      unit: unit, fingerprint: row.fingerprint, hour: row.hour, sensor: row.sensor, place: place,
      contacts: row.contacts, companion: identity)
    guard identity != 0 else { return }
    identities.insert(
      unit: identity, fingerprint: row.fingerprint, hour: row.hour, sensor: row.sensor, place: place,
      contacts: row.contacts)
  }

  private mutating func add(_ row: CensusSighting, _ minute: UInt8, _ unit: UInt64, _ contacts: UInt64) {
    let key = CellTable.key(row.country, UInt32(min(minute, 59)))
    if !minutes.add(period: row.hour, key: key, sensor: Int(row.sensor), unit: unit, contacts: contacts) {
      note(.cells, at: Int(row.sensor))
    }
  }

  private mutating func note(_ drop: RollupDrop, at sensor: Int, rows: UInt64 = 1) {
    dropCounts[sensor * RollupDrop.allCases.count + drop.number] &+= rows
  }

  /// Says that a sensor recorded only one source in `factor` for a while: counts are lower bounds then.
  public mutating func note(samplingFactor factor: UInt32) { samplingFactor = max(samplingFactor, factor) }

  // MARK: Closing periods

  private mutating func makeRoom() {
    rowsSinceLook = 0
    while hours.openOctets + minutes.openOctets > limits.openOctetsMost {
      if let table = hours.closeIdlest() { keep(hour: table) }
      if let table = minutes.closeIdlest() { keep(minutes: table) }
    }
    while days.openOctets > limits.openOctetsMost, let table = days.closeIdlest() { keep(table, in: \.days) }
  }

  /// Closes all periods that ended before an hour; those are then small in memory, and read the same. Rows of them may still come.
  /// - Complexity: O(open cells).
  public mutating func close(before hour: UInt32 = .max) {
    while let table = hours.close(before: hour) { keep(hour: table) }
    while let table = minutes.close(before: hour) { keep(minutes: table) }
    while let table = days.close(before: hour == .max ? .max : hour / 24) { keep(table, in: \.days) }
  }

  /// The day takes the hour in; so no row has to be added twice.
  private mutating func keep(hour table: CellTable) {
    let day = table.period / 24
    let refused = days.absorb(table, into: day)
    if refused > 0 { note(.cells, at: sensors.count, rows: refused) }
    if table.rowCount >= Self.rowsThatMoveTime { newestHour = max(newestHour, table.period) }
    if table.period >= firstHourKept { keep(table, in: \.hours) }
    expire()
  }

  private mutating func keep(minutes table: CellTable) {
    if table.period >= firstMinutesHourKept { keep(table, in: \.minutes) }
  }

  private mutating func keep(_ table: CellTable, in store: WritableKeyPath<CensusRollup, CellStore>) {
    guard hours.closedOctets + days.closedOctets + minutes.closedOctets < limits.closedOctetsMost else {
      note(.memory, at: sensors.count, rows: table.rowCount)
      return
    }
    self[keyPath: store].keep(table)
  }

  /// First hour within the retention.
  public var firstHourKept: UInt32 { newestHour - min(newestHour, limits.hoursKeptDays * 24) }
  var firstMinutesHourKept: UInt32 { newestHour - min(newestHour, limits.minutesKeptHours) }

  /// Forgets what is older than its retention, seen from an hour: the newest of the data, or a clock's.
  public mutating func expire(asOf hour: UInt32) {
    newestHour = max(newestHour, hour)
    expire()
  }

  private mutating func expire() {
    minutes.expire(before: firstMinutesHourKept)
    // An open hour goes to its day first.
    hours.expireClosed(before: firstHourKept)
  }

  /// A further sensor, which has the next number.
  public mutating func add(sensor name: String) {
    guard sensors.count < TupleSketch.sensorsMost else { return }
    widen(to: sensors + [name])
  }

  func closed(_ kind: CellStore.Kind) -> [(period: UInt32, body: [UInt8])] { self[keyPath: Self.store(kind)].allClosed }

  mutating func forgetClosed(_ kind: CellStore.Kind) { self[keyPath: Self.store(kind)].forgetClosed() }

  private static func store(_ kind: CellStore.Kind) -> WritableKeyPath<CensusRollup, CellStore> {
    switch kind {
    case .hours: \.hours
    case .days: \.days
    case .minutes: \.minutes
    }
  }

  /// Octets in memory: samples, counters, cells open and closed.
  public var octets: Int {
    tags.octets + identities.octets + total.octets + hours.openOctets + days.openOctets + minutes.openOctets
      + hours.closedOctets + days.closedOctets + minutes.closedOctets
  }
}
