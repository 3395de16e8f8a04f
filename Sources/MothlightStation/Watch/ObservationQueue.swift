import Mothlight
import Synchronization

/// Between sources and the pipeline: bounded, many producers, one consumer.
///
/// Sources that can wait do (`send`); those that cannot lose the batch and count it (`offer`). Order within a source is kept.
final class ObservationQueue: Sendable {
  struct Part: Sendable {
    var lane: Observatory.Lane
    var batch: [Observation]
  }

  fileprivate struct State {
    var parts: [Part] = []
    var count = 0
    var consumer: CheckedContinuation<[Part]?, Never>?
    var producers: [CheckedContinuation<Void, Never>] = []
    var isFinished = false
  }
  private let state = Mutex(State())
  private let capacity: Int

  /// - Parameter capacity: observations; 64 k of them are some 15 MB, and half a second of what one core judges.
  init(capacity: Int = 1 << 16) { self.capacity = capacity }

  /// `false`: no room.
  func offer(_ part: Part) -> Bool {
    let (isTaken, consumer, parts) = state.withLock { state -> (Bool, CheckedContinuation<[Part]?, Never>?, [Part]) in
      // A batch larger than the queue must get through once it is empty.
      guard !state.isFinished, state.count == 0 || state.count + part.batch.count <= capacity else {
        return (false, nil, [])
      }
      state.parts.append(part)
      state.count += part.batch.count
      guard let consumer = state.consumer else { return (true, nil, []) }
      state.consumer = nil
      return (true, consumer, state.drain())
    }
    consumer?.resume(returning: parts)
    return isTaken
  }

  /// Waits for room; after `finish` the part is dropped.
  func send(_ part: Part) async {
    guard !part.batch.isEmpty else { return }
    while !offer(part) {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let goesOn = state.withLock { state in
          guard !state.isFinished, state.count > 0 else { return true }
          state.producers.append(continuation)
          return false
        }
        if goesOn { continuation.resume() }
      }
      if state.withLock({ $0.isFinished }) { return }
    }
  }

  /// All that waits, as soon as anything does; `nil` once the queue was finished and is empty.
  func next() async -> [Part]? {
    let parts = await withCheckedContinuation { (continuation: CheckedContinuation<[Part]?, Never>) in
      let now = state.withLock { state -> [Part]?? in
        if !state.parts.isEmpty { return .some(state.drain()) }
        if state.isFinished { return .some(nil) }
        state.consumer = continuation
        return .none
      }
      if let now { continuation.resume(returning: now) }
    }
    let waiting = state.withLock { state in
      defer { state.producers = [] }
      return state.producers
    }
    for producer in waiting { producer.resume() }
    return parts
  }

  /// Nothing more is taken; what is in it can still be had.
  func finish() {
    let (consumer, waiting) = state.withLock { state in
      state.isFinished = true
      defer {
        state.consumer = nil
        state.producers = []
      }
      return (state.parts.isEmpty ? state.consumer : nil, state.producers)
    }
    consumer?.resume(returning: nil)
    for producer in waiting { producer.resume() }
  }
}

extension ObservationQueue.State {
  fileprivate mutating func drain() -> [ObservationQueue.Part] {
    defer {
      parts = []
      count = 0
    }
    return parts
  }
}

/// The queue as one source sees it: what it gives goes to the lane that its meter names.
struct QueueSink: ObservationSink {
  let queue: ObservationQueue
  let meter: SourceMeter

  private func part(_ batch: [Observation]) -> ObservationQueue.Part {
    ObservationQueue.Part(lane: meter.health.isSampled ? .sampled : .whole, batch: batch)
  }
  func send(_ batch: [Observation]) async { await queue.send(part(batch)) }
  func offer(_ batch: [Observation]) -> Bool { batch.isEmpty || queue.offer(part(batch)) }
  func offer(_ batch: [Observation], in lane: Observatory.Lane) -> Bool {
    batch.isEmpty || queue.offer(ObservationQueue.Part(lane: lane, batch: batch))
  }
}
