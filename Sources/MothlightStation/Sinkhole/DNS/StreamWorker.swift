import CLinux
import Glibc
import Mothlight

/// Answers over TCP (RFC 7766): one thread for all connections, which are bounded in number, by network, in memory and
/// in time.
struct StreamWorker: ~Copyable {
  private let listeners: [Int32]
  private let poll: Int32
  private let limits: DNSSettings.StreamLimits
  private let (bits4, bits6): (Int, Int)
  private var desk: WorkerDesk
  private var own = DNSCounters()

  private var connections: [StreamConnection?]
  private var buffers: [StreamBuffers?]
  private var free: [Int]
  private var slots: [Int32: Int] = [:]
  private var perNetwork: [IPAddress: Int] = [:]
  private var nextSweep: Int64 = 0

  /// - Parameter listeners: listening sockets, which the worker closes at its end.
  init(_ listeners: [Int32], _ settings: DNSSettings, _ mailbox: WorkerMailbox) {
    self.listeners = listeners
    limits = settings.tcp
    (bits4, bits6) = (settings.limits.ipv4Bits, settings.limits.ipv6Bits)
    poll = clinux_poll_make()
    desk = WorkerDesk(settings, mailbox, countRows: QueryCounts.Bound.streamRows)
    connections = Array(repeating: nil, count: limits.connections)
    buffers = Array(repeating: nil, count: limits.connections)
    free = Array((0..<limits.connections).reversed())
    for listener in listeners { _ = clinux_poll_set(poll, listener, 0, 1) }
  }

  deinit {
    for connection in connections { if let connection { close(connection.descriptor) } }
    for buffer in buffers { buffer?.free() }
    for listener in listeners { close(listener) }
    if poll >= 0 { close(poll) }
  }

  /// Until the mailbox says stop; what has arrived by then is answered.
  mutating func run() {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256) { ready in
      guard let list = ready.baseAddress else { return }
      while true {
        let isLast = desk.mailbox.isStopping
        let count = clinux_poll_wait(poll, list, 256, isLast ? 0 : 200)
        let clock = WorkerClock.now()
        for i in 0..<max(0, Int(count)) {
          if let slot = slots[list[i]] {
            serve(slot, clock)
          } else if listeners.contains(list[i]), !isLast {
            accept(list[i], clock)
          }
        }
        if clock.millisecond >= nextSweep { sweep(clock) }
        desk.turn(clock) { [own] in own }
        if isLast { break }
      }
    }
    desk.finish(own)
  }

  private mutating func serve(_ slot: Int, _ clock: WorkerClock) {
    guard var connection = connections[slot], let buffer = buffers[slot] else { return }
    let progress = connection.serve(buffer, &desk.answerer, clock)
    let wantsWrite = connection.waiting > connection.sent
    if progress == .open, wantsWrite != connection.wantsWrite {
      connection.wantsWrite = wantsWrite
      _ = clinux_poll_set(poll, connection.descriptor, wantsWrite ? 1 : 0, 0)
    }
    connections[slot] = connection
    if progress == .broken { own.connectionsBroken &+= 1 }
    if progress != .open { end(slot) }
  }

  private mutating func accept(_ listener: Int32, _ clock: WorkerClock) {
    for _ in 0..<64 {
      var peer = clinux_peer()
      let descriptor = clinux_server_accept(listener, &peer)
      guard descriptor >= 0 else {
        // Without descriptors the waiting client would wake this thread for ever: somebody has to go.
        if errno == EMFILE || errno == ENFILE, !evictOldest() { usleep(10_000) }
        return
      }
      let source = IPAddress(high: peer.high, low: peer.low)
      let network = Prefix(source, length: source.isV4 ? bits4 : bits6).address
      guard perNetwork[network, default: 0] < limits.connectionsPerNetwork else {
        own.connectionsRefused &+= 1
        close(descriptor)
        continue
      }
      if free.isEmpty { _ = evictOldest() }
      guard let slot = free.popLast(), clinux_poll_set(poll, descriptor, 0, 1) == 0 else {
        own.connectionsRefused &+= 1
        close(descriptor)
        continue
      }
      own.connections &+= 1
      if buffers[slot] == nil { buffers[slot] = StreamBuffers() }
      connections[slot] = StreamConnection(
        descriptor: descriptor, source: source, network: network, active: clock.millisecond)
      slots[descriptor] = slot
      perNetwork[network, default: 0] += 1
    }
  }

  private mutating func end(_ slot: Int) {
    guard let connection = connections[slot] else { return }
    close(connection.descriptor)
    connections[slot] = nil
    slots[connection.descriptor] = nil
    let left = perNetwork[connection.network, default: 1] - 1
    perNetwork[connection.network] = left > 0 ? left : nil
    free.append(slot)
  }

  /// Makes room by the connection that completed no query for longest (RFC 7766 section 6.2.3).
  private mutating func evictOldest() -> Bool {
    var oldest: (slot: Int, active: Int64)?
    for (slot, connection) in connections.enumerated() {
      guard let connection, connection.active < oldest?.active ?? .max else { continue }
      oldest = (slot, connection.active)
    }
    guard let oldest else { return false }
    own.connectionsEvicted &+= 1
    end(oldest.slot)
    return true
  }

  private mutating func sweep(_ clock: WorkerClock) {
    nextSweep = clock.millisecond + 500
    let before = clock.millisecond - Int64(limits.idleTimeoutSeconds) * 1000
    for slot in connections.indices {
      guard let connection = connections[slot], connection.active < before else { continue }
      own.connectionsTimedOut &+= 1
      end(slot)
    }
  }
}
