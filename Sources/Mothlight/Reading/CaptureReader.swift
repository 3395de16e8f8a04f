/// pcap and pcapng captures to observations: frames are decoded and metered in the window they were read into.
public final class CaptureReader: RecordReader {
  public private(set) var summary: InputSummary
  private let window: ByteWindow
  private var framing: CaptureFraming
  /// Behind a pointer: a stored property of a class would be checked for exclusive access at every packet.
  private let meter: UnsafeMutablePointer<Meter>
  private var state = State.reading
  private enum State { case reading, draining, ended }

  /// - Parameter window: stands at the first octet of the capture.
  init(window: ByteWindow, path: String, index: UInt32) throws(SourceError) {
    self.window = window
    summary = InputSummary(path: path, format: "pcap")
    guard try window.fill(atLeast: 24) else {
      throw SourceError(.damaged, "\(path): the capture ends inside its header; nothing to read")
    }
    framing = try CaptureFraming(window, path: path)
    summary.format = framing.name
    held = .allocate(capacity: Self.heldMost)
    meter = .allocate(capacity: 1)
    meter.initialize(to: Meter(input: index))
  }

  deinit {
    meter.deinitialize(count: 1)
    meter.deallocate()
    held.deallocate()
  }

  public var progress: (read: UInt64, total: UInt64?) { (window.rawOctetsRead, window.rawOctetsTotal) }

  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    let before = batch.count
    while state == .reading, batch.count &- before < limit {
      guard try window.fill(atLeast: framing.headerOctets) else {
        endOfInput()
        break
      }
      try readWindow(into: &batch, until: before &+ limit)
    }
    if state == .draining {
      guard meter.pointee.finish(into: &batch, limit: limit) else {
        state = .ended
        close()
        return batch.count > before
      }
    }
    return batch.count > before
  }

  /// A packet between its decoding and its metering.
  private struct Held {
    var headers: PacketHeaders
    var key: Meter.Key
    var frame: Range<Int>
    var time: Timestamp
    var record: UInt64
  }

  /// Packets whose look-ups are started together, so that the waits for memory overlap.
  private static let heldMost = 32
  private let held: UnsafeMutablePointer<Held>

  /// Decodes all whole records in the window; counters stay in locals until it is used up.
  private func readWindow(into batch: inout [Observation], until end: Int) throws(SourceError) {
    let bytes = window.bytes
    var framing = self.framing
    var tally = Tally(self)
    var at = 0
    var needed = 0
    var isOpen = true
    while isOpen, batch.count < end {
      var count = 0
      hold: while count < Self.heldMost {
        switch framing.next(UnsafeRawBufferPointer(rebasing: bytes[at...])) {
        case .frame(let frame):
          let range = (at &+ frame.range.lowerBound)..<(at &+ frame.range.upperBound)
          tally.note(frame.time)
          if decode(bytes, range, frame, count, &tally) { count &+= 1 }
          at &+= frame.recordOctets
        case .other(let octets): at &+= octets
        case .needs(let octets):
          needed = octets
          isOpen = false
          break hold
        case .damaged(let why):
          damaged("\(why) at byte \(window.offset &+ UInt64(at)), after record \(tally.records)")
          state = .draining
          isOpen = false
          break hold
        }
      }
      meter(count, bytes, into: &batch)
    }
    self.framing = framing
    tally.store(in: self)
    window.consume(at)
    if needed > 0, try !window.fill(atLeast: needed) { endOfInput() }
  }

  /// Decodes one frame into place `n` and starts its look-up; `false` when it is no flow's packet.
  @inline(__always)
  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ frame: CaptureFraming.Frame, _ n: Int, _ tally: inout Tally
  ) -> Bool {
    var headers = PacketHeaders()
    switch PacketDecoder.decode(UnsafeRawBufferPointer(rebasing: bytes[range]).bytes, link: frame.link, into: &headers)
    {
    case .decoded:
      tally.used &+= 1
      let key = meter.pointee.key(&headers)
      meter.pointee.table.prefetchSlot(key.tag)
      (held + n).initialize(
        to: Held(headers: headers, key: key, frame: range, time: frame.time, record: tally.records))
      return true
    case .notIP: leaveOut(frame.link, &tally)
    case .truncated: unparsed("packet too short for its headers", tally.records)
    case .malformed: unparsed("not a valid IP packet", tally.records)
    }
    return false
  }

  private func meter(_ count: Int, _ bytes: UnsafeRawBufferPointer, into batch: inout [Observation]) {
    let ahead = min(count, Meter.entriesAhead)
    for n in 0..<ahead { meter.pointee.table.prefetchEntry(held[n].key.tag) }
    for n in 0..<count {
      if n &+ ahead < count { meter.pointee.table.prefetchEntry(held[n &+ ahead].key.tag) }
      if n &+ Meter.streamsAhead < count { meter.pointee.prefetchStream(at: held[n &+ Meter.streamsAhead].key.tag) }
      let packet = held + n
      meter.pointee.add(
        packet.pointee.headers, packet.pointee.key, UnsafeRawBufferPointer(rebasing: bytes[packet.pointee.frame]).bytes,
        at: packet.pointee.time, record: packet.pointee.record, into: &batch)
    }
  }

  /// What changes with every packet.
  private struct Tally {
    var records: UInt64
    var used: UInt64
    var notIP: UInt64
    var backwards: UInt64
    var first: Timestamp
    var last: Timestamp

    init(_ reader: CaptureReader) {
      records = reader.summary.records
      used = reader.summary.used
      notIP = reader.notIP
      backwards = reader.backwards
      first = reader.summary.first ?? .distantFuture
      last = reader.summary.last ?? .distantPast
    }

    @inline(__always) mutating func note(_ time: Timestamp) {
      records &+= 1
      if time >= last {
        last = time
      } else if last.nanoseconds &- time.nanoseconds > 1_000_000_000 {
        backwards &+= 1
      }
      if time < first { first = time }
    }

    func store(in reader: CaptureReader) {
      reader.summary.records = records
      reader.summary.used = used
      reader.notIP = notIP
      reader.backwards = backwards
      guard records > 0, first != .distantFuture else { return }
      reader.summary.first = first
      reader.summary.last = last
    }
  }

  private func leaveOut(_ link: LinkType, _ tally: inout Tally) {
    if LinkType.supported.contains(link) {
      tally.notIP &+= 1
    } else {
      summary.skipped["link type \(link.rawValue)", default: 0] &+= 1
    }
  }

  private var notIP: UInt64 = 0
  private var backwards: UInt64 = 0

  private func unparsed(_ reason: String, _ record: UInt64) {
    summary.unparsed &+= 1
    if summary.firstUnparsed == nil { summary.firstUnparsed = "packet \(record): \(reason)" }
  }

  private func damaged(_ what: String) {
    summary.warnings.append("the capture is damaged: \(what); what follows could not be read")
  }

  private func cut(_ what: String) {
    summary.warnings.append("the capture ends \(what); everything before it was read")
  }

  private func endOfInput() {
    let left = window.bytes.count
    if left > 0 {
      cut("inside record \(summary.records &+ 1) at byte \(window.offset)")
      window.consume(left)
    }
    state = .draining
  }

  private func close() {
    summary.octets = window.rawOctetsRead
    if notIP > 0 { summary.skipped["not IP"] = notIP }
    if backwards > 0 { summary.warnings.append("the clock went back by more than 1 s at \(backwards) packets") }
    if let note = window.damage { summary.warnings.append(note) }
    if meter.pointee.evicted > 0 {
      summary.warnings.append(
        "\(meter.pointee.evicted) flows were cut because more than \(Limits.openFlows) were open at once")
    }
    if meter.pointee.streamsRefused > 0 {
      summary.warnings.append("\(meter.pointee.streamsRefused) connections were not looked into: too many open at once")
    }
    if let first = summary.first, let last = summary.last, first.nanoseconds < 31_536_000_000_000_000 {
      summary.clockIsRelative = true
      summary.warnings.append(
        first == last && summary.records > 1
          ? "all packets carry the same time; nothing about timing can be said"
          : "times count from an unknown moment (clock near 1970); dates are not real, gaps are")
    }
  }
}
