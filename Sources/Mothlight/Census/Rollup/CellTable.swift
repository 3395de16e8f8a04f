/// The cells of one period: for each country and system the addresses that came, and by sensor how often.
///
/// - Complexity: a row is O(1): one probe, one register. Some 64 octets for each cell and 24 for each of its sensors, and its sketch.
struct CellTable {
  /// Whole hours or days since 1970.
  let period: UInt32
  let precision: Int
  let keyID: UInt64
  /// `country << 32 | system`.
  private(set) var keys: [UInt64] = []
  private(set) var sketches: [HyperLogLog] = []
  /// Sensors that have a place; a power of two.
  private(set) var sensorPlaces = 1
  /// At `cell * sensorPlaces + sensor`.
  private(set) var contacts: [UInt64] = []
  private(set) var rows: [UInt64] = []
  /// Open addressing over `keys`: number plus one, 0: free.
  private var index: [UInt32] = []
  private var lastKey = UInt64.max
  private var lastCell = 0
  /// When it was chosen last, by the store's own count.
  var touched: UInt64 = 0

  init(period: UInt32, precision: Int, keyID: UInt64) {
    self.period = period
    self.precision = precision
    self.keyID = keyID
  }

  @inline(__always)
  static func key(_ country: CountryCode, _ system: UInt32) -> UInt64 { UInt64(country.raw) << 32 | UInt64(system) }
  static func country(_ key: UInt64) -> CountryCode { CountryCode(raw: UInt16(truncatingIfNeeded: key >> 32)) }
  static func system(_ key: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: key) }

  var count: Int { keys.count }
  var rowCount: UInt64 { rows.reduce(0, &+) }

  /// Memory in use.
  var octets: Int {
    var sum = keys.capacity * 8 + (contacts.capacity + rows.capacity) * 8 + index.count * 4
    sum += sketches.capacity * MemoryLayout<HyperLogLog>.stride
    for sketch in sketches { sum += sketch.octets }
    return sum
  }

  /// - Returns: `false` when the cell would be one more than `cellsMost`.
  @inline(__always)
  mutating func add(_ key: UInt64, sensor: Int, unit: UInt64, contacts count: UInt64, cellsMost: Int) -> Bool {
    if key != lastKey {
      guard let cell = cell(key, most: cellsMost) else { return false }
      lastKey = key
      lastCell = cell
    }
    if sensor >= sensorPlaces { makePlaces(for: sensor) }
    let at = lastCell &* sensorPlaces &+ sensor
    contacts[at] &+= count
    rows[at] &+= 1
    sketches[lastCell].insert(unit)
    return true
  }

  /// How the numbers of two tables of one cell and sensor are put together.
  enum Joining {
    /// Parts of one stream: they add up.
    case parts
    /// The same stream seen twice, or at two times: the later has all of the earlier.
    case copies
  }

  /// Takes in all cells of another table of the same precision and key.
  /// - Parameter sensorNumbers: what the other's sensors are called here.
  /// - Returns: rows of cells that found no place.
  mutating func merge(
    _ other: CellTable, _ joining: Joining, sensorNumbers: [UInt8]? = nil, cellsMost: Int
  ) -> UInt64 {
    var refused: UInt64 = 0
    for (from, key) in other.keys.enumerated() {
      guard let cell = cell(key, most: cellsMost) else {
        for place in 0..<other.sensorPlaces { refused &+= other.rows[from * other.sensorPlaces + place] }
        continue
      }
      sketches[cell].formUnion(other.sketches[from])
      for place in 0..<other.sensorPlaces {
        let source = from * other.sensorPlaces + place
        guard other.rows[source] > 0 else { continue }
        let sensor = sensorNumbers.map { place < $0.count ? Int($0[place]) : place } ?? place
        if sensor >= sensorPlaces { makePlaces(for: sensor) }
        let at = cell * sensorPlaces + sensor
        contacts[at] = Self.join(contacts[at], other.contacts[source], joining)
        rows[at] = Self.join(rows[at], other.rows[source], joining)
      }
    }
    return refused
  }

  private static func join(_ a: UInt64, _ b: UInt64, _ joining: Joining) -> UInt64 {
    joining == .parts ? a &+ b : max(a, b)
  }

  /// The number of a cell, made when it is not there.
  @inline(__always)
  private mutating func cell(_ key: UInt64, most: Int) -> Int? {
    if !index.isEmpty {
      var slot = home(key)
      while index[slot] != 0 {
        let at = Int(index[slot]) &- 1
        if keys[at] == key { return at }
        slot = (slot &+ 1) & (index.count &- 1)
      }
    }
    return keys.count < most ? append(key) : nil
  }

  @inline(__always)
  private func home(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: key &* 0x9e37_79b9_7f4a_7c15 >> 32) & (index.count &- 1)
  }

  @inline(never)
  private mutating func append(_ key: UInt64) -> Int {
    keys.append(key)
    sketches.append(HyperLogLog(precision: precision, keyID: keyID))
    contacts.append(contentsOf: repeatElement(0, count: sensorPlaces))
    rows.append(contentsOf: repeatElement(0, count: sensorPlaces))
    if keys.count * 4 > index.count * 3 {
      index = [UInt32](repeating: 0, count: max(16, index.count * 2))
      for at in keys.indices { link(at) }
    } else {
      link(keys.count - 1)
    }
    return keys.count - 1
  }

  private mutating func link(_ at: Int) {
    var slot = home(keys[at])
    while index[slot] != 0 { slot = (slot &+ 1) & (index.count &- 1) }
    index[slot] = UInt32(truncatingIfNeeded: at &+ 1)
  }

  @inline(never)
  private mutating func makePlaces(for sensor: Int) {
    var wider = sensorPlaces
    while wider <= sensor { wider *= 2 }
    func spread(_ numbers: [UInt64]) -> [UInt64] {
      var out = [UInt64](repeating: 0, count: keys.count * wider)
      for cell in keys.indices {
        for place in 0..<sensorPlaces { out[cell * wider + place] = numbers[cell * sensorPlaces + place] }
      }
      return out
    }
    contacts = spread(contacts)
    rows = spread(rows)
    sensorPlaces = wider
  }
}

extension CellTable {
  /// The cells in order of country and system; numbers of trailing sensors that saw nothing are left out.
  func encode(into out: inout SpoolOctets) {
    out.number(UInt64(period))
    out.append([UInt8(precision)])
    out.fixed(keyID)
    out.number(UInt64(count))
    for cell in keys.indices.sorted(by: { keys[$0] < keys[$1] }) {
      out.fixed(Self.country(keys[cell]).raw)
      out.number(UInt64(Self.system(keys[cell])))
      let places = ((0..<sensorPlaces).last { rows[cell * sensorPlaces + $0] > 0 } ?? -1) + 1
      out.append([UInt8(places)])
      for place in 0..<places {
        out.number(rows[cell * sensorPlaces + place])
        out.number(contacts[cell * sensorPlaces + place])
      }
      sketches[cell].encodeRegisters(into: &out)
    }
  }

  /// - Throws: `damaged`.
  init(_ cursor: inout SpoolCursor) throws(SketchError) {
    let period = try UInt32(cursor.needNumber("a period", most: UInt64(UInt32.max)))
    let precision = try Int(cursor.need(UInt8.self, "the precision"))
    guard HyperLogLog.precisions.contains(precision) else {
      throw .damaged(at: cursor.at, "precision \(precision) is not one of 4 to 18")
    }
    self.init(period: period, precision: precision, keyID: try cursor.need(UInt64.self, "the key's number"))
    let count = try cursor.needNumber("the number of cells", most: UInt64(UInt32.max) / 2)
    var previous: UInt64?
    for _ in 0..<count {
      let country = try CountryCode(raw: cursor.need(UInt16.self, "a country"))
      let system = try UInt32(cursor.needNumber("a system", most: UInt64(UInt32.max)))
      let key = Self.key(country, system)
      guard previous.map({ $0 < key }) ?? true else { throw .damaged(at: cursor.at, "the cells are not in order") }
      previous = key
      let cell = append(key)
      let places = try Int(cursor.need(UInt8.self, "a number of sensors"))
      guard places <= TupleSketch.sensorsMost else { throw .damaged(at: cursor.at, "a cell has \(places) sensors") }
      if places > sensorPlaces { makePlaces(for: places - 1) }
      for place in 0..<places {
        rows[cell * sensorPlaces + place] = try cursor.needNumber("a row count")
        contacts[cell * sensorPlaces + place] = try cursor.needNumber("a contact count")
      }
      try sketches[cell].decodeRegisters(&cursor)
    }
  }
}
