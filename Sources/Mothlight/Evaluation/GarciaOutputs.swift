/// The Garcia 2014 metric for a person and as JSON.
public enum GarciaOutputs {
  private static let hostsShown = 10
  private static let widthOfColumns = 88

  static let alarmRules =
    "active: a finding that decides an infected or suspicious verdict spans the window, which uses hindsight; known: it "
    + "was complete in this window or an earlier one, too strict a rule, for a finding that goes on is complete late. n per window: a window's counts are divided by its own botnet and "
    + "normal addresses; n per file: by those of all scored windows."
  static let metric =
    "Garcia 2014: windows of 300 s from the first record, the first 5 dropped; true positives and false negatives weigh "
    + "e^(−0.1 N) + 1 with N from 1 after them. Addresses are sources of labelled flows; background is not scored."

  public static func table(_ results: [Garcia2014], width: Int, tlp: TLP = .amber) -> String {
    var page = TerminalPage(width: width, colour: false)
    page.line(tlp.marking)
    for result in results {
      page.heading(EvaluationTable.tail(result.path, page.width))
      labels(result, on: &page)
      scores(result, on: &page)
      background(result, on: &page)
      page.blank()
    }
    page.paragraph(metric, indent: 2)
    page.paragraph(alarmRules, indent: 2)
    return page.drain()
  }

  private static func labels(_ result: Garcia2014, on page: inout TerminalPage) {
    let labels = result.labels
    var text = "\(ReportWords.count(labels.botnetFlows, "Botnet flow", "Botnet flows")), "
    text += "\(ReportWords.grouped(labels.normalFlows)) Normal, \(ReportWords.grouped(labels.backgroundFlows)) other; "
    text += "\(ReportWords.count(result.windowsScored, "window", "windows")) scored with "
    text += "\(result.botnetAddresses) botnet and \(result.normalAddresses) normal addresses"
    page.entry("labels", text, gap: 12)
    if labels.flowsTo > 0 {
      page.entry(
        "",
        "\(ReportWords.grouped(labels.flowsTo)) flows are labelled To-Botnet or To-Normal: their source counts too, "
          + "by the rule of this metric", gap: 12)
    }
    if labels.leftOut > 0 { page.entry("", "\(ReportWords.grouped(labels.leftOut)) flows were left out", gap: 12) }
  }

  private static func scores(_ result: Garcia2014, on page: inout TerminalPage) {
    guard result.windowsScored > 0 else {
      page.entry("scores", "no scored window has a label that contains Botnet or Normal: there are no rates", gap: 12)
      return
    }
    let heads = ["TPR", "FPR", "PRECISION", "FM1", "TP", "FN", "FP", "TN"]
    let widths = [7, 7, 9, 7, 6, 6, 6, 6]
    func cells(_ name: String, _ texts: [String]) -> String {
      zip(texts, widths).reduce(TerminalPage.padded(name, 22)) { $0 + " " + TerminalPage.rightAligned($1.0, $1.1) }
    }
    if page.width >= widthOfColumns { page.line(cells("ALARM", heads), indent: 2) }
    for row in result.rows {
      let s = row.score
      let rates = [s.truePositiveRate, s.falsePositiveRate, s.precision, s.fMeasure1]
        .map { $0.map { ReportWords.decimals($0, 4) } ?? "–" }
      let counts = [s.raw.truePositives, s.raw.falseNegatives, s.raw.falsePositives, s.raw.trueNegatives]
      let name = "\(row.rule.rawValue), n per \(row.divisor.rawValue)"
      let texts = rates + counts.map { String($0) }
      if page.width >= widthOfColumns {
        page.line(cells(name, texts), indent: 2)
      } else {
        page.paragraph(
          "\(name): " + zip(heads, texts).map { "\($0) \($1)" }.joined(separator: ", "), indent: 2, hanging: 4)
      }
    }
  }

  private static func background(_ result: Garcia2014, on page: inout TerminalPage) {
    let infected = BinomialShare(result.backgroundInfected.count, of: result.backgroundHosts)
    let suspicious = BinomialShare(result.backgroundSuspicious.count, of: result.backgroundHosts)
    page.entry("background", "hosts of the home network called infected: \(EvaluationWords.share(infected))", gap: 12)
    if !result.backgroundInfected.isEmpty { page.entry("", shown(result.backgroundInfected), gap: 12) }
    page.entry("", "only suspicious: \(EvaluationWords.share(suspicious))", gap: 12)
    if !result.backgroundSuspicious.isEmpty { page.entry("", shown(result.backgroundSuspicious), gap: 12) }
  }

  private static func shown(_ hosts: [IPAddress]) -> String {
    let text = hosts.prefix(hostsShown).map(\.description).joined(separator: ", ")
    return hosts.count > hostsShown ? text + " and \(hosts.count - hostsShown) more" : text
  }

  // MARK: JSON

  /// - Parameters:
  ///   - version: of the program.
  ///   - tlp: how far it may go. Hosts of somebody's network are in it.
  public static func json(_ results: [Garcia2014], version: String, tlp: TLP = .amber) -> String {
    var json = JSONWriter(lineDepth: 2)
    json.beginObject()
    json.key("schema_version")
    json.value(EvaluationJSON.schemaVersion)
    json.key("tlp")
    json.value(tlp.rawValue)
    json.key("kind")
    json.value("garcia2014")
    json.key("mothlight_version")
    json.value(version)
    json.key("window_s")
    json.value(Garcia2014.windowSeconds)
    json.key("alpha")
    json.value(Garcia2014.alpha)
    json.key("windows_dropped")
    json.value(Garcia2014.windowsDropped)
    json.key("files")
    json.beginArray()
    for result in results { json.file(result) }
    json.endArray()
    json.key("definitions")
    json.beginObject()
    json.key("metric")
    json.value(metric)
    json.key("alarm")
    json.value(alarmRules)
    json.endObject()
    json.endObject()
    json.newline()
    return json.drain()
  }
}

extension JSONWriter {
  fileprivate mutating func file(_ result: Garcia2014) {
    beginObject()
    key("path")
    value(result.path)
    key("first_window")
    value(result.labels.start)
    key("windows_scored")
    value(result.windowsScored)
    key("flows")
    beginObject()
    for (name, count) in [
      ("botnet", result.labels.botnetFlows), ("normal", result.labels.normalFlows),
      ("other", result.labels.backgroundFlows), ("labelled_to", result.labels.flowsTo),
      ("left_out", result.labels.leftOut),
    ] {
      key(text: name)
      value(count)
    }
    endObject()
    key("botnet_addresses")
    value(result.botnetAddresses)
    key("normal_addresses")
    value(result.normalAddresses)
    key("scores")
    beginArray()
    for row in result.rows { score(row) }
    endArray()
    background("background_infected", result.backgroundInfected, result.backgroundHosts)
    background("background_suspicious", result.backgroundSuspicious, result.backgroundHosts)
    endObject()
  }

  private mutating func score(_ row: Garcia2014.Row) {
    let s = row.score
    beginObject()
    key("alarm")
    value(row.rule.rawValue)
    key("n_per")
    value(row.divisor.rawValue)
    for (name, rate) in [
      ("tpr", s.truePositiveRate), ("fpr", s.falsePositiveRate), ("precision", s.precision), ("fm1", s.fMeasure1),
      ("t_tp", s.tTP), ("t_fn", s.tFN), ("t_fp", s.tFP), ("t_tn", s.tTN),
    ] {
      key(text: name)
      value(rate)
    }
    for (name, count) in [
      ("c_tp", s.raw.truePositives), ("c_fn", s.raw.falseNegatives), ("c_fp", s.raw.falsePositives),
      ("c_tn", s.raw.trueNegatives),
    ] {
      key(text: name)
      value(count)
    }
    endObject()
  }

  private mutating func background(_ name: StaticString, _ hosts: [IPAddress], _ of: Int) {
    key(name)
    beginObject()
    share(BinomialShare(hosts.count, of: of))
    key("hosts")
    beginArray()
    for host in hosts { value(host.description) }
    endArray()
    endObject()
  }
}
