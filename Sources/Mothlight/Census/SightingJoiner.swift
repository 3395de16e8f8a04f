/// Makes one row of all that tell of the same source, sensor, fingerprint and identity in one hour: their check-ins
/// add up.
///
/// Spools hold such rows from the start; files from elsewhere may tell of each machine in a row of its own although
/// nothing tells them apart. Rows of one hour have to come together; those that come back later make rows of their
/// own.
///
/// - Complexity: O(1) a row; memory for the sources of one hour.
public struct SightingJoiner {
  private struct Key: Hashable {
    var address: IPAddress
    var fingerprint: UInt64
    var identity: UInt64
    var sensor: UInt8
  }
  private var hour: UInt32?
  private var places: [Key: Int] = [:]
  private var rows: [CensusSighting] = []

  public init() {}

  public mutating func add(_ row: CensusSighting, to give: (CensusSighting) -> Void) {
    if row.hour != hour {
      finish(to: give)
      hour = row.hour
    }
    guard row.isValid else { return give(row) }
    let key = Key(address: row.address, fingerprint: row.fingerprint, identity: row.identity, sensor: row.sensor)
    if let at = places[key] {
      rows[at].contacts = UInt32(clamping: UInt64(rows[at].contacts) + UInt64(row.contacts))
    } else {
      places[key] = rows.count
      rows.append(row)
    }
  }

  public mutating func finish(to give: (CensusSighting) -> Void) {
    for row in rows { give(row) }
    rows.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }
}
