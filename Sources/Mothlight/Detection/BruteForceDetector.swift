import Glibc

/// Many short log-in conversations with SSH, Telnet, RDP, FTP or VNC: passwords are being guessed.
public struct BruteForceDetector: Detector {
  public static let card = DetectorCard(
    name: "brute-force-out", title: "Guessing passwords on other machines", family: .fanOut, stage: .attackedOut,
    reads: [.ssh],
    knobs: [
      .init("tries_least", 20, unit: "connections", "answered conversations with one log-in service"),
      .init("rate_least", 3, unit: "connections/min", "mean rate while it goes on"),
      .init("octets_most", 20_000, unit: "octets", "mean octets of a try; a session carries more"),
      .init("seconds_most", 60, unit: "s", "mean length of a try"),
      .init("dispersion_most", 0.6, unit: "ratio", "standard deviation over mean of octets sent"),
    ],
    references: ["reference detection.md section 7, brute force", "Zeek policy/protocols/ssh/detect-bruteforcing"],
    knownFalsePositives: ["configuration management and back-ups that log in by key to one machine in a loop"])

  private let triesLeast: UInt32
  private let rateLeast: Double
  private let octetsMost: Double
  private let secondsMost: Double
  private let dispersionMost: Double
  private var refusedLogins: [UInt32: (count: UInt32, first: Timestamp, last: Timestamp, samples: [EvidenceFlow])] = [:]

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    triesLeast = UInt32(max(3, min(1e6, knobs["tries_least"] ?? 20)))
    rateLeast = knobs["rate_least"] ?? 3
    octetsMost = knobs["octets_most"] ?? 20_000
    secondsMost = knobs["seconds_most"] ?? 60
    dispersionMost = knobs["dispersion_most"] ?? 0.6
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for i in batch.indices {
      guard case .ssh(let ssh) = batch[i].event, ssh.authenticated == false, batch[i].vantage.host != .max,
        batch[i].vantage.orientation == .outbound || batch[i].vantage.orientation == .inside
      else { continue }
      var tally = refusedLogins[batch[i].vantage.host] ?? (0, batch[i].time, batch[i].time, [])
      let (sum, overflow) = tally.count.addingReportingOverflow(max(1, ssh.attempts))
      tally.count = overflow ? .max : sum
      tally.first = min(tally.first, batch[i].time)
      tally.last = max(tally.last, batch[i].time)
      if tally.samples.count < Limits.evidenceFlowsPerFinding {
        tally.samples.append(EvidenceFlow(ssh.ends, time: batch[i].time, note: "log-in refused"))
      }
      refusedLogins[batch[i].vantage.host] = tally
    }
  }

  static func service(_ pair: Pair) -> String? {
    guard pair.transport == .tcp else { return nil }
    if pair.service == .ssh { return "SSH" }
    switch pair.port {
    case 22, 2222: return "SSH"
    case 23, 2323: return "Telnet"
    case 3389: return "RDP"
    case 21: return "FTP"
    case 5900: return "VNC"
    default: return nil
    }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture else { return }
    var perHost: [UInt32: [(Pair, String)]] = [:]
    for pair in context.pairs.busyPairs {
      guard let service = Self.service(pair), pair.answered >= 3 else { continue }
      let minutes = max(1, pair.last.seconds(since: pair.first) / 60)
      guard Double(pair.sizesOut.mean + pair.sizesIn.mean) <= octetsMost,
        Double(pair.seconds) / Double(pair.starts) <= secondsMost,
        pair.sizesOut.dispersion <= dispersionMost, Double(pair.starts) / minutes >= rateLeast
      else { continue }
      perHost[pair.host, default: []].append((pair, service))
    }
    var reported: Set<UInt32> = []
    for host in perHost.keys.sorted() {
      guard let pairs = perHost[host] else { continue }
      let tries = pairs.reduce(UInt32(0)) { $0 + $1.0.answered }
      guard tries >= triesLeast, let worst = pairs.max(by: { $0.0.answered < $1.0.answered }) else { continue }
      reported.insert(host)
      findings.append(finding(host, pairs.map(\.0), tries, worst, context))
    }
    for host in refusedLogins.keys.sorted() where !reported.contains(host) {
      guard let tally = refusedLogins[host], tally.count >= triesLeast else { continue }
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: host), subject: "SSH log-ins",
          summary: "\(tally.count) SSH log-ins were refused", first: tally.first, last: tally.last, logOdds: 4,
          measures: [Measure("refused", Double(tally.count), "log-ins", atLeast: Double(triesLeast))],
          evidence: tally.samples, refutedBy: "a program on this machine with an outdated key or password"))
    }
    refusedLogins = [:]
  }

  private func finding(
    _ host: UInt32, _ pairs: [Pair], _ tries: UInt32, _ worst: (Pair, String), _ context: ShardContext
  ) -> Finding {
    let samples = pairs.prefix(2).flatMap { context.samples(of: $0) }
    let first = pairs.map(\.first).min() ?? worst.0.first
    let last = pairs.map(\.last).max() ?? worst.0.last
    return Finding(
      card: Self.card, host: context.address(of: host), subject: "\(worst.1) log-ins",
      summary:
        "\(tries) short \(worst.1) conversations of nearly equal size with \(pairs.count) machine\(pairs.count == 1 ? "" : "s"), "
        + "most with \(worst.0.peer)",
      first: first, last: last, logOdds: min(5.5, 3.8 + log(Double(tries) / Double(triesLeast)) * 0.5),
      measures: [
        Measure("tries", Double(tries), "connections", atLeast: Double(triesLeast)),
        Measure("octets_per_try", Double(worst.0.sizesOut.mean + worst.0.sizesIn.mean), "octets", atMost: octetsMost),
        Measure("seconds_per_try", Double(worst.0.seconds) / Double(max(1, worst.0.starts)), "s", atMost: secondsMost),
        Measure("dispersion", worst.0.sizesOut.dispersion, "", atMost: dispersionMost),
      ],
      evidence: samples.prefix(Limits.evidenceFlowsPerFinding).map { EvidenceFlow($0, note: worst.1) },
      refutedBy: "automation that logs in to this service on purpose", peer: worst.0.peer)
  }
}
