/// Plays all programs and open conversations in one order of time; memory grows with what is open at once, not with length.
struct Timeline {
  private enum Event {
    case call(program: Int)
    case begin(slot: Int)
    case packet(slot: Int)
  }

  private var population: Population
  private let end: Int64
  private var queue = EventQueue<Event>()
  private var waiting: [Conversation?] = []
  private var open: [(packets: ConversationPackets, next: PlannedPacket)?] = []
  private var freeWaiting: [Int] = []
  private var freeOpen: [Int] = []
  private var started: UInt64 = 0

  init(_ population: Population) {
    self.population = population
    end = Int64(population.length * 1e6)
    for index in population.programs.indices { schedule(first: index) }
  }

  /// Calls `conversation` for each that has at least a packet, in order of start, and `packet` in order of time.
  mutating func run(
    progress: ((Double) -> Void)?,
    conversation: (Conversation, ConversationSummary) throws(SimulationError) -> Void,
    packet: ((PlannedPacket, Conversation) throws(SimulationError) -> Void)?
  ) throws(SimulationError) {
    var nextReport: Int64 = 0
    while let (time, event) = queue.pop(), time < end {
      if time >= nextReport {
        progress?(Double(time) / Double(end))
        nextReport = time + end / 100
      }
      switch event {
      case .call(let program): call(program, at: Double(time) / 1e6)
      case .begin(let slot):
        guard var begun = waiting[slot] else { break }
        waiting[slot] = nil
        freeWaiting.append(slot)
        begun.serial = RandomSource.mix(started &+ 0x4d6f_7468)
        started += 1
        guard let summary = ConversationSummary(begun, end: end) else { break }
        try conversation(begun, summary)
        if packet != nil { unfold(begun) }
      case .packet(let slot):
        guard var entry = open[slot] else { break }
        try packet?(entry.next, entry.packets.conversation)
        // In place: a copy of the iterator would copy its queue.
        open[slot] = nil
        if let next = entry.packets.next() {
          entry.next = next
          open[slot] = entry
          queue.push(.packet(slot: slot), at: next.time)
        } else {
          freeOpen.append(slot)
        }
      }
    }
    progress?(1)
  }

  private mutating func unfold(_ conversation: Conversation) {
    var packets = ConversationPackets(conversation, end: end)
    guard let first = packets.next() else { return }
    let slot = freeOpen.popLast() ?? open.count
    if slot == open.count { open.append(nil) }
    open[slot] = (packets, first)
    queue.push(.packet(slot: slot), at: first.time)
  }

  private mutating func schedule(first program: Int) {
    let (machine, behaviour) = population.programs[program]
    guard let on = population.machines[machine].online.next(0) else { return }
    // On at second 0: it had been on before, so the phase is anything.
    let time =
      on == 0
      ? population.machines[machine].random.uniform(0, max(0.1, behaviour.phase))
      : on + population.machines[machine].random.exponential(mean: behaviour.bootDelay)
    guard time < population.length else { return }
    queue.push(.call(program: program), at: Int64(time * 1e6))
  }

  private mutating func call(_ program: Int, at time: Double) {
    let machine = population.programs[program].machine
    // A boot delay may reach past the hours of a short day.
    guard let on = population.machines[machine].online.next(time) else { return }
    if on > time {
      // Rounded up and a microsecond more: a moment just before the hours would be called again for ever.
      queue.push(.call(program: program), at: Int64((on * 1e6).rounded(.up)) + 1)
      return
    }
    var begun: [Conversation] = []
    let wanted = population.programs[program].behaviour.act(at: time, on: &population.machines[machine], into: &begun)
    for var conversation in begun {
      conversation.start = max(conversation.start, time)
      let slot = freeWaiting.popLast() ?? waiting.count
      if slot == waiting.count { waiting.append(nil) }
      waiting[slot] = conversation
      queue.push(.begin(slot: slot), at: Int64(conversation.start * 1e6))
    }
    if let wanted, let restart = population.restarts.first(where: { $0 > time }), restart < wanted,
      population.machines[machine].online.isOn(restart)
    {
      let delay = population.programs[program].behaviour.bootDelay
      let start = restart + population.machines[machine].random.exponential(mean: delay)
      queue.push(.call(program: program), at: Int64(min(start, wanted) * 1e6))
      return
    }
    guard let wanted, wanted < population.length,
      var next = population.machines[machine].online.next(max(wanted, time + 0.000_1))
    else { return }
    if next > wanted + 0.01 {
      next += population.machines[machine].random.exponential(mean: population.programs[program].behaviour.bootDelay)
    }
    queue.push(.call(program: program), at: Int64((next * 1e6).rounded(.up)))
  }
}
