import Mothlight

extension CensusInputs {
  /// Reads a capture or log of an attacked machine of ours: each outside source that comes to it is sighted in that
  /// hour.
  ///
  /// Our machine is the one that most conversations have an end at.
  mutating func readScanners(_ path: String) throws {
    var visits: [(source: IPAddress, target: IPAddress, hour: Int)] = []
    var ends: [IPAddress: Int] = [:]
    do {
      let reader = try Inputs.open(path: path, index: 0)
      var batch: [Observation] = []
      while try reader.read(into: &batch, limit: 4096) {
        for observation in batch {
          guard case .flow(let flow) = observation.event, observation.time.hour >= 0, visits.count < Self.visitsMost
          else {
            continue
          }
          visits.append((flow.source, flow.destination, observation.time.hour))
          ends[flow.source, default: 0] += 1
          ends[flow.destination, default: 0] += 1
        }
        batch.removeAll(keepingCapacity: true)
      }
    } catch { throw Failure(error.message) }
    guard let own = ends.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else {
      throw Failure("\(path): no conversation in it")
    }
    try addScanners(path, visits.filter { $0.target == own && !$0.source.isPrivate && $0.source.isUnicastHost })
  }

  /// Conversations of one input that are looked at.
  static let visitsMost = 20_000_000
}
