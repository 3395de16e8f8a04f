import Mothlight

/// A finding as octets; all of it, so that what is read back is what was written.
enum FindingBody {
  static func encode(_ finding: Finding) -> [UInt8] {
    var out = BodyLayout.begin(finding.host)
    out.put(finding.detector)
    out.put(signed: Int64(finding.version))
    out.put(byte: UInt8(truncatingIfNeeded: finding.family.number))
    out.put(finding.botnet)
    out.put(finding.subject)
    out.put(finding.summary)
    out.put(signed: finding.first.nanoseconds)
    out.put(finding.last, since: finding.first)
    out.put(finding.logOdds)
    out.put(byte: finding.isConclusive ? 1 : 0)
    out.put(finding.refutedBy)
    out.put(finding.seriesName)
    out.put(count: UInt64(finding.series.count))
    for value in finding.series { out.put(value) }
    out.put(byte: finding.peer == nil ? 0 : 1)
    if let peer = finding.peer { out.put(peer) }
    out.put(finding.peerName)
    out.put(count: UInt64(finding.measures.count))
    for measure in finding.measures { put(measure, &out) }
    out.put(count: UInt64(finding.evidence.count))
    for flow in finding.evidence { put(flow, since: finding.first, &out) }
    out.put(count: UInt64(finding.suppressions.count))
    for suppression in finding.suppressions {
      out.put(suppression.kind.rawValue)
      out.put(suppression.nats)
      out.put(suppression.because)
    }
    return BodyLayout.sealed(out, about: finding.host)
  }

  private static func put(_ measure: Measure, _ out: inout BodyWriter) {
    out.put(measure.name)
    out.put(measure.value)
    out.put(measure.unit)
    out.put(byte: (measure.threshold == nil ? 0 : 1) | (measure.atLeast ? 2 : 0))
    if let threshold = measure.threshold { out.put(threshold) }
  }

  private static func put(_ flow: EvidenceFlow, since base: Timestamp, _ out: inout BodyWriter) {
    out.put(flow.time, since: base)
    out.put(flow.source)
    out.put(flow.destination)
    out.put(count: UInt64(flow.sourcePort))
    out.put(count: UInt64(flow.destinationPort))
    out.put(byte: flow.transport.rawValue)
    out.put(count: flow.octets)
    out.put(byte: flow.state.rawValue)
    out.put(count: UInt64(flow.origin.input))
    out.put(count: flow.origin.record)
    out.put(flow.note)
  }

  static func decode(_ bytes: [UInt8]) throws -> Finding { try bytes.withUnsafeBytes { try decode($0) } }

  static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Finding {
    try BodyLayout.open(bytes) { host, input in try decode(host, &input) }
  }

  private static func decode(_ host: IPAddress, _ input: inout BodyReader) throws -> Finding {
    let detector = try input.text()
    let number = try input.signed()
    guard let family = EvidenceFamily(number: Int64(try input.byte())) else { throw BodyDefect() }
    let botnet = try input.optionalText()
    let subject = try input.text()
    let summary = try input.text()
    let first = Timestamp(nanoseconds: try input.signed())
    let last = try input.time(since: first)
    let logOdds = try input.double()
    let isConclusive = try input.flag()
    let refutedBy = try input.text()
    let seriesName = try input.text()
    let series = try (0..<(try input.length())).map { _ in try input.double() }
    let peer = try input.flag() ? try input.address() : nil
    let peerName = try input.optionalText()
    let measures = try (0..<(try input.length())).map { _ in try measure(&input) }
    let evidence = try (0..<(try input.length())).map { _ in try flow(&input, since: first) }
    let suppressions = try (0..<(try input.length())).map { _ in
      Suppression(try input.named(Suppression.Kind.self), nats: try input.double(), because: try input.text())
    }
    guard let version = Int(exactly: number) else { throw BodyDefect() }
    // Only the name, version and family of a card reach a finding.
    let card = DetectorCard(
      name: detector, version: version, title: "", family: family, reads: [], knobs: [], references: [],
      knownFalsePositives: [])
    var finding = Finding(
      card: card, host: host, subject: subject, summary: summary, first: first, last: last, logOdds: logOdds,
      measures: measures, evidence: evidence, refutedBy: refutedBy, botnet: botnet, isConclusive: isConclusive,
      series: series, seriesName: seriesName, peer: peer, peerName: peerName)
    finding.suppressions = suppressions
    return finding
  }

  /// The host alone, without the rest.
  static func host(_ bytes: UnsafeRawBufferPointer) throws -> IPAddress { try BodyLayout.host(bytes) }

  private static func measure(_ input: inout BodyReader) throws -> Measure {
    var measure = Measure(try input.text(), try input.double(), try input.text())
    let bits = try input.byte()
    if bits & 1 != 0 { measure.threshold = try input.double() }
    measure.atLeast = bits & 2 != 0
    return measure
  }

  private static func flow(_ input: inout BodyReader, since base: Timestamp) throws -> EvidenceFlow {
    let time = try input.time(since: base)
    let source = try input.address()
    let destination = try input.address()
    let sourcePort = try input.number(UInt16.self)
    let destinationPort = try input.number(UInt16.self)
    let transport = Transport(rawValue: try input.byte())
    let octets = try input.count()
    guard let state = ConnectionState(rawValue: try input.byte()) else { throw BodyDefect() }
    let origin = RecordOrigin(input: try input.number(UInt32.self), record: try input.count())
    let flow = Flow(
      source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
      transport: transport, first: time, last: time, state: state, sourceOctets: octets, origin: origin)
    return EvidenceFlow(flow, note: try input.text())
  }
}

extension Finding {
  /// The first half of `id` as a number: what the store looks findings up by.
  static func mark(of id: String) -> Int64? {
    guard id.utf8.count == 32, let bits = UInt64(id.prefix(16), radix: 16) else { return nil }
    return Int64(bitPattern: bits)
  }

  /// Whether it reaches over midnight, so that several host-days hold it.
  var spansDays: Bool { first.day != last.day }
}
