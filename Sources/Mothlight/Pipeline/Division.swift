/// Which observations of some batches belong to which shard, by host.
struct Division: Sendable {
  private struct Batch {
    /// By observation.
    var owners: [UInt16]
    /// By shard.
    var counts: [Int]
  }

  /// No shard's: none of its ends is ours.
  private static let nobody = UInt16.max
  private var divided: [Batch] = []

  /// Notes in each observation where our host stands.
  init(_ batches: inout [[Observation]], shards: Int, home: Home) {
    for b in batches.indices {
      divided.append(batches[b].withUnsafeMutableBufferPointer { Self.divide($0, shards, home) })
    }
  }

  private static func divide(_ batch: UnsafeMutableBufferPointer<Observation>, _ shards: Int, _ home: Home) -> Batch {
    var counts = [Int](repeating: 0, count: shards)
    let owners = [UInt16](unsafeUninitializedCapacity: batch.count) { owners, count in
      for i in batch.indices {
        owners[i] = nobody
        if let address = Shard.locate(&batch[i], home: home) {
          // As good as a remainder, without a division.
          let owner = address.mixed.multipliedFullWidth(by: UInt64(shards)).high
          owners[i] = UInt16(truncatingIfNeeded: owner)
          counts[Int(truncatingIfNeeded: owner)] &+= 1
        }
      }
      count = batch.count
    }
    return Batch(owners: owners, counts: counts)
  }

  /// Copies of the observations of one shard, in order: the one move from the reader's core to its own.
  func part(of shard: Int, in batches: [[Observation]]) -> [Observation] {
    let count = divided.reduce(0) { $0 + $1.counts[shard] }
    return [Observation](unsafeUninitializedCapacity: count) { own, next in
      guard let own = own.baseAddress else { return }
      for (batch, division) in zip(batches, divided) {
        batch.withUnsafeBufferPointer { from in
          guard let from = from.baseAddress else { return }
          for (i, owner) in division.owners.enumerated() where owner == UInt16(truncatingIfNeeded: shard) {
            Self.copy(from + i, to: own + next)
            next &+= 1
          }
        }
      }
    }
  }

  /// A flow holds no reference (`BitwiseCopyable`), so that its octets are all of it; to copy it as an enumeration takes twice as long.
  @inline(__always)
  private static func copy(_ one: UnsafePointer<Observation>, to place: UnsafeMutablePointer<Observation>) {
    if one.pointee.vantage.flags.contains(.flow) {
      UnsafeMutableRawPointer(place).copyMemory(from: one, byteCount: MemoryLayout<Observation>.size)
    } else {
      place.initialize(from: one, count: 1)
    }
  }
}
