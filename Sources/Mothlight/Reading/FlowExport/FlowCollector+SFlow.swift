/// sFlow v5: sampled packets are metered as those of a capture; counters of interfaces are passed over.
extension FlowCollector {
  /// Samples of one datagram: the largest has room for about a thousand.
  private static let samplesMost = 4096

  func sflow(_ bytes: RawSpan, _ source: IPAddress, _ arrival: Timestamp) throws(DecodeError) {
    let datagram = try SFlowDatagram(bytes)
    let key = ExporterKey(address: source, domain: datagram.subAgent, format: .sflow5)
    guard let exporter = exporter(key, at: arrival.nanoseconds) else { return }
    exporter.datagrams &+= 1
    exporter.agent = datagram.agent
    exporter.sequence.note(datagram.sequence, .init(records: nil))
    var walk = SFlowWalk(datagram.samplesAt..<bytes.byteCount)
    var left = min(Int(datagram.sampleCount), Self.samplesMost)
    do throws(DecodeError) {
      while left > 0, let range = try walk.next(in: bytes) {
        left -= 1
        switch walk.format {
        case SFlowSample.flow, SFlowSample.expandedFlow:
          let sample = try SFlowSample(bytes, range, isExpanded: walk.format == SFlowSample.expandedFlow)
          try take(sample, bytes, exporter, arrival)
        case SFlowSample.counters, SFlowSample.expandedCounters: counts.skip(.counterSample)
        default: counts.skip(.otherSample)
        }
      }
      if left > 0 { throw .truncated }
    } catch {
      exporter.unparsed &+= 1
      throw error
    }
  }

  private func take(
    _ sample: SFlowSample, _ bytes: RawSpan, _ exporter: ExporterState, _ arrival: Timestamp
  ) throws(DecodeError) {
    let oneIn = exporter.givenSampling ?? sample.rate
    exporter.highestSampling = max(exporter.highestSampling, oneIn)
    var walk = SFlowWalk(sample.records)
    var packet: ExportedRecord?
    var isMetered = false
    while let range = try walk.next(in: bytes) {
      switch walk.format {
      case SFlowHeader.format:
        guard !isMetered else { continue }
        isMetered = meter(bytes, range, exporter, oneIn: oneIn, arrival)
      case SFlowPacket.v4: packet = try SFlowPacket.record(bytes, range, isV6: false)
      case SFlowPacket.v6: packet = try SFlowPacket.record(bytes, range, isV6: true)
      default: counts.skip(.otherRecord)
      }
    }
    guard !isMetered, var packet else { return }
    counts.records &+= 1
    exporter.records &+= 1
    exporter.flows &+= 1
    packet.first = arrival.nanoseconds
    packet.last = arrival.nanoseconds
    let flow = packet.flow(RecordOrigin(input: input, record: counts.records))
    join(packet.biflow(flow, exporter: exporter.pairing), oneIn: oneIn)
  }

  /// `false` when the header is of no use, and what the switch read from it may be.
  private func meter(
    _ bytes: RawSpan, _ range: Range<Int>, _ exporter: ExporterState, oneIn: UInt32, _ arrival: Timestamp
  ) -> Bool {
    let header: SFlowHeader
    do throws(DecodeError) {
      header = try SFlowHeader(bytes, range)
    } catch {
      if error == .unsupported { counts.skip(.notIP) } else { counts.unparsed &+= 1 }
      return false
    }
    let frame = bytes.extracting(header.frame)
    var headers = PacketHeaders()
    switch PacketDecoder.decode(frame, link: header.link, into: &headers) {
    case .decoded: break
    case .notIP:
      counts.skip(.notIP)
      return false
    case .truncated, .malformed:
      counts.unparsed &+= 1
      return false
    }
    counts.records &+= 1
    exporter.records &+= 1
    exporter.flows &+= 1
    let meter = meter(oneIn: oneIn)
    let before = oneIn > 1 ? sampled.count : whole.count
    if oneIn > 1 {
      meter.add(headers, frame, at: arrival, record: counts.records, into: &sampled)
      noteNewest(sampled[before...])
    } else {
      meter.add(headers, frame, at: arrival, record: counts.records, into: &whole)
      noteNewest(whole[before...])
    }
    return true
  }

  private func noteNewest(_ observations: ArraySlice<Observation>) {
    for o in observations where counts.newest.map({ o.time > $0 }) ?? true { counts.newest = o.time }
  }

  private func meter(oneIn: UInt32) -> SampleMeter {
    let n = oneIn > 1 ? 1 : 0
    if let meter = meters[n] { return meter }
    let meter = SampleMeter(input: input, limit: settings.sampledFlowsMost)
    meters[n] = meter
    return meter
  }

  func advanceMeters(to time: Timestamp) {
    meters[0]?.advance(to: time, into: &whole)
    meters[1]?.advance(to: time, into: &sampled)
  }

  func finishMeters() {
    meters[0]?.finish(into: &whole)
    meters[1]?.finish(into: &sampled)
  }
}

/// A meter for packets that come one in many, whose flows must end though no packet tells that time goes on.
final class SampleMeter {
  private var meter: Meter
  private var hand = 0

  init(input: UInt32, limit: Int) { meter = Meter(input: input, limit: max(1, limit)) }

  func add(
    _ headers: PacketHeaders, _ frame: RawSpan, at time: Timestamp, record: UInt64, into out: inout [Observation]
  ) {
    var headers = headers
    let key = meter.key(&headers)
    meter.add(headers, key, frame, at: time, record: record, into: &out)
  }

  /// Entries looked at in one call: a table of 65,536 is gone through in a minute of calls a second.
  private static let stepsMost = 2048

  func advance(to time: Timestamp, into out: inout [Observation]) {
    let used = meter.table.used
    for _ in 0..<min(used, Self.stepsMost) {
      hand = hand &+ 1 < used ? hand &+ 1 : 0
      meter.expire(hand, at: time.nanoseconds, into: &out)
    }
  }

  func finish(into out: inout [Observation]) { while meter.finish(into: &out) {} }
}

extension Meter {
  /// Reports the flow at `index` if it has been idle for its timeout at `now`.
  mutating func expire(_ index: Int, at now: Int64, into out: inout [Observation]) {
    let e = table.entries + index
    guard e.pointee.flags.contains(.live), now &- e.pointee.last > e.pointee.idleTimeout else { return }
    emit(index, into: &out)
    table.remove(index)
  }
}
