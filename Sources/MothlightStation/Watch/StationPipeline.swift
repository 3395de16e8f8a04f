import Mothlight

/// Takes what sources saw, judges it now and then, and has it written.
///
/// Ingestion and judging share nothing but a copy of the shard, so a slow judgement or a full disk never stops ingestion.
/// What could not be written is offered again at the next judging.
public actor StationPipeline {
  public struct Settings: Sendable {
    /// Seconds between judgements; more when one takes long, so that at most a twentieth of a core goes into it.
    public var judgeSeconds = 30.0
    /// Seconds of traffic after which the home network is decided upon, if `exchangesLeast` were seen.
    public var learnSeconds = 60.0
    public var exchangesLeast = 200
    /// Seconds between savings of the state between runs.
    public var stateSeconds = 900.0
    /// Minutes of the new UTC day before the old one is closed: late records still belong to it.
    public var graceMinutes = 10
    public init() {}
  }

  /// What the pipeline needs of its surroundings.
  public struct Surroundings: Sendable {
    public var store: any Store
    public var board: StatusBoard
    public var clock: @Sendable () -> Timestamp
    /// Keeps the state between runs and what sources are past with: all of it is in the store. Given `nil` where the state stays
    /// as it was.
    public var saveState: (@Sendable (RollingState?) throws -> Void)?
    /// Keeps a home network that was learned.
    public var saveHome: (@Sendable (Home) -> Void)?
    public init(
      store: any Store, board: StatusBoard, clock: @escaping @Sendable () -> Timestamp,
      saveState: (@Sendable (RollingState?) throws -> Void)? = nil, saveHome: (@Sendable (Home) -> Void)? = nil
    ) {
      self.store = store
      self.board = board
      self.clock = clock
      self.saveState = saveState
      self.saveHome = saveHome
    }
  }

  private var settings: Settings
  private let around: Surroundings
  private let queue = ObservationQueue()
  private var observatory: Observatory
  private var changes = HostDayChanges()
  private var runs: [Observatory.Lane: String] = [:]
  private var runDay: Int?
  private var started: Timestamp
  private var judgedAt: Timestamp?
  private var judgedCount: UInt64 = 0
  private var stateSaved: Timestamp
  private var isJudging = false
  /// Seconds of a processor that the last judgement took.
  private var judgingCost = 0.0
  private var knowsHome: Bool
  /// The store's allow rules as they were last.
  private var rules: [AllowList.Rule] = []
  /// The last judgement is not on disk.
  private var hasUnwritten = false
  /// What went wrong in the last judgement.
  public private(set) var lastTroubles: [String] = []
  /// What went wrong in the judgement under way.
  private var troubles: [String] = []

  public init(_ observatory: Observatory, _ settings: Settings = Settings(), _ around: Surroundings) {
    self.observatory = observatory
    self.settings = settings
    self.around = around
    knowsHome = observatory.home != nil
    started = around.clock()
    stateSaved = started
  }

  /// Where a source puts its observations.
  public nonisolated func sink(for meter: SourceMeter) -> any ObservationSink { QueueSink(queue: queue, meter: meter) }

  /// Taken so far.
  public var observations: UInt64 { observatory.observations }

  /// Takes over what may change while it runs.
  public func update(allow: AllowList, judgeSeconds: Double) {
    observatory.allow(allow)
    settings.judgeSeconds = judgeSeconds
  }

  /// Takes and judges until the task is cancelled, then judges and writes a last time.
  public func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.ingest() }
      group.addTask { await self.judgeAgainAndAgain() }
      await withTaskCancellationHandler {
        await group.waitForAll()
      } onCancel: {
        queue.finish()
      }
    }
    // In a task of its own: a store writes nothing for one that was cancelled.
    await Task { await judge(isLast: true) }.value
  }

  private func ingest() async {
    while await drain() {}
  }

  /// Takes what waits in the queue; waits for something when there is nothing.
  /// - Returns: `false` when there will be nothing more.
  @discardableResult
  func drain() async -> Bool {
    guard let parts = await queue.next() else { return false }
    for part in parts { observatory.take(part.batch, in: part.lane) }
    return true
  }

  private func judgeAgainAndAgain() async {
    while !Task.isCancelled {
      // By the processor's time: on a busy machine the clock's would keep it from judging.
      let pause = max(settings.judgeSeconds, judgingCost * 20)
      try? await Task.sleep(for: .seconds(pause))
      guard !Task.isCancelled else { return }
      await judge()
      _ = await Task.detached(priority: .utility) { Heap.giveBackHoles() }.value
    }
  }

  /// Judges what was seen so far, writes what changed, and closes the day when it is over.
  public func judge(isLast: Bool = false) async {
    guard !isJudging else { return }
    isJudging = true
    defer { isJudging = false }
    let now = around.clock()
    let isDecided = decideHome(at: now, isLast: isLast)
    let since = judgedAt ?? started
    let fresh = observatory.observations &- judgedCount
    judgedCount = observatory.observations
    judgedAt = now
    let turns = dayIsOver
    var reports: [Report] = []
    let rules = (try? await around.store.allowRules())?.map(\.rule) ?? rules
    if fresh > 0 || isDecided || turns || isLast || hasUnwritten || rules != self.rules, observatory.home != nil {
      hasUnwritten = false
      judgingCost = 0
      self.rules = rules
      for lane in Observatory.Lane.allCases {
        if let report = await judge(lane, at: now, closing: turns, saving: turns || isLast) { reports.append(report) }
      }
    }
    if turns {
      runDay = observatory.newest?.day
      // The day before may still be written once more.
      if let runDay { changes.forget(before: runDay - 1) }
    }
    publish(reports, at: now, fresh: fresh, seconds: now.seconds(since: since))
  }

  /// - Returns: whether the home network became known since the last judgement.
  private func decideHome(at now: Timestamp, isLast: Bool) -> Bool {
    if let learning = observatory.learning {
      let isTime = now.seconds(since: started) >= settings.learnSeconds && learning.seen >= settings.exchangesLeast
      if isTime || isLast && learning.seen > 0 { observatory.learn() }
    }
    guard !knowsHome, let home = observatory.home else { return false }
    knowsHome = true
    around.saveHome?(home)
    return true
  }

  /// Event time has passed midnight for good.
  private var dayIsOver: Bool {
    guard let newest = observatory.newest else { return false }
    // A clock that runs ahead must not close days that are not over.
    let time = min(newest, around.clock().advanced(bySeconds: 60))
    guard let day = runDay else {
      runDay = time.day
      return false
    }
    return time.advanced(bySeconds: -Double(settings.graceMinutes) * 60).day > day
  }

  private func judge(_ lane: Observatory.Lane, at now: Timestamp, closing: Bool, saving: Bool) async -> Report? {
    guard let draft = observatory.draft(lane) else { return nil }
    let rules = rules
    let (report, state, cost) = await Task.detached(priority: .utility) {
      let start = Clock.threadSeconds()
      let (report, state) = draft.judged(allowing: rules)
      return (report, state, Clock.threadSeconds() - start)
    }.value
    judgingCost += cost
    let run = name(of: lane, at: now)
    let changed = changes.changed(report.hosts, at: now, all: closing)
    do {
      if !changed.isEmpty { try await around.store.keep(changed, run: run, at: now) }
      changes.acknowledge(changed, at: now)
      for day in Set(changed.map(\.day)).sorted() {
        around.board.publish(.judged(day: day, changed: changed.count { $0.day == day }))
      }
    } catch {
      hasUnwritten = true
      troubles.append("not written, will be tried again: \(error.message)")
      // A day that is not on disk is not closed.
      return report
    }
    if lane == .whole, saving || now.seconds(since: stateSaved) >= settings.stateSeconds { save(state, at: now) }
    if closing {
      observatory.turn(lane, state: lane == .whole ? state ?? draft.earlier : nil)
      runs[lane] = nil
    }
    return report
  }

  private func save(_ state: RollingState?, at now: Timestamp) {
    guard let save = around.saveState else { return }
    stateSaved = now
    do { try save(state) } catch { troubles.append("state not saved: \(error)") }
  }

  private func name(of lane: Observatory.Lane, at now: Timestamp) -> String {
    if let name = runs[lane] { return name }
    let name = "\(now.nanoseconds)-\(lane.rawValue)"
    runs[lane] = name
    return name
  }

  private func publish(_ reports: [Report], at now: Timestamp, fresh: UInt64, seconds: Double) {
    let size = observatory.size
    let took = around.clock().seconds(since: now)
    let home = observatory.home
    let refused = observatory.refusedWhileLearning
    let troubles = troubles
    lastTroubles = troubles
    self.troubles = []
    if !reports.isEmpty { around.board.leftOut = LeftOut(reports.flatMap(\.hidden)) }
    around.board.update { health in
      health.observations = observatory.observations
      health.observationsPerSecond = seconds > 0 ? Double(fresh) / seconds : 0
      health.hosts = UInt64(size.hosts)
      health.pairs = UInt64(size.pairs)
      health.newest = observatory.newest
      health.isLearning = home == nil
      health.home = home?.prefixesShown ?? []
      health.homeWasGiven = home?.wasGiven ?? false
      guard !reports.isEmpty else { return }
      health.judged = now
      health.judgingSeconds = took
      health.warnings = troubles + reports.flatMap(\.warnings)
      health.counters = reports.reduce(into: [:]) { $0.merge($1.counters, uniquingKeysWith: &+) }
      if refused > 0 { health.counters["refused_while_learning"] = refused }
    }
  }
}
