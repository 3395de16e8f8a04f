/// What was read, skipped and not understood: a verdict is worth no more than this.
extension TableExporter {
  func coverage(_ report: Report, _ tally: ReportTally, on page: inout TerminalPage) {
    page.heading("READ")
    if report.inputs.isEmpty { page.paragraph("Nothing.", indent: 2) }
    for input in report.inputs.prefix(Self.inputsShown) { self.input(input, on: &page) }
    let rest = report.inputs.dropFirst(Self.inputsShown)
    if !rest.isEmpty {
      let failed = rest.filter { $0.error != nil }.count
      let records = rest.reduce(0) { $0 &+ $1.records }
      let text =
        "… and \(ReportWords.count(rest.count, "more input", "more inputs")) with "
        + ReportWords.count(records, "record", "records") + (failed > 0 ? "; \(failed) of them could not be used" : "")
      page.paragraph(text, indent: 2)
    }
    if report.inputs.count > 1 {
      let sum = [
        ReportWords.count(tally.records, "record", "records"), "\(ReportWords.grouped(tally.used)) used",
        "\(ReportWords.grouped(tally.skipped)) skipped", "\(ReportWords.grouped(tally.unparsed)) unparsed",
      ]
      page.entry("All inputs", sum.joined(separator: ", "))
    }
    context(report, tally, on: &page)
  }

  private func input(_ input: InputSummary, on page: inout TerminalPage) {
    page.line(
      [.init(input.path, .bold), .init("  \(input.format), \(ReportWords.octets(input.octets))", .dim)], indent: 2)
    if let error = input.error {
      page.paragraph("Not usable: \(error.message)", indent: 4, hanging: 6, style: .suspicious)
    }
    var parts = [ReportWords.count(input.records, "record", "records"), "\(ReportWords.grouped(input.used)) used"]
    let skipped = input.skipped.values.reduce(0, &+)
    if skipped > 0 {
      // Largest first; ties by name so that the order is fixed.
      let reasons = input.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      let list = reasons.map { "\(ReportWords.spaced($0.key)) \(ReportWords.grouped($0.value))" }.joined(
        separator: ", ")
      parts.append("\(ReportWords.grouped(skipped)) skipped (\(list))")
    } else {
      parts.append("0 skipped")
    }
    parts.append("\(ReportWords.grouped(input.unparsed)) unparsed")
    page.paragraph(parts.joined(separator: ", "), indent: 4, hanging: 6)
    if let text = input.firstUnparsed {
      page.paragraph("First unparsed: \(text)", indent: 4, hanging: 6)
    }
    for warning in input.warnings { page.paragraph("Warning: \(warning)", indent: 4, hanging: 6, style: .suspicious) }
    if input.isSampled {
      page.paragraph("Sampled: gaps and counts mean less than they seem.", indent: 4, hanging: 6, style: .suspicious)
    }
    if input.clockIsRelative {
      page.paragraph(
        "Relative clock: times count from an unknown moment, so the dates are not real.", indent: 4, hanging: 6,
        style: .suspicious)
    }
  }

  private func context(_ report: Report, _ tally: ReportTally, on page: inout TerminalPage) {
    if let first = tally.first, let last = tally.last {
      page.entry("Time", ReportWords.longSpan(first, last))
    } else {
      page.entry("Time", "no record with a time")
    }
    let prefixes = report.home.map(\.description).joined(separator: ", ")
    let source = report.homeWasGiven ? "given" : "learned from the traffic; --home sets it"
    if report.isAboutHosts { page.entry("Home", prefixes.isEmpty ? "none found" : "\(prefixes) (\(source))") }
    if let state = report.state { page.entry("State", state.sentence) }
    if !report.counters.isEmpty, report.isAboutHosts {
      let list = report.counters.sorted { $0.key < $1.key }.map {
        "\(ReportWords.spaced($0.key)) \(ReportWords.grouped($0.value))"
      }
      page.entry("Counters", list.joined(separator: ", "))
    }
    for (i, warning) in report.warnings.enumerated() {
      page.entry(i == 0 ? "Warnings" : "", warning, style: .suspicious)
    }
  }
}
