/// The first screen: the answer, the counts, the table of verdicts, and what they rest on.
extension HTMLExporter {
  func verdicts(_ flagged: [HostDay], _ tally: ReportTally) -> Markup {
    var out: Markup = """
      <section aria-labelledby="verdicts"><h1 id="verdicts">\(tally.headline).</h1>
      <ul class="counts">\(counter(tally.infected, .infected))\(counter(tally.suspicious, .suspicious))\
      \(counter(tally.noSign, .noSign))\(counter(tally.notEnoughData, .notEnoughData))</ul>
      \(SVG.shares([
        (tally.infected, "infected"), (tally.suspicious, "suspicious"), (tally.noSign, "no_sign"),
        (tally.notEnoughData, "not_enough_data"),
      ], title: "Machines by verdict"))

      """
    for text in tally.meaning { out += "<p class=\"lead\">\(text)</p>\n" }
    guard !flagged.isEmpty else {
      out += "</section>\n"
      return out
    }
    out += """
      <table class="stack verdicts"><caption>Strongest verdict first; the score is a sum of log-odds.</caption>
      <thead><tr><th scope="col">Verdict</th><th scope="col">Machine</th><th scope="col">Day</th>\
      <th scope="col" class="n">Score</th><th scope="col">Evidence</th><th scope="col">Strongest reason</th></tr></thead><tbody>

      """
    for (i, entry) in flagged.prefix(Self.rowsShown).enumerated() {
      let name: Markup =
        i < Self.fullSections ? "<a href=\"#\(Self.anchor(entry))\">\(entry.host)</a>" : "\(entry.host)"
      let botnets: Markup =
        entry.botnets.isEmpty ? "" : "<b class=\"botnet\">\(entry.botnets.joined(separator: ", "))</b> "
      out += """
        <tr><td>\(Self.badge(entry.verdict))</td><th scope="row" class="m">\(name)</th>\
        <td class="m">\(Timestamp.describe(day: entry.day))</td><td class="n">\(ReportWords.decimals(entry.score, 1))</td>\
        <td>\(Self.tags(entry))</td><td class="why">\(botnets)<bdi>\(entry.findings.first?.summary ?? entry.reason)</bdi></td></tr>

        """
    }
    out += "</tbody></table>\n"
    let rest = flagged.count - Self.rowsShown
    if rest > 0 { out += "<p class=\"note\">\(ReportWords.grouped(rest)) more host-days are not listed.</p>\n" }
    out += "</section>\n"
    return out
  }

  private func counter(_ n: Int, _ verdict: Verdict) -> Markup {
    "<li class=\"\(verdict.rawValue)\(n == 0 ? " zero" : "")\"><b>\(ReportWords.grouped(n))</b> \(ReportWords.label(verdict))</li>"
  }

  func coverage(_ report: Report, _ tally: ReportTally) -> Markup {
    let prefixes = report.home.map(\.description).joined(separator: ", ")
    let source = report.homeWasGiven ? "given" : "learned from the traffic"
    var out: Markup = """
      <section aria-labelledby="read"><h2 id="read">What was read</h2>
      <p>A verdict is worth no more than the records behind it. Home network: \
      <span class="m">\(prefixes.isEmpty ? "none found" : prefixes)</span> (\(source)).</p>

      """
    if let state = report.state { out += "<p>Kept between runs: \(state.sentence).</p>\n" }
    for warning in report.warnings { out += "<p class=\"warn\">\(warning)</p>\n" }
    if tally.isSampled {
      out += "<p class=\"warn\">An input is sampled: gaps and counts mean less than they seem.</p>\n"
    }
    if tally.clockIsRelative {
      out +=
        "<p class=\"warn\">An input has a relative clock: times count from an unknown moment, so dates are not real.</p>\n"
    }
    out += """
      <div class="scroll" role="region" aria-label="Coverage" tabindex="0"><table class="coverage">
      <thead><tr><th scope="col">Input</th><th scope="col">Format</th><th scope="col" class="n">Records</th>\
      <th scope="col" class="n">Used</th><th scope="col" class="n">Skipped</th><th scope="col" class="n">Unparsed</th>\
      <th scope="col">Share</th></tr></thead><tbody>

      """
    for input in report.inputs.prefix(Self.rowsShown) { out += row(input) }
    out += "</tbody>"
    if report.inputs.count > 1 {
      out += """
        <tfoot><tr><th scope="row">\(ReportWords.count(report.inputs.count, "input", "inputs"))</th><td></td>\
        <td class="n">\(ReportWords.grouped(tally.records))</td><td class="n">\(ReportWords.grouped(tally.used))</td>\
        <td class="n">\(ReportWords.grouped(tally.skipped))</td><td class="n">\(ReportWords.grouped(tally.unparsed))</td>\
        <td></td></tr></tfoot>
        """
    }
    out += "</table></div></section>\n"
    return out
  }

  private func row(_ input: InputSummary) -> Markup {
    let skipped = input.skipped.values.reduce(0, &+)
    let reasons = input.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var notes: Markup = ""
    if let error = input.error { notes += "<div class=\"warn\">Not usable: \(error.message)</div>" }
    if !reasons.isEmpty {
      let list = reasons.map { "\(ReportWords.spaced($0.key)) \(ReportWords.grouped($0.value))" }.joined(
        separator: ", ")
      notes += "<div>Skipped: \(list)</div>"
    }
    if let text = input.firstUnparsed { notes += "<div>First unparsed: <bdi>\(text)</bdi></div>" }
    for warning in input.warnings { notes += "<div class=\"warn\"><bdi>\(warning)</bdi></div>" }
    if input.isSampled { notes += "<div class=\"warn\">sampled</div>" }
    if input.clockIsRelative { notes += "<div class=\"warn\">relative clock</div>" }
    if let first = input.first, let last = input.last { notes += "<div>\(ReportWords.longSpan(first, last))</div>" }
    let parts: [(UInt64, String)] = [(input.used, "used"), (skipped, "skipped"), (input.unparsed, "unparsed")]
    return """
      <tr><th scope="row"><span class="m">\(input.path)</span><div class="sub">\(notes)</div></th>\
      <td>\(input.format)<div class="sub">\(ReportWords.octets(input.octets))</div></td>\
      <td class="n">\(ReportWords.grouped(input.records))</td><td class="n">\(ReportWords.grouped(input.used))</td>\
      <td class="n">\(ReportWords.grouped(skipped))</td><td class="n">\(ReportWords.grouped(input.unparsed))</td>\
      <td>\(SVG.shares(parts.map { (Int(clamping: $0.0), $0.1) }, title: "Used, skipped and unparsed records", width: 90))</td></tr>

      """
  }

  func unflagged(_ tally: ReportTally) -> Markup {
    var out: Markup = ""
    if !tally.noSignHosts.isEmpty {
      let n = ReportWords.count(tally.noSign, "machine", "machines")
      out += """
        <section aria-labelledby="nosign"><h2 id="nosign">No sign</h2>
        <p>\(n) showed enough to be judged, and nothing rose to its bar.</p>\
        <details\(tally.noSign <= 60 ? " open" : "" as Markup)><summary>The list</summary><ul class="hosts">
        """
      for host in tally.noSignHosts.prefix(Self.rowsShown).sorted() { out += "<li>\(host)</li>" }
      out += "</ul>\(more(tally.noSign))</details></section>\n"
    }
    guard !tally.unjudgedHosts.isEmpty else { return out }
    let n = ReportWords.count(tally.notEnoughData, "machine", "machines")
    out += """
      <section aria-labelledby="unjudged"><h2 id="unjudged">Not enough data</h2>
      <p>Nothing is said about \(n). The most common reason: \(tally.unjudgedReasons.first?.reason ?? "none given")</p>\
      <details><summary>The list, with reasons</summary><table><thead><tr><th scope="col">Machine</th>\
      <th scope="col">Reason</th></tr></thead><tbody>

      """
    for entry in tally.unjudgedHosts.prefix(Self.rowsShown) {
      out += "<tr><th scope=\"row\" class=\"m\">\(entry.host)</th><td>\(entry.reason)</td></tr>\n"
    }
    out += "</tbody></table>\(more(tally.notEnoughData))</details></section>\n"
    return out
  }

  private func more(_ total: Int) -> Markup {
    total > Self.rowsShown
      ? "<p class=\"note\">\(ReportWords.grouped(total - Self.rowsShown)) more are not listed.</p>" : ""
  }

  func hidden(_ hidden: [HiddenFinding]) -> Markup {
    guard !hidden.isEmpty else { return "" }
    var out: Markup = """
      <section aria-labelledby="hidden"><h2 id="hidden">Kept out of the verdicts</h2>
      <p>\(ReportWords.count(hidden.count, "finding", "findings")) kept out of the verdicts by a rule of yours, or because it is what healthy machines do.</p>\
      <details\(settings.showHidden ? " open" : "" as Markup)><summary>The list</summary><table class="stack"><thead><tr>\
      <th scope="col">Rule</th><th scope="col">Machine</th><th scope="col">Day</th><th scope="col">Detector</th>\
      <th scope="col">Finding</th></tr></thead><tbody>

      """
    for item in hidden.prefix(Self.rowsShown) {
      let finding = item.finding
      out += """
        <tr><td>\(item.rule)</td><th scope="row" class="m">\(finding.host)</th><td class="m">\(finding.first.dayDescription)</td>\
        <td>\(finding.detector)</td><td class="why"><bdi>\(finding.summary)</bdi></td></tr>

        """
    }
    out += "</tbody></table>\(more(hidden.count))</details></section>\n"
    return out
  }
}
