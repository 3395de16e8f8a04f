/// A census for a person at a terminal: how many, on what grounds, and what must not be concluded.
public struct CensusTableExporter: CensusExporter {
  public static let card = ExporterCard(name: "table", title: "the census for a terminal; the default")
  /// Countries and networks listed before the rest is only counted.
  static let placesShown = 15
  let settings: ExporterSettings
  /// Columns of a name; the numbers beside it take 60.
  private var nameWidth: Int { max(18, min(28, settings.width - 62)) }

  public init(_ settings: ExporterSettings) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    var page = TerminalPage(width: settings.width, colour: settings.colour)
    let digest = CensusDigest(edition)
    let report = edition.report
    page.line([
      .init("Mothlight \(edition.version)", .bold), .init("  census of "), .init(report.botnet, .bold),
      .init("  \(try settings.marking(of: edition.tlp).marking)", .dim),
    ])
    page.line([.init(CensusWords.window(report.hours), .dim)])
    page.paragraph("\(digest.sensorWords); \(digest.droppedWords)", style: .dim)
    page.blank()
    if edition.hidden.isAll {
      page.paragraph(CensusWords.caveat("below_ten"), style: .bold)
    } else {
      quantities(digest, on: &page)
      caveats(edition, on: &page)
      places(edition, digest, on: &page)
      outlook(edition, on: &page)
      grounds(digest, on: &page)
    }
    try write(page.drain())
  }

  private func quantities(_ digest: CensusDigest, on page: inout TerminalPage) {
    page.heading("HOW MANY MACHINES")
    let report = digest.report
    let head =
      TerminalPage.padded("", nameWidth) + TerminalPage.rightAligned("MACHINES", 11)
      + TerminalPage.rightAligned("95 % INTERVAL", 20) + TerminalPage.rightAligned("ADDRESSES", 13)
      + TerminalPage.rightAligned("FACTOR", 7) + "  GRADE"
    page.line([.init(head, .dim)], indent: 2)
    row("live, typical hour", digest.typical, on: &page)
    row("live, peak hour", digest.peak, on: &page)
    row("live, last hour", digest.last, on: &page)
    row("active, median day", digest.active, on: &page)
    row("infected, on/off", digest.stock, on: &page)
    row("footprint", report.footprint, on: &page)
    page.paragraph(
      "Factor: addresses for each machine. Addresses are not machines: changing ones count a machine many times, shared "
        + "ones hide many.", indent: 2, style: .dim)
    page.blank()
  }

  private func row(_ name: String, _ figure: CensusFigure?, on page: inout TerminalPage) {
    guard let figure else { return }
    var spans = [TerminalPage.Span(TerminalPage.padded(name, nameWidth))]
    if let machines = figure.machines {
      spans.append(.init(TerminalPage.rightAligned(CensusWords.machines(machines.value), 11), .bold))
      spans.append(.init(TerminalPage.rightAligned(CensusWords.interval(machines), 20)))
    } else {
      let most = figure.atMost.map { "≤ \(CensusWords.machines($0))" } ?? ""
      spans.append(.init(TerminalPage.rightAligned("not stated", 11), .suspicious))
      spans.append(.init(TerminalPage.rightAligned(most, 20)))
    }
    spans.append(.init(TerminalPage.rightAligned(CensusWords.machines(figure.addresses), 13)))
    spans.append(.init(TerminalPage.rightAligned(CensusWords.factor(figure.inflation), 7)))
    spans.append(.init("  " + figure.grade.rawValue, .dim))
    page.line(spans, indent: 2)
  }

  private func caveats(_ edition: CensusEdition, on page: inout TerminalPage) {
    guard !edition.report.caveats.isEmpty || edition.audience == .everybody else { return }
    page.heading("BEFORE YOU QUOTE IT")
    if edition.audience == .everybody {
      page.paragraph(
        "! Public edition: small cells are hidden, and what would give them away: \(edition.hidden.words).", indent: 2,
        hanging: 4, style: .suspicious)
    }
    for caveat in CensusDigest(edition).caveats {
      let refusal =
        caveat.refuses.isEmpty ? "" : " (not stated: \(caveat.refuses.map(\.rawValue).joined(separator: ", ")))"
      page.paragraph("! \(caveat.text)\(refusal)", indent: 2, hanging: 4, style: .suspicious)
    }
    page.blank()
  }

  private func outlook(_ edition: CensusEdition, on page: inout TerminalPage) {
    if let trend = edition.trend {
      page.heading("TREND")
      page.paragraph(trend.headline, indent: 2)
      for text in trend.outlook { page.paragraph(text, indent: 2, style: .dim) }
      page.blank()
    }
    if let firepower = edition.firepower {
      page.heading("FIREPOWER")
      page.paragraph("Peak hour: \(firepower.peak.rate.words)", indent: 2)
      page.paragraph("Typical hour: \(firepower.typical.rate.words)", indent: 2)
      for flag in firepower.flags { page.paragraph("! \(flag.text)", indent: 2, hanging: 4, style: .suspicious) }
      page.paragraph(Firepower.limits, indent: 2, style: .dim)
      page.blank()
    }
  }

  private func grounds(_ digest: CensusDigest, on page: inout TerminalPage) {
    page.heading("WHAT IT RESTS ON")
    for (name, text) in digest.grounds { page.entry(name, text, gap: 22) }
  }
}

extension CensusTableExporter {
  private func places(_ edition: CensusEdition, _ digest: CensusDigest, on page: inout TerminalPage) {
    let report = digest.report
    let what = digest.ranksByFootprint ? "footprint" : "mean live"
    let ranks = digest.ranks
    let shown = settings.showAll ? ranks[...] : ranks.prefix(Self.placesShown)
    if !shown.isEmpty {
      page.heading("COUNTRIES, \(what.uppercased())")
      head("COUNTRY", on: &page)
      for rank in shown {
        place(digest.figure(rank.part), rank.part, "\(rank.byMachines)", "\(rank.byAddresses)", on: &page)
      }
      rest(ranks.count - shown.count, "countries", on: &page)
      page.paragraph("Rank by machines, and by addresses where that is another.", indent: 2, style: .dim)
    }
    if !ranks.isEmpty { page.blank() }
    guard !report.systems.isEmpty else { return }
    let systems = settings.showAll ? report.systems[...] : report.systems.prefix(Self.placesShown)
    page.heading("NETWORKS, FOOTPRINT")
    head("NETWORK", on: &page)
    for part in systems { place(part.footprint, part, "", "", on: &page) }
    rest(report.systems.count - systems.count, "networks", on: &page)
    page.blank()
  }

  private func head(_ name: String, on page: inout TerminalPage) {
    let text =
      TerminalPage.padded(name, nameWidth) + TerminalPage.rightAligned("MACHINES", 11)
      + TerminalPage.rightAligned("95 % INTERVAL", 20) + TerminalPage.rightAligned("ADDRESSES", 13)
      + TerminalPage.rightAligned("FACTOR", 7) + (name == "COUNTRY" ? "  RANK" : "")
    page.line([.init(text, .dim)], indent: 2)
  }

  private func place(
    _ figure: CensusFigure, _ part: CensusPart, _ rank: String, _ other: String, on page: inout TerminalPage
  ) {
    let most = figure.atMost.map { "≤ \(CensusWords.machines($0))" } ?? ""
    var text = TerminalPage.padded(CensusWords.place(part.place), nameWidth)
    text += TerminalPage.rightAligned(figure.machines.map { CensusWords.machines($0.value) } ?? "not stated", 11)
    text += TerminalPage.rightAligned(figure.machines.map(CensusWords.interval) ?? most, 20)
    text += TerminalPage.rightAligned(CensusWords.machines(figure.addresses), 13)
    text += TerminalPage.rightAligned(CensusWords.factor(figure.inflation), 7)
    var tags: [String] = []
    if !rank.isEmpty { tags.append(rank == other ? rank : "\(rank) (\(other))") }
    if part.isAnchor { tags.append("stable") }
    if part.isShared { tags.append("shared") }
    page.line([.init(text), .init("  " + tags.joined(separator: " "), .dim)], indent: 2)
  }

  private func rest(_ count: Int, _ what: String, on page: inout TerminalPage) {
    if count > 0 { page.line("\(ReportWords.grouped(count)) more \(what); --all lists them.", indent: 2) }
  }
}
