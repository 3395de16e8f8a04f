/// The last look before the judge: detectors that see all hosts together, their findings handed to each host's shard.
enum NetworkPass {
  /// One detector after the other.
  static func run(_ detectors: [any NetworkDetector], over shards: inout [Shard]) {
    let network = shards.map(\.context)
    var findings: [Finding] = []
    for detector in detectors { detector.examine(network, into: &findings) }
    hand(findings, to: &shards)
  }

  /// All at once, for runs that were given several shards; what they find is the same, in the same order.
  static func runTogether(_ detectors: [any NetworkDetector], over shards: inout [Shard]) async {
    let network = shards.map(\.context)
    let examinations = detectors.map { detector in
      Task {
        var findings: [Finding] = []
        detector.examine(network, into: &findings)
        return findings
      }
    }
    var findings: [Finding] = []
    for examination in examinations { findings += await examination.value }
    hand(findings, to: &shards)
  }

  private static func hand(_ findings: [Finding], to shards: inout [Shard]) {
    for finding in findings {
      guard let owner = shards.firstIndex(where: { $0.knows(finding.host) }) else { continue }
      shards[owner].take(finding)
    }
  }
}
