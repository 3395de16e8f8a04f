/// Settings of one run over files.
public struct ReadOptions: Sendable {
  /// Empty: learn it from the traffic.
  public var home: [Prefix] = []
  public var shards = 1
  public var batch = Limits.batch
  /// Octets of a log that are read at a time beside others: where there are several shards and no state, of logs given as files.
  public var blockOctets = 128 << 10
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
/// shard slows the reader and memory stays flat, and the lines of a log are read by several tasks (`BlockedRead`). The report does
/// not depend on the number of shards or on batch size.
public struct ReadPipeline {
  private let options: ReadOptions
  private let networkDetectors: [any NetworkDetector]
  private var home: Home?
  private var learner = HomeLearner()
  private var waiting: [[Observation]] = []
  /// What is to be kept for the next run, once this one has been reported; `nil` when there is nothing new.
  public private(set) var stateToSave: RollingState?

  /// Blocks of logs that were read beside others.
  private(set) var blocksRead = 0
  /// Blocks that turned out not to be what was in front of them.
  private(set) var blocksGivenBack = 0

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
      await Self.judge(shards, with: judge, into: &report)
      return report
    }
    judge.ages = rolling.add(shards, echo, into: &report)
    await Self.judge(shards, with: judge, into: &report)
    rolling.close(into: &report)
    stateToSave = rolling.result
    return report
  }

  private static func judge(_ shards: [Shard], with judge: Judge, into report: inout Report) async {
    if shards.count > 1 {
      await judge.judgeTogether(shards, into: &report)
    } else {
      judge.judge(shards, into: &report)
    }
  }

  private mutating func pull(
    _ reader: any RecordReader, into feed: inout Feed, _ inputs: InputQueue, _ progress: (UInt64, UInt64?) -> Void
  ) async {
    var batch: [Observation] = []
    batch.reserveCapacity(options.batch * 2)
    let lines = feed.takesDivided ? reader as? any BlockReader : nil
    var blocks: BlockedRead?
    do throws(SourceError) {
      func showProgress() {
        let (read, total) = inputs.progress
        progress(read, total)
      }
      while true {
        if blocks == nil, let lines, let home { blocks = BlockedRead(lines, home: home, options) }
        await blocks?.run(into: &feed, showProgress)
        guard try reader.read(into: &batch, limit: options.batch) else { break }
        await handOn(&batch, to: &feed)
        showProgress()
      }
    } catch {
      inputs.note(error, for: reader)
    }
    blocksRead += blocks?.blocksRead ?? 0
    blocksGivenBack += blocks?.givenBack ?? 0
    await handOn(&batch, to: &feed)
  }

  /// Gives a batch to the shards once the home network is known, those that waited before it first; leaves it empty.
  private mutating func handOn(_ batch: inout [Observation], to feed: inout Feed) async {
    guard let home else {
      learn(&batch)
      if home != nil { await release(into: &feed) }
      return
    }
    if !batch.isEmpty { await feed.send(&batch, home: home) }
    batch.removeAll(keepingCapacity: true)
  }

  /// Holds observations back until the home network is known.
  private mutating func learn(_ batch: inout [Observation]) {
    guard !batch.isEmpty else { return }
    for o in batch { learner.observe(o) }
    if let last = waiting.indices.last, waiting[last].count + batch.count <= options.batch {
      // Many small inputs: each batch has room for a whole one.
      waiting[last] += batch
      batch.removeAll(keepingCapacity: true)
    } else {
      waiting.append(batch)
      batch = []
      batch.reserveCapacity(options.batch * 2)
    }
    if learner.isComplete { home = learner.learn() }
  }

  private mutating func release(into feed: inout Feed) async {
    guard let home else { return }
    waiting.reverse()
    while var batch = waiting.popLast() { await feed.send(&batch, home: home) }
  }
}
