import CMemory
import Synchronization

/// Whole lines of a log, to be read on any thread.
///
/// Unchecked because it holds a pointer: it is the only owner of that memory, and nobody writes to it once the block is made.
final class LogBlock: @unchecked Sendable {
  /// Lines of the log in front of it.
  let linesBefore: UInt64
  let lines: Int
  private let memory: BlockMemory
  private let offset: Int
  private let count: Int
  private let pool: BlockPool

  /// - Parameter memory: holds the lines at `start`, `count` octets that end with a line end.
  init(_ memory: BlockMemory, start: Int, count: Int, linesBefore: UInt64, pool: BlockPool) {
    self.memory = memory
    offset = start
    self.count = count
    self.linesBefore = linesBefore
    self.pool = pool
    lines = cmemory_count(memory.base + start, count, 0x0a)
  }

  deinit { pool.put(memory) }

  /// Octets of memory that it holds.
  var heldOctets: Int { memory.capacity }
  /// First octet.
  var start: UnsafeRawPointer { UnsafeRawPointer(memory.base + offset) }
  /// Valid while the block is; as many octets behind them are readable as behind those of a window.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}

/// Memory of a window: `capacity` octets and the padding behind them.
///
/// Unchecked because it is a pointer: it has one owner at a time, a window, a block or the pool.
struct BlockMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    base = .allocate(byteCount: capacity &+ ByteWindow.paddingOctets, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: ByteWindow.paddingOctets)
  }

  /// Takes over what was allocated so.
  init(base: UnsafeMutableRawPointer, capacity: Int) {
    self.base = base
    self.capacity = capacity
  }

  func deallocate() { base.deallocate() }
}

/// Memory of blocks that were read, for the next ones: fresh pages cost more than what is read into them.
final class BlockPool: Sendable {
  private static let most = 32
  private let free = Mutex<[BlockMemory]>([])

  deinit { free.withLock { for memory in $0 { memory.deallocate() } } }

  func take(atLeast octets: Int) -> BlockMemory {
    if let memory = free.withLock({ $0.popLast() }) {
      if memory.capacity >= octets { return memory }
      memory.deallocate()
    }
    return BlockMemory(capacity: octets)
  }

  func put(_ memory: BlockMemory) {
    let isKept = free.withLock {
      guard $0.count < Self.most else { return false }
      $0.append(memory)
      return true
    }
    if !isKept { memory.deallocate() }
  }
}
