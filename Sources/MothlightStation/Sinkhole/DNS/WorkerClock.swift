import Glibc
import Mothlight

/// Both clocks, read once per round.
struct WorkerClock {
  var second: Int64 = 0
  var millisecond: Int64 = 0

  static func now() -> WorkerClock {
    var wall = timespec()
    var steady = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &wall)
    clock_gettime(CLOCK_MONOTONIC_COARSE, &steady)
    return WorkerClock(
      second: Int64(wall.tv_sec), millisecond: Int64(steady.tv_sec) * 1000 + Int64(steady.tv_nsec) / 1_000_000)
  }
}

/// The part of a worker that is the same for UDP and TCP: its answerer, its mailbox, and when it hands over.
struct WorkerDesk: ~Copyable {
  var answerer: DNSAnswerer
  let mailbox: WorkerMailbox
  private var generation: UInt64
  private var nextReport: Int64 = 0
  private var nextHandOver: Int64

  /// Milliseconds between two hand-overs. With the leader's second and the spool's own interval this is what is lost when
  /// the process dies.
  static let handOverMilliseconds: Int64 = 2000

  init(_ settings: DNSSettings, _ mailbox: WorkerMailbox, countRows: Int) {
    let clock = WorkerClock.now()
    generation = mailbox.currentGeneration
    let orders = mailbox.orders
    answerer = DNSAnswerer(
      settings, zones: orders.zones, secrets: orders.secrets, second: clock.second, countRows: countRows)
    self.mailbox = mailbox
    nextHandOver = clock.millisecond + Self.handOverMilliseconds
  }

  /// Between two batches: other zones, other hour, or time to hand over.
  /// - Parameter extra: counters that the worker keeps beside those of its answerer.
  mutating func turn(_ clock: WorkerClock, _ extra: () -> DNSCounters) {
    let present = mailbox.currentGeneration
    if present != generation {
      generation = present
      let orders = mailbox.orders
      mailbox.hand(over: answerer.serve(orders.zones, secrets: orders.secrets, second: clock.second))
    }
    guard clock.millisecond >= nextReport else { return }
    nextReport = clock.millisecond + 500
    mailbox.report(answerer.counters + extra())
    let isNewHour = answerer.countedHour != Int(clock.second / 3600)
    guard clock.millisecond >= nextHandOver || isNewHour, mailbox.hasRoom else { return }
    nextHandOver = clock.millisecond + Self.handOverMilliseconds
    mailbox.hand(over: answerer.takeCounts(second: clock.second))
  }

  mutating func finish(_ extra: DNSCounters) {
    mailbox.hand(over: answerer.takeCounts(second: WorkerClock.now().second))
    mailbox.report(answerer.counters + extra)
  }
}
