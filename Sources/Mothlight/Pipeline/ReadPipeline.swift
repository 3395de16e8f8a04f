import AsyncAlgorithms

/// Settings of one run over files.
public struct ReadOptions: Sendable {
  /// Empty: learn it from the traffic.
  public var home: [Prefix] = []
  public var shards = 1
  public var batch = Limits.batch
  public var knobs: [String: [String: Double]] = [:]
  public var registry = Registry()
  /// Who announces an address; `nil` without a file that tells.
  public var networks: (any NetworkDirectory)?
  /// The same for the sources in spools, where `networks` gives none: strangers' addresses say little without it.
  public var spoolNetworks: (any NetworkDirectory)?
  public var allow = AllowList()
  /// Suppressions that are undone: their findings weigh what they would without.
  public var undone: Set<Suppression.Kind> = []
  /// What earlier runs saw; `nil` keeps nothing between runs.
  public var state: RollingState?
  /// Pairs of a shard with long series; lowered only to measure what a full table costs.
  public var longSeriesMost = LongSeries.limit
  public init() {}
}

/// Reads inputs to the end and judges every host: observations in batches to shards, findings back, one report.
///
/// The reader runs in the calling task; with more than one shard each has a task of its own behind a short queue, so a slow
/// shard slows the reader and memory stays flat. The report does not depend on the number of shards or on batch size.
public struct ReadPipeline {
  private let options: ReadOptions
  private let networkDetectors: [any NetworkDetector]
  private var home: Home?
  private var learner = HomeLearner()
  private var waiting: [Observation] = []
  /// What is to be kept for the next run, once this one has been reported; `nil` when there is nothing new.
  public private(set) var stateToSave: RollingState?

  public init(_ options: ReadOptions) throws(ConfigurationError) {
    self.options = options
    if !options.home.isEmpty { home = Home(given: options.home) }
    _ = try DetectorRoster.make(knobs: options.knobs, registry: options.registry)
    networkDetectors = try DetectorRoster.makeNetwork(knobs: options.knobs, registry: options.registry)
  }

  /// - Parameters:
  ///   - inputs: opened by `InputQueue`.
  ///   - progress: called now and then with octets read and their total, if known.
  /// - Returns: a report that also holds what could not be read.
  public mutating func run(_ inputs: InputQueue, version: String, progress: (UInt64, UInt64?) -> Void = { _, _ in })
    async -> Report
  {
    var report = Report(version: version)
    var feed = Feed(options: options)
    var sampled = false
    var sinkholes: [SinkholeTally] = []
    while let reader = inputs.next() {
      feed.expect(inputs)
      await pull(reader, into: &feed, inputs, progress)
      if let spool = reader as? SpoolRecordReader { sinkholes.append(spool.tally) }
      sampled = sampled || reader.summary.isSampled
    }
    if home == nil { home = learner.learn() }
    await release(into: &feed)
    let known = home ?? learner.learn()
    let summaries = inputs.summaries
    // A mixture of timed and timeless inputs keeps its timing; only a run without any time loses it.
    let timed = summaries.isEmpty || summaries.contains { $0.first != $0.last || $0.records < 2 }
    var shards = await feed.finish(home: known, isSampled: sampled, hasUsableTime: timed)
    if shards.count > 1 {
      await NetworkPass.runTogether(networkDetectors, over: &shards)
    } else {
      NetworkPass.run(networkDetectors, over: &shards)
    }
    report.inputs = summaries
    if let joined = SinkholeTally.joined(sinkholes) {
      let networks = options.networks ?? options.spoolNetworks
      report.sinkhole = joined.summed(networks: networks)
      report.victims = VictimReader(
        spools: summaries.filter { $0.format == SpoolRecordReader.format }.map(\.path), networks: networks)
    }
    report.warnings += inputs.folderWarnings
    report.home = known.descriptions
    report.homeWasGiven = known.wasGiven
    report.count(shards)
    var judge = Judge(allow: options.allow, home: known, undone: options.undone)
    guard var rolling = options.state.map({ RollingRun($0) }), let echo = feed.echo else {
      judge.judge(shards, into: &report)
      return report
    }
    judge.ages = rolling.add(shards, echo, into: &report)
    judge.judge(shards, into: &report)
    rolling.close(into: &report)
    stateToSave = rolling.result
    return report
  }

  private mutating func pull(
    _ reader: any RecordReader, into feed: inout Feed, _ inputs: InputQueue, _ progress: (UInt64, UInt64?) -> Void
  ) async {
    var batch: [Observation] = []
    batch.reserveCapacity(options.batch * 2)
    do throws(SourceError) {
      while try reader.read(into: &batch, limit: options.batch) {
        if home == nil { learn(&batch) }
        if let home { await feed.send(&batch, home: home) }
        batch.removeAll(keepingCapacity: true)
        let (read, total) = inputs.progress
        progress(read, total)
      }
    } catch {
      inputs.note(error, for: reader)
    }
    if home == nil, !batch.isEmpty { learn(&batch) }
    if let home, !batch.isEmpty { await feed.send(&batch, home: home) }
  }

  /// Holds observations back until the home network is known.
  private mutating func learn(_ batch: inout [Observation]) {
    for o in batch { learner.observe(o) }
    waiting += batch
    batch.removeAll(keepingCapacity: true)
    guard learner.isComplete else { return }
    home = learner.learn()
    swap(&batch, &waiting)
  }

  private mutating func release(into feed: inout Feed) async {
    guard let home, !waiting.isEmpty else { return }
    var rest: [Observation] = []
    swap(&rest, &waiting)
    await feed.send(&rest, home: home)
  }
}

/// Hands observations to shards by host: one shard inline, or one task each behind a short queue.
struct Feed {
  /// Parts that wait for a shard: with none, reader and shards would take turns instead of working at once.
  private static let partsWaiting = 4
  private static let partObservations = Limits.batch * 4

  private let options: ReadOptions
  private var inline: Shard?
  private var channels: [AsyncChannel<[Observation]>] = []
  private var tasks: [Task<Shard, Never>] = []
  private var pending: [[Observation]] = []
  /// Hears what is handed on, for the state.
  private(set) var echo: Echo?

  init(options: ReadOptions) {
    self.options = options
    echo = options.state.map { Echo($0) }
  }

  /// Another input was opened.
  mutating func expect(_ inputs: InputQueue) {
    guard let known = echo?.inputsExpected else { return }
    echo?.expect(inputs.paths(from: known))
  }

  private func makeShard(_ home: Home) -> Shard {
    // The settings were tried when the pipeline was made; a failure here cannot come from outside.
    let detectors =
      (try? DetectorRoster.make(knobs: options.knobs, registry: options.registry, networks: options.networks)) ?? []
    return Shard(home: home, detectors: detectors, memory: options.state, longSeriesMost: options.longSeriesMost)
  }

  mutating func send(_ batch: inout [Observation], home: Home) async {
    echo?.hear(batch, home: home)
    guard options.shards > 1 else {
      if inline == nil { inline = makeShard(home) }
      inline?.process(&batch)
      return
    }
    if channels.isEmpty { start(home) }
    await distribute(batch, home)
  }

  private mutating func start(_ home: Home) {
    for _ in 0..<options.shards {
      let channel = AsyncChannel<[Observation]>()
      let fresh = makeShard(home)
      channels.append(channel)
      tasks.append(
        Task {
          var shard = fresh
          for await part in channel.buffer(policy: .bounded(Self.partsWaiting)) {
            var part = part
            shard.process(&part)
          }
          return shard
        })
      pending.append([])
    }
  }

  private mutating func distribute(_ batch: [Observation], _ home: Home) async {
    for o in batch {
      guard let (address, _) = Shard.hostAddress(of: o, home: home) else { continue }
      let n = Int(truncatingIfNeeded: address.mixed % UInt64(channels.count))
      pending[n].append(o)
      if pending[n].count >= Self.partObservations { await flush(n) }
    }
  }

  private mutating func flush(_ n: Int) async {
    var part: [Observation] = []
    part.reserveCapacity(Self.partObservations)
    swap(&part, &pending[n])
    if !part.isEmpty { await channels[n].send(part) }
  }

  mutating func finish(home: Home, isSampled: Bool, hasUsableTime: Bool) async -> [Shard] {
    var shards: [Shard] = []
    for n in channels.indices { await flush(n) }
    for channel in channels { channel.finish() }
    for task in tasks { shards.append(await task.value) }
    if let inline { shards.append(inline) }
    inline = nil
    if shards.isEmpty { shards = [makeShard(home)] }
    let isOneSided = !shards.contains { $0.sawAnswers }
    echo?.conclude()
    let heard = echo?.heard
    var served: [IPAddress: UInt32] = [:]
    for shard in shards { served.merge(shard.lookupsServedInside, uniquingKeysWith: &+) }
    let hellos = shards.reduce(into: HelloCensus()) { $0.add($1.context.hellos) }
    let finishing = shards.map { [served] shard in
      Task {
        var shard = shard
        if isSampled { shard.markSampled() }
        if !hasUsableTime { shard.markWithoutTime() }
        shard.finish(isOneSided: isOneSided, served: served, hellos: hellos, echo: heard)
        return shard
      }
    }
    shards = []
    for task in finishing { shards.append(await task.value) }
    return shards
  }
}
