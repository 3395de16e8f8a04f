/// One stream of exports: a device's address and its observation domain, source id, engine or sub-agent.
struct ExporterKey: Hashable, Sendable {
  var address: IPAddress
  var domain: UInt32
  var format: ExportFormat
}

/// What is known of one exporter. A class, so that it is changed in place.
final class ExporterState {
  /// Data that came before its template (RFC 7011 section 8.4: templates may be lost or late).
  struct HeldSet {
    var id: UInt16
    var octets: [UInt8]
    var clock: ExportClock
    var offset: Int64
    var arrival: Int64
  }

  let key: ExporterKey
  /// Tells exporters of one address from those of another when directions are joined.
  let pairing: UInt32
  var templates: TemplateStore
  var time: ExporterTime
  var sequence: SequenceTracker
  var sampling = SamplingTable()
  /// As the operator says; goes before what the exporter says.
  let givenSampling: UInt32?
  /// When it started by its options, nanoseconds since the Unix epoch: IPFIX headers do not tell.
  var boot: Int64?
  var held: [HeldSet] = []
  /// Name of the agent in sFlow, which may not be the address that it sends from.
  var agent: IPAddress?

  var lastSeen: Int64
  var datagrams: UInt64 = 0
  var records: UInt64 = 0
  var flows: UInt64 = 0
  var unparsed: UInt64 = 0
  var withoutTemplate: UInt64 = 0
  var templatesRefused: UInt64 = 0
  var badTimes: UInt64 = 0
  var highestSampling: UInt32 = 1

  init(
    _ key: ExporterKey, pairing: UInt32, _ settings: FlowCollectorSettings, at arrival: Int64
  ) {
    self.key = key
    self.pairing = pairing
    templates = TemplateStore(templatesMost: settings.templatesPerExporter)
    time = ExporterTime(toleranceSeconds: settings.clockToleranceSeconds)
    sequence = SequenceTracker(key.format == .netflow5 || key.format == .ipfix ? .records : .messages)
    givenSampling = settings.sampling.first { $0.exporters.contains(key.address) }?.oneIn
    lastSeen = arrival
  }

  /// One packet in so many was looked at, for flows of `sampler`.
  @inline(__always)
  func oneIn(sampler: UInt64?) -> UInt32 { givenSampling ?? sampling.oneIn(sampler: sampler) }

  var report: ExporterReport {
    ExporterReport(
      address: key.address, domain: key.domain, format: key.format, agent: agent, datagrams: datagrams,
      records: records, flows: flows, lost: sequence.lost,
      lostUnit: sequence.unit == .records ? "records" : "datagrams",
      late: sequence.late, restarts: sequence.restarts, unparsed: unparsed, templates: templates.templates.count,
      templatesRefused: templatesRefused, withoutTemplate: withoutTemplate, oneIn: highestSampling,
      clockOffsetSeconds: Double(time.offset) / 1e9, clockSteps: time.steps, badTimes: badTimes,
      lastSeen: Timestamp(nanoseconds: lastSeen))
  }
}

/// What one exporter sent and how well it arrived, for the page of sensors.
public struct ExporterReport: Sendable, Hashable {
  public var address: IPAddress
  /// Observation domain, source id, engine or sub-agent.
  public var domain: UInt32
  public var format: ExportFormat
  public var agent: IPAddress?
  public var datagrams: UInt64
  public var records: UInt64
  public var flows: UInt64
  /// By gaps in the sequence numbers, in `lostUnit`.
  public var lost: UInt64
  public var lostUnit: String
  public var late: UInt64
  public var restarts: UInt64
  public var unparsed: UInt64
  public var templates: Int
  public var templatesRefused: UInt64
  /// Sets of data that were given up because their template did not come.
  public var withoutTemplate: UInt64
  /// One packet in so many was looked at; 1 when all were.
  public var oneIn: UInt32
  /// Added to its times; 0 while its clock is right.
  public var clockOffsetSeconds: Double
  public var clockSteps: UInt64
  /// Records refused for their time.
  public var badTimes: UInt64
  public var lastSeen: Timestamp

  /// `192.0.2.1 domain 7, IPFIX`.
  public var name: String {
    let agent = agent.map { $0 == address ? "" : " agent \($0)" } ?? ""
    return "\(address)\(agent) domain \(domain), \(format)"
  }

  /// What an operator wants to know, in one line.
  public var text: String {
    var parts = ["\(records) records"]
    if lost > 0 { parts.append("\(lost) \(lostUnit) lost") }
    if late > 0 { parts.append("\(late) late") }
    if restarts > 0 { parts.append("\(restarts) restarts") }
    if unparsed > 0 { parts.append("\(unparsed) unparsed") }
    if templates > 0 { parts.append("\(templates) templates") }
    if templatesRefused > 0 { parts.append("\(templatesRefused) templates refused") }
    if withoutTemplate > 0 { parts.append("\(withoutTemplate) sets without a template") }
    if oneIn > 1 { parts.append("sampled 1 in \(oneIn)") }
    if clockOffsetSeconds != 0 {
      let seconds = Int(clockOffsetSeconds.rounded())
      parts.append("clock \(seconds > 0 ? "behind" : "ahead") by \(abs(seconds)) s, corrected")
    }
    if badTimes > 0 { parts.append("\(badTimes) records with impossible times") }
    return parts.joined(separator: ", ")
  }
}
