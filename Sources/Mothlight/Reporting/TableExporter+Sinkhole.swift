/// Sources that came to the sinkhole, by botnet and network.
extension TableExporter {
  /// Networks listed before the rest is only counted.
  private static let networksShown = 20

  func sinkhole(_ s: SinkholeSummary, on page: inout TerminalPage) {
    page.heading("SINKHOLE")
    page.paragraph(
      "Addresses, not machines: changing addresses count one machine several times, shared ones hide many.", indent: 2)
    for botnet in s.botnets {
      let c = botnet.sources
      page.line(
        [
          .init(botnet.name.isEmpty ? "no botnet" : botnet.name, .bold),
          .init(
            ": \(ReportWords.count(c.infected, "source", "sources")) recognised (\(ReportWords.grouped(c.byLevel[3])) with "
              + "the bot's timing) in \(ReportWords.count(botnet.networks, "network", "networks"))"),
        ], indent: 2)
      page.paragraph(
        "\(ReportWords.grouped(c.byLevel[1])) more had the protocol's shape, \(ReportWords.grouped(c.byLevel[0])) only "
          + "connected; \(Self.visitors(c)); \(ReportWords.longSpan(c.first, c.last))"
          + (c.factor > 1 ? "; one source in \(c.factor) was recorded" : ""), indent: 4, style: .dim)
      if c.infected > 0 {
        let machines =
          botnet.identities > 0
          ? "\(ReportWords.count(botnet.identities, "different machine", "different machines")) by what their messages carry"
          : "messages that carry nothing by which machines could be told apart"
        page.paragraph(
          "\(ReportWords.count(c.addressDays, "address", "addresses")) counted once a day; \(machines)", indent: 4,
          style: .dim)
      }
      if let words = Self.age(c) { page.paragraph(words, indent: 4, style: .dim) }
    }
    if s.botnets.isEmpty { page.line("No source is in it yet.", indent: 2) }
    page.blank()
    let rows = s.rows.filter { $0.sources.infected > 0 }
    if !rows.isEmpty { networks(rows, on: &page) }
    page.paragraph(Self.custody(s), indent: 2, style: .dim)
    page.blank()
  }

  private func networks(_ rows: [SinkholeSummary.Row], on page: inout TerminalPage) {
    let shown = settings.showAll ? rows[...] : rows.prefix(Self.networksShown)
    let width = shown.map { $0.prefix.description.utf8.count }.max() ?? 18
    page.line(
      [
        .init(
          TerminalPage.padded("NETWORK", width) + TerminalPage.rightAligned("SOURCES", 9)
            + TerminalPage.rightAligned("BY AGE", 9) + "  FIRST–LAST (UTC)"
            + "                 BOTNET", .dim)
      ], indent: 2)
    for row in shown {
      let owner = [row.system.map { "AS\($0)" }, row.systemName, row.country].compactMap { $0 }.joined(separator: " ")
      let span =
        "\(row.sources.first.description.prefix(16).replacing("T", with: " "))–\(row.sources.last.description.prefix(16).dropFirst(5).replacing("T", with: " "))"
      page.line(
        TerminalPage.padded(row.prefix.description, width)
          + TerminalPage.rightAligned(ReportWords.grouped(row.sources.infected), 9)
          + TerminalPage.rightAligned(ReportWords.decimals(row.sources.weight, 1), 9) + "  "
          + TerminalPage.padded(span, 31) + "  \(row.botnet)\(owner.isEmpty ? "" : "  \(owner)")", indent: 2)
    }
    if shown.count < rows.count {
      page.line("\(ReportWords.grouped(rows.count - shown.count)) more networks; --all lists them.", indent: 2)
    }
    page.blank()
  }

  /// How much of the recognised ones is left after so long; `nil` when nothing was recognised.
  static func age(_ c: SinkholeSummary.SourceCounts) -> String? {
    guard c.infected > 0, let expires = c.expires else { return nil }
    return "by age: \(ReportWords.decimals(c.weight, 1)) of \(ReportWords.grouped(c.infected)); "
      + "\(ReportWords.grouped(c.expired)) past their expiry; the last one expires \(expires.description.prefix(10))"
  }

  static func visitors(_ counts: SinkholeSummary.SourceCounts) -> String {
    let parts = VisitorClass.allCases.compactMap { kind in
      counts.visitors[kind].map { "\(ReportWords.grouped($0)) \(kind.name)" }
    }
    return parts.isEmpty ? "no visitors" : "visitors kept apart: " + parts.joined(separator: ", ")
  }

  /// Whether the records can be trusted, and what is missing.
  static func custody(_ s: SinkholeSummary) -> String {
    var parts = ["\(s.segmentsVerified) of \(ReportWords.count(s.segments, "segment", "segments")) verified"]
    if s.segmentsOpen > 0 { parts.append("\(s.segmentsOpen) still open") }
    if s.kernelDrops > 0 { parts.append("\(ReportWords.grouped(s.kernelDrops)) datagrams dropped by the kernel") }
    if s.recordsLost > 0 { parts.append("\(ReportWords.grouped(s.recordsLost)) records lost before they were written") }
    if s.clockSteps > 0 { parts.append("the sensor's clock stepped \(s.clockSteps) times") }
    if s.refused > 0 { parts.append("\(ReportWords.grouped(s.refused)) sightings beyond the table's bound") }
    if !s.ruleVersions.isEmpty {
      let versions = s.ruleVersions.sorted().map(String.init).joined(separator: ", ") + (s.hasMoreRules ? ", …" : "")
      parts.append(s.ruleVersions.count == 1 ? "rules version \(versions)" : "rules versions \(versions)")
    }
    if let origin = s.networksOrigin { parts.append("networks from \(origin)") }
    if s.dnsQueries > 0 {
      parts.append(
        "\(ReportWords.grouped(s.dnsQueries)) DNS questions by \(ReportWords.count(s.resolvers, "resolver", "resolvers"))"
      )
    }
    return parts.joined(separator: "; ") + "." + (s.segmentsOpen > 0 ? " " + pending : "")
  }

  private static let pending =
    "A spool that is still being written lacks the running hour: sources are written when it is over, or when the "
    + "sinkhole ends."
}
