import Synchronization

/// Hands observations to shards by host: one shard inline, or one task each behind a short queue.
struct Feed {
  /// Parts that wait for a shard: with few, all wait while one grows its tables.
  private static let partsWaiting = 8
  private static let partObservations = Limits.batch * 4

  /// What a shard gets at a time.
  private enum Part: Sendable {
    case shared(SharedPart)
    case own(OwnPart)
  }

  private let options: ReadOptions
  private var inline: Shard?
  private var queues: [PartQueue<Part>] = []
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
    if queues.isEmpty { start(home) }
    await put(&batch, home)
  }

  private mutating func start(_ home: Home) {
    for number in 0..<options.shards {
      let queue = PartQueue<Part>(most: Self.partsWaiting)
      let fresh = makeShard(home)
      queues.append(queue)
      tasks.append(
        Task { [spent] in
          var shard = fresh
          while let part = await queue.next() {
            var own: [Observation]
            switch part {
            case .own(let part): own = part.take()
            case .shared(let all):
              own = all.copy(of: number)
              if let batches = all.leave() { spent.put(batches) }
            }
            shard.process(&own)
          }
          shard.endInput()
          return shard
        })
    }
  }

  /// Whether `send(_:home:)` may be given what is divided already: there are several shards, and nobody else wants to hear it.
  var takesDivided: Bool { options.shards > 1 && echo == nil }

  /// - Parameter byShard: later than all that was sent before.
  mutating func send(_ byShard: [OwnPart], home: Home) async {
    if queues.isEmpty { start(home) }
    await flush(home)
    for (queue, own) in zip(queues, byShard) { await queue.put(.own(own)) }
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
    let part = SharedPart(pending, shards: queues.count, home: home)
    pending.removeAll(keepingCapacity: true)
    pendingCount = 0
    for queue in queues { await queue.put(.shared(part)) }
  }

  mutating func finish(home: Home, isSampled: Bool, hasUsableTime: Bool) async -> [Shard] {
    var shards: [Shard] = []
    await flush(home)
    for queue in queues { queue.finish() }
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

/// Observations of one shard; they change hands once, since whoever writes to them while another holds them copies all of them.
final class OwnPart: Sendable {
  private let observations: Mutex<[Observation]>

  init(_ observations: consuming sending [Observation]) { self.observations = Mutex(observations) }

  func take() -> [Observation] {
    observations.withLock {
      var taken: [Observation] = []
      swap(&taken, &$0)
      return taken
    }
  }
}

/// Batches that all shards look at. Each copies its own observations out of them.
private final class SharedPart: Sendable {
  private struct Content {
    var batches: [[Observation]]
    /// `nil` before the first shard came.
    var division: Division?
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
    let (batches, division) = content.withLock {
      let division = $0.division ?? Division(&$0.batches, shards: shards, home: home)
      $0.division = division
      return ($0.batches, division)
    }
    return division.part(of: n, in: batches)
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
