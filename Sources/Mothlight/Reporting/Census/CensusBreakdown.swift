/// What the rows of a census' table stand for.
public enum CensusBreakdown: String, Sendable, Hashable, CaseIterable {
  case botnet, country, network, hour, day
}

/// A census as one table: a line for each botnet, country, network, hour or day, with interval, addresses and grade.
///
/// What must not be concluded stands above it all the same.
public struct CensusBreakdownTable: Sendable {
  private let breakdown: CensusBreakdown
  private let settings: ExporterSettings
  private var nameWidth: Int { max(18, min(32, settings.width - 76)) }

  public init(_ breakdown: CensusBreakdown, _ settings: ExporterSettings) {
    self.breakdown = breakdown
    self.settings = settings
  }

  /// - Throws: only what `write` throws.
  public func export(_ editions: [CensusEdition], to write: (String) throws -> Void) throws {
    var page = TerminalPage(width: settings.width, colour: settings.colour)
    if breakdown == .botnet {
      page.heading("BOTNETS")
      head("BOTNET", on: &page)
      for edition in editions { botnet(edition, on: &page) }
    } else {
      for (i, edition) in editions.enumerated() {
        if i > 0 { page.blank() }
        page.line([.init(edition.report.botnet, .bold), .init("  " + CensusWords.window(edition.report.hours), .dim)])
        head(breakdown.rawValue.uppercased(), on: &page)
        rows(of: edition.report, on: &page)
        try write(page.drain())
      }
    }
    caveats(editions, on: &page)
    try write(page.drain())
  }

  private func botnet(_ edition: CensusEdition, on page: inout TerminalPage) {
    if edition.hidden.isAll {
      page.line([.init(TerminalPage.padded(edition.report.botnet, nameWidth)), .init("hidden", .dim)], indent: 2)
      return
    }
    let digest = CensusDigest(edition)
    for (what, figure) in [
      ("live", digest.typical), ("active", digest.active), ("footprint", edition.report.footprint),
    ] {
      guard let figure else { continue }
      row(what == "live" ? edition.report.botnet : "", what, figure, on: &page)
    }
  }

  private func rows(of report: CensusReport, on page: inout TerminalPage) {
    switch breakdown {
    case .botnet: break
    case .country, .network:
      for part in breakdown == .country ? report.countries : report.systems {
        row(CensusWords.place(part.place), "live", part.live, on: &page)
        row("", "footprint", part.footprint, on: &page)
      }
    case .hour:
      for figure in report.live { row(CensusCSVExporter.hour(figure.hours.lowerBound), "live", figure, on: &page) }
    case .day:
      for figure in report.active {
        row(CensusCSVExporter.day(figure), "active", figure, on: &page)
        if let stock = report.stock.first(where: { $0.hours == figure.hours }) { row("", "stock", stock, on: &page) }
      }
    }
  }

  private func head(_ name: String, on page: inout TerminalPage) {
    let text =
      TerminalPage.padded(name, nameWidth) + TerminalPage.padded("QUANTITY", 10)
      + TerminalPage.rightAligned("MACHINES", 11) + TerminalPage.rightAligned("95 % INTERVAL", 22)
      + TerminalPage.rightAligned("ADDRESSES", 13) + TerminalPage.rightAligned("FACTOR", 7) + "  GRADE"
    page.line([.init(text, .dim)], indent: 2)
  }

  private func row(_ name: String, _ what: String, _ figure: CensusFigure, on page: inout TerminalPage) {
    let most = figure.atMost.map { "≤ \(CensusWords.machines($0))" } ?? ""
    let value = figure.machines.map { CensusWords.machines($0.value) } ?? "not stated"
    var text = TerminalPage.padded(name, nameWidth) + TerminalPage.padded(what, 10)
    text += TerminalPage.rightAligned(value, 11)
    text += TerminalPage.rightAligned(figure.machines.map(CensusWords.interval) ?? most, 22)
    text += TerminalPage.rightAligned(CensusWords.machines(figure.addresses), 13)
    text += TerminalPage.rightAligned(CensusWords.factor(figure.inflation), 7)
    page.line([.init(text), .init("  " + figure.grade.rawValue, .dim)], indent: 2)
  }

  private func caveats(_ editions: [CensusEdition], on page: inout TerminalPage) {
    let all = editions.filter { !$0.report.caveats.isEmpty }
    guard !all.isEmpty else { return }
    page.blank()
    page.heading("BEFORE YOU QUOTE IT")
    for edition in all {
      for caveat in CensusDigest(edition).caveats {
        let refusal =
          caveat.refuses.isEmpty ? "" : " (not stated: \(caveat.refuses.map(\.rawValue).joined(separator: ", ")))"
        let name = editions.count > 1 ? "\(edition.report.botnet): " : ""
        page.paragraph("! \(name)\(caveat.text)\(refusal)", indent: 2, hanging: 4, style: .suspicious)
      }
    }
  }
}
