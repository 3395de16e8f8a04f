/// What a host tries on the machines inside: the same long list of services on most of them makes an inventory or a search for
/// weak points.
///
/// A worm and a person breaking in try a few services that they can break; a flood of ports within minutes is a port scan.
/// A survey takes its time and its machine does little else.
struct InsideSurvey {
  enum Bound {
    /// Services that at least half of the machines were asked for.
    static let services = 12
    static let machines = 24
    static let seconds = 1800.0
    /// Outside peers of the machine in the whole run: a person's machine meets hundreds in a day.
    static let outsidePeers: UInt32 = 64
  }

  private var machines: Set<IPAddress> = []
  private var machinesOf: [UInt16: UInt32] = [:]
  private var first = Timestamp.distantFuture
  private var last = Timestamp.distantPast

  /// Hosts that survey, with the number of services.
  /// - Complexity: O(pairs) where any host met as many machines, else O(hosts).
  static func services(in context: ShardContext) -> [UInt32: Int] {
    let candidates = Set(
      context.hosts.indices.lazy.filter {
        context.hosts[$0].insidePeers >= Bound.machines
          && context.hosts[$0].peers <= Bound.outsidePeers
            &+ UInt32(clamping: context.hosts[$0].insidePeers)
      }.map { UInt32(truncatingIfNeeded: $0) })
    guard !candidates.isEmpty else { return [:] }
    var surveys: [UInt32: InsideSurvey] = [:]
    let pairs = context.pairs.pairs
    for i in pairs.indices where pairs[i].isInside && pairs[i].isOurs && candidates.contains(pairs[i].host) {
      surveys[pairs[i].host, default: InsideSurvey()].add(pairs[i])
    }
    return surveys.compactMapValues(\.services)
  }

  private mutating func add(_ pair: Pair) {
    machines.insert(pair.peer)
    // A pair is one service of one machine, so no port is counted twice for it.
    if pair.transport == .tcp { machinesOf[pair.port, default: 0] &+= 1 }
    if pair.first < first { first = pair.first }
    if pair.last > last { last = pair.last }
  }

  /// `nil` for anything but a survey.
  private var services: Int? {
    guard machines.count >= Bound.machines, last.seconds(since: first) >= Bound.seconds else { return nil }
    let common = machinesOf.values.count { Int($0) * 2 >= machines.count }
    return common >= Bound.services ? common : nil
  }
}
