/// An evaluation for a person: a row per known host, why rows were not met, totals with intervals.
public struct EvaluationTable: Sendable {
  private let width: Int
  /// Clean hosts of one input listed one by one before they are summed up.
  private static let clearShown = 3
  private static let besidesShown = 8
  /// Columns that a path must have left to stand beside its row.
  private static let pathLeast = 24

  /// - Parameter width: columns of the terminal.
  public init(width: Int) { self.width = width }

  public func text(_ evaluation: Evaluation, tlp: TLP = .amber) -> String {
    var page = TerminalPage(width: width, colour: false)
    page.line(tlp.marking)
    let rows = evaluation.rows
    page.line(
      "Evaluation against \(evaluation.truthName): \(ReportWords.count(rows.count, "row", "rows")), "
        + ReportWords.count(evaluation.inputs.count, "input", "inputs"))
    page.blank()
    table(evaluation, on: &page)
    missing(evaluation.missing, on: &page)
    reasons(rows, on: &page)
    besides(evaluation.inputs, on: &page)
    totals(EvaluationTotals(evaluation), on: &page)
    return page.drain()
  }

  // MARK: Rows

  private struct Line {
    var outcome: String
    var truth: String
    var said: String
    var time: String
    var host: String
    var path: String
    var columns: [String] { [outcome, truth, said, time, host] }
  }

  private func table(_ evaluation: Evaluation, on page: inout TerminalPage) {
    let head = Line(
      outcome: "OUTCOME", truth: "KNOWN", said: "SAID", time: "DETECTED IN", host: "HOST", path: "INPUT")
    let lines = [head] + evaluation.inputs.flatMap(lines)
    let widths = head.columns.indices.map { i in
      min(28, lines.map { VisibleText.width(VisibleText.escaped($0.columns[i])) }.max() ?? 0)
    }
    let room = page.width - 2 - widths.reduce(0) { $0 + $1 + 2 }
    guard room >= Self.pathLeast else { return list(lines.dropFirst(), on: &page) }
    for line in lines {
      var text = ""
      for (column, width) in zip(line.columns, widths) { text += TerminalPage.padded(column, width) + "  " }
      page.line(text + Self.tail(line.path, room), indent: 2)
    }
    page.blank()
  }

  /// The same rows on a terminal that is too narrow for columns.
  private func list(_ lines: ArraySlice<Line>, on page: inout TerminalPage) {
    var path: String?
    for line in lines {
      if line.path != path { page.paragraph(line.path, indent: 2, hanging: 4) }
      path = line.path
      let time = line.time == "–" ? "" : ", detected in \(line.time)"
      page.paragraph(
        "\(line.outcome): \(line.host), known \(line.truth), said \(line.said)\(time)", indent: 4, hanging: 6)
    }
    page.blank()
  }

  private func lines(_ input: InputEvaluation) -> [Line] {
    let isFolded = input.rows.count { $0.outcome == .clear } > Self.clearShown
    var lines = input.rows.filter { !isFolded || $0.outcome != .clear }.map { line($0, input.path) }
    if isFolded {
      let folded = input.rows.count { $0.outcome == .clear }
      lines.append(
        Line(
          outcome: EvaluationWords.label(.clear), truth: "clean", said: "no sign", time: "–",
          host: "\(ReportWords.grouped(folded)) hosts", path: input.path))
    }
    return lines
  }

  private func line(_ row: RowEvaluation, _ path: String) -> Line {
    let known = row.row.truth.rawValue + (row.row.family.map { " (\($0))" } ?? "")
    var said = row.said.map(ReportWords.label) ?? "not seen"
    if row.row.truth.isRefusal { said = row.message == nil ? "no message" : "a message" }
    if !row.botnets.isEmpty { said += " (\(row.botnets.joined(separator: ", ")))" }
    var host = row.row.host?.description ?? "every host"
    if row.row.host == nil, let of = row.saidOf, row.said ?? .noSign >= .suspicious { host = "any: \(of)" }
    return Line(
      outcome: EvaluationWords.label(row.outcome), truth: known, said: said,
      time: row.secondsToDetection.map(ReportWords.duration) ?? "–", host: host, path: path)
  }

  /// The end of a path, which tells more than its beginning.
  static func tail(_ path: String, _ columns: Int) -> String {
    let shown = VisibleText.escaped(path)
    guard VisibleText.width(shown) > columns else { return shown }
    return "…" + shown.unicodeScalars.suffix(max(1, columns - 1)).reduce(into: "") { $0.unicodeScalars.append($1) }
  }

  private func missing(_ paths: [String], on page: inout TerminalPage) {
    guard !paths.isEmpty else { return }
    page.heading("NOT THERE, NOT COUNTED")
    for path in paths { page.paragraph(path, indent: 2, hanging: 4) }
    page.blank()
  }

  // MARK: Reasons

  private func reasons(_ rows: [RowEvaluation], on page: inout TerminalPage) {
    let open = rows.filter { !$0.outcome.isMet }
    let answered = rows.filter { $0.outcome == .answered }
    if !open.isEmpty {
      page.heading("NOT MET, AND WHY")
      for row in open {
        let said = row.said.map(ReportWords.label) ?? "not seen"
        let host = row.row.host?.description ?? "every host"
        page.paragraph(
          "\(EvaluationWords.label(row.outcome)): \(row.row.path), \(host), known \(row.row.truth.rawValue), said \(said)",
          indent: 2, hanging: 4)
        for text in row.why { page.paragraph(text, indent: 4, hanging: 6) }
      }
      page.blank()
    }
    guard !answered.isEmpty else { return }
    page.heading("ANSWERS TO INPUTS THAT MUST BE REFUSED")
    for row in answered { page.paragraph("\(row.row.path): \(row.message ?? "")", indent: 2, hanging: 4) }
    page.blank()
  }

  private func besides(_ inputs: [InputEvaluation], on page: inout TerminalPage) {
    let some = inputs.filter { !$0.flaggedBesides.isEmpty }
    guard !some.isEmpty else { return }
    page.heading("FLAGGED HOSTS OF WHICH THE TRUTH SAYS NOTHING")
    for input in some {
      let hosts = input.flaggedBesides.prefix(Self.besidesShown).map { "\($0.host) \(ReportWords.label($0.verdict))" }
      let more = input.flaggedBesides.count - hosts.count
      page.paragraph(
        "\(input.path): \(hosts.joined(separator: ", "))\(more > 0 ? " and \(more) more" : "")", indent: 2, hanging: 4)
    }
    page.blank()
  }

  // MARK: Totals

  private func totals(_ totals: EvaluationTotals, on page: inout TerminalPage) {
    page.heading("TOTALS")
    let widest = (totals.lines.map(\.words.utf8.count).max() ?? 0) + 3
    let gap = page.width - widest < 40 ? 14 : widest
    for line in totals.lines { entry(line.words, EvaluationWords.share(line.rows), gap, on: &page) }
    if let median = totals.medianSecondsToDetection, let last = totals.secondsToDetection.last {
      entry(
        "time to detection",
        "median \(ReportWords.duration(median)), longest \(ReportWords.duration(last)), "
          + "over \(ReportWords.count(totals.secondsToDetection.count, "infected row", "infected rows")) with an alarm",
        gap,
        on: &page)
    }
    cleanDays(totals, gap, on: &page)
    entry("rows met", "\(totals.rowsMet) of \(totals.rows)", gap, on: &page)
    page.blank()
    for text in [EvaluationWords.timeToDetection, EvaluationWords.intervals, EvaluationWords.hostDays] {
      page.paragraph(text, indent: 2)
    }
  }

  /// Label and text side by side, or below each other where the label is wider than its column.
  private func entry(_ label: String, _ words: String, _ gap: Int, on page: inout TerminalPage) {
    guard label.utf8.count >= gap else { return page.entry(label, words, gap: gap) }
    page.paragraph(label, indent: 2)
    page.paragraph(words, indent: 4)
  }

  private func cleanDays(_ totals: EvaluationTotals, _ gap: Int, on page: inout TerminalPage) {
    let days = totals.cleanDays
    guard days.tally != HostDayTally() else { return }
    entry("clean host-days", "called infected: \(EvaluationWords.perThousand(days.infected))", gap, on: &page)
    entry("", "called suspicious: \(EvaluationWords.perThousand(days.suspicious))", gap, on: &page)
    entry("", "not enough data: \(ReportWords.grouped(days.tally.notEnoughData)) more", gap, on: &page)
    for part in totals.cleanDaysByFormat {
      let name = part.format.isEmpty ? "no format" : part.format
      entry(
        "  in \(name)",
        "infected \(part.tally.infected), suspicious \(part.tally.suspicious) of \(part.tally.judged) judged; "
          + "not enough data \(part.tally.notEnoughData)", gap, on: &page)
    }
  }
}
