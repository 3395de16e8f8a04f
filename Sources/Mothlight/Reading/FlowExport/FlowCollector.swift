/// Turns the datagrams of flow exporters into observations: the Collecting Process of RFC 7011, without its socket.
///
/// Never multiplies by a sampling rate. Owned by one thread; time comes with the datagrams and with `advance`.
public final class FlowCollector {
  public let settings: FlowCollectorSettings
  /// Number of the input in the origin of observations.
  let input: UInt32
  public internal(set) var counts = CollectorCounts()
  /// Flows of exporters that look at every packet. The caller takes them out.
  public var whole: [Observation] = []
  /// Flows of exporters that look at some packets only.
  public var sampled: [Observation] = []

  var exporters: ExporterTable
  private var wholePairs: Biflow
  private var sampledPairs: Biflow
  var meters: [SampleMeter?] = [nil, nil]
  private var flows: [Flow] = []
  /// End of the newest record and when it came; kept where exporters' clocks are trusted.
  private var newest: (end: Timestamp, arrival: Timestamp)?
  /// Fields of all templates, and octets of all data kept back.
  var fieldCount = 0
  var heldOctets = 0

  public init(_ settings: FlowCollectorSettings = FlowCollectorSettings(), input: UInt32 = 0) {
    self.settings = settings
    self.input = input
    exporters = ExporterTable(most: settings.exportersMost)
    wholePairs = Biflow(capacity: settings.waitingMost, holdSeconds: settings.pairingSeconds)
    sampledPairs = Biflow(capacity: settings.waitingMost, holdSeconds: settings.pairingSeconds)
  }

  /// Takes one datagram that came from `source` at `arrival`.
  public func take(_ datagram: UnsafeRawBufferPointer, from source: IPAddress, at arrival: Timestamp) {
    counts.datagrams &+= 1
    counts.octets &+= UInt64(datagram.count)
    guard settings.exporters.isEmpty || settings.exporters.contains(where: { $0.contains(source) }) else {
      return counts.skip(.notAllowed)
    }
    let bytes = datagram.bytes
    guard let format = ExportFormat(bytes) else { return counts.skip(.unknownFormat) }
    do throws(DecodeError) {
      switch format {
      case .netflow5: try netflow5(bytes, source, arrival.nanoseconds)
      case .netflow9: try message(bytes, .netflow9, source, arrival.nanoseconds)
      case .ipfix: try message(bytes, .ipfix, source, arrival.nanoseconds)
      case .sflow5: try sflow(bytes, source, arrival)
      }
    } catch {
      counts.unparsed &+= 1
    }
  }

  /// Lets go of what has waited long enough at `time`; call it every second or so.
  public func advance(to time: Timestamp) {
    let recordTime = recordTime(at: time)
    wholePairs.advance(to: recordTime, into: &flows)
    emit(oneIn: 1)
    sampledPairs.advance(to: recordTime, into: &flows)
    emit(oneIn: 2)
    advanceMeters(to: time)
    expireHeld(at: time.nanoseconds)
    counts.unpaired = wholePairs.pushedOut &+ sampledPairs.pushedOut
  }

  /// What the clock of the records shows when ours shows `time`: that of a replay stands far back, and both go on alike.
  private func recordTime(at time: Timestamp) -> Timestamp {
    guard settings.trustsExporterClock, let newest else { return time }
    return newest.end.advanced(bySeconds: max(0, time.seconds(since: newest.arrival)))
  }

  /// Lets go of everything.
  public func finish() {
    wholePairs.finish(into: &flows)
    emit(oneIn: 1)
    sampledPairs.finish(into: &flows)
    emit(oneIn: 2)
    finishMeters()
    counts.unpaired = wholePairs.pushedOut &+ sampledPairs.pushedOut
  }

  /// All exporters followed, busiest first.
  public var reports: [ExporterReport] {
    exporters.exporters.values.map(\.report).sorted {
      $0.records != $1.records
        ? $0.records > $1.records : ($0.address, $0.domain) < ($1.address, $1.domain)
    }
  }

  /// Lost between exporters and here, by their sequence numbers.
  public var lost: (records: UInt64, datagrams: UInt64) {
    var lost = (records: counts.recordsLostBefore, datagrams: counts.datagramsLostBefore)
    for exporter in exporters.exporters.values {
      if exporter.sequence.unit == .records {
        lost.records &+= exporter.sequence.lost
      } else {
        lost.datagrams &+= exporter.sequence.lost
      }
    }
    return lost
  }

  /// The exporter behind a datagram; `nil` when the table is full of others that are at work.
  func exporter(_ key: ExporterKey, at arrival: Int64) -> ExporterState? {
    if let known = exporters.find(key) {
      known.lastSeen = arrival
      return known
    }
    if exporters.isFull {
      guard let gone = exporters.makeRoom(at: arrival) else {
        counts.skip(.exporterRefused)
        return nil
      }
      forget(gone)
    }
    let pairing = UInt32(truncatingIfNeeded: key.address.mixed)
    let new = ExporterState(key, pairing: pairing, settings, at: arrival)
    exporters.add(new)
    return new
  }

  private func forget(_ exporter: ExporterState) {
    counts.exportersPushedOut &+= 1
    counts.skip(.noTemplate, UInt64(exporter.held.count))
    fieldCount -= exporter.templates.fieldCount
    heldOctets -= exporter.held.reduce(0) { $0 + $1.octets.count }
    if exporter.sequence.unit == .records {
      counts.recordsLostBefore &+= exporter.sequence.lost
    } else {
      counts.datagramsLostBefore &+= exporter.sequence.lost
    }
  }

  private func netflow5(_ bytes: RawSpan, _ source: IPAddress, _ arrival: Int64) throws(DecodeError) {
    let packet = try NetFlow5(bytes)
    let key = ExporterKey(address: source, domain: packet.engine, format: .netflow5)
    guard let exporter = exporter(key, at: arrival) else { return }
    exporter.datagrams &+= 1
    var clock = packet.clock
    exporter.time.note(&clock, at: arrival)
    exporter.sequence.note(packet.sequence, .init(records: packet.count &+ packet.missing))
    exporter.sampling.set(packet.samplingInterval, sampler: nil)
    let moment = Moment(clock: clock, offset: exporter.time.offset, arrival: arrival)
    for n in 0..<packet.count {
      var record = packet.record(n)
      take(&record, exporter, moment)
    }
    if packet.missing > 0 {
      exporter.unparsed &+= 1
      throw .truncated
    }
  }

  /// The clocks that go with a record.
  struct Moment {
    var clock: ExportClock
    /// Added to the exporter's times, nanoseconds.
    var offset: Int64
    var arrival: Int64
  }

  /// Takes one flow record of any format.
  func take(_ record: inout ExportedRecord, _ exporter: ExporterState, _ moment: Moment) {
    counts.records &+= 1
    exporter.records &+= 1
    guard record.has.contains([.source, .destination]) else { return counts.skip(.noAddresses) }
    if record.packets | record.octets == 0 {
      // Egress templates have the outgoing counters alone.
      record.packets = record.packetsOut
      record.octets = record.octetsOut
    } else if exporter.key.format == .netflow9, record.packetsOut | record.octetsOut != 0 {
      record.answerPackets = record.packetsOut
      record.answerOctets = record.octetsOut
      record.has.insert(.answer)
    }
    guard record.packets | record.octets | record.answerPackets | record.answerOctets != 0 else {
      return counts.skip(record.has.contains(.firewallEvent) ? .firewallEvent : .noCounts)
    }
    if !record.resolveTimes(moment.clock) {
      record.first = moment.clock.exported
      record.last = moment.clock.exported
    }
    guard place(&record, moment) else {
      exporter.badTimes &+= 1
      return counts.skip(.badTime)
    }
    let oneIn = exporter.oneIn(sampler: record.has.contains(.sampler) ? record.sampler : nil)
    exporter.highestSampling = max(exporter.highestSampling, oneIn)
    exporter.flows &+= 1
    let flow = record.flow(RecordOrigin(input: input, record: counts.records))
    join(record.biflow(flow, exporter: exporter.pairing), oneIn: oneIn)
  }

  func join(_ record: Biflow.Record, oneIn: UInt32) {
    if oneIn > 1 {
      sampledPairs.take(record, into: &flows)
    } else {
      wholePairs.take(record, into: &flows)
    }
    emit(oneIn: oneIn)
  }

  private func emit(oneIn: UInt32) {
    guard !flows.isEmpty else { return }
    for flow in flows {
      if counts.newest.map({ flow.last > $0 }) ?? true { counts.newest = flow.last }
      let observation = Observation(time: flow.first, event: .flow(flow))
      if oneIn > 1 {
        sampled.append(observation)
      } else {
        whole.append(observation)
      }
    }
    flows.removeAll(keepingCapacity: true)
  }

  /// Longest that one record reaches back: a flow whose exporter never cuts it.
  private static let reachNanoseconds: Int64 = 86_400_000_000_000

  /// Puts a record's times on our clock; `false` when they cannot be right.
  private func place(_ record: inout ExportedRecord, _ moment: Moment) -> Bool {
    if settings.trustsExporterClock {
      guard record.first > RecordTally.absoluteFrom else { return false }
      let end = Timestamp(nanoseconds: record.last)
      newest = (max(end, newest?.end ?? end), Timestamp(nanoseconds: moment.arrival))
      return true
    }
    record.first = ExportClock.adding(moment.offset, to: record.first)
    record.last = ExportClock.adding(moment.offset, to: record.last)
    let arrival = Timestamp(nanoseconds: moment.arrival)
    let ended = arrival.seconds(since: Timestamp(nanoseconds: record.last))
    guard ended <= settings.recordAgeSeconds, ended >= -settings.clockToleranceSeconds else { return false }
    record.first = max(record.first, record.last &- Self.reachNanoseconds)
    return true
  }
}

extension ExportedRecord {
  /// Whether the flow may go on: the exporter reported it before its end.
  private var isCut: Bool { endReason == 2 || endReason == 5 }

  func flow(_ origin: RecordOrigin) -> Flow {
    var transport = Transport(rawValue: transport)
    if transport == .icmp, !source.isV4 { transport = .icmp6 }
    var flow = Flow(
      source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
      transport: transport, first: Timestamp(nanoseconds: first), last: Timestamp(nanoseconds: last),
      sourceOctets: octets, destinationOctets: answerOctets, sourcePackets: UInt32(clamping: packets),
      destinationPackets: UInt32(clamping: answerPackets), anomalies: isCut ? .cutByTimeout : [], origin: origin)
    if transport.isICMP {
      // Without elements of their own, type and code stand in the destination port (RFC 3954 section 8, L4_DST_PORT).
      flow.sourcePort = has.contains(.icmp) ? UInt16(icmpType) : destinationPort >> 8
      flow.destinationPort = has.contains(.icmp) ? UInt16(icmpCode) : destinationPort & 255
    }
    return flow
  }

  /// The record as one direction of a conversation, or as both, with the side that began as source.
  func biflow(_ flow: Flow, exporter: UInt32) -> Biflow.Record {
    let isBoth = answerPackets | answerOctets != 0
    var record = Biflow.Record(
      flow: flow, tcpFlags: tcpFlags, isBidirectional: isBoth,
      answerFlags: has.contains(.answerFlags) ? answerFlags : nil, exporter: exporter)
    guard isBoth else { return record }
    var isTurned = biflowDirection == 2
    if biflowDirection == 0, !flow.transport.isICMP, flow.sourcePort < 1024, flow.destinationPort >= 1024 {
      // Who does not say which side began may have put them in order of address.
      isTurned = true
      record.flow.anomalies.insert(.directionGuessed)
    }
    if packets | octets == 0 { isTurned = true }
    if isTurned {
      record.flow = record.flow.reversed
      if let answer = record.answerFlags {
        record.answerFlags = record.tcpFlags
        record.tcpFlags = answer
      }
    }
    return record
  }
}
