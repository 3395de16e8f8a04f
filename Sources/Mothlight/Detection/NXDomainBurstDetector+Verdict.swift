#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension NXDomainBurstDetector {
  /// The hour that speaks loudest, and what it held.
  struct Burst {
    var names: [Name]
    /// Distinct registered domains with an answer in that hour.
    var asked: Int
    var share: Double { asked > 0 ? Double(names.count) / Double(asked) : 0 }
    var medianLikelihood: Double { Self.median(names.map(\.likelihood)) }
    var first: Timestamp { names.first?.first ?? .distantPast }
    var last: Timestamp { names.last?.first ?? .distantPast }

    static func median(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      guard let middle = sorted.dropFirst(sorted.count / 2).first else { return 0 }
      return sorted.count % 2 == 1 ? middle : (middle + sorted[sorted.count / 2 - 1]) / 2
    }

    /// Standard deviation of the lengths of the registered labels, characters.
    var lengthSpread: Double {
      let lengths = names.map { Double($0.domain.utf8.prefix { $0 != 0x2e }.count) }
      let mean = lengths.reduce(0, +) / Double(max(1, lengths.count))
      return (lengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, lengths.count))).squareRoot()
    }

    /// Share of the commonest ending among the names.
    var endingShare: Double {
      var counts: [Substring: Int] = [:]
      for name in names { counts[name.domain.drop { $0 != "." }, default: 0] += 1 }
      return Double(counts.values.max() ?? 0) / Double(max(1, names.count))
    }
  }

  func verdict(_ day: Day, of host: IPAddress, _ past: Host) -> Finding? {
    let mailShare = Double(day.mailLookups) / Double(max(1, day.lookups))
    guard mailShare <= knob("mail_share") else { return nil }
    let names = day.names.sorted { ($0.first, $0.domain) < ($1.first, $1.domain) }
    if let burst = loudestHour(of: names, where: { $0.isMissingOnly }),
      burst.names.count >= Int(knob("nx_domains_per_hour")), burst.share >= knob("nx_share"),
      burst.medianLikelihood > knob("median_llr")
    {
      return missingFinding(burst, names, day, host)
    }
    let odd = knob("generated_llr")
    if let burst = loudestHour(
      of: names, where: { $0.likelihood >= odd && !past.known.contains(RegisteredDomains.hash($0.domain)) }),
      burst.names.count >= Int(knob("generated_names_per_hour")), burst.share >= knob("generated_share"),
      burst.lengthSpread <= knob("generated_length_spread")
    {
      return generatedFinding(burst, day, host)
    }
    return wordVerdict(names, day, host, past)
  }

  /// The hour, starting at a name's first look-up, with the most names that `counts`; `nil` for an hour of a busy resolver.
  /// - Complexity: O(n) window moves plus one O(n) count for the chosen hour.
  func loudestHour(of names: [Name], where counts: (Name) -> Bool) -> Burst? {
    let chosen = names.filter(counts)
    var best = 0..<0
    var start = 0
    for end in chosen.indices {
      while chosen[end].first.seconds(since: chosen[start].first) > Bound.windowSeconds { start += 1 }
      if end + 1 - start > best.count { best = start..<(end + 1) }
    }
    guard let first = chosen[best].first, let last = chosen[best].last else { return nil }
    // Asked in that hour: first seen inside it, or seen before and again in the same clock hours.
    let hours = Self.hourMask(first.first, last.first)
    let limit = first.first.advanced(bySeconds: Bound.windowSeconds)
    let asked = names.filter {
      ($0.isAnswered || counts($0)) && $0.first <= limit && ($0.first >= first.first || $0.hours & hours != 0)
    }
    let resolved = asked.reduce(0) { $0 + ($1.isResolved && $1.likelihood <= 0 ? 1 : 0) }
    guard resolved <= Int(knob("resolved_domains_per_hour")) else { return nil }
    return Burst(names: Array(chosen[best]), asked: asked.count)
  }

  private static func hourMask(_ first: Timestamp, _ last: Timestamp) -> UInt32 {
    var mask: UInt32 = 0
    for hour in [first, last] { mask |= 1 << UInt32(truncatingIfNeeded: hour.hour &- hour.day &* 24) }
    return mask
  }

  private func missingFinding(_ burst: Burst, _ names: [Name], _ day: Day, _ host: IPAddress) -> Finding {
    // Odd names that did resolve, an hour around the burst, and got a connection.
    let met = names.filter {
      $0.isResolved && $0.likelihood > knob("median_llr") && $0.connection != nil
        && abs($0.first.seconds(since: burst.first)) <= 2 * Bound.windowSeconds
    }
    let llr = burst.medianLikelihood
    let count = Double(burst.names.count)
    var odds = 3.4 + min(1.2, 0.5 * log(count / knob("nx_domains_per_hour").clamped)) + min(1.0, 0.4 * llr)
    if !met.isEmpty { odds += 0.8 }
    var summary = "asked for \(burst.names.count) registered domains that do not exist within an hour"
    summary += " (\(percent(burst.share)) of all it asked), e.g. \(sample(burst.names))"
    if let one = met.first { summary += "; and here is the one that resolved and got a connection: \(one.domain)" }
    return finding(
      burst, met, day, host, subject: "names that do not exist", summary: summary, odds: odds,
      measures: [
        Measure("nx_domains", count, "registered domains/h", atLeast: knob("nx_domains_per_hour")),
        Measure("nx_share", burst.share, "share", atLeast: knob("nx_share")),
        Measure("median_name_llr", llr, "nat", atLeast: knob("median_llr")),
        Measure("odd_names_connected", Double(met.count), "registered domains"),
      ])
  }

  private func generatedFinding(_ burst: Burst, _ day: Day, _ host: IPAddress) -> Finding {
    let met = burst.names.filter { $0.connection != nil }
    let missing = burst.names.reduce(0) { $0 + ($1.isMissingOnly ? 1 : 0) }
    let addresses = Set(burst.names.compactMap(\.address)).count
    let llr = burst.medianLikelihood
    let count = Double(burst.names.count)
    let excess = 0.6 * log(count / knob("generated_names_per_hour").clamped)
    var odds = 2.6 + min(1.5, excess) + min(1.2, 0.5 * llr) + max(0, burst.share - knob("generated_share"))
    if burst.lengthSpread <= 1, burst.endingShare >= 0.8 { odds += 0.6 }
    var summary = "asked for \(burst.names.count) odd registered domains within an hour"
    summary += " (\(percent(burst.share)) of all it asked), e.g. \(sample(burst.names))"
    if let one = met.first { summary += "; \(met.count) resolved and got a connection, first \(one.domain)" }
    return finding(
      burst, met, day, host, subject: "generated names", summary: summary, odds: odds,
      measures: [
        Measure("generated_names", count, "registered domains/h", atLeast: knob("generated_names_per_hour")),
        Measure("generated_share", burst.share, "share", atLeast: knob("generated_share")),
        Measure("median_name_llr", llr, "nat", atLeast: knob("generated_llr")),
        Measure("length_spread", burst.lengthSpread, "characters", atMost: knob("generated_length_spread")),
        Measure("ending_share", burst.endingShare, "share"),
        Measure("do_not_exist", Double(missing), "registered domains"),
        Measure("distinct_addresses", Double(addresses), "addresses"),
        Measure("odd_names_connected", Double(met.count), "registered domains"),
      ])
  }

  func finding(
    _ burst: Burst, _ met: [Name], _ day: Day, _ host: IPAddress, subject: String, summary: String, odds: Double,
    measures: [Measure]
  ) -> Finding {
    let connections = met.prefix(2).compactMap(\.connection)
    var evidence: [EvidenceFlow] = []
    for name in burst.names.prefix(max(0, Limits.evidenceFlowsPerFinding - connections.count)) {
      let fate = name.isMissingOnly ? "does not exist" : name.isResolved ? "resolved" : "no answer seen"
      evidence.append(EvidenceFlow(name.ends, time: name.first, note: "\(name.domain): \(fate)"))
    }
    evidence += connections
    var measures = measures
    if day.dropped > 0 { measures.append(Measure("look_ups_not_counted", Double(day.dropped), "look-ups")) }
    let spoken = met.compactMap { $0.connection?.time }.max() ?? burst.last
    return Finding(
      card: Self.card, host: host, subject: subject, summary: summary, first: burst.first,
      last: max(burst.last, spoken),
      logOdds: min(6, odds), measures: measures, evidence: evidence,
      refutedBy: "a program on this host that checks lists of names, or a resolver or mail filter role for it",
      peer: met.first?.connection?.destination, peerName: met.first?.domain)
  }

  func sample(_ names: [Name]) -> String {
    names.sorted { ($0.likelihood, $1.domain) > ($1.likelihood, $0.domain) }.prefix(3).map(\.domain).joined(
      separator: ", ")
  }

  func percent(_ share: Double) -> String { "\(Int((100 * max(0, min(1, share))).rounded())) %" }
}

extension Double {
  /// Kept off zero so that a knob set to 0 cannot divide by it.
  fileprivate var clamped: Double { Swift.max(1, self) }
}
