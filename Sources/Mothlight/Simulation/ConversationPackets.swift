/// One packet of a conversation: all but the bytes.
struct PlannedPacket: Sendable {
  /// Microseconds from the start of the scenario.
  var time: Int64
  var fromClient: Bool
  var flags: TCPFlags = []
  var sequence: UInt32 = 0
  var acknowledgement: UInt32 = 0
  /// Which step's bytes it carries, from where, how many; `step` is -1 for none.
  var step = -1
  var offset = 0
  var length = 0

  struct TCPFlags: OptionSet, Sendable {
    var rawValue: UInt8
    static let fin = TCPFlags(rawValue: 1)
    static let syn = TCPFlags(rawValue: 2)
    static let reset = TCPFlags(rawValue: 4)
    static let push = TCPFlags(rawValue: 8)
    static let ack = TCPFlags(rawValue: 16)
  }
}

/// Unfolds a conversation packet by packet in time order (RFC 9293), in constant memory however long it is.
struct ConversationPackets: IteratorProtocol {
  /// Segment of an Ethernet link, and the merged segments that a capture shows behind receive offload, used for big
  /// transfers to keep files small.
  static let segment = 1460
  static let mergedSegment = 14_600
  static let mergeAbove = 16_384

  let conversation: Conversation
  /// Microseconds from the start; packets at or after it were not captured.
  let end: Int64
  private var clock: Double
  private var lastTime = Int64.min
  private var clientNext: UInt32
  private var serverNext: UInt32
  private var stage = Stage.opening
  private var clientSpokeLast = true
  private var queue: [PlannedPacket] = []
  private var head = 0

  private enum Stage {
    case opening
    case step(index: Int, cycle: Int, offset: Int)
    case closing
    case done
  }

  init(_ conversation: Conversation, end: Int64) {
    self.conversation = conversation
    self.end = end
    clock = conversation.start
    let salt = RandomSource.mix(conversation.serial)
    clientNext = UInt32(truncatingIfNeeded: salt)
    serverNext = UInt32(truncatingIfNeeded: salt >> 32)
    if conversation.transport != .tcp { stage = firstStep }
  }

  mutating func next() -> PlannedPacket? {
    while head == queue.count {
      if case .done = stage { return nil }
      queue.removeAll(keepingCapacity: true)
      head = 0
      unfold()
    }
    defer { head += 1 }
    guard queue[head].time < end else {
      stage = .done
      queue.removeAll()
      head = -1
      return nil
    }
    return queue[head]
  }

  /// Moves the clock to the next message: thought, and the way there and back when the server answers the client.
  private mutating func turn(to step: Conversation.Step, index: Int, cycle: Int) {
    clock += pause(before: step, index: index, cycle: cycle)
    if clientSpokeLast, !step.fromClient { clock += conversation.roundTrip }
    clientSpokeLast = step.fromClient
  }

  private var firstStep: Stage { conversation.steps.isEmpty ? .closing : .step(index: 0, cycle: 0, offset: 0) }

  private mutating func unfold() {
    switch stage {
    case .opening: open()
    case .step(let index, let cycle, let offset):
      if conversation.transport == .tcp {
        speak(index, cycle, offset)
      } else {
        datagram(index, cycle)
      }
    case .closing:
      stage = .done
      if conversation.transport == .tcp { close() }
    case .done: break
    }
  }

  private mutating func add(
    fromClient: Bool, _ flags: PlannedPacket.TCPFlags, step: Int = -1, offset: Int = 0, length: Int = 0
  ) {
    // Rounding to microseconds must not make two packets of a conversation change places.
    let time = max(Int64(clock * 1e6), lastTime)
    lastTime = time
    queue.append(
      PlannedPacket(
        time: time, fromClient: fromClient, flags: flags, sequence: fromClient ? clientNext : serverNext,
        acknowledgement: flags.contains(.ack) ? (fromClient ? serverNext : clientNext) : 0, step: step, offset: offset,
        length: length))
    let advance =
      UInt32(truncatingIfNeeded: length) &+ (flags.contains(.syn) ? 1 : 0) &+ (flags.contains(.fin) ? 1 : 0)
    if fromClient { clientNext &+= advance } else { serverNext &+= advance }
  }

  private mutating func open() {
    switch conversation.opening {
    case .ignored(let attempts):
      // Retry after 1, 2, 4 … s (RFC 6298 section 2) with the same sequence number.
      for attempt in 0..<min(attempts, 6) {
        let sequence = clientNext
        add(fromClient: true, .syn)
        clientNext = sequence
        clock += Double(1 << attempt)
      }
      stage = .done
    case .refused:
      add(fromClient: true, .syn)
      clock += conversation.roundTrip
      serverNext = 0
      add(fromClient: false, [.reset, .ack])
      stage = .done
    case .accepted:
      add(fromClient: true, .syn)
      clock += conversation.roundTrip
      add(fromClient: false, [.syn, .ack])
      clock += 0.000_06
      add(fromClient: true, .ack)
      stage = firstStep
    }
  }

  /// Repeated steps get a small variation so that media and keep-alives do not tick like a quartz.
  private func pause(before step: Conversation.Step, index: Int, cycle: Int) -> Double {
    guard conversation.cycles > 1 else { return step.delay }
    let salt = RandomSource.mix(conversation.serial ^ UInt64(truncatingIfNeeded: cycle &* 8191 &+ index))
    return step.delay * (0.98 + 0.04 * Double(salt >> 11) * 0x1p-53)
  }

  private func following(_ index: Int, _ cycle: Int) -> Stage {
    if index + 1 < conversation.steps.count { return .step(index: index + 1, cycle: cycle, offset: 0) }
    if cycle + 1 < conversation.cycles, conversation.cycleStart < conversation.steps.count {
      return .step(index: conversation.cycleStart, cycle: cycle + 1, offset: 0)
    }
    return .closing
  }

  private mutating func datagram(_ index: Int, _ cycle: Int) {
    let step = conversation.steps[index]
    turn(to: step, index: index, cycle: cycle)
    add(fromClient: step.fromClient, [], step: index, length: step.payload.count)
    stage = following(index, cycle)
  }

  /// Up to two segments of a step, then the other side's acknowledgement unless its own data will carry it
  /// (RFC 9293 section 3.8.6.3).
  private mutating func speak(_ index: Int, _ cycle: Int, _ start: Int) {
    let step = conversation.steps[index]
    let total = step.payload.count
    let size = total > Self.mergeAbove ? Self.mergedSegment : Self.segment
    var offset = start
    if start == 0 { turn(to: step, index: index, cycle: cycle) }
    var sent = 0
    while offset < total, sent < 2 {
      let length = min(size, total - offset)
      if offset > 0 { clock += Double(length) / max(1, step.rate) }
      let flags: PlannedPacket.TCPFlags = offset + length == total ? [.ack, .push] : .ack
      add(fromClient: step.fromClient, flags, step: index, offset: offset, length: length)
      offset += length
      sent += 1
    }
    if offset < total {
      stage = .step(index: index, cycle: cycle, offset: offset)
      clock += 0.000_05
      add(fromClient: !step.fromClient, .ack)
      return
    }
    stage = following(index, cycle)
    if case .step(let next, _, _) = stage, conversation.steps[next].fromClient != step.fromClient,
      conversation.steps[next].delay < 0.04
    {
      return
    }
    clock += step.fromClient ? conversation.roundTrip : 0.000_05
    add(fromClient: !step.fromClient, .ack)
  }

  private mutating func close() {
    switch conversation.closing {
    case .left: break
    case .reset(let byClient, let after):
      clock += after
      add(fromClient: byClient, [.reset, .ack])
    case .finished(let byClient, let after):
      clock += after
      add(fromClient: byClient, [.fin, .ack])
      clock += byClient ? conversation.roundTrip : 0.000_1
      add(fromClient: !byClient, [.fin, .ack])
      clock += byClient ? 0.000_05 : conversation.roundTrip
      add(fromClient: byClient, .ack)
    }
  }
}
