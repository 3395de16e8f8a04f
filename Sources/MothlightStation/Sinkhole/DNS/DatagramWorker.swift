import CLinux
import Glibc
import Mothlight

/// Answers what comes in over UDP: one thread, its own sockets, batches in and out.
struct DatagramWorker: ~Copyable {
  enum Bound {
    /// Datagrams of one batch: beyond 32 nothing is gained, and waiting replies would only grow old.
    static let batch = 32
    /// Octets of a query that are read: longer than any that a resolver sends. A longer one is dropped.
    static let query = 2048
    /// Octets of the kernel's buffer for each socket: some 100 ms of a flood.
    static let receiveBuffer: Int32 = 8 << 20
    /// Batches from one socket before the others are looked at.
    static let rounds = 16
  }

  private let sockets: [Int32]
  private let exchange: OpaquePointer
  private let poll: Int32
  private var desk: WorkerDesk
  private var own = DNSCounters()

  /// - Parameters:
  ///   - sockets: bound ones, which the worker closes at its end, as it frees `exchange`.
  init(_ sockets: [Int32], _ exchange: OpaquePointer, _ settings: DNSSettings, _ mailbox: WorkerMailbox) {
    self.sockets = sockets
    self.exchange = exchange
    poll = clinux_poll_make()
    desk = WorkerDesk(settings, mailbox, countRows: QueryCounts.Bound.rows)
    for socket in sockets { _ = clinux_poll_set(poll, socket, 0, 1) }
  }

  /// Room for one batch; `nil` when there is no memory.
  static func exchange() -> OpaquePointer? {
    clinux_exchange_make(UInt32(Bound.batch), UInt32(Bound.query), UInt32(DNSAnswerer.Bound.reply))
  }

  deinit {
    clinux_exchange_free(exchange)
    for socket in sockets { close(socket) }
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
        for i in 0..<max(0, Int(count)) { serve(list[i], clock) }
        desk.turn(clock) { [own, sockets] in Self.withDrops(own, sockets) }
        if isLast { break }
      }
    }
    desk.finish(Self.withDrops(own, sockets))
  }

  private static func withDrops(_ own: DNSCounters, _ sockets: [Int32]) -> DNSCounters {
    var counters = own
    counters.kernelDrops = sockets.reduce(0) { $0 &+ UInt64(clinux_socket_drops($1)) }
    return counters
  }

  private mutating func serve(_ socket: Int32, _ clock: WorkerClock) {
    for _ in 0..<Bound.rounds {
      let count = clinux_exchange_receive(socket, exchange)
      guard count > 0 else { return }
      for i in 0..<UInt32(count) { answer(i, clock) }
      own.sendFailures &+= UInt64(clinux_exchange_send(socket, exchange))
      if count < Bound.batch { return }
    }
  }

  @inline(__always)
  private mutating func answer(_ i: UInt32, _ clock: WorkerClock) {
    var octets: UInt32 = 0
    var peer = clinux_peer()
    let start = clinux_exchange_query(exchange, i, &octets, &peer)
    // Nobody asks from port 0; a reply to it would be lost. Nothing that is answered is longer than the room for it.
    guard octets > 0, peer.port != 0, let reply = clinux_exchange_reply(exchange, i) else {
      own.unanswerable &+= 1
      return
    }
    let context = QueryContext(
      source: IPAddress(high: peer.high, low: peer.low), transport: .udp, second: clock.second,
      millisecond: clock.millisecond)
    let length = desk.answerer.answer(
      UnsafeRawBufferPointer(start: start, count: Int(octets)), context,
      into: UnsafeMutableRawBufferPointer(start: reply, count: DNSAnswerer.Bound.reply))
    if length > 0 { clinux_exchange_queue(exchange, i, UInt32(truncatingIfNeeded: length)) }
  }
}
