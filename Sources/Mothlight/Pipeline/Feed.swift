import AsyncAlgorithms
import Synchronization

/// Hands observations to shards by host: one shard inline, or one task each behind a short queue.
struct Feed {
  /// Parts that wait for a shard: with few, all wait while one grows its tables.
  private static let partsWaiting = 8
  private static let partObservations = Limits.batch * 4

  private let options: ReadOptions
  private var inline: Shard?
  private var channels: [AsyncChannel<SharedPart>] = []
  private var tasks: [Task<Shard, Never>] = []
  private var pending: [SharedPart.Batch] = []
  private var pendingCount = 0
  private let spent = SpentBatches()
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
    await distribute(&batch, home)
  }

  private mutating func start(_ home: Home) {
    for number in 0..<options.shards {
      let channel = AsyncChannel<SharedPart>()
      let fresh = makeShard(home)
      channels.append(channel)
      tasks.append(
        Task { [spent] in
          var shard = fresh
          var own: [Observation] = []
          for await part in channel.buffer(policy: .bounded(Self.partsWaiting)) {
            part.copy(of: number, into: &own)
            if let batches = part.leave() { spent.put(batches) }
            shard.process(&own)
            own.removeAll(keepingCapacity: true)
          }
          return shard
        })
    }
  }

  /// Takes the batch away and leaves an empty one.
  private mutating func distribute(_ batch: inout [Observation], _ home: Home) async {
    var places = [[UInt32]](repeating: [], count: channels.count)
    for n in places.indices { places[n].reserveCapacity(batch.count / channels.count * 2) }
    for i in batch.indices {
      guard let (address, _) = Shard.hostAddress(of: &batch[i], home: home) else { continue }
      places[Int(truncatingIfNeeded: address.mixed % UInt64(channels.count))].append(UInt32(truncatingIfNeeded: i))
    }
    var taken = spent.take()
    swap(&taken, &batch)
    pendingCount &+= taken.count
    pending.append(SharedPart.Batch(observations: taken, places: places))
    if pendingCount >= Self.partObservations { await flush() }
  }

  private mutating func flush() async {
    guard !pending.isEmpty else { return }
    let part = SharedPart(pending, shards: channels.count)
    pending.removeAll(keepingCapacity: true)
    pendingCount = 0
    for n in channels.indices where part.concerns(n) { await channels[n].send(part) }
  }

  mutating func finish(home: Home, isSampled: Bool, hasUsableTime: Bool) async -> [Shard] {
    var shards: [Shard] = []
    await flush()
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

/// Batches that all shards look at. Each copies its own observations out of them: the one move from the reader's core to its own.
private final class SharedPart: Sendable {
  struct Batch {
    var observations: [Observation]
    /// By shard: where its observations stand, in order.
    var places: [[UInt32]]
  }

  private let batches: Mutex<[Batch]>
  private let counts: [Int]
  /// Shards that have not copied yet.
  private let waiting: Atomic<Int>

  init(_ batches: [Batch], shards: Int) {
    counts = (0..<shards).map { n in batches.reduce(0) { $0 + $1.places[n].count } }
    waiting = Atomic(counts.count { $0 > 0 })
    self.batches = Mutex(batches)
  }

  /// Whether it holds anything of shard `n`.
  func concerns(_ n: Int) -> Bool { counts[n] > 0 }

  func copy(of n: Int, into own: inout [Observation]) {
    own.reserveCapacity(own.count + counts[n])
    for batch in batches.withLock({ $0 }) {
      batch.observations.withUnsafeBufferPointer { from in
        for place in batch.places[n] { own.append(from[Int(place)]) }
      }
    }
  }

  /// A shard is done copying.
  /// - Returns: the batches, once all are done.
  func leave() -> [Batch]? {
    guard waiting.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return nil }
    return batches.withLock { all in
      defer { all = [] }
      return all
    }
  }
}

/// Batches that shards are done with, for the next observations: fresh memory of this size costs as much as copying into it.
private final class SpentBatches: Sendable {
  private let batches = Mutex<[[Observation]]>([])

  func put(_ spent: [SharedPart.Batch]) {
    for batch in spent {
      var observations = batch.observations
      batches.withLock { $0.append(observations) }
      observations = []
    }
  }

  func take() -> [Observation] {
    var batch = batches.withLock { $0.popLast() ?? [] }
    batch.removeAll(keepingCapacity: true)
    return batch
  }
}
