/// The last look before the judge: detectors that see all hosts together, their findings handed to each host's shard.
enum NetworkPass {
  static func run(_ detectors: [any NetworkDetector], over shards: inout [Shard]) async {
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
    for finding in findings {
      guard let owner = shards.firstIndex(where: { $0.knows(finding.host) }) else { continue }
      shards[owner].take(finding)
    }
  }
}
