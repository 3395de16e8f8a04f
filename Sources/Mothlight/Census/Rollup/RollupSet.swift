/// Turns what instruments recorded into census rows, one rollup for each botnet.
///
/// A source is in the census when it is a victim: a signature matched (`EvidenceLevel.recognised` or better) and nothing makes it a
/// visitor. Others are counted as dropped, with the reason. System and country are those of the directory at the time of reading.
///
/// A sinkhole under load records one source in a factor, always the same ones on one day. Contacts in the cells are multiplied by it,
/// which keeps their sum right on average; addresses cannot be, so `CensusRollup.samplingFactor` says that they are too few.
public struct RollupSet {
  /// Botnets of one sinkhole: more are an enemy's inventions.
  public static let botnetsMost = 1 << 10
  /// Sightings that are looked up in the directory at once.
  private static let batch = 1024

  public let keys: TagKeys
  public let limits: RollupLimits
  public private(set) var sensors: [String] = []
  private let networks: (any NetworkDirectory)?
  /// In the order in which the botnets came.
  public private(set) var rollups: [CensusRollup] = []
  private var numbers: [String: Int] = [:]
  private var waiting: [Waiting] = []
  /// Rows without a botnet, or of botnets beyond `botnetsMost`.
  public private(set) var refused: UInt64 = 0
  /// Times that a sensor's clock was put back, and records that a sensor lost, by sensor.
  public private(set) var clockSteps: [UInt64] = []
  public private(set) var recordsLost: [UInt64] = []

  private struct Waiting {
    var botnet: String
    var row: CensusSighting
    var minute: UInt8?
    var weight: UInt32
    var drop: RollupDrop?
  }

  /// - Parameter networks: asked for system and country of each address; `nil`: these stay unknown.
  public init(keys: TagKeys, networks: (any NetworkDirectory)? = nil, limits: RollupLimits = RollupLimits()) {
    self.keys = keys
    self.networks = networks
    self.limits = limits
  }

  /// The number of a sensor, by its name.
  /// - Throws: `tooManySensors`.
  public mutating func sensor(_ name: String) throws(SketchError) -> Int {
    if let known = sensors.firstIndex(of: name) { return known }
    guard sensors.count < TupleSketch.sensorsMost else { throw .tooManySensors(sensors.count + 1) }
    sensors.append(name)
    clockSteps.append(0)
    recordsLost.append(0)
    for at in rollups.indices { rollups[at].add(sensor: name) }
    return sensors.count - 1
  }

  /// Reads a spool to its end.
  /// - Parameter name: of the sensor; two sensors must not have one name.
  /// - Returns: a line for each segment.
  public mutating func read(_ spool: SpoolReader, sensor name: String) throws(SketchError) -> [SpoolReader
    .SegmentReport]
  {
    let sensor = try sensor(name)
    let reports = spool.read { add($0, sensor: sensor) }
    finish()
    return reports
  }

  /// Adds a record of a spool. Samples and counts of resolvers say nothing that a sighting does not.
  public mutating func add(_ record: SpoolRecord, sensor: Int) {
    switch record {
    case .sighting(let sighting): add(sighting, sensor: sensor)
    case .notice(let notice): add(notice, sensor: sensor)
    case .sample, .dnsCount: break
    }
  }

  public mutating func add(_ sighting: Sighting, sensor: Int) {
    var row = CensusSighting(
      hour: sighting.hour, sensor: UInt8(clamping: sensor), address: sighting.source, contacts: sighting.count)
    func give() {
      wait(
        Waiting(
          botnet: sighting.botnet, row: row, minute: nil, weight: max(1, sighting.samplingFactor),
          drop: Self.drop(sighting.visitor, sighting.level)))
    }
    // A row for each machine that was told apart, and one for what nobody's name was on.
    var left = sighting.count
    for item in sighting.identities where left > 0 {
      row.identity = item.identity
      row.contacts = min(left, max(1, item.count))
      left -= row.contacts
      give()
    }
    guard left > 0 || sighting.identities.isEmpty else { return }
    row.identity = 0
    row.contacts = left
    give()
  }

  /// Adds one contact as it happens; it counts in its minute, too.
  public mutating func add(_ checkIn: CheckIn, sensor: Int) {
    guard checkIn.time.hour >= 0 else { return refuse() }
    let row = CensusSighting(
      hour: UInt32(clamping: checkIn.time.hour), sensor: UInt8(clamping: sensor), address: checkIn.source)
    let second = checkIn.time.nanoseconds / 1_000_000_000 - Int64(checkIn.time.hour) * 3600
    wait(
      Waiting(
        botnet: checkIn.family, row: row, minute: UInt8(clamping: second / 60), weight: max(1, checkIn.samplingFactor),
        drop: Self.drop(checkIn.visitor, checkIn.level)))
  }

  /// Adds a host of ours that was found to belong to a named botnet: one row for each hour that its evidence shows.
  public mutating func add(_ finding: Finding, sensor: Int) {
    guard let botnet = finding.botnet else { return refuse() }
    let hours = Set(([finding.first, finding.last] + finding.evidence.map(\.time)).map(\.hour)).filter { $0 >= 0 }
    for hour in hours.sorted() {
      let row = CensusSighting(hour: UInt32(clamping: hour), sensor: UInt8(clamping: sensor), address: finding.host)
      wait(Waiting(botnet: botnet, row: row, minute: nil, weight: 1, drop: nil))
    }
  }

  private mutating func add(_ notice: Notice, sensor: Int) {
    guard sensors.indices.contains(sensor) else { return }
    switch notice.event {
    case .clockStep: clockSteps[sensor] &+= 1
    case .lost(let loss): recordsLost[sensor] &+= loss.total
    case .kernelDrops(let drops): recordsLost[sensor] &+= drops
    case .started, .stopped, .samplingFactor, .recovered, .remark: break
    }
  }

  /// Looks up what still waits. Call it before reading the rollups.
  public mutating func finish() {
    let rows = waiting
    waiting.removeAll(keepingCapacity: true)
    let records = networks?.records(of: rows.map(\.row.address))
    for (at, var entry) in rows.enumerated() {
      if let record = records?[at] {
        entry.row.system = record.system ?? 0
        entry.row.country = CountryCode(record.country ?? "")
        entry.row.timeZone = TimeZones.hoursEast(of: entry.row.country)
      }
      guard let number = number(of: entry.botnet) else {
        refuse()
        continue
      }
      if entry.weight > 1 { rollups[number].note(samplingFactor: entry.weight) }
      rollups[number].add(entry.row, minute: entry.minute, weight: entry.weight, drop: entry.drop)
    }
  }

  private mutating func wait(_ entry: Waiting) {
    waiting.append(entry)
    if waiting.count >= Self.batch { finish() }
  }

  private mutating func refuse() { refused &+= 1 }

  private mutating func number(of botnet: String) -> Int? {
    if let known = numbers[botnet] { return known }
    guard !botnet.isEmpty, rollups.count < Self.botnetsMost,
      let rollup = try? CensusRollup(botnet: botnet, sensors: sensors, keys: keys, limits: limits)
    else { return nil }
    rollups.append(rollup)
    numbers[botnet] = rollups.count - 1
    return rollups.count - 1
  }

  private static func drop(_ visitor: VisitorClass?, _ level: EvidenceLevel) -> RollupDrop? {
    if let visitor { return RollupDrop(rawValue: visitor.name) ?? .invalid }
    return level >= .recognised ? nil : .invalid
  }
}
