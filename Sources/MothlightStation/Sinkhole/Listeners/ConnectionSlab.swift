import Glibc
import Mothlight

/// One open connection; its octets are in a block of the pool, and it has none until something undecided has arrived.
struct Connection {
  var descriptor: Int32 = -1
  var listener: UInt16 = 0
  /// Read to its verdict; what still comes is thrown away.
  var isDecided = false
  var isLarge = false
  var filled: UInt16 = 0
  var scanned: UInt16 = 0
  var ends = Endpoints(client: .unspecified, server: .unspecified, clientPort: 0, serverPort: 0, transport: .tcp)
  var block: UnsafeMutablePointer<UInt8>?
  /// Milliseconds of the monotonic clock.
  var deadline: Int64 = 0
  var older: Int32 = -1
  var newer: Int32 = -1
}

/// Open connections in order of age. As all have the same time to live, the oldest is the next to run out.
/// - Complexity: O(1) for everything; about 120 octets a connection.
struct ConnectionSlab {
  private(set) var all: [Connection] = []
  private var free: [Int32] = []
  private(set) var oldest: Int32 = -1
  private var newest: Int32 = -1
  private(set) var count = 0
  let limit: Int

  init(limit: Int) { self.limit = limit }

  var isFull: Bool { count >= limit }

  subscript(_ index: Int) -> Connection {
    get { all[index] }
    _modify { yield &all[index] }
  }

  mutating func insert(_ connection: Connection) -> Int {
    var connection = connection
    connection.older = newest
    connection.newer = -1
    let index: Int
    if let reused = free.popLast() {
      index = Int(reused)
      all[index] = connection
    } else {
      index = all.count
      all.append(connection)
    }
    if newest >= 0 { all[Int(newest)].newer = Int32(truncatingIfNeeded: index) }
    newest = Int32(truncatingIfNeeded: index)
    if oldest < 0 { oldest = newest }
    count += 1
    return index
  }

  mutating func remove(_ index: Int) {
    let (older, newer) = (all[index].older, all[index].newer)
    if older >= 0 { all[Int(older)].newer = newer } else { oldest = newer }
    if newer >= 0 { all[Int(newer)].older = older } else { newest = older }
    all[index] = Connection()
    free.append(Int32(truncatingIfNeeded: index))
    count -= 1
  }
}

/// Blocks for octets that could not be judged at once: few connections need one, and an attacker gets no more than these.
struct BlockPool: ~Copyable {
  let octets: Int
  let limit: Int
  private var free: [UnsafeMutablePointer<UInt8>] = []
  private(set) var used = 0
  private(set) var refused: UInt64 = 0

  init(octets: Int, limit: Int) {
    self.octets = octets
    self.limit = limit
  }

  deinit { for block in free { block.deallocate() } }

  mutating func take() -> UnsafeMutablePointer<UInt8>? {
    guard used < limit else {
      refused += 1
      return nil
    }
    used += 1
    return free.popLast() ?? .allocate(capacity: octets)
  }

  mutating func give(_ block: UnsafeMutablePointer<UInt8>) {
    used -= 1
    free.append(block)
  }
}
