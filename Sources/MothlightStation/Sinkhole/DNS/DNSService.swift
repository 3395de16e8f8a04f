import CLinux
import Glibc
import Mothlight

/// The name server as a program: zones from a file, signals, and the flow of what was counted to its sink.
public final class DNSService {
  private let configuration: SinkholeConfiguration
  private let server: DNSServer
  private let say: (String) -> Void
  private var reload: Reload?
  private var missed = false
  private var knownDrops: UInt64 = 0
  private var knownSecond = WorkerClock.now().second
  private let metrics: MetricsResponder?
  private let epoll: Int32
  /// Milliseconds between two looks at signals and scrapers, and how many of them make a turn.
  private static let tickMilliseconds = 100
  private static let ticksOfTurn = 10

  /// Reads the zones and opens all sockets.
  /// - Parameters:
  ///   - say: takes one line for the operator.
  /// - Throws: `ZoneFile.Problem` or `ListenError`, one line each.
  public init(_ configuration: SinkholeConfiguration, say: @escaping (String) -> Void) throws {
    self.configuration = configuration
    self.say = say
    let file = try ZoneFile.read(configuration.zones)
    for problem in file.problems { say("\(problem)") }
    if file.problemCount > file.problems.count { say("and \(file.problemCount - file.problems.count) more like these") }
    let zones = ServedZones(file, configuration.dns)
    server = try DNSServer(configuration.dns, zones: zones)
    let epoll = clinux_epoll_make()
    self.epoll = epoll
    if let address = configuration.dns.metrics {
      metrics = try MetricsResponder(address, epoll: epoll, tokenBase: 0)
    } else {
      metrics = nil
    }
    Self.summary(zones).forEach(say)
  }

  deinit { close(epoll) }

  public var addresses: [ListenAddress] { server.addresses }
  /// Where metrics are served; `nil` when they are not.
  public var metricsAddress: ListenAddress? { metrics?.address }
  public var prometheusText: String { server.prometheusText }

  private static func summary(_ zones: ServedZones) -> [String] {
    let second = WorkerClock.now().second
    let resting = zones.orders.filter { !$0.isServed(at: second) }.map { order in
      let reason = order.end <= second ? "has ended" : "has not begun"
      return "\(zones.path):\(order.line): \(order.family), order \(order.authority.order) \(reason); it is not served"
    }
    let served = zones.orders.count - resting.count
    return resting + [
      "\(zones.nameCount) names of \(zones.orders.count) orders, \(served) of them served; "
        + "\(zones.memoryOctets >> 10) KiB of names"
    ]
  }

  /// Serves until SIGTERM or SIGINT; SIGHUP reads the zones and the secrets again.
  ///
  /// Signals have to be held back (`Signals.holdBack`) before the first thread starts.
  /// - Parameter sink: takes what was counted, on this thread, about every second.
  public func run(_ sink: any SpoolSink) throws(ListenError) {
    try server.start()
    for address in server.addresses { say("answers on \(address), udp and tcp") }
    if metrics?.watch() == false { throw ListenError("metrics: cannot be watched") }
    var ticks = 0
    loop: while true {
      switch Signals.next(withinMilliseconds: Self.tickMilliseconds) {
      case SIGTERM, SIGINT: break loop
      case SIGHUP: beginReload()
      default: break
      }
      serveMetrics()
      ticks += 1
      guard ticks % Self.ticksOfTurn == 0 else { continue }
      finishReload(sink)
      turn(sink)
    }
    server.stop { sink.append(.dnsCount(ResolverCount($0))) }
    turn(sink)
    let done = server.counters
    say("stopped after \(done.queriesUDP + done.queriesTCP) queries")
  }

  private func serveMetrics() {
    guard let metrics else { return }
    var events = [UInt64](repeating: 0, count: 32)
    let now = Clock.milliseconds()
    let count = Int(clinux_epoll_wait(epoll, &events, 32, 0))
    for event in events.prefix(max(0, count)) {
      metrics.serve(Int(truncatingIfNeeded: event), now: now) { prometheusText }
    }
    metrics.expire(now: now)
  }

  /// Hands on counts, and what makes them incomplete or ends them.
  private func turn(_ sink: any SpoolSink) {
    server.turn { sink.append(.dnsCount(ResolverCount($0))) }
    let now = Timestamp(seconds: WorkerClock.now().second)
    let drops = server.counters.kernelDrops
    if drops > knownDrops { sink.append(.notice(Notice(time: now, event: .kernelDrops(drops - knownDrops)))) }
    knownDrops = drops
    let second = Int64(now.nanoseconds / 1_000_000_000)
    for order in server.zones.orders where order.end > knownSecond && order.end <= second {
      let words = "order \(order.authority.order) of \(order.family) has ended; its names are no longer served"
      say(words)
      sink.append(.notice(Notice(time: now, event: .remark(words))))
    }
    knownSecond = max(knownSecond, second)
    sink.flush(now: now)
  }

  // MARK: Reload

  private func beginReload() {
    guard reload == nil else {
      missed = true
      return
    }
    do throws(ZoneFile.Problem) { try server.reloadSecrets() } catch {
      say("\(error); the present secrets stay")
    }
    reload = Reload(configuration.zones, configuration.dns)
  }

  private func finishReload(_ sink: any SpoolSink) {
    guard let result = reload?.result else { return }
    reload = nil
    switch result {
    case .success(let zones):
      server.serve(zones)
      Self.summary(zones).forEach(say)
      let words = "zones read again: \(zones.nameCount) names of \(zones.orders.count) orders"
      let now = Timestamp(seconds: WorkerClock.now().second)
      sink.append(.notice(Notice(time: now, event: .remark(words))))
    case .failure(let refusal):
      refusal.lines.forEach(say)
      say("\(configuration.zones) was not taken; the zones of before stay")
    }
    if missed {
      missed = false
      beginReload()
    }
  }
}

extension ResolverCount {
  /// The row of a count in the spool.
  init(_ count: QueryCount) {
    self.init(
      resolver: count.resolver,
      clientNetwork: count.subnet.map { Prefix($0.address, length: Int($0.bits)) }, name: count.name, type: count.type,
      botnet: count.family, hour: UInt32(clamping: count.hour), count: UInt32(clamping: count.count))
  }
}
