/// Where a row came from, as far as its address tells.
public struct TagPlace: Sendable, Hashable {
  /// Number of the autonomous system; 0: not known.
  public var system: UInt32
  public var country: CountryCode
  /// Hours east of UTC.
  public var timeZone: Int8

  public init(system: UInt32 = 0, country: CountryCode = .unknown, timeZone: Int8 = 0) {
    self.system = system
    self.country = country
    self.timeZone = timeZone
  }

  public var isKnown: Bool { system != 0 || country != .unknown }
}

/// One tag of the sample and all that was seen of it: an address with a fingerprint, or an identity with one.
///
/// 80 octets, and memory of its own only for hours beyond one word, for a second sensor, and for identities.
public struct SampledTag: Sendable, Hashable {
  /// An identity that a tag showed, by 32 bits of its hash.
  public struct Companion: Sendable, Hashable {
    public var hash: UInt32
    public var firstHour: UInt32
    public var lastHour: UInt32
  }

  /// Keyed hash of the address (or the identity).
  public let unit: UInt64
  public let fingerprint: UInt64
  /// Most contacts in one row: within one hour at one sensor.
  public internal(set) var peakContacts: UInt32 = 0
  /// Where it was seen first. An unknown place gives way to any known one; of several in one hour, the smallest counts.
  public internal(set) var place: TagPlace
  /// Hour of the row that told the place.
  var placeHour: UInt32
  /// It was seen at another known place, too: the directory changed, or an identity moved.
  public internal(set) var hasMoved = false
  /// More companions than are kept.
  public internal(set) var hasMoreCompanions = false
  /// Bit s: sensor s saw it.
  public internal(set) var sensors: UInt16 = 0
  /// Of the lowest sensor in `sensors`.
  private(set) var hours = HourSet()
  /// Of the other sensors, lowest first.
  private(set) var otherHours: [HourSet] = []
  /// The identities with the smallest hashes, at most `companionsMost`, smallest first.
  public internal(set) var companions: [Companion] = []

  public static let companionsMost = 4

  init(unit: UInt64, fingerprint: UInt64, place: TagPlace, hour: UInt32) {
    self.unit = unit
    self.fingerprint = fingerprint
    self.place = place
    placeHour = hour
  }

  /// What it takes from the budget: a function of the content that only grows with it.
  var octets: Int {
    var sum = Self.ownOctets + Self.octets(of: hours)
    if !otherHours.isEmpty {
      sum += Self.arrayOctets
      for set in otherHours { sum += MemoryLayout<HourSet>.stride + Self.octets(of: set) }
    }
    if !companions.isEmpty { sum += Self.arrayOctets + companions.count * MemoryLayout<Companion>.stride }
    return sum
  }

  /// The value itself with its slots in the index, at the mean filling of both.
  static let ownOctets = 112
  /// Head of an array and what the allocator rounds up.
  private static let arrayOctets = 48

  private static func octets(of set: HourSet) -> Int {
    set.wordCount > 1 ? arrayOctets + (set.wordCount - 1) * 8 : 0
  }

  /// Hours at one sensor; empty when that did not see it.
  public func hours(at sensor: Int) -> HourSet {
    guard (0..<TupleSketch.sensorsMost).contains(sensor), sensors >> UInt16(sensor) & 1 == 1 else { return HourSet() }
    let rank = rank(of: UInt16(sensor))
    return rank == 0 ? hours : otherHours[rank - 1]
  }

  /// Hours at any sensor.
  public var allHours: HourSet { otherHours.reduce(hours) { $0.union($1) } }

  /// Sensors below `sensor` that saw it.
  private func rank(of sensor: UInt16) -> Int { (sensors & ((1 << sensor) &- 1)).nonzeroBitCount }

  /// Adds hours of a sensor.
  mutating func see(_ set: HourSet, at sensor: UInt16) {
    let rank = rank(of: sensor)
    if sensors >> sensor & 1 == 0 {
      makeRoom(rank, sensor)
      if rank == 0 { hours = set } else { otherHours[rank - 1] = set }
    } else if rank == 0 {
      hours.formUnion(set)
    } else {
      otherHours[rank - 1].formUnion(set)
    }
  }

  /// Adds one hour of a sensor.
  @inline(__always)
  mutating func see(hour: UInt32, at sensor: UInt16) {
    let rank = rank(of: sensor)
    if sensors >> sensor & 1 == 0 { makeRoom(rank, sensor) }
    if rank == 0 { hours.insert(hour) } else { otherHours[rank - 1].insert(hour) }
  }

  private mutating func makeRoom(_ rank: Int, _ sensor: UInt16) {
    if sensors != 0 {
      if rank == 0 {
        otherHours.insert(hours, at: 0)
        hours = HourSet()
      } else {
        otherHours.insert(HourSet(), at: rank - 1)
      }
    }
    sensors |= 1 << sensor
  }

  /// Takes over the place of another row when it tells more or was earlier.
  mutating func see(_ other: TagPlace, hour: UInt32) {
    if other == place {
      placeHour = min(placeHour, hour)
      return
    }
    let isKnown = place.isKnown
    guard isKnown == other.isKnown else {
      if other.isKnown { (place, placeHour) = (other, hour) }
      return
    }
    hasMoved = hasMoved || isKnown
    if hour < placeHour || hour == placeHour && Self.precedes(other, place) { (place, placeHour) = (other, hour) }
  }

  private static func precedes(_ a: TagPlace, _ b: TagPlace) -> Bool {
    (a.system, a.country.raw, a.timeZone) < (b.system, b.country.raw, b.timeZone)
  }

  /// Adds an identity; what is kept are the smallest of all that were ever seen, so one that is pushed out never comes back.
  mutating func see(_ other: Companion) {
    let at = companions.firstIndex { $0.hash >= other.hash } ?? companions.count
    if at < companions.count, companions[at].hash == other.hash {
      companions[at].firstHour = min(companions[at].firstHour, other.firstHour)
      companions[at].lastHour = max(companions[at].lastHour, other.lastHour)
      return
    }
    if companions.count == Self.companionsMost {
      hasMoreCompanions = true
      guard at < Self.companionsMost else { return }
      companions.removeLast()
    }
    companions.insert(other, at: at)
  }

  /// Takes in everything of the same tag of another sketch.
  mutating func merge(_ other: SampledTag, sensorNumbers: [UInt16]?) {
    peakContacts = max(peakContacts, other.peakContacts)
    see(other.place, hour: other.placeHour)
    hasMoved = hasMoved || other.hasMoved
    for companion in other.companions { see(companion) }
    hasMoreCompanions = hasMoreCompanions || other.hasMoreCompanions
    other.forEachSensor { see($1, at: sensorNumbers?[Int($0)] ?? $0) }
  }

  func forEachSensor(_ body: (UInt16, HourSet) -> Void) {
    var rest = sensors
    var rank = 0
    while rest != 0 {
      body(UInt16(rest.trailingZeroBitCount), rank == 0 ? hours : otherHours[rank - 1])
      rest &= rest &- 1
      rank += 1
    }
  }

  /// Without the hours before `first`; `nil` when nothing is left.
  func dropped(before first: UInt32) -> SampledTag? {
    var rest = self
    rest.sensors = 0
    rest.hours = HourSet()
    rest.otherHours = []
    forEachSensor { sensor, hours in
      let kept = hours.clamped(to: first...UInt32.max)
      if !kept.isEmpty { rest.see(kept, at: sensor) }
    }
    rest.companions.removeAll { $0.lastHour < first }
    return rest.sensors == 0 ? nil : rest
  }
}
