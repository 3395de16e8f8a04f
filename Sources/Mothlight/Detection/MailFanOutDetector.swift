import Glibc

/// A machine that is no mail server delivers mail to many mail servers: spam.
public struct MailFanOutDetector: Detector {
  public static let card = DetectorCard(
    name: "smtp-fan-out", title: "Mail to many servers", family: .fanOut, stage: .attackedOut, reads: [.flow],
    knobs: [
      .init("servers_least", 10, unit: "addresses/h", "distinct addresses tried on port 25 within an hour"),
      .init(
        "mail_server_at", 5, unit: "connections", "answered inbound mail connections that make a host a mail server"),
    ],
    references: ["reference detection.md section 7, spam", "RFC 5321"],
    knownFalsePositives: ["a mailing-list or newsletter host that receives no mail itself: allow-list it by source"])

  fileprivate struct State {
    /// New servers by hour: records may come in any order.
    var hours: [Int: Int] = [:]
    var most: Int { hours.values.max() ?? 0 }
    var total: UInt32 = 0
    var failed: UInt32 = 0
    var first = Timestamp.distantFuture
    var last = Timestamp.distantPast
    var samples: [Flow] = []
  }
  private var states: [UInt32: State] = [:]
  private let serversLeast: Int
  private let mailServerAt: UInt32

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    serversLeast = Int(max(2, min(1e6, knobs["servers_least"] ?? 10)))
    mailServerAt = UInt32(max(1, min(1e6, knobs["mail_server_at"] ?? 5)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    let batch = batch.span
    for i in batch.indices
    where batch[i].vantage.flags.contains(.firstService) && batch[i].vantage.orientation == .outbound {
      guard case .flow(let flow) = batch[i].event, flow.destinationPort == 25, flow.transport == .tcp else { continue }
      states[batch[i].vantage.host, default: State()].add(flow)
    }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    for host in states.keys.sorted() {
      guard let s = states[host], s.most >= serversLeast, Int(host) < context.hosts.count else { continue }
      // Of a sampled conversation a packet or two is seen: any answer from port 25 makes a mail server then.
      let record = context.hosts[Int(host)]
      let isMailServer = record.mailReceived >= mailServerAt || context.isSampled && record.mailAnswered > 0
      guard !isMailServer else { continue }
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: host), subject: "tcp/25",
          summary:
            "tried \(s.total) different mail servers, \(s.most) of them within one hour, and receives none"
            + (context.isSampled ? "; at least, as the source is sampled" : ""),
          first: s.first, last: s.last, logOdds: min(6, 4 + log(Double(s.most) / Double(serversLeast))),
          measures: [
            Measure("servers_in_an_hour", Double(s.most), "addresses/h", atLeast: Double(serversLeast)),
            Measure("servers", Double(s.total), "addresses"),
            Measure("failed", Double(s.failed) / Double(max(1, s.total)), "share"),
          ],
          evidence: s.samples.map { EvidenceFlow($0) },
          refutedBy: "this machine is a mail relay or sends newsletters on purpose"))
    }
    states = [:]
  }
}

extension MailFanOutDetector.State {
  fileprivate mutating func add(_ flow: Flow) {
    if hours[flow.first.hour] != nil || hours.count < 10_000 { hours[flow.first.hour, default: 0] += 1 }
    total += 1
    if flow.state.failed { failed += 1 }
    if flow.first < first { first = flow.first }
    if flow.first > last { last = flow.first }
    if samples.count < Limits.evidenceFlowsPerFinding { samples.append(flow) }
  }
}
