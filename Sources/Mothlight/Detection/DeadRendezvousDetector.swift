import Glibc

/// A machine that keeps trying to reach one outside address which does not answer: its command server is gone.
///
/// Seized, blocked and abandoned servers leave their bots knocking. Healthy programs look a name up again, back off, or
/// go to another server; a fixed address on an everyday-unknown port is knocked at by programs that have nowhere else to go.
public struct DeadRendezvousDetector: Detector {
  public static let card = DetectorCard(
    name: "dead-rendezvous", title: "Knocking at an address that does not answer", family: .peer, reads: [.flow],
    knobs: [
      .init("attempts_least", 20, unit: "connections", "fewest attempts at one address and port"),
      .init("failed_least", 0.7, unit: "share", "failed attempts"),
      .init("seconds_least", 120, unit: "s", "shortest time over which it goes on"),
    ],
    references: [
      "Stone-Gross et al., Your botnet is my botnet, CCS 2009, doi:10.1145/1653662.1653738 (bots of a lost server keep calling)",
      "reference detection.md section 7",
    ],
    knownFalsePositives: [
      "a licence, backup or monitoring client whose outside server was moved", "a game or VPN server that is down",
    ])

  private let attemptsLeast: UInt32
  private let failedLeast: Double
  private let secondsLeast: Double

  /// Log-odds for a server with a name, at most: below the bar.
  private static let namedMost = 3.0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    let knobs = try settings.resolve(Self.card)
    attemptsLeast = UInt32(max(5, min(1e6, knobs["attempts_least"] ?? 20)))
    failedLeast = knobs["failed_least"] ?? 0.7
    secondsLeast = knobs["seconds_least"] ?? 120
  }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {}

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time == .distantFuture, !context.isSampled else { return }
    for pair in context.pairs.busyPairs where !pair.isInside && pair.transport == .tcp && pair.starts >= attemptsLeast {
      let share = Double(pair.failed) / Double(pair.starts)
      let seconds = pair.last.seconds(since: pair.first)
      let host = context.hosts[Int(pair.host)]
      guard !host.isSeenOneSided, !host.looksPeerToPeer, !KnownService.isFileSharing(pair.port), share >= failedLeast,
        seconds >= secondsLeast, KnownService.byPort(pair.port, pair.transport) == nil,
        pair.detail >= 0
      else { continue }
      let name = context.name(of: pair.peer, knownTo: pair.host)
      let isOddPort = !KnownService.isCommonPort(pair.port, pair.transport)
      var odds = 2.0 + min(2, log(Double(pair.starts) / Double(attemptsLeast)) * 0.7)
      if isOddPort { odds += 1.5 }
      // A name that still leads here is a setting that nobody mended more often than a botnet that nobody buried.
      if name == nil { odds += 0.5 } else { odds = min(Self.namedMost, odds - 1) }
      findings.append(
        Finding(
          card: Self.card, host: context.address(of: pair.host),
          subject: "\(name ?? pair.peer.description) tcp/\(pair.port)",
          summary:
            "tried \(pair.starts) times in \(Phrase.seconds(seconds)) to reach \(name ?? pair.peer.description) port "
            + "\(pair.port), \(pair.failed) times without success"
            + (isOddPort ? "; no everyday service uses that port" : ""),
          first: pair.first, last: pair.last, logOdds: odds,
          measures: [
            Measure("attempts", Double(pair.starts), "connections", atLeast: Double(attemptsLeast)),
            Measure("failed", share, "share", atLeast: failedLeast),
            Measure("duration", seconds, "s", atLeast: secondsLeast),
          ],
          evidence: context.samples(of: pair).map { EvidenceFlow($0, note: name ?? "") },
          refutedBy:
            "a program on this machine that is configured with this address, whose server was moved or is down",
          peer: pair.peer, peerName: name))
    }
  }
}
