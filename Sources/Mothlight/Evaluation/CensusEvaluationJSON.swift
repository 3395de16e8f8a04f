/// An evaluation of a census as one JSON document; its fields are described in docs/simulation.md.
public enum CensusEvaluationJSON {
  public static let schemaVersion = "1.1"

  /// - Parameters:
  ///   - version: of the program.
  ///   - tlp: how far it may go. Made-up machines are nobody's.
  public static func text(_ evaluation: CensusEvaluation, version: String, tlp: TLP = .clear) -> String {
    let table = CensusEvaluationTable(evaluation)
    var json = JSONWriter(lineDepth: 3)
    json.beginObject()
    json.key("schema_version")
    json.value(schemaVersion)
    json.key("tlp")
    json.value(tlp.rawValue)
    json.key("kind")
    json.value("census_evaluation")
    json.key("mothlight_version")
    json.value(version)
    json.key("purpose")
    json.value(evaluation.plan.purpose.rawValue)
    json.key("botnets")
    json.value(table.origin)
    json.key("scenarios")
    json.beginArray()
    for outcome in evaluation.outcomes { json.scenario(outcome) }
    json.endArray()
    json.key("targets_missed")
    json.beginArray()
    for line in table.missed { json.value(line) }
    json.endArray()
    json.endObject()
    json.newline()
    return json.drain()
  }
}

extension JSONWriter {
  fileprivate mutating func scenario(_ outcome: CensusEvaluation.Outcome) {
    let summary = CensusSummary(outcome)
    beginObject()
    key("scenario")
    value(summary.name)
    key("days")
    value(summary.days)
    key("runs")
    value(summary.runs)
    key("addresses_ratio")
    value(summary.naive)
    key("addresses_per_hour_ratio")
    value(summary.naiveLive)
    for (name, lines) in [
      ("footprint", summary.footprints), ("live_mean", summary.lives), ("live_by_hour", summary.hours),
      ("active_by_day", summary.active), ("stock_by_day", summary.stock), ("footprint_by_country", summary.countries),
      ("live_by_country", summary.countriesLive), ("footprint_by_network", summary.systems),
      ("live_by_network", summary.systemsLive),
    ] {
      key(text: name)
      beginObject()
      for method in CensusScore.Method.allCases {
        guard let line = lines[method] else { continue }
        key(text: method.rawValue)
        self.line(line)
      }
      endObject()
    }
    counts("caveats", summary.caveats)
    counts("caveats_without_identities", summary.caveatsWithoutIdentities)
    key("seeds")
    beginArray()
    for score in outcome.scores { seed(score) }
    endArray()
    endObject()
  }

  private mutating func line(_ line: CensusSummary.Line) {
    beginObject()
    key("given")
    value(line.given)
    key("refused")
    value(line.refused)
    key("mean_ratio")
    value(line.meanRatio)
    key("mean_error")
    value(line.meanError)
    key("worst_error")
    value(line.worstError)
    key("covered")
    value(line.covered.count)
    key("mean_width")
    value(line.meanWidth)
    key("bounds_that_hold")
    value(line.bounds.count)
    key("bounds_given")
    value(line.bounds.of)
    endObject()
  }

  private mutating func counts(_ name: String, _ counts: [String: Int]) {
    key(text: name)
    beginObject()
    for (code, count) in counts.sorted(by: { $0.key < $1.key }) {
      key(text: code)
      value(count)
    }
    endObject()
  }

  private mutating func seed(_ score: CensusScore) {
    beginObject()
    key("seed")
    value(score.seed)
    key("rows")
    value(score.rows)
    key("machines")
    value(score.footprint)
    key("reached_share")
    value(score.reached)
    key("mean_live")
    value(score.meanLive)
    key("addresses_ratio")
    value(score.naive)
    for (name, estimates) in [("footprint", score.footprints), ("live_mean", score.lives)] {
      key(text: name)
      beginObject()
      for method in CensusScore.Method.allCases {
        guard let estimate = estimates[method] else { continue }
        key(text: method.rawValue)
        beginObject()
        key("ratio")
        value(estimate.ratio)
        if estimate.ratio != nil {
          key("low")
          value(estimate.low)
          key("high")
          value(estimate.high)
        }
        endObject()
      }
      endObject()
    }
    endObject()
  }
}
