extension HostDay {
  /// Findings that alone lift a family over the bar, or that are an exact match; none when the verdict is no alarm.
  public func deciding(bar: Double) -> [Finding] {
    verdict >= .suspicious ? findings.filter { $0.isConclusive || $0.logOdds >= bar } : []
  }

  /// The earliest time by which evidence enough for this verdict was complete.
  ///
  /// A finding counts from its `last`: an exact match at once, otherwise the first family over the bar for "suspicious" and
  /// the second for "infected". It is an upper bound, for a finding that goes on moves its `last` forward.
  public func sufficientSince(bar: Double) -> Timestamp? {
    let deciding = deciding(bar: bar)
    var earliest: [EvidenceFamily: Timestamp] = [:]
    for finding in deciding where finding.logOdds >= bar {
      earliest[finding.family] = min(earliest[finding.family] ?? .distantFuture, finding.last)
    }
    let families = earliest.values.sorted()
    let needed = verdict == .infected ? 2 : 1
    let agreed = families.count >= needed ? families[needed - 1] : nil
    let matched = deciding.filter(\.isConclusive).map(\.last).min()
    return [agreed, matched].compactMap { $0 }.min()
  }
}

extension Report {
  /// The bar that families were held against in this run.
  var bar: Double { familyBar ?? Judge.bar }

  /// Earliest time of any record of any input.
  public var firstRecord: Timestamp? { inputs.compactMap(\.first).min() }
}
