/// A trend in sentences, the same in every output made for people.
extension Trend {
  /// What happens, with its interval: one sentence.
  var headline: String {
    if let refusal { return sentence(refusal) }
    guard let fit else { return "No trend was looked for." }
    let rate = "\(ReportWords.decimals(abs(fit.gamma.value) * 100, 1)) % a week"
    switch fit.model {
    case .exponentialDecay:
      let half = fit.halfLifeWeeks.map(Self.halfLife) ?? ""
      return "Clean-up at \(rate)\(takeover == nil ? "" : " since the takeover"): half of them are gone in \(half)."
    case .exponentialGrowth:
      return "Growth at \(rate): they double in \(fit.halfLifeWeeks.map(Self.halfLife) ?? "")."
    case .logisticGrowth:
      return "Growth that fills up: toward about \(CensusWords.machines(fit.ceiling ?? .nan)) live machines."
    case .noChange:
      return "No change stands out: between \(Self.change(fit.gamma.high)) and \(Self.change(fit.gamma.low)) a week."
    }
  }

  /// `9.5 weeks (95 %: 7.1 to 14 weeks)`.
  static func halfLife(_ range: CensusRange) -> String {
    let end = range.high.isFinite ? "to \(CensusWords.weeks(range.high))" : "or more"
    return "\(CensusWords.weeks(range.value)) (95 %: \(CensusWords.weeks(range.low)) \(end))"
  }

  /// A clean-up rate as a change: `−1.2 %`.
  private static func change(_ gamma: Double) -> String {
    let text = ReportWords.decimals(-gamma * 100, 1)
    return (text.hasPrefix("−") || text == "0.0" ? "" : "+") + text + " %"
  }

  /// One sentence for each horizon.
  var outlook: [String] {
    forecasts.map { forecast in
      guard let machines = forecast.machines else {
        return "In \(forecast.horizonDays) days: no forecast, since it \(Self.because(forecast.reason))."
      }
      let skill = ReportWords.decimals(min(99, ((forecast.skill ?? 0) * 100).rounded(.down)), 0)
      return "In \(forecast.horizonDays) days: \(CensusWords.machines(machines.value)) live in a mean hour "
        + "(95 %: \(CensusWords.interval(machines))); looking back, its squared error was \(skill) % below that of "
        + "\"no change\" over \(ReportWords.count(forecast.origins, "origin", "origins"))."
    }
  }

  private static func because(_ reason: String) -> String {
    reason.hasPrefix("no ") ? "shows \(reason)" : reason
  }

  private func sentence(_ text: String) -> String {
    (text.first.map { $0.uppercased() } ?? "") + text.dropFirst() + "."
  }

  /// What was left out before fitting.
  var maskWords: String {
    maskedHours == 0
      ? "no hour masked"
      : "\(ReportWords.count(maskedHours, "hour", "hours")) of silent sensors masked, not read as clean-up"
  }
}
