/// Hashes a name label by label from the right, so that one walk gives the hashes of all its ends.
///
/// Not for an adversary's keys: what is stored is chosen by courts and registries, and a query that collides costs one
/// comparison.
enum NameHash {
  static let start: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The hash of a name from that of its parent and its first label, lower case, length octet included.
  @inline(__always)
  static func extend(_ parent: UInt64, label: UnsafePointer<UInt8>) -> UInt64 {
    let count = Int(label[0]) &+ 1
    var hash = parent ^ 0xa076_1d64_78bd_642f
    var at = 0
    while at &+ 8 <= count {
      hash = mix(hash ^ UnsafeRawPointer(label + at).loadUnaligned(as: UInt64.self))
      at &+= 8
    }
    var rest: UInt64 = 0
    while at < count {
      rest = rest << 8 | UInt64(label[at])
      at &+= 1
    }
    return mix(hash ^ rest ^ UInt64(truncatingIfNeeded: count) << 56)
  }

  @inline(__always)
  private static func mix(_ x: UInt64) -> UInt64 {
    let product = x.multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low
  }

  /// The hash of a whole name on the wire.
  static func of(_ name: UnsafePointer<UInt8>) -> UInt64 {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { starts in
      var count = 0
      var at = 0
      while name[at] != 0, count < 127 {
        starts[count] = UInt8(truncatingIfNeeded: at)
        count &+= 1
        at &+= Int(name[at]) &+ 1
      }
      var hash = start
      while count > 0 {
        count &-= 1
        hash = extend(hash, label: name + Int(starts[count]))
      }
      return hash
    }
  }
}
