/// The last look before the judge: detectors that see all hosts together, their findings handed to each host's shard.
enum NetworkPass {
  static func run(_ detectors: [any NetworkDetector], over shards: inout [Shard]) {
    let network = shards.map(\.context)
    var findings: [Finding] = []
    for detector in detectors { detector.examine(network, into: &findings) }
    for finding in findings {
      guard let owner = shards.firstIndex(where: { $0.knows(finding.host) }) else { continue }
      shards[owner].take(finding)
    }
  }
}
