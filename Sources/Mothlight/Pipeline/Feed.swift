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
  private var pending: [[Observation]] = []
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
    await put(&batch, home)
  }

  private mutating func start(_ home: Home) {
    for number in 0..<options.shards {
      let channel = AsyncChannel<SharedPart>()
      let fresh = makeShard(home)
      channels.append(channel)
      tasks.append(
        Task { [spent] in
          var shard = fresh
          for await part in channel.buffer(policy: .bounded(Self.partsWaiting)) {
            var own = part.copy(of: number)
            if let batches = part.leave() { spent.put(batches) }
            shard.process(&own)
          }
          shard.endInput()
          return shard
        })
    }
  }

  /// Takes the batch away and leaves an empty one.
  private mutating func put(_ batch: inout [Observation], _ home: Home) async {
    var taken = spent.take()
    swap(&taken, &batch)
    pendingCount &+= taken.count
    // Given away: whoever writes to it while another holds it copies all of it.
    pending.append(consume taken)
    if pendingCount >= Self.partObservations { await flush(home) }
  }

  private mutating func flush(_ home: Home) async {
    guard !pending.isEmpty else { return }
    let part = SharedPart(pending, shards: channels.count, home: home)
    pending.removeAll(keepingCapacity: true)
    pendingCount = 0
    for channel in channels { await channel.send(part) }
  }

  mutating func finish(home: Home, isSampled: Bool, hasUsableTime: Bool) async -> [Shard] {
    var shards: [Shard] = []
    await flush(home)
    for channel in channels { channel.finish() }
    for task in tasks { shards.append(await task.value) }
    inline?.endInput()
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
  private struct Content {
    var batches: [[Observation]]
    /// By shard: which observations are its own, counted over all batches, in order; nothing before the first shard came.
    var places: [[UInt32]] = []
  }

  private let content: Mutex<Content>
  private let shards: Int
  private let home: Home
  /// Shards that have not copied yet.
  private let waiting: Atomic<Int>

  init(_ batches: [[Observation]], shards: Int, home: Home) {
    content = Mutex(Content(batches: batches))
    self.shards = shards
    self.home = home
    waiting = Atomic(shards)
  }

  func copy(of n: Int) -> [Observation] {
    // Whoever comes first says whose each is: the reader has enough to do.
    let (batches, places) = content.withLock {
      if $0.places.isEmpty { $0.places = Self.divide(&$0.batches, shards, home) }
      return ($0.batches, $0.places[n])
    }
    return [Observation](unsafeUninitializedCapacity: places.count) { own, next in
      var begin = 0
      for batch in batches {
        let end = begin + batch.count
        batch.withUnsafeBufferPointer { from in
          guard let from = from.baseAddress, let own = own.baseAddress else { return }
          while next < places.count, Int(places[next]) < end {
            Self.copy(from + (Int(places[next]) - begin), to: own + next)
            next += 1
          }
        }
        begin = end
      }
    }
  }

  /// A flow holds no reference (`BitwiseCopyable`), so that its octets are all of it; to copy it as an enumeration takes twice as long.
  @inline(__always)
  private static func copy(_ one: UnsafePointer<Observation>, to place: UnsafeMutablePointer<Observation>) {
    if one.pointee.vantage.flags.contains(.flow) {
      UnsafeMutableRawPointer(place).copyMemory(from: one, byteCount: MemoryLayout<Observation>.size)
    } else {
      place.initialize(from: one, count: 1)
    }
  }

  private static func divide(_ batches: inout [[Observation]], _ shards: Int, _ home: Home) -> [[UInt32]] {
    var places = [[UInt32]](repeating: [], count: shards)
    let all = batches.reduce(0) { $0 + $1.count }
    for n in places.indices { places[n].reserveCapacity(all / shards * 2) }
    var place: UInt32 = 0
    for b in batches.indices {
      batches[b].withUnsafeMutableBufferPointer { batch in
        for i in batch.indices {
          if let address = Shard.locate(&batch[i], home: home) {
            // As good as a remainder, without a division.
            places[Int(truncatingIfNeeded: address.mixed.multipliedFullWidth(by: UInt64(shards)).high)].append(place)
          }
          place &+= 1
        }
      }
    }
    return places
  }

  /// A shard is done copying.
  /// - Returns: the batches, emptied, once all are done.
  func leave() -> [[Observation]]? {
    guard waiting.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return nil }
    return content.withLock { all in
      defer { all.batches = [] }
      for b in all.batches.indices { all.batches[b].removeAll(keepingCapacity: true) }
      return all.batches
    }
  }
}

/// Batches that shards are done with, for the next observations: fresh memory of this size costs as much as copying into it.
private final class SpentBatches: Sendable {
  private let batches = Mutex<[[Observation]]>([])

  func put(_ spent: [[Observation]]) { batches.withLock { $0 += spent } }

  func take() -> [Observation] { batches.withLock { $0.popLast() ?? [] } }
}
