import Mothlight

/// All zones as they are served: never changed, replaced as a whole.
public final class ServedZones: Sendable {
  let names: NameSet
  public let orders: [SeizureOrder]
  let bodies: [ZoneBody]
  /// Body of each order.
  let bodyOf: [Int]
  public let path: String

  /// Names, those that one order gives twice counted once.
  public var nameCount: Int { names.count }
  /// Octets of the names and their index.
  public var memoryOctets: Int { names.memory }

  public init(_ file: consuming ZoneFile, _ settings: DNSSettings) {
    (path, orders) = (file.path, file.orders)
    // The same on every server of the sinkhole: the newest order's day, as YYYYMMDD01 (RFC 1912 section 2.2).
    let day = file.orders.map { Int($0.start / 86_400) }.max() ?? 0
    let civil = CivilDate.from(daysSinceEpoch: day)
    let serial = UInt32(clamping: civil.year * 1_000_000 + civil.month * 10_000 + civil.day * 100 + 1)
    var bodies = [ZoneBody(settings, addresses: settings.addresses, serial: serial)]
    var bodyOf: [Int] = []
    for order in file.orders {
      if let own = order.addresses {
        bodies.append(ZoneBody(settings, addresses: own, serial: serial))
        bodyOf.append(bodies.count - 1)
      } else {
        bodyOf.append(0)
      }
    }
    (self.bodies, self.bodyOf) = (bodies, bodyOf)
    names = NameSet(file.names)
  }

  /// The zone that a name belongs to.
  struct Match {
    var order: Int
    /// Labels of the zone's own name.
    var labels: Int
  }

  /// The deepest zone served at `second` that holds the name.
  /// - Complexity: O(labels); a label costs a look-up only where a zone has so many of them.
  @inline(__always)
  func match(_ name: QueryName, labels: Int, length: Int, second: Int64) -> Match? {
    let depth = min(labels, NameSet.Bound.labels)
    guard depth > 0 else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: NameSet.Bound.labels + 1) { hashes in
      hashes[0] = NameHash.start
      for k in 1...depth {
        hashes[k] = NameHash.extend(hashes[k &- 1], label: name.octets + Int(name.starts[labels &- k]))
      }
      var k = depth
      while k > 0 {
        if let order = find(name, labels, length, k, hashes[k], .zone, names.zoneLabels, second) {
          return Match(order: order, labels: k)
        }
        // A parent of k labels makes a zone of the name one label longer.
        if k < labels, let order = find(name, labels, length, k, hashes[k], .parent, names.parentLabels, second) {
          // A zone of k + 1 labels was looked for already.
          return Match(order: order, labels: k &+ 1)
        }
        k &-= 1
      }
      return nil
    }
  }

  @inline(__always)
  private func find(
    _ name: QueryName, _ labels: Int, _ length: Int, _ k: Int, _ hash: UInt64, _ kind: NameSet.Kind, _ mask: UInt32,
    _ second: Int64
  ) -> Int? {
    guard mask >> UInt32(truncatingIfNeeded: k) & 1 != 0 else { return nil }
    let start = Int(name.starts[labels &- k])
    return names.order(of: name.octets + start, length: length &- start, hash: hash, as: kind) {
      orders[$0].isServed(at: second)
    }
  }
}
