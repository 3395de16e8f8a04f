import AsyncAlgorithms
import Synchronization

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
  /// By shard: how many places of its pending part are taken; the others hold what came by in exchange.
  private var taken: [Int] = []
  private var owners: [Int32] = []
  private let spent = SpentParts()
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
    for _ in 0..<options.shards {
      let channel = AsyncChannel<[Observation]>()
      let fresh = makeShard(home)
      channels.append(channel)
      tasks.append(
        Task { [spent] in
          var shard = fresh
          for await part in channel.buffer(policy: .bounded(Self.partsWaiting)) {
            var part = part
            shard.process(&part)
            spent.put(part)
          }
          return shard
        })
      pending.append([])
      taken.append(0)
    }
  }

  /// Moves observations to the parts of their shards; what stays in `batch` is without meaning.
  private mutating func distribute(_ batch: inout [Observation], _ home: Home) async {
    var at = 0
    while at < batch.count {
      let stretch = at..<min(at &+ Limits.batch, batch.count)
      var counts = [Int](repeating: 0, count: channels.count)
      owners.removeAll(keepingCapacity: true)
      for i in stretch {
        guard let (address, _) = Shard.hostAddress(of: batch[i], home: home) else {
          owners.append(-1)
          continue
        }
        let n = Int(truncatingIfNeeded: address.mixed % UInt64(channels.count))
        counts[n] &+= 1
        owners.append(Int32(truncatingIfNeeded: n))
      }
      for n in channels.indices where counts[n] > 0 {
        if taken[n] &+ counts[n] > Self.partObservations { await flush(n) }
        exchange(&batch, stretch, with: n)
      }
      at = stretch.upperBound
    }
  }

  /// Swaps each observation of shard `n` with the next free place of its part: a move, without a count of references.
  private mutating func exchange(_ batch: inout [Observation], _ stretch: Range<Int>, with n: Int) {
    if pending[n].count < Self.partObservations {
      if pending[n].isEmpty { pending[n] = spent.take() }
      let filler = batch[stretch.lowerBound]
      pending[n].reserveCapacity(Self.partObservations)
      while pending[n].count < Self.partObservations { pending[n].append(filler) }
    }
    var place = taken[n]
    let owner = Int32(truncatingIfNeeded: n)
    owners.withUnsafeBufferPointer { owners in
      pending[n].withUnsafeMutableBufferPointer { part in
        batch.withUnsafeMutableBufferPointer { batch in
          for i in stretch where owners[i &- stretch.lowerBound] == owner {
            swap(&batch[i], &part[place])
            place &+= 1
          }
        }
      }
    }
    taken[n] = place
  }

  private mutating func flush(_ n: Int) async {
    var part: [Observation] = []
    swap(&part, &pending[n])
    part.removeLast(part.count &- taken[n])
    taken[n] = 0
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

/// Parts that shards are done with, for the next observations: fresh memory of this size costs as much as copying into it.
private final class SpentParts: Sendable {
  private let parts = Mutex<[[Observation]]>([])

  func put(_ part: [Observation]) { parts.withLock { $0.append(part) } }
  func take() -> [Observation] { parts.withLock { $0.popLast() ?? [] } }
}
