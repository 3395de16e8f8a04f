import CLinux
import Glibc
import Mothlight

/// All listeners of a sinkhole on one thread: UDP first in every turn, then connections, then what can wait.
///
/// It opens its ports when it is made and gives up its privileges then; `run` returns once `stop` was raised and everything
/// is drained.
public final class Listeners {
  /// Kinds of events, in the upper octet of an event's token.
  private enum Token {
    static let datagram: UInt64 = 1 << 56
    static let port: UInt64 = 2 << 56
    static let connection: UInt64 = 3 << 56
    static let metrics: UInt64 = 4 << 56
    static let stop: UInt64 = 5 << 56
    static let kind: UInt64 = 0xff << 56
  }

  /// Events of one turn.
  private static let eventsMost: Int32 = 512
  /// Slots of the tally swept in one turn: below a millisecond.
  private static let sweepSlots = 4096
  /// Milliseconds between two looks at what has run out of time.
  private static let tickMilliseconds: Int64 = 100
  /// Datagrams in a tick from which on the loop naps between turns: one wake-up then takes a full batch instead of one or
  /// two datagrams, which halves the cost of each. The buffer holds some tens of thousands.
  private static let busyDatagrams: UInt64 = 1000
  /// Microseconds of a nap: some 40 datagrams at the rate of Mariposa, and no delay that a peer would notice.
  private static let napMicroseconds: UInt32 = 500
  /// Seconds from the wish to stop to the end.
  private static let drainSeconds = 5

  private let configuration: ListenerConfiguration
  private let epoll: Int32
  private let stop: StopSignal
  private let queue: SpoolQueue
  let tally: CheckInTally
  private var datagrams: [DatagramReceiver] = []
  private let streams: StreamReceiver
  private let metrics: MetricsResponder?
  private var events = [UInt64](repeating: 0, count: Int(Listeners.eventsMost))
  private var isSweeping = true
  /// A socket had more than its share of a turn.
  private var isBacklogged = false
  private var sweptHour: UInt16
  private var lostSeen: UInt64 = 0
  private var kernelDropsTold: UInt64 = 0
  private var clockStepsSeen: UInt64 = 0

  /// - Parameter makeSink: makes the spool, on the thread that will write it.
  /// - Throws: `ListenError` or `ConfigurationError`, one line each.
  public init(
    _ configuration: ListenerConfiguration, stop: StopSignal, makeSink: @escaping @Sendable () -> any SpoolSink
  ) throws {
    if let problem = configuration.problems.first { throw ListenError(problem) }
    self.configuration = configuration
    self.stop = stop
    epoll = clinux_epoll_make()
    guard epoll >= 0 else { throw ListenError("epoll: \(String(cString: strerror(errno)))") }
    let limits = try Self.limits(configuration)
    let recogniser = Recogniser(configuration.signatures)
    queue = SpoolQueue(makeSink)
    tally = try CheckInTally(
      configuration.tally, recogniser, networks: configuration.networks,
      familyOfHost: configuration.familyOfHost, sink: queue, now: Clock.now())
    sweptHour = 0
    var ports: [(ListenerConfiguration.Listener, UInt16)] = []
    for listener in configuration.listeners {
      let declared = tally.declare(listener.family)
      switch listener.carrier {
      case .tcp: ports.append((listener, declared))
      case .udp:
        var listener = listener
        for _ in 0..<listener.sockets {
          let receiver = try DatagramReceiver(listener, declared: declared, tally: tally)
          // The others share the port that the first one got.
          listener.address = receiver.address
          datagrams.append(receiver)
        }
      }
    }
    let spare = SpareDescriptor()
    streams = try StreamReceiver(
      ports.map { (listener: $0.0, declared: $0.1) }, limits: limits, header: configuration.header,
      tally: tally, dialogues: DialogueReader(recogniser), epoll: epoll, tokenBase: Token.connection, spare: spare)
    if let address = configuration.metrics {
      metrics = try MetricsResponder(address, epoll: epoll, tokenBase: Token.metrics, spare: spare)
    } else {
      metrics = nil
    }
    try watch()
    if let user = configuration.user { try Privileges.drop(to: user) } else { try Privileges.forbidNew() }
    tell(.started(configuration: configuration.digest, version: configuration.program))
    tell(.remark(start(limits: limits, rules: recogniser.version)))
    if let aside = tally.quarantined { tell(.recovered("damaged tally moved to \(aside)")) }
    if let reason = tally.unkept { tell(.remark("\(reason); a crash loses the hour under way")) }
    if tally.inherited > 0 { tell(.recovered("\(tally.inherited) sources kept from before")) }
  }

  deinit { close(epoll) }

  /// Descriptors that are no connection's: spool, metrics, runtime.
  private static let filesKept = 192

  /// What is asked for, as far as the limit of open files goes.
  private static func limits(_ configuration: ListenerConfiguration) throws -> ListenerConfiguration.Limits {
    var limits = configuration.limits
    let ports = configuration.listeners.reduce(0) { $0 + $1.sockets }
    let wanted = limits.connections + ports + filesKept
    let files = Int(clamping: clinux_raise_open_files(UInt64(clamping: wanted)))
    let left = files - ports - filesKept
    guard left >= 16 else {
      throw ListenError("\(files) open files do not suffice for \(ports) ports; raise the limit (LimitNOFILE)")
    }
    limits.connections = min(limits.connections, left)
    return limits
  }

  private func watch() throws(ListenError) {
    var isWatched = clinux_epoll_add(epoll, stop.descriptor, Token.stop) == 0
    for (number, receiver) in datagrams.enumerated() where isWatched {
      isWatched = receiver.watch(on: epoll, token: Token.datagram | UInt64(number))
    }
    isWatched = isWatched && streams.watch(token: Token.port) && metrics?.watch() ?? true
    guard isWatched else { throw ListenError("epoll: \(String(cString: strerror(errno)))") }
  }

  /// Where it listens, in the order of the configuration within each carrier.
  public var datagramAddresses: [ListenAddress] { datagrams.map(\.address) }
  public var streamAddresses: [ListenAddress] { streams.addresses }
  public var metricsAddress: ListenAddress? { metrics?.address }
  public var counters: CheckInTally.Counters { tally.counters }
  public var kernelDrops: UInt64 { datagrams.reduce(0) { $0 &+ $1.kernelDrops } }
  /// Sources times botnets counted.
  public var sources: Int { tally.sources }
  var streamCounters: StreamReceiver.Counters { streams.counters }

  /// Why the tally has no file although one was wanted.
  public var unkept: String? { tally.unkept }

  /// Rows that a process before this one had handed over and that its spool did not get are written again.
  /// - Parameter spool: its folder.
  /// - Returns: how many.
  @discardableResult
  public func writeAgain(missingIn spool: String) -> Int {
    let rows = tally.rowsInFlight()
    guard !rows.isEmpty else { return 0 }
    // Rules may have been changed between the two, and identities are not kept with rows on their way.
    func plain(_ sighting: Sighting) -> Sighting {
      var sighting = sighting
      sighting.ruleVersion = 0
      sighting.identities = []
      return sighting
    }
    let wanted = Set(rows.map(plain))
    var kept: Set<Sighting> = []
    if let reader = try? SpoolReader(path: spool, newest: Self.segmentsOfRows) {
      _ = reader.read { record in
        guard case .sighting(let sighting) = record else { return }
        let one = plain(sighting)
        if wanted.contains(one) { kept.insert(one) }
      }
    }
    let count = tally.writeAgain(
      unless: { kept.contains(plain($0)) }, waiting: { while !self.queue.hasRoom { usleep(1000) } })
    if count > 0 { tell(.recovered("\(count) rows that were on their way are written again")) }
    return count
  }
  /// Newest segments that hold whatever was written of the rows in flight: these fill a quarter of one.
  private static let segmentsOfRows = 3

  // MARK: The loop

  public func run() {
    var ticked: Int64 = 0
    var judged: Int64 = 0
    var datagramsSeen: UInt64 = 0
    var isBusy = false
    while true {
      if isBusy, !isBacklogged { usleep(Self.napMicroseconds) }
      let count = clinux_epoll_wait(epoll, &events, Self.eventsMost, isSweeping ? 10 : Int32(Self.tickMilliseconds))
      let now = Clock.milliseconds()
      tally.advance(to: Clock.now())
      if dispatch(Int(max(0, count)), now) { break }
      if now &- ticked >= Self.tickMilliseconds {
        ticked = now
        let datagrams = datagrams.reduce(0) { $0 &+ $1.datagrams }
        isBusy = datagrams &- datagramsSeen > Self.busyDatagrams
        datagramsSeen = datagrams
        streams.expire(now: now)
        metrics?.expire(now: now)
      }
      if now &- judged >= 1000 {
        judged = now
        everySecond()
      }
      if isSweeping, queue.hasRoom { isSweeping = !tally.sweep(slots: Self.sweepSlots) }
    }
    drain()
  }

  /// - Returns: whether the wish to stop was among the events.
  private func dispatch(_ count: Int, _ now: Int64) -> Bool {
    var isStopping = false
    isBacklogged = false
    // Datagrams have no one who waits for them but a buffer.
    for i in 0..<count {
      let token = events[i]
      guard token & Token.kind == Token.datagram else { continue }
      if datagrams[Int(token & ~Token.kind)].drain() { isBacklogged = true }
    }
    for i in 0..<count {
      let token = events[i]
      let number = Int(token & ~Token.kind)
      switch token & Token.kind {
      case Token.connection: streams.serve(number, now: now)
      case Token.port: streams.accept(port: number, now: now)
      case Token.metrics: metrics?.serve(number, now: now) { self.page() }
      case Token.stop: isStopping = true
      default: break
      }
    }
    return isStopping
  }

  private func everySecond() {
    let drops = datagrams.reduce(0) { $0 &+ $1.pollDrops() }
    let isOverloaded = drops > 0 || queue.lost > lostSeen
    lostSeen = queue.lost
    if let factor = tally.judgeLoad(isOverloaded: isOverloaded) {
      tell(.samplingFactor(factor))
    }
    let total = kernelDrops
    if total > kernelDropsTold {
      tell(.kernelDrops(total &- kernelDropsTold))
      kernelDropsTold = total
    }
    if tally.counters.clockStepsBack > clockStepsSeen {
      clockStepsSeen = tally.counters.clockStepsBack
      tell(.clockStep(nanoseconds: tally.counters.clockBackNanoseconds))
    }
    if tally.currentHour != sweptHour {
      sweptHour = tally.currentHour
      tally.restartSweep()
      isSweeping = true
    }
    queue.flush(now: Clock.now())
  }

  /// Takes what has arrived, ends what is open, writes what the hour has.
  private func drain() {
    let end = Clock.milliseconds() &+ Int64(Self.drainSeconds - 1) &* 1000
    streams.stopListening()
    for receiver in datagrams {
      var turns = 0
      while receiver.drain(), turns < 64 { turns += 1 }
    }
    streams.endAll()
    let isComplete = tally.flush {
      while !self.queue.hasRoom, Clock.milliseconds() < end { usleep(1000) }
      return Clock.milliseconds() >= end
    }
    if !isComplete { tell(.remark("the rest of the hour stays in the tally")) }
    tell(.stopped)
    _ = queue.end(now: Clock.now(), waitSeconds: 2)
  }

  // MARK: Words

  private func start(limits: ListenerConfiguration.Limits, rules: UInt32) -> String {
    var words = "start: \(datagrams.count) udp sockets, \(streams.addresses.count) tcp ports, rules \(rules)"
    if limits.connections < configuration.limits.connections {
      words += "; \(limits.connections) connections at most, by the limit of open files"
    }
    if let least = datagrams.map(\.receiveBufferOctets).min() { words += "; udp buffer \(least >> 10) KiB" }
    return words
  }

  private func tell(_ event: Notice.Event) { queue.append(.notice(Notice(time: Clock.now(), event: event))) }

  private func page() -> String {
    MetricsPage(
      tally: tally.counters, sources: tally.sources, factor: tally.samplingFactor,
      datagrams: datagrams.reduce(0) { $0 &+ $1.datagrams }, kernelDrops: kernelDrops,
      streams: streams.counters, open: streams.open, blocks: streams.blocksInUse, blocksRefused: streams.blocksRefused,
      spooled: queue.appended, lost: queue.lost
    ).text
  }
}

/// Ends a loop from another thread or by a signal.
public final class StopSignal: Sendable {
  let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Raised by hand.
  public convenience init() { self.init(clinux_event_make()) }

  /// Raised by SIGTERM and SIGINT, which are held back in this thread and those it will start.
  public static func bySignals() -> StopSignal { StopSignal(clinux_signals_make()) }

  deinit { if descriptor >= 0 { close(descriptor) } }

  public func raise() { _ = clinux_event_raise(descriptor) }
}
