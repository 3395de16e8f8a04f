/// All periods of one kind: those that are being filled as tables, the others as octets.
///
/// A period may be closed several times, when rows come late; it then has several parts, which add up when it is read.
struct CellStore {
  /// What the periods are.
  enum Kind: UInt8, CaseIterable {
    /// Hours; cells by country and system.
    case hours = 1
    /// Days; cells by country and system.
    case days
    /// Hours, too; cells by country and minute of the hour, which takes the place of the system.
    case minutes

    var precision: Int { self == .minutes ? 10 : 12 }
  }

  /// Parts of one period that are kept before they are put together.
  static let partsMost = 8

  let kind: Kind
  let keyID: UInt64
  let cellsMost: Int
  private(set) var open: [CellTable] = []
  private var places: [UInt32: Int] = [:]
  private var current = 0
  private var currentPeriod: UInt32?
  private var choices: UInt64 = 0
  /// Bodies of closed parts.
  private(set) var closed: [UInt32: [[UInt8]]] = [:]
  private(set) var closedOctets = 0

  init(_ kind: Kind, keyID: UInt64, cellsMost: Int) {
    self.kind = kind
    self.keyID = keyID
    self.cellsMost = cellsMost
  }

  var openOctets: Int { open.reduce(0) { $0 + $1.octets } }
  /// Earliest first.
  var periods: [UInt32] { Set(closed.keys).union(places.keys).sorted() }

  /// - Returns: `false` when the period has too many cells.
  @inline(__always)
  mutating func add(
    period: UInt32, key: UInt64, sensor: Int, unit: UInt64, contacts: UInt64
  ) -> Bool {
    if period != currentPeriod { choose(period) }
    return open[current].add(key, sensor: sensor, unit: unit, contacts: contacts, cellsMost: cellsMost)
  }

  @inline(never)
  private mutating func choose(_ period: UInt32) {
    choices &+= 1
    if let place = places[period] {
      current = place
    } else {
      current = open.count
      places[period] = current
      open.append(CellTable(period: period, precision: kind.precision, keyID: keyID))
    }
    currentPeriod = period
    open[current].touched = choices
  }

  /// Adds a part to a period that stays open.
  /// - Returns: rows that found no cell.
  mutating func absorb(_ table: CellTable, into period: UInt32) -> UInt64 {
    choose(period)
    return open[current].merge(table, .parts, cellsMost: cellsMost)
  }

  /// Closes the period that was not chosen for the longest time.
  /// - Returns: what was in it; `nil` when nothing is open.
  mutating func closeIdlest() -> CellTable? {
    open.indices.min { open[$0].touched < open[$1].touched }.map { close(at: $0) }
  }

  /// Closes one period that is before `end`, earliest first.
  mutating func close(before end: UInt32) -> CellTable? {
    guard let at = open.indices.min(by: { open[$0].period < open[$1].period }), open[at].period < end else {
      return nil
    }
    return close(at: at)
  }

  private mutating func close(at: Int) -> CellTable {
    let table = open[at]
    open.swapAt(at, open.count - 1)
    open.removeLast()
    places[table.period] = nil
    if at < open.count { places[open[at].period] = at }
    currentPeriod = nil
    return table
  }

  /// Keeps a closed part.
  mutating func keep(_ table: CellTable) {
    var out = SpoolOctets()
    out.append([kind.rawValue])
    table.encode(into: &out)
    keep(out.bytes, of: table.period)
  }

  mutating func keep(_ body: [UInt8], of period: UInt32) {
    closed[period, default: []].append(body)
    closedOctets += body.count
    guard let parts = closed[period], parts.count > Self.partsMost, let sum = table(period, withOpen: false) else {
      return
    }
    remove(period)
    keep(sum)
  }

  /// Makes one part of each period.
  /// - Returns: `false` when nothing was to be done.
  mutating func putTogether() -> Bool {
    let many = closed.filter { $0.value.count > 1 }.keys
    for period in many {
      guard let sum = table(period, withOpen: false) else { continue }
      remove(period)
      keep(sum)
    }
    return !many.isEmpty
  }

  private mutating func remove(_ period: UInt32) {
    closedOctets -= (closed.removeValue(forKey: period) ?? []).reduce(0) { $0 + $1.count }
  }

  /// Everything of a period put together; `nil` when there is nothing.
  func table(_ period: UInt32, withOpen: Bool = true) -> CellTable? {
    var sum: CellTable?
    func add(_ table: CellTable) {
      // The limit held when the parts were made.
      if sum?.merge(table, .parts, cellsMost: .max) == nil { sum = table }
    }
    for body in closed[period] ?? [] {
      var cursor = SpoolCursor(body.dropFirst())
      if let table = try? CellTable(&cursor) { add(table) }
    }
    if withOpen, let place = places[period] { add(open[place]) }
    return sum
  }

  /// Takes in another store's period as a copy of the same streams. Nothing may be open.
  /// - Returns: rows that found no cell.
  mutating func merge(_ other: CellTable, sensorNumbers: [UInt8]) -> UInt64 {
    var sum =
      table(other.period) ?? CellTable(period: other.period, precision: kind.precision, keyID: keyID)
    let refused = sum.merge(other, .copies, sensorNumbers: sensorNumbers, cellsMost: cellsMost)
    remove(other.period)
    keep(sum)
    return refused
  }

  /// Forgets periods before `first`, open or closed.
  mutating func expire(before first: UInt32) {
    expireClosed(before: first)
    open.removeAll { $0.period < first }
    places = Dictionary(uniqueKeysWithValues: open.indices.map { (open[$0].period, $0) })
    currentPeriod = nil
  }

  /// Open ones are looked at when they close.
  mutating func expireClosed(before first: UInt32) {
    for period in closed.keys.filter({ $0 < first }) { remove(period) }
  }

  /// All closed parts, earliest period first.
  var allClosed: [(period: UInt32, body: [UInt8])] {
    closed.keys.sorted().flatMap { period in (closed[period] ?? []).map { (period, $0) } }
  }

  mutating func forgetClosed() {
    closed = [:]
    closedOctets = 0
  }
}
