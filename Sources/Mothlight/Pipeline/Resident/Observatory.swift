/// Judges sources that never end: what `ReadPipeline` does for files, with a judgement whenever one is asked for.
///
/// A run lasts a UTC day. Judging works on a copy of the shard (`Draft`), so that observations can go on being taken
/// meanwhile, and a day's verdicts are the same as if its records had been read at its end. Sampled sources go to a lane of
/// their own: what a sample cannot show must not weaken the verdicts of what was seen whole.
public struct Observatory: Sendable {
  /// Whether a source sees everything or a sample of it.
  public enum Lane: Int, Sendable, CaseIterable { case whole, sampled }

  private var options: ReadOptions
  private let version: String
  private var learner = HomeLearner()
  private var waiting: [(lane: Lane, batch: [Observation])] = []
  private var waitingCount = 0
  public private(set) var home: Home?
  private var runs: [Lane: ResidentRun] = [:]
  public private(set) var observations: UInt64 = 0
  /// Observations given up while the home network was being learned.
  public private(set) var refusedWhileLearning: UInt64 = 0
  /// Event time of the newest observation.
  public private(set) var newest: Timestamp?

  /// Observations held back while the home network is learned: 160 k × 240 B.
  private static let waitingMost = 160_000

  /// - Parameter home: learned by an earlier start; `options.home` goes before it.
  public init(_ options: ReadOptions, home: Home? = nil, version: String) throws(ConfigurationError) {
    self.options = options
    self.version = version
    self.home = options.home.isEmpty ? home : Home(given: options.home)
    _ = try DetectorRoster.make(knobs: options.knobs, registry: options.registry)
    _ = try DetectorRoster.makeNetwork(knobs: options.knobs, registry: options.registry)
  }

  /// Takes observations, in about the order of their times.
  public mutating func take(_ batch: [Observation], in lane: Lane = .whole) {
    observations &+= UInt64(batch.count)
    guard home == nil else { return process(batch, lane) }
    for o in batch { learner.observe(o) }
    if waitingCount + batch.count <= Self.waitingMost {
      waiting.append((lane, batch))
      waitingCount += batch.count
    } else {
      refusedWhileLearning &+= UInt64(batch.count)
    }
    if learner.isComplete { learn() }
  }

  /// Exchanges seen while learning, and how many it wants.
  public var learning: (seen: Int, wanted: Int)? {
    home == nil ? (waitingCount, HomeLearner.exchangesLearned) : nil
  }

  /// Decides on the home network from what was seen so far and lets the waiting observations through.
  public mutating func learn() {
    guard home == nil else { return }
    home = learner.learn()
    let held = waiting
    waiting = []
    waitingCount = 0
    for (lane, batch) in held { process(batch, lane) }
  }

  private mutating func process(_ batch: [Observation], _ lane: Lane) {
    guard let home else { return }
    var batch = batch
    for o in batch where newest.map({ o.time > $0 }) ?? true { newest = o.time }
    if runs[lane] == nil { runs[lane] = ResidentRun(home: home, options, state: lane == .whole ? options.state : nil) }
    runs[lane]?.shard.process(&batch)
  }

  /// A copy of what `lane` has seen in its present run, to be judged elsewhere; `nil` when it saw nothing.
  public func draft(_ lane: Lane) -> Draft? {
    guard let run = runs[lane], let home else { return nil }
    return Draft(run: run, home: home, options: options, version: version, isSampled: lane == .sampled)
  }

  /// Begins the next run of `lane`: the old one's records are judged no more.
  /// - Parameter state: what the next run is to know of earlier ones.
  public mutating func turn(_ lane: Lane, state: RollingState?) {
    guard let home else { return }
    runs[lane] = ResidentRun(home: home, options, state: lane == .whole ? state : nil)
    // The state of the start is history now.
    if lane == .whole { options.state = nil }
  }

  /// From the next judgement on these rules hold, beside those that a judgement is given.
  public mutating func allow(_ rules: AllowList) { options.allow = rules }

  /// Hosts and pairs followed now.
  public var size: (hosts: Int, pairs: Int) {
    runs.values.reduce((0, 0)) { ($0.0 + $1.shard.context.hosts.count, $0.1 + $1.shard.context.pairs.pairs.count) }
  }
}

/// One shard and what it began with.
struct ResidentRun: Sendable {
  var shard: Shard
  let state: RollingState?

  init(home: Home, _ options: ReadOptions, state: RollingState?) {
    // The settings were tried when the observatory was made.
    let detectors =
      (try? DetectorRoster.make(knobs: options.knobs, registry: options.registry, networks: options.networks)) ?? []
    shard = Shard(home: home, detectors: detectors, memory: state, longSeriesMost: options.longSeriesMost)
    self.state = state
  }
}

/// What one lane had seen at one moment.
public struct Draft: Sendable {
  fileprivate let run: ResidentRun
  fileprivate let home: Home
  fileprivate let options: ReadOptions
  fileprivate let version: String
  fileprivate let isSampled: Bool

  /// What the run knew of earlier ones when it began.
  public var earlier: RollingState? { run.state }

  /// Judges every host as if the input had ended here.
  ///
  /// - Parameter allow: beside the rules of the options.
  /// - Complexity: linear in hosts and pairs of the run.
  public func judged(allowing allow: [AllowList.Rule] = []) -> (report: Report, state: RollingState?) {
    var report = Report(version: version)
    var shard = run.shard
    if isSampled { shard.markSampled() }
    shard.finish(isOneSided: !shard.sawAnswers, served: shard.lookupsServedInside, hellos: shard.context.hellos)
    var shards = [shard]
    let detectors = (try? DetectorRoster.makeNetwork(knobs: options.knobs, registry: options.registry)) ?? []
    NetworkPass.run(detectors, over: &shards)
    report.home = home.descriptions
    report.homeWasGiven = home.wasGiven
    report.count(shards)
    var rules = options.allow
    rules.rules += allow
    var judge = Judge(allow: rules, home: home, undone: options.undone)
    guard let state = run.state else {
      judge.judge(shards, into: &report)
      return (report, nil)
    }
    var rolling = RollingRun(state)
    judge.ages = rolling.add(shards, Echo(state), into: &report)
    judge.judge(shards, into: &report)
    rolling.close(into: &report)
    return (report, rolling.result)
  }
}
