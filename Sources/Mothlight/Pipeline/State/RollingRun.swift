/// The part of a run that has to do with what is kept between runs.
struct RollingRun {
  private let before: RollingState
  private(set) var after: RollingState
  private var summary = StateSummary()

  /// Days by which an input may run ahead of the state: everything kept would be forgotten at once.
  private static let daysAheadMost = RollingState.daysKept

  init(_ state: RollingState) {
    before = state
    after = state
  }

  /// Adds what the shards saw, unless that would do harm, and says so.
  /// - Returns: what the judge needs.
  mutating func add(_ shards: [Shard], _ echo: Echo, into report: inout Report) -> DestinationAges {
    let repeats = echo.repeats
    summary.repeatedInputs = repeats.count
    report.warnings += repeats.lines
    if let reason = Self.obstacle(report.inputs, shards) {
      report.warnings.append("state: not added to: \(reason)")
    } else if !echo.isNothingNew {
      let share = RunShare(shards, less: echo.heard)
      if let newest = share.span?.upperBound, let reason = obstacle(Int(newest / 86_400)) {
        report.warnings.append("state: not added to: \(reason)")
      } else if share.span != nil {
        after = before.adding(share, inputs: echo.inputs)
        summary.isUpdated = true
        if share.strays > 0 {
          report.warnings.append(
            "state: \(Phrase.count(share.strays, "host or pair")) with times far from all others left out")
        }
      }
    }
    return DestinationAges(before: before, after: after, shards)
  }

  private static func obstacle(_ inputs: [InputSummary], _ shards: [Shard]) -> String? {
    if shards.contains(where: \.context.isSampled) { return "an input is sampled" }
    if inputs.contains(where: { $0.used > 0 && $0.clockIsRelative }) {
      return "an input's clock counts from an unknown moment"
    }
    return shards.contains { !$0.context.hasUsableTime } ? "the records carry no usable time" : nil
  }

  private func obstacle(_ newest: Int) -> String? {
    guard !before.isEmpty else { return nil }
    let ahead = newest - before.newestDay
    if ahead > Self.daysAheadMost {
      return "the input is \(ahead) days ahead of the state, which would forget everything; begin a new state"
    }
    return ahead <= -RollingState.daysKept ? "the input is \(-ahead) days older than the state" : nil
  }

  /// Remembers the verdicts and tells the report what is kept now.
  mutating func close(into report: inout Report) {
    if summary.isUpdated { after.accuse(report.hosts) }
    summary.days = after.daysWithRecords
    summary.first = after.isEmpty ? nil : Timestamp(kept: after.first)
    summary.last = after.isEmpty ? nil : Timestamp(kept: after.last)
    summary.runs = UInt64(after.runs)
    summary.pairs = after.pairs.count
    summary.hosts = after.hosts.count
    summary.destinations = after.destinations.count
    summary.names = after.names.count
    summary.octets = after.octets
    summary.evicted = [
      "pairs": after.evicted.pairs, "hosts": after.evicted.hosts, "destinations": after.evicted.destinations,
      "names": after.evicted.names, "expired_pairs": after.evicted.expiredPairs,
    ]
    report.state = summary
  }

  /// What is to be saved; `nil` when the run changed nothing.
  var result: RollingState? { summary.isUpdated ? after : nil }
}
