import CLinux
import Glibc
import Mothlight

/// The loop of a capture thread: frames out of the ring, observations to the sink, counts to the meter.
struct CaptureLoop: ~Copyable {
  /// Frames taken at once, the number whose look-ups are started together.
  private static let framesMost = PacketMeter.framesMost
  /// Between two looks at the clock of the silent wire.
  private static let tickMilliseconds: Int64 = 100
  /// Between two questions for the kernel's counters.
  private static let countsMilliseconds: Int64 = 1000
  /// A busy wire never ends by itself.
  private static let drainMilliseconds: Int64 = 500
  /// Frames may be this long under way before they are taken, seconds: twice the age at which a block is handed over, and the
  /// coarseness of the clock.
  private static let underwaySeconds = 0.5

  private let settings: InterfaceSettings
  private let ring: PacketRing
  private let meter: SourceMeter
  private let sink: any ObservationSink
  private let packets: PacketMeter
  private var raw = [clinux_frame](repeating: clinux_frame(), count: CaptureLoop.framesMost)
  private var frames: [PacketMeter.Frame] = []
  private var batch: [Observation] = []
  private var used: UInt64 = 0
  private var lostInQueue = 0
  private var notIP: UInt64 = 0
  private var shown = PacketMeter.Counts()
  private var shownNotIP: UInt64 = 0

  init(_ settings: InterfaceSettings, _ ring: PacketRing, _ meter: SourceMeter, _ sink: any ObservationSink) {
    self.settings = settings
    self.ring = ring
    self.meter = meter
    self.sink = sink
    packets = PacketMeter(
      input: settings.input, link: ring.link, flowsMost: settings.flowsMost,
      activeTimeoutSeconds: settings.activeTimeoutSeconds)
    batch.reserveCapacity(Limits.batch * 2)
    frames.reserveCapacity(Self.framesMost)
  }

  /// Captures until `wake` is raised (`nil`) or the interface fails.
  mutating func run(until wake: WakeUp) -> SourceError? {
    meter.update { health in
      health.trouble = nil
      health.details["ring"] = "\(ring.octets >> 20) MiB"
    }
    meter.enter(.running, at: Clock.now())
    var failure: SourceError?
    var nextTick = Clock.milliseconds()
    var nextCounts = nextTick
    while failure == nil, !wake.wasRaised {
      if take() == 0 {
        let code = clinux_ring_wait(ring.ring, wake.descriptor, Int32(Self.tickMilliseconds))
        if code != 0 { failure = PacketRing.ended(code, settings) }
      }
      if batch.count >= Limits.batch { offer() }
      let now = Clock.milliseconds()
      guard now >= nextTick else { continue }
      nextTick = now + Self.tickMilliseconds
      packets.advance(to: Clock.now().advanced(bySeconds: -Self.underwaySeconds), into: &batch)
      offer()
      if now >= nextCounts {
        nextCounts = now + Self.countsMilliseconds
        askKernel()
      }
      show()
    }
    // What is in the ring still is taken, the flows that are open are told as far as they went.
    let deadline = Clock.milliseconds() + Self.drainMilliseconds
    while Clock.milliseconds() < deadline, take() > 0 {
      if batch.count >= Limits.batch { offer() }
    }
    repeat { offer() } while packets.finish(into: &batch)
    offer()
    askKernel()
    show()
    return failure
  }

  /// Takes what is there, up to one batch of frames; how many it was.
  private mutating func take() -> Int {
    let count = Int(clinux_ring_take(ring.ring, &raw, UInt32(Self.framesMost)))
    guard count > 0 else { return 0 }
    frames.removeAll(keepingCapacity: true)
    for n in 0..<count {
      let frame = raw[n]
      if frame.is_outgoing != 0, frame.interface == ring.loopback { continue }
      if ring.isCooked, frame.protocol != 0x0800, frame.protocol != 0x86dd {
        notIP &+= 1
        continue
      }
      frames.append(
        PacketMeter.Frame(
          octets: UnsafeRawBufferPointer(start: frame.octets, count: Int(frame.captured)), length: Int(frame.length),
          time: Timestamp(nanoseconds: frame.nanoseconds)))
    }
    frames.withUnsafeBufferPointer { packets.add($0, into: &batch) }
    return count
  }

  private mutating func offer() {
    guard !batch.isEmpty else { return }
    if sink.offer(batch) { used &+= UInt64(batch.count) } else { lostInQueue += batch.count }
    batch.removeAll(keepingCapacity: true)
  }

  private func askKernel() {
    var frames: UInt32 = 0
    var drops: UInt32 = 0
    if clinux_ring_counts(ring.ring, &frames, &drops) == 0 { meter.drop("kernel", Int(drops)) }
  }

  /// Hands on what has been counted since the last time.
  private mutating func show() {
    let counts = packets.counts
    let (before, used, lost) = (shown, used, lostInQueue)
    let others = counts.notIP &+ notIP
    let othersBefore = shownNotIP
    shown = counts
    shownNotIP = others
    self.used = 0
    lostInQueue = 0
    meter.update { health in
      health.octets &+= counts.octets &- before.octets
      health.records &+= counts.frames &- before.frames
      health.used &+= used
      health.unparsed &+= counts.unparsed &- before.unparsed
      if others > othersBefore { health.skipped["not IP", default: 0] &+= others &- othersBefore }
      if counts.flowsEvicted > before.flowsEvicted {
        health.dropped["table", default: 0] &+= counts.flowsEvicted &- before.flowsEvicted
      }
      if lost > 0 { health.dropped["queue", default: 0] &+= UInt64(lost) }
      if let newest = counts.newest { health.newest = max(newest, health.newest ?? newest) }
      health.details["flows open"] = String(counts.flowsOpen)
      if counts.streamsRefused > 0 {
        health.details["connections not looked into, too many open"] = String(counts.streamsRefused)
      }
    }
  }
}
