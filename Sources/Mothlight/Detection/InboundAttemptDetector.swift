/// Notes who got far enough at a host's remote log-ins to have broken in: where an infection's story may begin.
///
/// Being tried is no sign of infection, so this weighs nothing by itself.
public struct InboundAttemptDetector: Detector {
  public static let card = DetectorCard(
    name: "inbound-attempts", title: "Others tried its log-ins and were answered", family: .fanOut, stage: .touched,
    reads: [.flow],
    knobs: [
      .init("answered_least", 8, unit: "connections", "answered connections of one outside address to one such service")
    ],
    references: ["Gu et al., BotHunter, USENIX Security 2007", "reference detection.md section 6"],
    knownFalsePositives: ["any server that is open to the internet; an administrator who logs in from outside"])

  private enum Bound {
    /// (host, outside address, port) followed per shard: about 120 B each.
    static let attempts = 1 << 16
  }

  private struct Key: Hashable {
    var host: UInt32
    var source: IPAddress
    var port: UInt16
  }
  private struct Tally {
    var answered: UInt32 = 0
    var first: Timestamp
    var last: Timestamp
    var samples: [EvidenceFlow] = []
  }

  private let answeredLeast: UInt32
  private var tallies: [Key: Tally] = [:]

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    answeredLeast = UInt32(max(1, min(1e6, try settings.resolve(Self.card)["answered_least"] ?? 8)))
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for i in batch.indices where batch[i].vantage.orientation == .inbound && batch[i].vantage.host != .max {
      guard case .flow(let flow) = batch[i].event, flow.transport == .tcp, Self.isLogin(flow.destinationPort),
        flow.destinationPayload > 0, !flow.state.failed, !batch[i].vantage.flags.contains(.continuation)
      else { continue }
      let key = Key(host: batch[i].vantage.host, source: flow.source, port: flow.destinationPort)
      guard tallies[key] != nil || tallies.count < Bound.attempts else {
        refused &+= 1
        continue
      }
      var tally = tallies.removeValue(forKey: key) ?? Tally(first: flow.first, last: flow.last)
      tally.answered &+= 1
      tally.first = min(tally.first, flow.first)
      tally.last = max(tally.last, flow.last)
      if tally.samples.count < Limits.evidenceFlowsPerFinding { tally.samples.append(EvidenceFlow(flow)) }
      tallies[key] = tally
    }
  }

  private static func isLogin(_ port: UInt16) -> Bool {
    AttackedPort.isDeviceShell(port) || AttackedPort.isSSH(port) || AttackedPort.isServerService(port)
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    // One finding a host and service: the busiest source stands for all.
    var best: [UInt64: (key: Key, tally: Tally, sources: Int)] = [:]
    for (key, tally) in tallies where tally.answered >= answeredLeast {
      let service = UInt64(key.host) << 16 | UInt64(key.port)
      guard let known = best[service] else {
        best[service] = (key, tally, 1)
        continue
      }
      let isBusier = (tally.answered, known.key.source) > (known.tally.answered, key.source)
      best[service] = isBusier ? (key, tally, known.sources + 1) : (known.key, known.tally, known.sources + 1)
    }
    for (key, tally, sources) in best.sorted(by: { $0.key < $1.key }).map(\.value) {
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: key.host), subject: "tcp/\(key.port)",
          summary: "was tried at port \(key.port) from \(key.source)"
            + (sources > 1 ? " and \(sources - 1) more" : "") + ", \(tally.answered) answered connections",
          first: tally.first, last: tally.last, logOdds: 0,
          measures: [
            Measure("answered", Double(tally.answered), "connections", atLeast: Double(answeredLeast)),
            Measure("sources", Double(sources), "addresses"),
          ],
          evidence: tally.samples.sorted { ($0.time, $0.sourcePort) < ($1.time, $1.sourcePort) },
          refutedBy: "a public service that strangers are meant to reach, or a known administrator's address",
          peer: key.source))
    }
    tallies = [:]
  }
}
