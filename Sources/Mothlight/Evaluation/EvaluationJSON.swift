/// An evaluation as one JSON document; its fields are described in docs/evaluation.md.
public enum EvaluationJSON {
  public static let schemaVersion = "1.1"

  /// - Parameters:
  ///   - version: of the program.
  ///   - tlp: how far it may go. Hosts of somebody's network are in it.
  public static func text(_ evaluation: Evaluation, version: String, tlp: TLP = .amber) -> String {
    var json = JSONWriter(lineDepth: 2)
    json.beginObject()
    json.key("schema_version")
    json.value(schemaVersion)
    json.key("tlp")
    json.value(tlp.rawValue)
    json.key("kind")
    json.value("evaluation")
    json.key("mothlight_version")
    json.value(version)
    json.key("truth")
    json.value(evaluation.truthName)
    json.key("inputs")
    json.beginArray()
    for input in evaluation.inputs { json.evaluated(input) }
    json.endArray()
    json.key("missing")
    json.beginArray()
    for path in evaluation.missing { json.value(path) }
    json.endArray()
    json.key("totals")
    json.totals(EvaluationTotals(evaluation))
    json.key("definitions")
    json.beginObject()
    json.key("seconds_to_detection")
    json.value(EvaluationWords.timeToDetection)
    json.key("interval")
    json.value(EvaluationWords.intervals)
    json.key("host_days")
    json.value(EvaluationWords.hostDays)
    json.endObject()
    json.endObject()
    json.newline()
    return json.drain()
  }
}

extension JSONWriter {
  fileprivate mutating func evaluated(_ input: InputEvaluation) {
    beginObject()
    key("path")
    value(input.path)
    key("first_record")
    value(input.firstRecord)
    key("rows")
    beginArray()
    for row in input.rows { evaluated(row) }
    endArray()
    key("flagged_besides")
    beginArray()
    for flagged in input.flaggedBesides {
      beginObject()
      key("host")
      value(flagged.host.description)
      key("verdict")
      value(flagged.verdict.rawValue)
      endObject()
    }
    endArray()
    endObject()
  }

  private mutating func evaluated(_ row: RowEvaluation) {
    beginObject()
    key("line")
    value(row.row.line)
    key("host")
    value(row.row.host?.description)
    key("known")
    value(row.row.truth.rawValue)
    key("family")
    value(row.row.family)
    key("format")
    value(row.row.format)
    key("outcome")
    value(row.outcome.rawValue)
    key("is_met")
    value(row.outcome.isMet)
    key("said")
    value(row.said?.rawValue)
    key("said_of")
    value(row.saidOf?.description)
    key("botnets")
    beginArray()
    for name in row.botnets { value(name) }
    endArray()
    key("seconds_to_detection")
    value(row.secondsToDetection)
    key("host_days")
    tally(row.hostDays)
    key("message")
    value(row.message)
    key("why")
    beginArray()
    for text in row.why { value(text) }
    endArray()
    key("note")
    value(row.row.note)
    endObject()
  }

  private mutating func tally(_ days: HostDayTally) {
    beginObject()
    key("infected")
    value(days.infected)
    key("suspicious")
    value(days.suspicious)
    key("no_sign")
    value(days.noSign)
    key("not_enough_data")
    value(days.notEnoughData)
    endObject()
  }

  fileprivate mutating func totals(_ totals: EvaluationTotals) {
    beginObject()
    key("rows")
    value(totals.rows)
    key("rows_met")
    value(totals.rowsMet)
    key("by_outcome")
    beginArray()
    for line in totals.lines {
      beginObject()
      key("known")
      value(line.truth.rawValue)
      key("outcomes")
      beginArray()
      for outcome in line.outcomes { value(outcome.rawValue) }
      endArray()
      share(line.rows)
      endObject()
    }
    endArray()
    key("median_seconds_to_detection")
    value(totals.medianSecondsToDetection)
    key("clean_host_days")
    beginArray()
    for days in [totals.cleanDays] + totals.cleanDaysByFormat { cleanDays(days) }
    endArray()
    endObject()
  }

  private mutating func cleanDays(_ days: EvaluationTotals.CleanDays) {
    beginObject()
    key("format")
    value(days.format)
    key("host_days")
    tally(days.tally)
    key("called_infected")
    beginObject()
    share(days.infected)
    endObject()
    key("called_suspicious")
    beginObject()
    share(days.suspicious)
    endObject()
    endObject()
  }

  /// Count, trials, share and the 95 % interval, into the open object.
  mutating func share(_ share: BinomialShare) {
    key("count")
    value(share.count)
    key("of")
    value(share.of)
    key("share")
    value(share.share)
    let (low, high) = share.interval()
    key("low_95")
    value(low)
    key("high_95")
    value(high)
  }
}
