/// Verdicts for a person at a terminal: what was read, then who is infected and why.
public struct TableExporter: Exporter {
  public static let card = ExporterCard(name: "table", title: "verdicts for a terminal; the default there")
  /// Inputs listed one by one before the rest is summed up.
  static let inputsShown = 12
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    var page = TerminalPage(width: settings.width, colour: settings.colour)
    let tally = ReportTally(report)
    page.line([.init("Mothlight \(report.version)", .bold), .init("  \(marking.marking)", .dim)])
    page.blank()
    coverage(report, tally, on: &page)
    page.blank()
    if let sinkhole = report.sinkhole { self.sinkhole(sinkhole, on: &page) }
    guard report.isAboutHosts else {
      try write(page.drain())
      return
    }
    if let host = settings.explain {
      try explain(host, report, on: &page, to: write)
    } else {
      try verdicts(report, tally, on: &page, to: write)
    }
    try write(page.drain())
  }

  private func verdicts(
    _ report: Report, _ tally: ReportTally, on page: inout TerminalPage, to write: (String) throws -> Void
  ) throws {
    page.heading("VERDICTS")
    let split = tally.flagged > 0 ? " (\(tally.infected) infected, \(tally.suspicious) suspicious)." : "."
    page.paragraph(tally.headline + split, indent: 2, style: .bold)
    if tally.flagged == 0 {
      for text in tally.meaning { page.paragraph(text, indent: 2) }
    }
    page.blank()
    let rows = report.hosts.filter { settings.showAll || $0.verdict >= .suspicious }
    if !rows.isEmpty {
      let columns = Columns(rows, width: page.width)
      page.line([.init(columns.head, .dim)], indent: 2)
      for entry in rows {
        row(entry, columns, on: &page)
        if page.text.utf8.count > 1 << 16 { try write(page.drain()) }
      }
      page.blank()
    }
    remainder(tally, on: &page)
    hidden(report.hidden, on: &page)
    if tally.flagged > 0 {
      page.paragraph("Why: --explain HOST prints every number behind a verdict.", indent: 2, style: .dim)
    }
  }

  /// Hosts that have no row of their own.
  private func remainder(_ tally: ReportTally, on page: inout TerminalPage) {
    if tally.noSign > 0, tally.flagged > 0 || !settings.showAll {
      let more = settings.showAll ? "" : "; --all lists them"
      page.paragraph(
        "\(ReportWords.count(tally.noSign, "host", "hosts")) with no sign in what was seen\(more).", indent: 2)
    }
    guard tally.notEnoughData > 0 else { return }
    var text = ReportWords.count(tally.notEnoughData, "host", "hosts") + " with not enough data"
    let reasons = tally.unjudgedReasons
    if let top = reasons.first {
      text +=
        reasons.count == 1 && tally.notEnoughData == 1 ? ": " : "; most often (\(ReportWords.grouped(top.hosts))): "
      text += top.reason
    }
    page.paragraph(text, indent: 2)
  }

  private func hidden(_ hidden: [HiddenFinding], on page: inout TerminalPage) {
    guard !hidden.isEmpty else { return }
    let more = settings.showHidden ? ":" : "; --show-hidden lists them."
    let what = ReportWords.count(hidden.count, "finding", "findings")
    page.paragraph("\(what) kept out of the verdicts (your allow rules, or what many do)\(more)", indent: 2)
    guard settings.showHidden else { return }
    for item in hidden {
      let finding = item.finding
      page.paragraph(
        "\(finding.host) \(finding.first.dayDescription) \(finding.detector): \(finding.summary) [rule: \(item.rule)]",
        indent: 4, hanging: 6)
    }
  }
}

extension TableExporter {
  /// Which columns fit: families and times give way first, since the second line of a row can hold them.
  struct Columns {
    var host = 15
    var families = 0
    var span = 0
    static let verdict = 15
    static let day = 10
    static let score = 6

    init(_ rows: [HostDay], width: Int) {
      for entry in rows { host = max(host, entry.host.description.utf8.count) }
      var room = width - 2 - Self.verdict - 1 - host - 2 - Self.day - 2 - Self.score
      if room >= 13 {
        span = 11
        room -= 13
      }
      let widest = rows.map { TableExporter.families($0).utf8.count }.max() ?? 0
      if room >= max(8, widest) + 2 { families = max(8, widest) }
    }

    var head: String {
      var text = TerminalPage.padded("VERDICT", Self.verdict) + " " + TerminalPage.padded("HOST", host) + "  "
      text += TerminalPage.padded("DAY (UTC)", Self.day) + "  " + TerminalPage.rightAligned("SCORE", Self.score)
      if span > 0 { text += "  " + TerminalPage.padded("FIRST–LAST", span) }
      if families > 0 { text += "  FAMILIES" }
      return text
    }
  }

  static func families(_ entry: HostDay) -> String {
    entry.families.map { ReportWords.label($0.family) }.joined(separator: " ")
  }

  static func style(_ verdict: Verdict) -> TerminalPage.Style {
    switch verdict {
    case .infected: .infected
    case .suspicious: .suspicious
    case .noSign: .plain
    case .notEnoughData: .dim
    }
  }

  /// One line of facts, one of words.
  private func row(_ entry: HostDay, _ columns: Columns, on page: inout TerminalPage) {
    var facts = " " + TerminalPage.padded(entry.host.description, columns.host) + "  "
    facts += Timestamp.describe(day: entry.day) + "  "
    facts += TerminalPage.rightAligned(ReportWords.decimals(entry.score, 1), Columns.score)
    let first = entry.findings.map(\.first).min() ?? entry.activity.first
    let last = entry.findings.map(\.last).max() ?? entry.activity.last
    if columns.span > 0 {
      let span = ReportWords.span(first, last, day: entry.day)
      facts += "  " + TerminalPage.padded(span.utf8.count > 13 ? "over days" : span, columns.span)
    }
    if columns.families > 0 { facts += "  " + Self.families(entry) }
    page.line(
      [
        .init(TerminalPage.padded(ReportWords.label(entry.verdict), Columns.verdict), Self.style(entry.verdict)),
        .init(facts),
      ], indent: 2)
    var words: [String] = []
    if !entry.botnets.isEmpty { words.append(entry.botnets.joined(separator: ", ")) }
    if columns.families == 0, !entry.families.isEmpty { words.append(Self.families(entry)) }
    words.append(entry.findings.first?.summary ?? entry.reason)
    page.line([.init("└ ", .dim), .init(words.joined(separator: " · "))], indent: 4)
  }
}
