/// pcap and pcapng captures to observations: frames are decoded and metered in the window they were read into.
public final class CaptureReader: RecordReader {
  public private(set) var summary: InputSummary
  private let window: ByteWindow
  private var framing: CaptureFraming
  private var meter: Meter
  private var state = State.reading
  private enum State { case reading, draining, ended }

  /// - Parameter window: stands at the first octet of the capture.
  init(window: ByteWindow, path: String, index: UInt32) throws(SourceError) {
    self.window = window
    summary = InputSummary(path: path, format: "pcap")
    meter = Meter(input: index)
    guard try window.fill(atLeast: 24) else {
      throw SourceError(.damaged, "\(path): the capture ends inside its header; nothing to read")
    }
    framing = try CaptureFraming(window, path: path)
    summary.format = framing.name
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
      meter.finish(into: &batch)
      state = .ended
      close()
    }
    return batch.count > before
  }

  /// Decodes all whole records in the window.
  private func readWindow(into batch: inout [Observation], until end: Int) throws(SourceError) {
    while batch.count < end {
      switch framing.next(window.bytes) {
      case .frame(let frame):
        take(frame, into: &batch)
        window.consume(frame.recordOctets)
      case .other(let octets):
        window.consume(octets)
      case .needs(let octets):
        guard try window.fill(atLeast: octets) else {
          let left = window.bytes.count
          if left > 0 { cut("inside record \(summary.records &+ 1) at byte \(window.offset)") }
          window.consume(left)
          state = .draining
          return
        }
        return
      case .damaged(let why):
        cut("\(why) at byte \(window.offset), after record \(summary.records)")
        state = .draining
        return
      }
    }
  }

  @inline(__always)
  private func take(_ frame: CaptureFraming.Frame, into batch: inout [Observation]) {
    summary.records &+= 1
    let time = frame.time
    if summary.first == nil { summary.first = time }
    if let last = summary.last {
      if time > last { summary.last = time } else if last.seconds(since: time) > 1 { backwards &+= 1 }
    } else {
      summary.last = time
    }
    let span = UnsafeRawBufferPointer(rebasing: window.bytes[frame.range]).bytes
    var headers = PacketHeaders()
    switch PacketDecoder.decode(span, link: frame.link, into: &headers) {
    case .decoded:
      summary.used &+= 1
      meter.add(&headers, span, at: time, record: summary.records, into: &batch)
    case .notIP:
      if LinkType.supported.contains(frame.link) { notIP &+= 1 } else { skip("link type \(frame.link.rawValue)") }
    case .truncated: unparsed("packet too short for its headers")
    case .malformed: unparsed("not a valid IP packet")
    }
  }

  private var notIP: UInt64 = 0
  private var backwards: UInt64 = 0

  private func skip(_ reason: String) { summary.skipped[reason, default: 0] &+= 1 }

  private func unparsed(_ reason: String) {
    summary.unparsed &+= 1
    if summary.firstUnparsed == nil { summary.firstUnparsed = "packet \(summary.records): \(reason)" }
  }

  private func cut(_ what: String) {
    summary.warnings.append("the capture ends \(what); everything before it was read")
  }

  private func endOfInput() {
    let left = window.bytes.count
    if left > 0 {
      cut("inside the header of record \(summary.records &+ 1) at byte \(window.offset)")
      window.consume(left)
    }
    state = .draining
  }

  private func close() {
    summary.octets = window.rawOctetsRead
    if notIP > 0 { summary.skipped["not IP"] = notIP }
    if backwards > 0 { summary.warnings.append("the clock went back by more than 1 s at \(backwards) packets") }
    if let note = window.damage { summary.warnings.append(note) }
    if meter.evicted > 0 {
      summary.warnings.append("\(meter.evicted) flows were cut because more than \(Limits.openFlows) were open at once")
    }
    if meter.streamsRefused > 0 {
      summary.warnings.append("\(meter.streamsRefused) connections were not looked into: too many open at once")
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
