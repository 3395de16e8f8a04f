/// A finding as a card: what it says, the numbers beside their thresholds, the records that show it, what would refute it.
extension HTMLExporter {
  /// - Parameter actions: what a page can do with it, below everything else.
  package static func card(
    _ finding: Finding, _ inputs: [InputSummary], id: String, isFirst: Bool, actions: Markup = ""
  ) -> Markup {
    let conclusive: Markup = finding.isConclusive ? "<span class=\"tag solid\">conclusive by itself</span>" : ""
    let botnet: Markup = finding.botnet.map { "<b class=\"botnet\">\($0)</b> " } ?? ""
    var out: Markup = """
      <article class="finding f-\(finding.family.rawValue)" aria-labelledby="\(id)">
      <header>\(tag(finding.family))<span>\(finding.detector) <small>v\(finding.version)</small></span>\(conclusive)\
      <span class="odds">log-odds \(ReportWords.logOdds(finding.logOdds))</span></header>
      <h4 id="\(id)">\(botnet)<bdi>\(finding.summary)</bdi></h4>

      """
    let chart = Histogram(finding)?.figure(id: id)
    out += "<div class=\"duo\">\(measures(finding.measures))\(chart ?? "")</div>\n"
    out += "<dl class=\"facts\">"
    if let peer = finding.peer {
      out += "<dt>peer</dt><dd class=\"m\">\(peer)\(finding.peerName.map { " <bdi>\($0)</bdi>" as Markup } ?? "")</dd>"
    }
    for item in finding.suppressions {
      out += "<dt>lowered</dt><dd>by \(ReportWords.logOdds(item.nats)): <bdi>\(item.because)</bdi></dd>"
    }
    out += """
      <dt>seen</dt><dd>\(ReportWords.longSpan(finding.first, finding.last))</dd>\
      <dt>refuted by</dt><dd><bdi>\(finding.refutedBy)</bdi></dd><dt>id</dt><dd class="m">\(finding.id)</dd></dl>

      """
    out += records(finding.evidence, inputs, isOpen: isFirst)
    out += actions
    out += "</article>\n"
    return out
  }

  private static func measures(_ measures: [Measure]) -> Markup {
    guard !measures.isEmpty else { return "" }
    var out: Markup = """
      <table class="measures"><thead><tr><th scope="col">Measured</th><th scope="col" class="n">Value</th>\
      <th scope="col">Threshold</th><th scope="col"><span class="vh">Picture</span></th></tr></thead><tbody>

      """
    for measure in measures {
      let limit: String
      if let threshold = measure.threshold {
        limit = (measure.atLeast ? "≥ " : "≤ ") + ReportWords.quantity(threshold, measure.unit)
      } else {
        limit = "context"
      }
      let mark: Markup
      switch measure.isMet {
      case true?: mark = "<span class=\"met\">met</span>"
      case false?: mark = "<span class=\"unmet\">not met</span>"
      case nil: mark = ""
      }
      out += """
        <tr><th scope="row">\(ReportWords.spaced(measure.name))</th><td class="n">\(ReportWords.quantity(measure.value, measure.unit))</td>\
        <td class="limit">\(limit) \(mark)</td><td>\(SVG.gauge(measure))</td></tr>

        """
    }
    out += "</tbody></table>"
    return out
  }

  private static func records(_ flows: [EvidenceFlow], _ inputs: [InputSummary], isOpen: Bool) -> Markup {
    guard !flows.isEmpty else { return "" }
    var out: Markup = """
      <details\(isOpen ? " open" : "" as Markup)><summary>Sample records (\(flows.count))</summary>\
      <div class="scroll" role="region" aria-label="Sample records" tabindex="0"><table class="stack records"><thead><tr>\
      <th scope="col">Time</th><th scope="col">From → to</th><th scope="col" class="n">Octets</th><th scope="col">State</th>\
      <th scope="col">Community ID and record</th></tr></thead><tbody>

      """
    for flow in flows.prefix(Limits.evidenceFlowsPerFinding) {
      let path = flow.origin.path(in: inputs) ?? (inputs.isEmpty ? "" : "input \(flow.origin.input)")
      let note: Markup = flow.note.isEmpty ? "" : "<div class=\"sub\"><bdi>\(flow.note)</bdi></div>"
      out += """
        <tr><td class="m"><span class="day">\(flow.time.dayDescription)</span> \
        \(ReportWords.clock(flow.time, milliseconds: true))</td>\
        <td class="m">\(flow.sourceText) → <wbr>\(flow.destinationText) \(flow.transport.description)\(note)</td>\
        <td class="n">\(flow.octets > 0 ? ReportWords.octets(flow.octets) : "–")</td>\
        <td>\(flow.state == .unknown ? "–" : ReportWords.name(flow.state))</td>\
        <td><span class="m">\(flow.communityID)</span><div class="sub"><bdi>\(path)</bdi> \
        record \(String(flow.origin.record))</div></td></tr>

        """
    }
    out += "</tbody></table></div></details>\n"
    return out
  }
}
