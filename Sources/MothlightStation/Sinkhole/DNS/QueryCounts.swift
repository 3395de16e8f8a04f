import Glibc
import Mothlight

/// How often a resolver asked for a name in an hour: the observation that a query is.
public struct QueryCount: Sendable, Hashable {
  /// Hours since the epoch, UTC.
  public var hour: Int
  public var resolver: IPAddress
  /// Whom the resolver asked for, if it said (RFC 7871).
  public var subnet: ClientSubnet?
  /// The name in lower case, or its zone's when it is longer than is kept.
  public var name: String
  public var type: UInt16
  public var family: String
  public var count: UInt64
  /// Of those, over TCP or with a valid cookie: the rest may come from forged addresses.
  public var verified: UInt64
}

/// Counts of queries per resolver, client network, name and type, in a table of fixed size.
///
/// When it is full, a new row stands for its whole zone; when there is no room for that either, the query is counted for
/// its order alone. So the sums are always exact.
// Used by one thread at a time: a worker hands it over whole and takes another.
final class QueryCounts: @unchecked Sendable {
  enum Bound {
    /// Rows of a UDP worker: with names some 14 MiB, at 10 s between hand-overs 9,800 new rows a second.
    static let rows = 1 << 17
    /// Rows of the TCP worker.
    static let streamRows = 1 << 14
    /// Octets of names per row on average; names of DGAs have some twenty.
    static let nameOctets = 32
    /// Octets of a name that is kept as it is. Longer ones carry data, which may be somebody's.
    static let longestName = 80
  }

  private struct Row {
    /// 0: free.
    var hash: UInt64 = 0
    var resolver = IPAddress.unspecified
    var subnet = IPAddress.unspecified
    var place: UInt32 = 0
    var count: UInt32 = 0
    var verified: UInt32 = 0
    var order: UInt16 = 0
    var type: UInt16 = 0
    var subnetBits: UInt8 = 0
    var length: UInt8 = 0
  }

  let zones: ServedZones
  /// Hour in which it counts.
  private(set) var hour: Int
  private let rows: UnsafeMutablePointer<Row>
  private let capacity: Int
  private let names: UnsafeMutablePointer<UInt8>
  private let nameCapacity: Int
  private var used = 0
  private var nameUsed = 0
  private let overflow: UnsafeMutablePointer<UInt64>
  private(set) var coarse: UInt64 = 0
  private(set) var uncounted: UInt64 = 0
  private(set) var total: UInt64 = 0

  /// - Parameter capacity: rows, a power of two.
  init(zones: ServedZones, hour: Int, capacity: Int = Bound.rows) {
    self.zones = zones
    self.hour = hour
    self.capacity = capacity
    rows = .allocate(capacity: capacity)
    rows.initialize(repeating: Row(), count: capacity)
    nameCapacity = capacity &* Bound.nameOctets
    names = .allocate(capacity: nameCapacity)
    overflow = .allocate(capacity: max(1, zones.orders.count))
    overflow.initialize(repeating: 0, count: max(1, zones.orders.count))
  }

  deinit {
    rows.deallocate()
    names.deallocate()
    overflow.deallocate()
  }

  var isEmpty: Bool { total == 0 }

  struct Key {
    var resolver: IPAddress
    var subnet: ClientSubnet?
    var type: UInt16
    var order: Int
    var isVerified: Bool
  }

  /// Counts one query for `length` octets of name in lower case, of which the last `zoneLength` are the zone's.
  func count(_ key: Key, name: UnsafePointer<UInt8>, length: Int, zoneLength: Int) {
    total &+= 1
    if length <= Bound.longestName, add(key, key.subnet, name, length, most: capacity / 4 &* 3) { return }
    coarse &+= 1
    if add(key, nil, name + (length &- zoneLength), zoneLength, most: capacity / 8 &* 7) { return }
    uncounted &+= 1
    overflow[key.order] &+= 1
  }

  private func add(
    _ key: Key, _ subnet: ClientSubnet?, _ name: UnsafePointer<UInt8>, _ length: Int, most: Int
  ) -> Bool {
    var hash = key.resolver.mixed ^ UInt64(key.type) << 32 ^ UInt64(truncatingIfNeeded: key.order)
    if let subnet { hash = (hash ^ subnet.address.mixed) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(subnet.bits) }
    hash = Self.hash(name, length, seed: hash) | 1
    var at = Int(truncatingIfNeeded: hash >> 20) & (capacity &- 1)
    while rows[at].hash != 0 {
      if rows[at].hash == hash, equals(rows[at], key, subnet, name, length) {
        rows[at].count &+= rows[at].count == .max ? 0 : 1
        if key.isVerified, rows[at].verified < .max { rows[at].verified &+= 1 }
        return true
      }
      at = (at &+ 1) & (capacity &- 1)
    }
    guard used < most, nameUsed &+ length <= nameCapacity else { return false }
    (names + nameUsed).update(from: name, count: length)
    rows[at] = Row(
      hash: hash, resolver: key.resolver, subnet: subnet?.address ?? .unspecified,
      place: UInt32(truncatingIfNeeded: nameUsed), count: 1, verified: key.isVerified ? 1 : 0,
      order: UInt16(truncatingIfNeeded: key.order), type: key.type, subnetBits: subnet?.bits ?? 0,
      length: UInt8(truncatingIfNeeded: length))
    nameUsed &+= length
    used &+= 1
    return true
  }

  private func equals(
    _ row: Row, _ key: Key, _ subnet: ClientSubnet?, _ name: UnsafePointer<UInt8>, _ length: Int
  ) -> Bool {
    row.resolver == key.resolver && row.type == key.type && Int(row.order) == key.order
      && row.subnetBits == subnet?.bits ?? 0 && row.subnet == subnet?.address ?? .unspecified
      && Int(row.length) == length && memcmp(names + Int(row.place), name, length) == 0
  }

  @inline(__always)
  private static func hash(_ name: UnsafePointer<UInt8>, _ length: Int, seed: UInt64) -> UInt64 {
    var hash = seed
    var at = 0
    while at &+ 8 <= length {
      hash = (hash ^ UnsafeRawPointer(name + at).loadUnaligned(as: UInt64.self)) &* 0x9fb2_1c65_1e98_df25
      hash ^= hash >> 32
      at &+= 8
    }
    while at < length {
      hash = (hash ^ UInt64(name[at])) &* 0x9fb2_1c65_1e98_df25
      at &+= 1
    }
    return hash ^ hash >> 29
  }

  /// Hands over every row. Rows of orders whose queries no longer fit have an unspecified resolver and no name.
  func visit(_ body: (QueryCount) -> Void) {
    for at in 0..<capacity where rows[at].hash != 0 {
      let row = rows[at]
      let name = DomainName.text(of: UnsafeRawBufferPointer(start: names + Int(row.place), count: Int(row.length)))
      let subnet = row.subnetBits == 0 ? nil : ClientSubnet(address: row.subnet, bits: row.subnetBits)
      body(
        QueryCount(
          hour: hour, resolver: row.resolver, subnet: subnet, name: name, type: row.type,
          family: zones.orders[Int(row.order)].family, count: UInt64(row.count), verified: UInt64(row.verified)))
    }
    for (order, served) in zones.orders.enumerated() where overflow[order] > 0 {
      body(
        QueryCount(
          hour: hour, resolver: .unspecified, subnet: nil, name: "", type: 0, family: served.family,
          count: overflow[order], verified: 0))
    }
  }
}
