import Glibc

/// Bursts of readable names, as generators that join dictionary words make them.
///
/// No single name is odd, so the make-up of the whole burst is weighed (`BurstModel`), and never over the bar.
extension NXDomainBurstDetector {
  private enum Word {
    /// More names than this share with one first or last piece of four letters come from one keyword, not from a list.
    static let pieceShareMost = 0.25
    /// One label under many endings is a search for a free name.
    static let labelShareLeast = 0.9
    /// Lists of old names do the same, so this alone stays a hint.
    static let oddsMost = 2.5
    static let oddsWithConnection = 3.0
  }

  func wordVerdict(_ names: [Name], _ day: Day, _ host: IPAddress, _ past: Host) -> Finding? {
    func isNew(_ name: Name) -> Bool {
      name.isMissingOnly && !past.missed.contains(RegisteredDomains.hash(name.domain))
    }
    guard let burst = loudestHour(of: names, where: isNew),
      burst.names.count >= Int(knob("word_names_per_hour")), burst.share >= knob("nx_share"),
      burst.pieceShare <= Word.pieceShareMost, burst.labelShare >= Word.labelShareLeast
    else { return nil }
    let values = [burst.meanLength, burst.endingShare, burst.bareShare, burst.evenness]
    var odds = BurstModel.bias
    for (value, sign) in zip(values, BurstModel.signs) {
      odds += sign.weight * max(0, min(1, (value - sign.low) / (sign.high - sign.low)))
    }
    guard odds >= knob("word_odds_least") else { return nil }
    // A new name of the same make-up that did resolve, around the burst, and got a connection.
    let met = names.filter {
      $0.isResolved && $0.isBare && $0.connection != nil && !past.known.contains(RegisteredDomains.hash($0.domain))
        && burst.endings.contains($0.ending) && abs($0.labelLength - burst.meanLength) <= 2 * burst.lengthSpread + 1
        && abs($0.first.seconds(since: burst.first)) <= 2 * Bound.windowSeconds
    }
    odds = min(Word.oddsMost, odds)
    if !met.isEmpty { odds = min(Word.oddsWithConnection, odds + 0.5) }
    return wordFinding(burst, values, met, day, host, odds: odds)
  }

  private func wordFinding(
    _ burst: Burst, _ values: [Double], _ met: [Name], _ day: Day, _ host: IPAddress, odds: Double
  ) -> Finding {
    var summary = "asked for \(burst.names.count) readable registered domains that do not exist within an hour"
    summary += " (\(percent(burst.share)) of all it asked), alike in make-up, e.g. \(sample(burst.names))"
    if let one = met.first { summary += "; \(one.domain), made like them, resolved and got a connection" }
    var measures = [
      Measure("word_names", Double(burst.names.count), "registered domains", atLeast: knob("word_names_per_hour")),
      Measure("nx_share", burst.share, "share", atLeast: knob("nx_share")),
      Measure("common_piece_share", burst.pieceShare, "share", atMost: Word.pieceShareMost),
      Measure("distinct_label_share", burst.labelShare, "share", atLeast: Word.labelShareLeast),
      Measure("median_name_llr", burst.medianLikelihood, "nat"),
      Measure("odd_names_connected", Double(met.count), "registered domains"),
    ]
    for ((sign, value), unit) in zip(zip(BurstModel.signs, values), ["octets", "share", "share", "share"]) {
      measures.append(Measure(sign.name, value, unit, atLeast: (sign.low + sign.high) / 2))
    }
    return finding(
      burst, met, day, host, subject: "readable names that do not exist", summary: summary, odds: odds,
      measures: measures)
  }
}

extension NXDomainBurstDetector.Name {
  var label: Substring { domain.prefix { $0 != "." } }
  var ending: Substring { domain.drop { $0 != "." } }
  var labelLength: Double { Double(label.utf8.count) }
}

extension NXDomainBurstDetector.Burst {
  private func share(_ count: Int) -> Double { Double(count) / Double(max(1, names.count)) }

  var meanLength: Double { names.reduce(0) { $0 + $1.labelLength } / Double(max(1, names.count)) }
  var bareShare: Double { share(names.count { $0.isBare }) }
  var labelShare: Double { share(Set(names.map(\.label)).count) }
  var endings: Set<Substring> { Set(names.map(\.ending)) }

  /// Share of the names that begin, or end, with the commonest four letters.
  var pieceShare: Double {
    var heads: [Substring: Int] = [:]
    var tails: [Substring: Int] = [:]
    for name in names {
      heads[name.label.prefix(4), default: 0] += 1
      tails[name.label.suffix(4), default: 0] += 1
    }
    return share(max(heads.values.max() ?? 0, tails.values.max() ?? 0))
  }

  /// 1 minus the dispersion of the gaps between first look-ups, not below 0: 1 for a clock, 0 for chance.
  var evenness: Double {
    guard names.count > 2 else { return 0 }
    let gaps = (1..<names.count).map { names[$0].first.seconds(since: names[$0 - 1].first) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    guard mean > 0 else { return 0 }
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    return max(0, 1 - variance.squareRoot() / mean)
  }
}
